"""Cholesky factors and triangular systems, composed of operations column by column: for the small matrices of distributions."""

from __future__ import annotations

from .. import _C
from .._C import Tensor


class _LinAlgError(RuntimeError):
    """A matrix does not have the factors that were asked for."""


def diagonal(matrix: Tensor) -> Tensor:
    """The diagonal of the last two dims."""
    return matrix.diagonal(dim1=-2, dim2=-1)


def diag_embed(vector: Tensor) -> Tensor:
    """A matrix with the last dim of `vector` on its diagonal."""
    return vector.unsqueeze(-1) * _C.eye(vector.size(-1), dtype=vector.dtype)


def cholesky(matrix: Tensor) -> Tensor:
    """The lower-triangular L with L @ L.mT == matrix. Raises _LinAlgError, a RuntimeError, where it is not positive-definite."""
    n = matrix.size(-1)
    columns, rest = [], (matrix + matrix.mT) / 2  # a symmetric gradient, as torch has it
    for j in range(n):
        pivot = rest[..., j, j]
        if not bool((pivot.detach() > 0).all()):
            raise _LinAlgError(
                f"linalg.cholesky: The factorization could not be completed because the input is not positive-definite "
                f"(the leading minor of order {j + 1} is not positive-definite)."
            )
        column = rest[..., :, j] / pivot.sqrt().unsqueeze(-1)
        column = column * (_C.arange(n) >= j).to(matrix.dtype)
        columns.append(column)
        rest = rest - column.unsqueeze(-1) * column.unsqueeze(-2)
    return _C.stack(columns, -1)


def solve_lower(lower: Tensor, right: Tensor) -> Tensor:
    """x with lower @ x == right; batch dims broadcast."""
    rows: list[Tensor] = []
    for i in range(lower.size(-1)):
        value = right[..., i, :]
        if i:
            done = _C.stack(rows, -2)
            value = value - (lower[..., i, :i].unsqueeze(-2) @ done).squeeze(-2)
        rows.append(value / lower[..., i, i].unsqueeze(-1))
    return _C.stack(rows, -2)


def solve_lower_transposed(lower: Tensor, right: Tensor) -> Tensor:
    """x with lower.mT @ x == right."""
    flipped = lower.mT.flip(-1, -2)
    return solve_lower(flipped, right.flip(-2)).flip(-2)


def cholesky_inverse(lower: Tensor) -> Tensor:
    """The inverse of lower @ lower.mT."""
    inverse = solve_lower(lower, _C.eye(lower.size(-1), dtype=lower.dtype).expand(lower.shape))
    return inverse.mT @ inverse


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of `precision`."""
    flipped = cholesky(precision.flip(-2, -1))
    lower_inverse = flipped.flip(-2, -1).mT
    identity = _C.eye(precision.size(-1), dtype=precision.dtype)
    return solve_lower(lower_inverse, identity.expand(precision.shape))


def log_diagonal(lower: Tensor) -> Tensor:
    """Half the log determinant of lower @ lower.mT."""
    return diagonal(lower).log().sum(-1)


def mahalanobis(lower: Tensor, difference: Tensor) -> Tensor:
    """difference @ (lower @ lower.mT)^-1 @ difference, over the last dim."""
    solved = solve_lower(lower, difference.unsqueeze(-1)).squeeze(-1)
    return (solved * solved).sum(-1)
