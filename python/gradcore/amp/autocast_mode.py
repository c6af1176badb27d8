"""autocast: products are computed in a half type and what needs precision in float32, whatever the tensors are.

Which op casts what stands in its row of the register; an op that says nothing computes in what it is given.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from .. import _C
from .._C import Tensor
from .._types import device

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

_nesting = 0


class autocast:
    """Inside, on this thread, products of float32 tensors are computed in `dtype`, and losses of half tensors in float32.

    A context, which may be nested, and a decorator. `device_type` is "cpu"; for "cuda" it warns that there is none, as
    torch does, and nothing is cast. `dtype` is bfloat16 where it is not given, or float16; for another one autocast warns
    and is disabled. With `enabled=False` nothing is cast, also inside of another autocast. Casts of parameters are kept
    until the outermost context ends, unless `cache_enabled` is False.

    >>> import gradcore
    >>> weight = gradcore.ones(2, 2)
    >>> with gradcore.autocast("cpu"):
    ...     (weight @ weight).dtype, (weight + weight).dtype
    (torch.bfloat16, torch.float32)

    Raises ValueError for a device that is no str, RuntimeError for an unknown one.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else dtype
        self._cache_enabled = is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if self.device != "cpu":
            if enabled:
                warnings.warn(f"{self.device.upper()} is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in (_C.bfloat16, _C.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self) -> autocast:
        global _nesting
        _nesting += 1
        if self.device == "cpu":
            self._before = _C._autocast_enabled(), _C._autocast_dtype(), _C._autocast_caches()
            _C._set_autocast_enabled(self._enabled)
            if self._enabled:
                _C._set_autocast_dtype(self.fast_dtype)
            _C._set_autocast_caches(self._cache_enabled)
        return self

    def __exit__(self, *exc: object) -> None:
        global _nesting
        _nesting -= 1
        if _nesting == 0:
            clear_autocast_cache()
        if self.device == "cpu":
            enabled, dtype, caches = self._before
            _C._set_autocast_enabled(enabled)
            _C._set_autocast_dtype(dtype)
            _C._set_autocast_caches(caches)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


def _cast(value: Any, dtype: Any) -> Any:
    """Floats of `value`, float64 apart, in `dtype`; containers are gone through."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype != _C.float64 else value
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Mapping):
        return {_cast(key, dtype): _cast(item, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, dtype) for item in value)
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str = "cuda", cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorates the forward of a Function: its backward, under custom_bwd, then runs as the forward did.

    With `cast_inputs`, a dtype, and autocast on, floats among the arguments are cast to it, and autocast is off inside.
    Raises ValueError for a device that is no str.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @functools.wraps(forward)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        enabled = is_autocast_enabled(device_type)
        args[0]._dtype = get_autocast_dtype(device_type)
        if cast_inputs is None:
            args[0]._fwd_used_autocast = enabled
            return forward(*args, **kwargs)
        args[0]._fwd_used_autocast = False
        if not enabled:
            return forward(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str = "cuda") -> Callable[..., Any]:
    """Decorates the backward of a Function whose forward has custom_fwd: autocast is as it was there.

    Raises ValueError for a device that is no str.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward = bwd

    @functools.wraps(backward)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return backward(*args, **kwargs)

    return decorated


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast does anything for the device: for the CPU alone. Raises RuntimeError for an unknown device.

    >>> import gradcore
    >>> gradcore.is_autocast_available("cpu")
    True
    """
    return device(device_type).type == "cpu"


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for the device, on this thread. Raises RuntimeError for an unknown device.

    >>> import gradcore
    >>> gradcore.is_autocast_enabled("cpu")
    False
    """
    return device(device_type).type == "cpu" and _C._autocast_enabled()


def is_autocast_cpu_enabled() -> bool:
    """is_autocast_enabled("cpu").

    >>> import gradcore
    >>> gradcore.is_autocast_cpu_enabled()
    False
    """
    return _C._autocast_enabled()


def is_autocast_cache_enabled() -> bool:
    """Whether the casts of parameters are kept.

    >>> import gradcore
    >>> gradcore.is_autocast_cache_enabled()
    True
    """
    return _C._autocast_caches()


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets whether the casts of parameters are kept.

    >>> import gradcore
    >>> gradcore.set_autocast_cache_enabled(True)
    """
    _C._set_autocast_caches(enabled)


def clear_autocast_cache() -> None:
    """Forgets the casts of parameters that autocast kept.

    >>> import gradcore
    >>> gradcore.clear_autocast_cache()
    """
    _C._clear_autocast_cache()


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Sets whether autocast is on for the device, on this thread; without a device, for "cuda".

    Raises NotImplementedError where it would be on for a device that is not there.

    >>> import gradcore
    >>> gradcore.set_autocast_enabled("cpu", False)
    """
    if isinstance(device_type, bool):
        enabled, device_type = device_type, "cuda"
    if device(device_type).type == "cpu":
        _C._set_autocast_enabled(bool(enabled))
    elif enabled:
        raise NotImplementedError("set_autocast_enabled: gradcore computes on the CPU alone")


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that autocast casts to.

    >>> import gradcore
    >>> gradcore.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return _C._autocast_dtype() if device(device_type).type == "cpu" else _C.float16


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Sets the dtype that autocast casts to.

    Raises NotImplementedError for a device other than the CPU.

    >>> import gradcore
    >>> gradcore.set_autocast_dtype("cpu", gradcore.bfloat16)
    """
    if device(device_type).type != "cpu":
        raise NotImplementedError("set_autocast_dtype: gradcore computes on the CPU alone")
    _C._set_autocast_dtype(dtype)


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


def _deprecated(old: str, new: str) -> None:
    warnings.warn(f"torch.{old} is deprecated. Please use torch.{new} instead.", DeprecationWarning, stacklevel=3)


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """set_autocast_enabled("cpu", enabled).

    >>> import gradcore
    >>> gradcore.set_autocast_cpu_enabled(False)
    """
    _deprecated("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """set_autocast_dtype("cpu", dtype).

    >>> import gradcore
    >>> gradcore.set_autocast_cpu_dtype(gradcore.bfloat16)
    """
    _deprecated("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def set_autocast_gpu_dtype(dtype: Any) -> None:
    """Raises NotImplementedError: gradcore computes on the CPU alone.

    >>> import gradcore
    >>> gradcore.set_autocast_gpu_dtype(gradcore.float16)
    Traceback (most recent call last):
        ...
    NotImplementedError: set_autocast_dtype: gradcore computes on the CPU alone
    """
    _deprecated("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)


def autocast_increment_nesting() -> int:
    """Counts one more context whose casts are to be kept; returns how many there are.

    >>> import gradcore
    >>> gradcore.autocast_increment_nesting(), gradcore.autocast_decrement_nesting()
    (1, 0)
    """
    global _nesting
    _nesting += 1
    return _nesting


def autocast_decrement_nesting() -> int:
    """Counts one less.

    >>> import gradcore
    >>> gradcore.autocast_increment_nesting(), gradcore.autocast_decrement_nesting()
    (1, 0)
    """
    global _nesting
    _nesting -= 1
    return _nesting
