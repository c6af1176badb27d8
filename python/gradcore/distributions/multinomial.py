"""The multinomial distribution."""

from __future__ import annotations

from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from .._types import Size
from . import constraints
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution
from .special import lgamma
from .utils import broadcast_all

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """How often each of K outcomes comes in `total_count` trials, with probabilities `probs` or `logits`.

    Raises NotImplementedError for a `total_count` that is no int.

    >>> import gradcore
    >>> gradcore.distributions.Multinomial(4, gradcore.tensor([0.25, 0.75])).mean
    tensor([1., 3.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "")
        new.total_count, new._categorical = self.total_count, self._categorical.expand(batch_shape)
        new._binomial = self._binomial
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that add up to total_count at most."""
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        """total_count * probs."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """The variance of each count."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Counts in the dtype of the parameter."""
        shape = Size(sample_shape)
        drawn = self._categorical.sample(Size((self.total_count,)) + shape)
        drawn = drawn.permute((*range(1, drawn.dim()), 0))
        counts = _C.zeros(tuple(self._extended_shape(shape)), dtype=self.probs.dtype)
        return counts.scatter_add_(-1, drawn, _C.ones(tuple(drawn.shape), dtype=counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of these counts."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        possible = _C.where((value == 0) & (logits == -gradcore.inf), 0.0, logits)
        return lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1) + (possible * value).sum(-1)

    def entropy(self) -> Tensor:
        """The entropy."""
        n = _C.tensor(float(self.total_count))
        likely = self._categorical.entropy()
        support = self._binomial.enumerate_support(expand=False)[1:]
        weight = self._binomial.log_prob(support).exp()
        return self.total_count * likely - lgamma(n + 1) + (weight * lgamma(support + 1)).sum([0, -1])
