"""Draws with gradients: implicit reparameterisation of the standard gamma distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import _C, _draws
from .._C import Tensor
from ..autograd import Function
from .special import digamma

_LARGE = 1000.0  # from here on the cube of Wilson and Hilferty gives the derivative in five digits


class _StandardGamma(Function):
    @staticmethod
    def forward(concentration: Any) -> Any:
        """Gamma numbers of rate 1."""
        return _draws.gamma(concentration)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        concentration, sample = ctx.saved_tensors
        return grad * gamma_derivative(concentration, sample)


def standard_gamma(concentration: Tensor) -> Tensor:
    """Gamma numbers of rate 1, with the derivative of a quantile by the concentration as their gradient."""
    drawn: Tensor = _StandardGamma.apply(concentration)
    return drawn


def gamma_derivative(concentration: Tensor, sample: Tensor) -> Tensor:
    """How a quantile moves with the concentration: minus dF/da over dF/dx, F being the distribution function."""
    a, x = concentration.detach().double(), sample.detach().double()
    large = a > _LARGE
    few = _by_series(_C.where(large, 1.0, a), _C.where(large, 1.0, x))
    return _C.where(large, _by_cube(_C.where(large, a, _LARGE), x), few).to(sample.dtype)


# F(x; a) = sum over n of x^(a+n) exp(-x) / gamma(a+n+1). Each term is differentiated, and divided by the density.
def _by_series(a: Tensor, x: Tensor) -> Tensor:
    term, psi = x / a, digamma(a) + 1 / a
    log = x.log()
    total = term * (psi - log)
    top = float((x + 12 * x.sqrt() + a.sqrt() * 12 + 40).max()) if x.numel() else 0.0
    for n in range(1, math.ceil(top)):
        rest = a + n
        term, psi = term * x / rest, psi + 1 / rest
        total = total + term * (psi - log)
    return total


# The cube root of a gamma number over its concentration is nearly normal, with mean 1 - 1/9a and variance 1/9a.
def _by_cube(a: Tensor, x: Tensor) -> Tensor:
    root = (x / a) ** (1 / 3)
    z = (root - 1 + 1 / (9 * a)) * 3 * a.sqrt()
    slope = 1 / (9 * a * a) - z / (6 * a.sqrt() * a)
    return root**3 + 3 * a * root * root * slope


def dirichlet(concentration: Tensor) -> Tensor:
    """Dirichlet numbers: gamma numbers over their sum, in double precision as torch draws them."""
    gammas = standard_gamma(concentration.double())
    result = (gammas / gammas.sum(-1, True)).to(concentration.dtype)
    tiny = _draws._TINY[concentration.dtype]
    return result.clamp(min=tiny, max=1.0 - 2.0 ** (-24 if concentration.dtype == _C.float32 else -53))
