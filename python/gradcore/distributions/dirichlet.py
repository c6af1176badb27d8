"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd import Function
from . import constraints
from .exp_family import ExponentialFamily
from .special import digamma, lgamma
from .utils import one_hot

__all__ = ["Dirichlet"]


class _Dirichlet(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(concentration: Any) -> Any:
        """Vectors of probabilities."""
        return _C._sample_dirichlet(concentration)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Each concentration moves its own probability as a quantile of its beta distribution; the others make room."""
        concentration, x = ctx.saved_tensors
        total = concentration.sum(-1, True)
        return _C._dirichlet_grad(x, concentration, total) * (grad - (x * grad).sum(-1, True))


class Dirichlet(ExponentialFamily):
    """Vectors of probabilities with this `concentration` along the last dim.

    >>> import gradcore
    >>> gradcore.distributions.Dirichlet(gradcore.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        return self._expanded(batch_shape, _instance, "concentration", event=1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Vectors of probabilities."""
        drawn: Tensor = _Dirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return _C.xlogy(a - 1.0, value).sum(-1) + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    @property
    def mean(self) -> Tensor:
        """The concentration over its sum."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        """Where the density is largest; a corner where all concentrations are below 1."""
        rest = (self.concentration - 1).clamp(min=0.0)
        mode = rest / rest.sum(-1, True)
        corner = (self.concentration < 1).all(dim=-1)
        best = one_hot(_no_nan(mode).argmax(-1), mode.shape[-1], mode)
        return _C.where(corner.unsqueeze(-1), best, mode)

    @property
    def variance(self) -> Tensor:
        """The variance of each probability."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self) -> Tensor:
        """The entropy."""
        k, total, a = self.concentration.size(-1), self.concentration.sum(-1), self.concentration
        return lgamma(a).sum(-1) - lgamma(total) - (k - total) * digamma(total) - ((a - 1.0) * digamma(a)).sum(-1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Any) -> Tensor:
        return lgamma(x).sum(-1) - lgamma(x.sum(-1))


def _no_nan(x: Tensor) -> Tensor:
    return _C.where(x == x, x, 0.0)
