"""Elementwise functions: gradcore's, after the standard's promotion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor
from ._dtypes import result_type

# The standard's names, and gradcore's where they differ.
_ONE = """
    abs acos acosh asin asinh atan atanh bitwise_invert=bitwise_not ceil cos cosh exp expm1 floor isfinite isinf isnan log
    log1p log2 log10 logical_not negative reciprocal round signbit sin sinh square sqrt tan tanh trunc
"""
_TWO = """
    add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal=eq
    greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum
    multiply nextafter not_equal=ne pow subtract
"""


def both(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """The operands in their common dtype. One of them may be a number."""
    dtype = result_type(x1, x2)
    return tuple(x.to(dtype) if isinstance(x, Tensor) else _C.tensor(x, dtype=dtype) for x in (x1, x2))  # type: ignore[return-value]


def _of_one(name: str, function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def elementwise(x: Tensor, /) -> Tensor:
        return function(x)

    return _named(elementwise, name, function)


def _of_two(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def elementwise(x1: Any, x2: Any, /) -> Tensor:
        return function(*both(x1, x2))

    return _named(elementwise, name, function)


def _named(elementwise: Callable[..., Tensor], name: str, function: Any) -> Callable[..., Tensor]:
    elementwise.__name__ = elementwise.__qualname__ = name
    elementwise.__doc__ = f"The standard's {name}: gradcore.{function.__name__}() after its promotion of dtypes."
    return elementwise


def _pairs(names: str) -> list[tuple[str, Any]]:
    found = [item.partition("=") for item in names.split()]
    return [(name, getattr(_C, other or name)) for name, _, other in found]


_made = {name: _of_one(name, function) for name, function in _pairs(_ONE)}
_made |= {name: _of_two(name, function) for name, function in _pairs(_TWO)}
globals().update(_made)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1; of NaN NaN, where gradcore.sign() gives 0."""
    return _C.where(_C.isnan(x), x, _C.sign(x)) if x.is_floating_point() else _C.sign(x)


def positive(x: Tensor, /) -> Tensor:
    """The same numbers."""
    return x.clone()


def floor_divide(x1: Any, x2: Any, /) -> Tensor:
    """The quotient, rounded down; of infinities the standard's, where gradcore.floor_divide() gives NaN, as torch does."""
    x1, x2 = both(x1, x2)
    out = _C.floor_divide(x1, x2)
    if not out.is_floating_point():
        return out
    return _C.where(_C.isinf(x1) | _C.isinf(x2), _C.floor(x1 / x2), out)


def remainder(x1: Any, x2: Any, /) -> Tensor:
    """What division leaves, with the sign of the divisor, zeros too."""
    x1, x2 = both(x1, x2)
    out = _C.remainder(x1, x2)
    return _C.where(out == 0, _C.copysign(out, x2), out) if out.is_floating_point() else out


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """`x` where it lies between `min` and `max`, which may be arrays; else the nearer one. The dtype is that of `x`."""
    for bound, function in ((min, _C.maximum), (max, _C.minimum)):
        if bound is not None:
            x = function(x, bound.to(x.dtype) if isinstance(bound, Tensor) else _C.tensor(bound, dtype=x.dtype))
    return x if min is not None or max is not None else x.clone()


def conj(x: Tensor, /) -> Tensor:
    """The complex conjugate: of real numbers, which are all there are, themselves."""
    return x.clone()


def real(x: Tensor, /) -> Tensor:
    """The real part: of real numbers themselves."""
    return x.clone()


def imag(x: Tensor, /) -> Tensor:
    """The imaginary part: of real numbers 0."""
    return _C.zeros_like(x)


__all__ = [*_made, "clip", "conj", "floor_divide", "imag", "positive", "real", "remainder", "sign"]
