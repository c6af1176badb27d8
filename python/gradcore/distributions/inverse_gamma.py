"""The inverse gamma distribution."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from . import constraints
from .gamma import Gamma
from .special import digamma, lgamma
from .transformed_distribution import TransformedDistribution
from .transforms import PowerTransform

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    """The reciprocal of a gamma number with this `concentration` and `rate`.

    >>> import gradcore
    >>> gradcore.distributions.InverseGamma(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(
            base, PowerTransform(exponent=-_C.ones((), dtype=base.rate.dtype)), validate_args=validate_args
        )

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        return super().expand(batch_shape, self._get_checked_instance(InverseGamma, _instance))

    @property
    def concentration(self) -> Tensor:
        """The gamma number's."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The gamma number's."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        """Infinite up to concentration 1."""
        result = self.rate / (self.concentration - 1)
        return _C.where(self.concentration > 1, result, float("inf"))

    @property
    def mode(self) -> Tensor:
        """rate / (concentration + 1)."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """Infinite up to concentration 2."""
        result = self.rate.square() / ((self.concentration - 1).square() * (self.concentration - 2))
        return _C.where(self.concentration > 2, result, float("inf"))

    def entropy(self) -> Tensor:
        """The entropy."""
        a = self.concentration
        return a + self.rate.log() + lgamma(a) - (1 + a) * digamma(a)
