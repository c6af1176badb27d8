"""torch.backends.cudnn: not there; its switches are remembered and do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

enabled = True
benchmark = False
benchmark_limit: int | None = None
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False.

    >>> import gradcore
    >>> gradcore.backends.cudnn.is_available()
    False
    """
    return False


def is_acceptable(tensor: Any) -> bool:
    """False."""
    return False


def version() -> None:
    """None."""


@contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    **_: object,
) -> Iterator[None]:
    """A context that changes nothing."""
    yield
