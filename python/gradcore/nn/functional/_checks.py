"""Argument checks that the functions share, with torch's words."""

from __future__ import annotations

import functools

from ... import _C
from ..._C import Tensor
from ..._overridable import warn_caller

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
else:
    from ..._lazy import Any, Callable

SCALAR_NAMES = {
    _C.float32: "Float",
    _C.float64: "Double",
    _C.float16: "Half",
    _C.bfloat16: "BFloat16",
    _C.int64: "Long",
    _C.int32: "Int",
    _C.int16: "Short",
    _C.int8: "Char",
    _C.uint8: "Byte",
    _C.bool: "Bool",
    _C.uint16: "UInt16",
    _C.uint32: "UInt32",
    _C.uint64: "UInt64",
}


def _under_autocast(cast: Callable[[Any], Any]) -> Callable[[F], F]:
    """A decorator: under autocast the function gets its arguments cast so, and its ops cast nothing."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def computed(*args: Any, **kwargs: Any) -> Any:
            if not _C._autocast_enabled():
                return function(*args, **kwargs)
            _C._set_autocast_enabled(False)
            try:
                return function(*map(cast, args), **{name: cast(value) for name, value in kwargs.items()})
            finally:
                _C._set_autocast_enabled(True)

        return computed  # type: ignore[return-value]

    return decorate


def _widened(value: Any) -> Any:
    is_half = isinstance(value, Tensor) and value.dtype in (_C.float16, _C.bfloat16)
    return value.float() if is_half else value


def _lowered(value: Any) -> Any:
    is_cast = isinstance(value, Tensor) and value.is_floating_point() and value.dtype != _C.float64
    return value.to(_C._autocast_dtype()) if is_cast else value


# What decorates a function that autocast computes in float32, or in its own dtype.
precise = _under_autocast(_widened)
lowered = _under_autocast(_lowered)


def widened_by_autocast(input: Tensor) -> Tensor:
    """A half tensor as float32 where autocast is on, any other as it is."""
    found: Tensor = _widened(input) if _C._autocast_enabled() else input
    return found


def need_tensor(function: str, argument: str, position: int, value: Any) -> None:
    """Raises TypeError where the value is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}"
        )


def need_float(function: str, kernel: str, input: Any) -> None:
    """Raises TypeError where input is no tensor, NotImplementedError where it is not of a float dtype."""
    if not isinstance(input, Tensor):
        need_tensor(function, "input", 1, input)
    if not input.is_floating_point():
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{SCALAR_NAMES[input.dtype]}'")


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss of all elements as 'none', 'mean' or 'sum' has it. Raises ValueError for another word."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"{reduction} is not a valid value for reduction")


def reduced_at_once(loss: Tensor, reduction: str) -> Tensor:
    """The same for the result of one operation, of whose node a mean or sum becomes a part."""
    if reduction in ("mean", "sum"):
        return _C._nn_reduced(loss, reduction == "mean")
    return reduced(loss, reduction)


def old_reduction(size_average: bool | None, reduce: bool | None, reduction: str, warn: bool = True) -> str:
    """The reduction that the arguments size_average and reduce of old meant; they win where they are given."""
    if size_average is None and reduce is None:
        return reduction
    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    found = "none" if not reduce else "mean" if size_average else "sum"
    if warn:
        warn_caller(f"size_average and reduce args will be deprecated, please use reduction='{found}' instead.")
    return found


def ints(value: Any, count: int, name: str, function: str) -> tuple[int, ...]:
    """An int for each of `count` dims: from one int, or from as many. Raises TypeError and RuntimeError as torch does."""
    if isinstance(value, int):
        return (value,) * count
    try:
        found = tuple(n.__index__() for n in value)
    except (TypeError, AttributeError):
        kind = type(value).__name__
        raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {kind}") from None
    if len(found) == 1:
        return found * count
    if len(found) != count:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {count} values to match the convolution "
            f"dimensions, but got {name}={list(found)}"
        )
    return found
