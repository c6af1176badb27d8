"""torch.accelerator on a machine that has none."""

from __future__ import annotations

from typing import Any, NoReturn


def is_available() -> bool:
    """False: gradcore runs on the CPU only.

    >>> import gradcore
    >>> gradcore.accelerator.is_available()
    False
    """
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None."""


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises RuntimeError: there is no accelerator."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


current_device_index = current_device_idx = set_device_index = set_device_idx = _refuse
current_stream = set_stream = synchronize = device_index = get_device_capability = _refuse


def empty_cache() -> None:
    """Does nothing."""


def memory_allocated(device_index: Any = None) -> int:
    """0."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_stats(device_index: Any = None) -> dict[str, Any]:
    """An empty dict."""
    return {}


def reset_peak_memory_stats(device_index: Any = None) -> None:
    """Does nothing."""


reset_accumulated_memory_stats = reset_peak_memory_stats
