"""Special functions that have no operation yet, composed of operations in float64, so that gradients of any order follow.

Where the core has an operation of the name, that is used.
"""

from __future__ import annotations

import math
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd import Function

# Bernoulli numbers over 2k(2k-1): the terms of Stirling's series.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_SHIFT = 8  # from here on the series has sixteen digits


def _series(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = x * 0.0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _shifted(x: Tensor) -> tuple[Tensor, Tensor]:
    """Which numbers are small, and all of them with the small ones moved up."""
    small = x < _SHIFT
    return small, _C.where(small, x + _SHIFT, x)


def _lgamma_positive(x: Tensor) -> Tensor:
    small, z = _shifted(x)
    stirling = (z - 0.5) * z.log() - z + 0.5 * math.log(2 * math.pi) + _series(1 / (z * z), _STIRLING) / z
    low = _C.where(small, x, 1.0)
    product = low
    for k in range(1, _SHIFT):
        product = product * (low + k)
    return _C.where(small, stirling - product.log(), stirling)


def lgamma(x: Tensor) -> Tensor:
    """log |gamma(x)|."""
    if hasattr(_C, "lgamma"):
        return getattr(x, "lgamma")()  # noqa: B009
    wide = x.double()
    negative = wide < 0.5
    positive = _lgamma_positive(_C.where(negative, 1 - wide, wide))
    sine = (math.pi * _C.where(negative, wide, 0.5)).sin().abs()
    return _C.where(negative, math.log(math.pi) - sine.log() - positive, positive).to(x.dtype)


def digamma(x: Tensor) -> Tensor:
    """The derivative of lgamma, for positive numbers."""
    if hasattr(_C, "digamma"):
        return getattr(x, "digamma")()  # noqa: B009
    wide = x.double()
    small, z = _shifted(wide)
    derivative = tuple((2 * k + 1) * c for k, c in enumerate(_STIRLING))
    square = 1 / (z * z)
    value = z.log() - 0.5 / z - _series(square, derivative) * square
    low = _C.where(small, wide, 1.0)
    steps = 1 / low
    for k in range(1, _SHIFT):
        steps = steps + 1 / (low + k)
    return _C.where(small, value - steps, value).to(x.dtype)


def multigammaln(a: Tensor, p: int) -> Tensor:
    """log of the multivariate gamma function."""
    k = _C.arange(p, dtype=a.dtype)
    return lgamma(a.unsqueeze(-1) - k / 2).sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


def beta_ln(a: Tensor, b: Tensor) -> Tensor:
    """log of the beta function."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


class _Erfinv(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        """Newton's method on erf, from a start that is right in two digits."""
        wide = x.double().clamp(-1, 1)
        inside = wide.abs() < 1
        safe = _C.where(inside, wide, 0.0)
        log = (-safe * safe).log1p()
        part = 2 / (math.pi * 0.147) + log / 2
        y = ((part * part - log / 0.147).sqrt() - part).clamp_min(0).sqrt() * safe.sign()
        for _ in range(3):
            slope = (2 / math.sqrt(math.pi)) * (-y * y).exp()
            # erfc keeps the digits that erf loses beside 1 and -1.
            error = _C.where(safe > 0, (1 - safe) - y.erfc(), (-y).erfc() - (1 + safe))
            error = _C.where(safe.abs() < 0.5, y.erf() - safe, error)
            y = y - error / slope
        return _C.where(inside, y, wide * math.inf).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (y,) = ctx.saved_tensors
        return grad * (math.sqrt(math.pi) / 2) * (y * y).exp()


def erfinv(x: Tensor) -> Tensor:
    """The inverse of erf; infinite at -1 and 1."""
    if hasattr(_C, "erfinv"):
        return getattr(x, "erfinv")()  # noqa: B009
    result: Tensor = _Erfinv.apply(x)
    return result


def log_i0(x: Tensor) -> Tensor:
    """log of the modified Bessel function of order 0, for x >= 0."""
    return _log_bessel(x, 0)


def log_i1(x: Tensor) -> Tensor:
    """log of the modified Bessel function of order 1, for x >= 0."""
    return _log_bessel(x, 1)


def _log_bessel(x: Tensor, order: int) -> Tensor:
    """The power series below 15, the asymptotic one from there on."""
    wide = x.double()
    near = wide < 15
    low = _C.where(near, wide, 1.0)
    quarter = low * low / 4
    term = _C.ones_like(low)
    total = term
    for k in range(1, 60):
        term = term * quarter / (k * (k + order))
        total = total + term
    small = total.log() + (order * (low / 2).log() if order else 0.0)
    high = _C.where(near, 15.0, wide)
    term = _C.ones_like(high)
    total = term
    for k in range(1, 16):
        term = term * -(4 * order * order - (2 * k - 1) ** 2) / (8 * k * high)
        total = total + term
    large = high - 0.5 * (2 * math.pi * high).log() + total.log()
    return _C.where(near, small, large).to(x.dtype)
