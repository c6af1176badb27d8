"""autocast, which does nothing on a machine without a GPU unless a half type is asked for on the CPU."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .. import _C
from .._types import device

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

_HALF = "bfloat16 and float16 are names alone, no tensor has these dtypes"


class autocast:
    """Casts to a half type inside, in torch. Here it is a context and decorator that changes nothing.

    For "cuda" it warns that there is none, as torch does; for "cpu" with float32 it warns that autocast is disabled.

    >>> import gradcore
    >>> with gradcore.autocast("cpu", enabled=False):
    ...     gradcore.ones(1).dtype
    torch.float32

    Raises NotImplementedError for "cpu" when it is enabled with a half type (the default is bfloat16), ValueError for a
    device that is no str, RuntimeError for an unknown one.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = dtype
        if enabled and self.device != "cpu":
            warnings.warn(f"{self.device.upper()} is not available. Disabling autocast.", stacklevel=2)
        elif enabled and dtype in (None, _C.bfloat16, _C.float16):
            raise NotImplementedError(f"autocast('cpu'): {_HALF}")
        elif enabled:
            warnings.warn("In CPU autocast, but the target dtype is not supported. Disabling autocast.", stacklevel=2)
        self._enabled = False

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str = "cuda", cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorates the forward of a Function that knows of autocast; autocast is never on, so it stays as it is."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str = "cuda") -> Callable[..., Any]:
    """Decorates the backward of a Function that knows of autocast; autocast is never on, so it stays as it is."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    return bwd


def is_autocast_available(device_type: str) -> bool:
    """False: there are no half types. Raises RuntimeError for an unknown device.

    >>> import gradcore
    >>> gradcore.is_autocast_available("cpu")
    False
    """
    device(device_type)
    return False


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False. Raises RuntimeError for an unknown device.

    >>> import gradcore
    >>> gradcore.is_autocast_enabled("cpu")
    False
    """
    device(device_type)
    return False


def is_autocast_cpu_enabled() -> bool:
    """False.

    >>> import gradcore
    >>> gradcore.is_autocast_cpu_enabled()
    False
    """
    return False


def is_autocast_cache_enabled() -> bool:
    """True, as torch says whether or not autocast is on.

    >>> import gradcore
    >>> gradcore.is_autocast_cache_enabled()
    True
    """
    return True


def clear_autocast_cache() -> None:
    """Does nothing.

    >>> import gradcore
    >>> gradcore.clear_autocast_cache()
    """


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Accepts False. Raises NotImplementedError for True.

    >>> import gradcore
    >>> gradcore.set_autocast_enabled(False)
    """
    if device_type is True or enabled:
        raise NotImplementedError(f"set_autocast_enabled: {_HALF}")


def get_autocast_dtype(device_type: str) -> Any:
    """The half type that autocast casts to in torch.

    >>> import gradcore
    >>> gradcore.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return _C.bfloat16 if device(device_type).type == "cpu" else _C.float16


def get_autocast_gpu_dtype() -> Any:
    """get_autocast_dtype("cuda").

    >>> import gradcore
    >>> gradcore.get_autocast_gpu_dtype()
    torch.float16
    """
    return get_autocast_dtype("cuda")


def get_autocast_cpu_dtype() -> Any:
    """get_autocast_dtype("cpu").

    >>> import gradcore
    >>> gradcore.get_autocast_cpu_dtype()
    torch.bfloat16
    """
    return get_autocast_dtype("cpu")
