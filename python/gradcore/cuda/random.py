"""Seeds of GPUs that are not there: setting them does nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .._types import check_device


def manual_seed(seed: int) -> None:
    """Does nothing."""
    int(seed)


manual_seed_all = manual_seed


def seed() -> None:
    """Does nothing."""


seed_all = seed


def initial_seed() -> int:
    """Needs a GPU: raises AssertionError."""
    check_device("cuda")
    return 0


def get_rng_state(device: Any = "cuda") -> Tensor:
    """Needs a GPU: raises AssertionError."""
    check_device("cuda")
    raise AssertionError


def get_rng_state_all() -> list[Tensor]:
    """An empty list: a state for each GPU."""
    return []


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Does nothing."""


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Does nothing."""
