"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .special import log_i0, log_i1
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


def _log_modified_bessel_fn(x: Tensor, order: int = 0) -> Tensor:
    """log I0(x) or log I1(x), for x above 0; packages import it."""
    if order not in (0, 1):
        raise AssertionError("order must be 0 or 1")
    return log_i1(x) if order else log_i0(x)


class VonMises(Distribution):
    """Angles around `loc`, the nearer the larger the `concentration`. Samples have no gradients.

    >>> import gradcore
    >>> gradcore.distributions.VonMises(1.0, 4.0).mean
    tensor(1.)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        return self._expanded(batch_shape, _instance, "loc concentration")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        return self.concentration * (value - self.loc).cos() - math.log(2 * math.pi) - log_i0(self.concentration)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """What the wrapped Cauchy distribution that samples are taken from depends on, in double precision."""
        kappa = self.concentration.double()
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        r = (1 + rho**2) / (2 * rho)
        return _C.where(kappa < 1e-5, 1 / kappa + kappa, r)  # the series for concentrations near zero

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Angles in [-pi, pi), by Best and Fisher's rejection from a wrapped Cauchy distribution."""
        with gradcore.no_grad():
            shape = tuple(self._extended_shape(sample_shape))
            loc, kappa = self.loc.double(), self.concentration.double()
            r = self._proposal_r
            x = _C.empty(shape, dtype=_C.float64)
            done = _C.zeros(shape, dtype=_C.bool)
            while not bool(done.all()):
                u1, u2, u3 = _C.rand((3, *shape), dtype=_C.float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                x = _C.where(accept, (u3 - 0.5).sign() * f.clamp(-1, 1).acos(), x)
                done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """The circular variance."""
        return 1 - (log_i1(self.concentration) - log_i0(self.concentration)).exp()
