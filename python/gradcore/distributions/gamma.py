"""The gamma distribution."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from . import constraints
from .exp_family import ExponentialFamily
from .special import digamma, lgamma
from .utils import broadcast_all

__all__ = ["Gamma"]

_TINY = {"torch.float32": 1.1754943508222875e-38, "torch.float64": 2.2250738585072014e-308}


class Gamma(ExponentialFamily):
    """The gamma distribution with this `concentration` and `rate`: its mean is concentration / rate.

    >>> import gradcore
    >>> gradcore.distributions.Gamma(3.0, 2.0).mean
    tensor(1.5000)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        return self._expanded(batch_shape, _instance, "concentration rate")

    @property
    def mean(self) -> Tensor:
        """concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration - 1) / rate, or 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """concentration / rate squared."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Gamma numbers; gradients by implicit reparameterisation."""
        shape = self._extended_shape(sample_shape)
        value = _C._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=_TINY[str(value.dtype)])  # also what the gradient's formula sees
        return value

    def log_prob(self, value: Any) -> Tensor:
        """The logarithm of the density at `value`."""
        value = _C.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (
            _C.xlogy(self.concentration, self.rate)
            + _C.xlogy(self.concentration - 1, value)
            - self.rate * value
            - lgamma(self.concentration)
        )

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a sample of at most `value`. It has no gradient by the concentration."""
        if self._validate_args:
            self._validate_sample(value)
        return _C.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        """The entropy."""
        a = self.concentration
        return a - self.rate.log() + lgamma(a) + (1.0 - a) * digamma(a)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Any, y: Any) -> Tensor:
        return lgamma(x + 1) + (x + 1) * (-y.reciprocal()).log()


_standard_gamma = _C._standard_gamma  # packages import it from here
