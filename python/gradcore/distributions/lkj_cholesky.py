"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .special import lgamma, multigammaln
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors L of correlation matrices, with density proportional to det(L @ L.mT) ** (concentration - 1).

    Raises ValueError for fewer than two dims.

    >>> import gradcore
    >>> gradcore.distributions.LKJCholesky(3).sample().shape
    torch.Size([3, 3])
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        marginal = self.concentration + 0.5 * (dim - 2)
        offset = _C.arange(dim - 1, dtype=self.concentration.dtype)
        offset = _C.cat([_C.zeros(1, dtype=offset.dtype), offset])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "concentration")
        new.dim, new._beta = self.dim, self._beta.expand((*batch_shape, self.dim))
        return new

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Cholesky factors by the onion method: each row is a direction times the root of a beta number."""
        y = self._beta.sample(sample_shape).unsqueeze(-1)
        u = _C.randn(tuple(self._extended_shape(sample_shape)), dtype=y.dtype).tril(-1)
        direction = u / u.norm(dim=-1, keepdim=True)
        first = _C.arange(self.dim).unsqueeze(-1) > 0
        w = _C.where(first, y.sqrt() * _C.where(first, direction, 0.0), 0.0)
        tiny = gradcore.finfo(w.dtype).tiny
        rest = (1 - (w * w).sum(-1)).clamp(min=tiny).sqrt()
        return w + rest.unsqueeze(-1) * _C.eye(self.dim, dtype=w.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = _C.arange(2, self.dim + 1, dtype=self.concentration.dtype)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        unnormalized = (order * diagonal.log()).sum(-1)
        count = self.dim - 1
        alpha = self.concentration + 0.5 * count
        numerator = multigammaln(alpha - 0.5, count)
        return unnormalized - (0.5 * count * math.log(math.pi) + numerator - lgamma(alpha) * count)
