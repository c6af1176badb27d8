"""torch.xpu on a machine without Intel's GPU."""

from __future__ import annotations

from typing import Any

from .._types import check_device


def is_available() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Does nothing."""


def memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def _refuse(*args: Any, **kwargs: Any) -> None:
    """Raises AssertionError: there is no XPU."""
    check_device("xpu")


init = synchronize = current_device = set_device = get_device_name = get_device_properties = _refuse
current_stream = get_device_capability = _refuse
