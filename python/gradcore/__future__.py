"""torch.__future__: switches for behaviour that may become the default; they are remembered and do nothing."""

from __future__ import annotations

_overwrite = False
_swap = False


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Remembered, and no more."""
    global _overwrite
    _overwrite = value


def get_overwrite_module_params_on_conversion() -> bool:
    """What set_overwrite_module_params_on_conversion() was told last."""
    return _overwrite


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Remembered, and no more."""
    global _swap
    _swap = value


def get_swap_module_params_on_conversion() -> bool:
    """What set_swap_module_params_on_conversion() was told last."""
    return _swap
