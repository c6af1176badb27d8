"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from . import constraints, linalg
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .special import digamma, multigammaln
from .utils import is_number, lazy_property

__all__ = ["Wishart"]


class Wishart(ExponentialFamily):
    """Positive-definite matrices: sums of `df` outer products of normal vectors of one of three matrices.

    `covariance_matrix`, `precision_matrix` or `scale_tril` is given. Samples are drawn by Bartlett's decomposition, once (torch
    draws ten times, since it takes each for singular). Raises
    ValueError unless exactly one is given, for one of too few dims, and for df up to its size minus one.

    >>> import gradcore
    >>> gradcore.distributions.Wishart(3.0, gradcore.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    arg_constraints = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
        "df": constraints.greater_than(0),
    }
    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        named = {name: matrix for name, matrix in given.items() if matrix is not None}
        assert len(named) == 1, "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        ((name, matrix),) = named.items()
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        df = _C.tensor(df, dtype=matrix.dtype) if is_number(df) else df
        batch_shape = gradcore.broadcast_shapes(df.shape, matrix.shape[:-2])
        event_shape = matrix.shape[-2:]
        self.df = df.expand(batch_shape)
        self.arg_constraints = {**type(self).arg_constraints, "df": constraints.greater_than(event_shape[-1] - 1)}
        if bool((self.df <= event_shape[-1] - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {event_shape[-1] - 1}.")
        setattr(self, name, matrix.expand((*batch_shape, *event_shape)))
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        if scale_tril is not None:
            self._unbroadcasted_scale_tril = scale_tril
        elif covariance_matrix is not None:
            self._unbroadcasted_scale_tril = linalg.cholesky(covariance_matrix)
        else:
            assert precision_matrix is not None
            self._unbroadcasted_scale_tril = linalg.precision_to_scale_tril(precision_matrix)
        if bool((self.df < event_shape[-1]).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._dist_chi2 = self._make_chi2()

    def _make_chi2(self) -> Chi2:
        steps = _C.arange(self._event_shape[-1], dtype=self._unbroadcasted_scale_tril.dtype)
        return Chi2(self.df.unsqueeze(-1) - steps.expand((*self._batch_shape, -1)))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`."""
        new = self._expanded(batch_shape, _instance, "df")
        new.arg_constraints = self.arg_constraints
        for name in ("covariance_matrix", "precision_matrix", "scale_tril"):
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand((*batch_shape, *self._event_shape)))
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        new._dist_chi2 = new._make_chi2()
        return new

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of covariance_matrix."""
        return self._matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance of the normal vectors."""
        lower = self._unbroadcasted_scale_tril
        return self._matrix(lower @ lower.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of covariance_matrix."""
        return self._matrix(linalg.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        """df * covariance_matrix."""
        return self.df.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """NaN up to df = size + 1."""
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = _C.where(factor <= 0, float("nan"), factor)
        return factor.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        v = self.covariance_matrix
        diagonal = linalg.diagonal(v)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.reshape((*self._batch_shape, 1, 1)) * (v.pow(2) + outer)

    def _draw(self, sample_shape: Any) -> Tensor:
        """By Bartlett's decomposition: a triangle of normal numbers below the roots of chi-squared ones."""
        size = self._event_shape[-1]
        eps = gradcore.finfo(self._unbroadcasted_scale_tril.dtype).eps
        noise = linalg.diag_embed(self._dist_chi2.rsample(sample_shape).sqrt().clamp(min=eps))
        rows, columns = _C.tril_indices(size, size, -1)
        count = int(rows.numel())
        shape = self._extended_shape(sample_shape)
        below = _C.randn((*shape[:-2], count), dtype=noise.dtype)
        flat = _C.zeros((*shape[:-2], size * size), dtype=noise.dtype)
        where = (rows * size + columns).expand(below.shape)
        lower = flat.scatter(-1, where, below).reshape(shape)
        factor = self._unbroadcasted_scale_tril @ (noise + lower)
        return factor @ factor.mT

    def _in_batch(self, mask: Tensor) -> Tensor:
        """Of each sample, whether the mask holds for any distribution of the batch."""
        return mask.any(dim=tuple(range(-len(self._batch_shape), 0))) if self._batch_shape else mask

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Positive-definite matrices. What rounding makes singular is drawn again, `max_try_correction` times at most
        (10 where it is None), with a warning."""
        sample = self._draw(sample_shape)
        regular = self.support.check(sample)
        found = not bool(regular.all())
        # torch takes these for the singular ones, and so its numbers are the second ones.
        again = self._in_batch(regular)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if bool(again.any()):
                sample[again] = self._draw(again[again].shape)
            again = self._in_batch(~self.support.check(sample))
            if not bool(again.any()):
                break
            found = True
        if found:
            warnings.warn("Singular sample detected.", stacklevel=2)
        return sample

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        if self._validate_args:
            self._validate_sample(value)
        nu, p = self.df, self._event_shape[-1]
        lower = self._unbroadcasted_scale_tril
        solved = linalg.solve_lower_transposed(lower, linalg.solve_lower(lower, value))
        log_det = linalg.log_abs_det(value)
        return (
            -nu * (p * math.log(2) / 2 + linalg.log_diagonal(lower))
            - multigammaln(nu / 2, p)
            + (nu - p - 1) / 2 * log_det
            - linalg.diagonal(solved).sum(-1) / 2
        )

    def entropy(self) -> Tensor:
        """The entropy."""
        nu, p = self.df, self._event_shape[-1]
        half_log_det = linalg.log_diagonal(self._unbroadcasted_scale_tril)
        return (
            (p + 1) * (p * math.log(2) / 2 + half_log_det)
            + multigammaln(nu / 2, p)
            - (nu - p - 1) / 2 * _multidigamma(nu / 2, p)
            + nu * p / 2
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Any, y: Any) -> Tensor:
        p = self._event_shape[-1]
        power = y + (p + 1) / 2
        log_det = linalg.log_abs_det(-2 * x)
        return power * (-log_det + math.log(2) * p) + multigammaln(power, p)


def _multidigamma(x: Tensor, p: int) -> Tensor:
    return digamma(x.unsqueeze(-1) - _C.arange(p, dtype=x.dtype).expand((*x.shape, -1)) / 2).sum(-1)
