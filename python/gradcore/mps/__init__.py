"""torch.mps on a machine without Apple's GPU."""

from __future__ import annotations

from typing import Any, NoReturn


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing."""


def seed() -> None:
    """Does nothing."""


def empty_cache() -> None:
    """Does nothing. (torch fails here with a RuntimeError.)"""


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: there is no MPS."""
    raise RuntimeError("Cannot execute this without the MPS backend: gradcore runs on the CPU only")


synchronize = get_rng_state = set_rng_state = set_per_process_memory_fraction = current_allocated_memory = _refuse
driver_allocated_memory = recommended_max_memory = compile_shader = _refuse
