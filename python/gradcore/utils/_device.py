"""torch.utils._device: `with device(...)` as an object of its own, and as a decorator."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .. import device as as_device
from ..overrides import TorchFunctionMode

__all__ = ["DeviceContext", "device_decorator", "set_device"]


class DeviceContext(TorchFunctionMode):
    """A block in which factories make their tensors on a device unless they are told another one.

    Raises RuntimeError for a device that is not there.

    >>> import gradcore
    >>> with gradcore.utils._device.DeviceContext("meta"):
    ...     gradcore.ones(2).device
    device(type='meta')
    """

    def __init__(self, device: Any) -> None:
        super().__init__()
        self.device = as_device(device)

    # The core knows the default device: nothing else asks for each call.
    def __enter__(self) -> None:  # type: ignore[override]
        self.device.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self.device.__exit__(*exc)


def device_decorator(device: Any, func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run in a block of `device`, which is a device or a DeviceContext.

    >>> import gradcore
    >>> gradcore.utils._device.device_decorator(gradcore.device("meta"), gradcore.ones)(2).device
    device(type='meta')
    """

    @wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with device:
            return func(*args, **kwargs)

    return wrapped


def set_device(device: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the function runs with this default device.

    >>> import gradcore
    >>> @gradcore.utils._device.set_device("meta")
    ... def make():
    ...     return gradcore.zeros(3)
    >>> make().is_meta
    True
    """

    return lambda func: device_decorator(as_device(device), func)
