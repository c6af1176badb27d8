"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import _C
from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Exceedances over `loc` of `scale`, with a tail of power 1 / concentration: exponential at 0, bounded below 0.

    >>> import gradcore
    >>> gradcore.distributions.GeneralizedPareto(0.0, 1.0, 0.5).mean
    tensor(2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        return self._expanded(batch_shape, _instance, "loc scale concentration")

    def _exponential(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0, and concentrations that may be divided by."""
        zero = _C.isclose(self.concentration, _C.zeros_like(self.concentration))
        return zero, _C.where(zero, 1.0, self.concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From loc on; up to loc - scale / concentration below 0."""
        upper = _C.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, upper)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """The inverse of cdf at uniform numbers."""
        return self.icdf(_C.rand(tuple(self._extended_shape(sample_shape)), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        zero, c = self._exponential()
        power = -(1 / c + 1) * (c * y).log1p()
        return _C.where(zero, -y, power) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of a sample above `value`."""
        y = (value - self.loc) / self.scale
        zero, c = self._exponential()
        return _C.where(zero, -y, -(c * y).log1p() / c)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a sample of at most `value`."""
        if self._validate_args:
            self._validate_sample(value)
        return 1 - self.log_survival_function(value).exp()

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of cdf."""
        return (-self.log_survival_function(value).exp()).log1p()

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of cdf."""
        zero, c = self._exponential()
        log = (-value).log1p()
        return self.loc + self.scale * _C.where(zero, -log, (-c * log).expm1() / c)

    @property
    def mean(self) -> Tensor:
        """NaN from concentration 1 on."""
        finite = self.loc + self.scale / (1 - self.concentration)
        return _C.where(self.concentration < 1, finite, math.nan)

    @property
    def variance(self) -> Tensor:
        """NaN from concentration 1/2 on."""
        finite = self.scale**2 / ((1 - self.concentration) ** 2 * (1 - 2 * self.concentration))
        return _C.where(self.concentration < 0.5, finite, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    def entropy(self) -> Tensor:
        """The entropy."""
        return self.scale.log() + self.concentration + 1
