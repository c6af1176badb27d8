"""Cholesky factors and triangular systems, as distributions use them."""

from __future__ import annotations

from .. import _C
from .._C import Tensor


def diagonal(matrix: Tensor) -> Tensor:
    """The diagonal of the last two dims."""
    return matrix.diagonal(dim1=-2, dim2=-1)


def diag_embed(vector: Tensor) -> Tensor:
    """A matrix with the last dim of `vector` on its diagonal."""
    return vector.unsqueeze(-1) * _C.eye(vector.size(-1), dtype=vector.dtype)


def cholesky(matrix: Tensor) -> Tensor:
    """The lower-triangular L with L @ L.mT == matrix. Raises LinAlgError, a RuntimeError, where it is not positive-definite."""
    return _C._linalg_cholesky(matrix)


def solve_lower(lower: Tensor, right: Tensor) -> Tensor:
    """x with lower @ x == right; batch dims broadcast."""
    return _C._linalg_solve_triangular(lower, right, upper=False)


def solve_lower_transposed(lower: Tensor, right: Tensor) -> Tensor:
    """x with lower.mT @ x == right."""
    return _C._linalg_solve_triangular(lower.mT, right, upper=True)


def cholesky_inverse(lower: Tensor) -> Tensor:
    """The inverse of lower @ lower.mT."""
    return _C.cholesky_inverse(lower)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of `precision`."""
    flipped = cholesky(precision.flip(-2, -1))
    lower_inverse = flipped.flip(-2, -1).mT
    return solve_lower(lower_inverse, _C.eye(precision.size(-1), dtype=precision.dtype))


def log_diagonal(lower: Tensor) -> Tensor:
    """Half the log determinant of lower @ lower.mT."""
    return diagonal(lower).log().sum(-1)


def log_abs_det(matrix: Tensor) -> Tensor:
    """log |det matrix|, whose slope reads the whole matrix and not one triangle."""
    return _C._linalg_slogdet(matrix).logabsdet


def mahalanobis(lower: Tensor, difference: Tensor) -> Tensor:
    """difference @ (lower @ lower.mT)^-1 @ difference, over the last dim."""
    solved = solve_lower(lower, difference.unsqueeze(-1)).squeeze(-1)
    return (solved * solved).sum(-1)
