"""The multivariate normal distribution with a covariance of low rank."""

from __future__ import annotations

import math
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from . import constraints, linalg
from .distribution import Distribution
from .utils import lazy_property, standard_normal

__all__ = ["LowRankMultivariateNormal"]


def capacitance_tril(factor: Tensor, diag: Tensor) -> Tensor:
    """The Cholesky factor of 1 + W.T / D @ W, for a factor W and a diagonal D."""
    matrix = (factor.mT / diag.unsqueeze(-2)) @ factor
    return linalg.cholesky(matrix + _C.eye(factor.size(-1), dtype=factor.dtype))


def low_rank_log_det(factor: Tensor, diag: Tensor, capacitance: Tensor) -> Tensor:
    """The log determinant of W @ W.T + D."""
    return 2 * linalg.log_diagonal(capacitance) + diag.log().sum(-1)


def low_rank_mahalanobis(factor: Tensor, diag: Tensor, x: Tensor, capacitance: Tensor) -> Tensor:
    """x @ (W @ W.T + D)^-1 @ x, over the last dim."""
    inner = (factor.mT / diag.unsqueeze(-2)) @ x.unsqueeze(-1)
    solved = linalg.solve_lower(capacitance, inner).squeeze(-1)
    return (x * x / diag).sum(-1) - (solved * solved).sum(-1)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with mean `loc` and covariance cov_factor @ cov_factor.mT + cov_diag on the diagonal.

    Raises ValueError for parameters of too few dims or of shapes that do not fit.

    >>> import gradcore
    >>> d = gradcore.distributions.LowRankMultivariateNormal(gradcore.zeros(2), gradcore.ones(2, 1), gradcore.ones(2))
    >>> d.covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        event_shape = loc.shape[-1:]
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m")
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        batch_shape = gradcore.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc = loc.expand((*batch_shape, *event_shape))
        self.cov_diag = cov_diag.expand((*batch_shape, *event_shape))
        self.cov_factor = cov_factor.expand((*batch_shape, *cov_factor.shape[-2:]))
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "loc cov_diag", event=1)
        new.cov_factor = self.cov_factor.expand((*batch_shape, *self.cov_factor.shape[-2:]))
        for name in ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"):
            setattr(new, name, getattr(self, name))
        return new

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @lazy_property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        covariance = factor @ factor.mT + linalg.diag_embed(self._unbroadcasted_cov_diag)
        return covariance.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by Woodbury's formula."""
        diag = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diag.unsqueeze(-2)
        solved = linalg.solve_lower(self._capacitance_tril, scaled)
        precision = linalg.diag_embed(diag.reciprocal()) - solved.mT @ solved
        return precision.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """loc + cov_factor @ normal numbers + the roots of cov_diag * others."""
        shape = self._extended_shape(sample_shape)
        inner = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        outer = standard_normal(shape, self.loc)
        mixed = (self._unbroadcasted_cov_factor @ inner.unsqueeze(-1)).squeeze(-1)
        return self.loc + mixed + self._unbroadcasted_cov_diag.sqrt() * outer

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        factor, diag = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        distance = low_rank_mahalanobis(factor, diag, value - self.loc, self._capacitance_tril)
        log_det = low_rank_log_det(factor, diag, self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + distance)

    def entropy(self) -> Tensor:
        """The entropy."""
        log_det = low_rank_log_det(self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag, self._capacitance_tril)
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy


# Packages import them by torch's names.
_batch_capacitance_tril, _batch_lowrank_logdet = capacitance_tril, low_rank_log_det
_batch_lowrank_mahalanobis = low_rank_mahalanobis
