"""Special functions that distributions share."""

from __future__ import annotations

from .._C import Tensor, digamma, erfinv, lgamma
from .._C import mvlgamma as multigammaln
from ..special import i0e, i1e

__all__ = ["beta_ln", "digamma", "erfinv", "lgamma", "log_i0", "log_i1", "multigammaln"]


def beta_ln(a: Tensor, b: Tensor) -> Tensor:
    """log of the beta function."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def log_i0(x: Tensor) -> Tensor:
    """log of the modified Bessel function of order 0, for x >= 0."""
    return i0e(x).log() + x


def log_i1(x: Tensor) -> Tensor:
    """log of the modified Bessel function of order 1, for x >= 0."""
    return i1e(x).log() + x
