"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

from .._C import Tensor
from .._types import Size
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """The last batch dim of `component_distribution` as components, chosen by `mixture_distribution`, a Categorical.

    Raises ValueError for a mixture that is no Categorical, and for shapes that do not fit.

    >>> import gradcore
    >>> D = gradcore.distributions
    >>> choice = D.Categorical(gradcore.tensor([0.5, 0.5]))
    >>> D.MixtureSameFamily(choice, D.Normal(gradcore.tensor([0.0, 4.0]), 1.0)).mean
    tensor(2.)
    """

    arg_constraints: dict[str, Any] = {}
    has_rsample = False

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        batch_shape = mixture_distribution.batch_shape
        inner = component_distribution.batch_shape[:-1]
        for ours, theirs in zip(reversed(batch_shape), reversed(inner)):
            if ours != 1 and theirs != 1 and ours != theirs:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape`({inner})"
                )
        components, theirs = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if components != theirs:
            raise ValueError(
                f"`mixture_distribution component` ({components}) does not equal `component_distribution.batch_shape[-1]` "
                f"({theirs})"
            )
        self._num_component = components
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(inner, event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "")
        batch_shape = Size(batch_shape)
        new._component_distribution = self._component_distribution.expand(batch_shape + (self._num_component,))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component, new._event_ndims = self._num_component, self._event_ndims
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        """The components'."""
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """Which component is chosen."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        probs = self.mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * self._event_ndims)

    @property
    def mean(self) -> Tensor:
        """The weighted mean of the components'."""
        return (self._weights() * self.component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        """The variance within the components and between them."""
        dim = -1 - self._event_ndims
        weights = self._weights()
        within = (weights * self.component_distribution.variance).sum(dim)
        between = weights * (self.component_distribution.mean - self.mean.unsqueeze(dim)).pow(2.0)
        return within + between.sum(dim)

    def cdf(self, x: Tensor) -> Tensor:
        """The weighted mean of the components'."""
        parts = self.component_distribution.cdf(x.unsqueeze(-1 - self._event_ndims))
        return (parts * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """The logarithm of the density at `x`."""
        if self._validate_args:
            self._validate_sample(x)
        parts = self.component_distribution.log_prob(x.unsqueeze(-1 - self._event_ndims))
        return (parts + self.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Samples of components that are drawn first."""
        chosen = self.mixture_distribution.sample(sample_shape)
        drawn = self.component_distribution.sample(sample_shape)
        dim = drawn.dim() - 1 - self._event_ndims
        index = chosen.reshape(chosen.shape + (1,) * (self._event_ndims + 1))
        shape = drawn.shape[:dim] + (1,) + drawn.shape[dim + 1 :]
        return drawn.gather(dim, index.expand(shape)).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
