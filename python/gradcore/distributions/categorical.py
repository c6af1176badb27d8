"""The categorical distribution."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from .._types import Size
from . import constraints
from .distribution import Distribution
from .utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["Categorical"]


@cache
def _least(dtype: Any) -> float:
    """The least number of a dtype: finfo() takes longer than the entropy of a small batch."""
    least: float = gradcore.finfo(dtype).min
    return least


class Categorical(Distribution):
    """An index 0 ... K-1 with probabilities `probs` along the last dim, or `logits`; both are normalised.

    >>> import gradcore
    >>> gradcore.distributions.Categorical(probs=gradcore.tensor([1.0, 3.0])).probs
    tensor([0.2500, 0.7500])

    Raises ValueError unless exactly one of `probs` and `logits` is given, and for a parameter without a dim.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = probs if probs is not None else logits
        assert given is not None
        if given.dim() < 1:
            raise ValueError(f"`{'logits' if probs is None else 'probs'}` parameter must be at least one-dimensional.")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(dim=-1, keepdim=True)
        self._param = self.probs if probs is not None else self.logits
        self._num_events = given.size(-1)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "probs logits _param", event=1)
        new._num_events = self._num_events
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """0 ... K-1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._param.size()

    @property
    def mean(self) -> Tensor:
        """NaN: indices have no mean."""
        return _C.full(tuple(self._extended_shape()), float("nan"), dtype=self.probs.dtype)

    variance = mean

    @property
    def mode(self) -> Tensor:
        """The likeliest index."""
        return self.probs.argmax(dim=-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Indices, int64."""
        shape = Size(sample_shape)
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = _C.multinomial(rows, shape.numel(), True)
        return drawn.T.reshape(self._extended_shape(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of the index `value`."""
        if self._validate_args:
            self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        shape = gradcore.broadcast_shapes(value.shape[:-1], self.logits.shape[:-1])
        logits = self.logits.expand((*shape, self._num_events))
        return logits.gather(-1, value.expand((*shape, 1))).squeeze(-1)

    def entropy(self) -> Tensor:
        """The entropy."""
        logits, probs = self.logits, self.probs
        finite = logits.clamp(min=_least(logits.dtype))
        # A product of a row and a column: faster than a sum over a short dim, and needs no memory for the products.
        return (finite.unsqueeze(-2) @ probs.unsqueeze(-1)).squeeze(-1).squeeze(-1).neg()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 ... K-1 along a new first dim."""
        values = _C.arange(self._num_events).reshape((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
