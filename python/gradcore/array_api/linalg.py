"""The linear algebra of the standard. Matrices stand in the last two dims, those before are a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _C
from .. import linalg as _linalg
from .._C import Tensor
from ..functional import tensordot as _tensordot
from ._dtypes import SIGNED, UNSIGNED
from ._elementwise import both

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace",
    "vecdot", "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """What eigh() gives."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What qr() gives."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What slogdet() gives."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What svd() gives."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The triangular factor of positive definite matrices."""
    return _linalg.cholesky(x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors along an axis of three elements."""
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        raise ValueError(f"cross: axis {axis} counts from the end, and both arrays have it")
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError("cross: vectors have three elements")
    a, b = (x.moveaxis(axis, -1).unbind(-1) for x in _C.broadcast_tensors(*both(x1, x2)))
    return _C.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], axis)


def det(x: Tensor, /) -> Tensor:
    """The determinant."""
    return _linalg.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The elements of a diagonal."""
    return x.diagonal(offset, -2, -1)


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    return EighResult(*_linalg.eigh(x))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of symmetric matrices."""
    return _linalg.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    """The inverse."""
    return _linalg.inv(x)


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The product of matrices, or of matrices and vectors."""
    return _C.matmul(*both(x1, x2))


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """A norm of matrices."""
    return _linalg.matrix_norm(x, ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """The n-th power."""
    return _linalg.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values are larger than rtol times the largest one."""
    return _linalg.matrix_rank(x, rtol=rtol)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """Rows and columns exchanged."""
    if x.ndim < 2:
        raise ValueError("matrix_transpose: an array of at least two dims")
    return x.mT


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of two vectors' elements."""
    return _C.outer(*both(x1, x2))


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse."""
    return _linalg.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """Orthonormal columns and an upper triangle whose product is `x`."""
    return QRResult(*_linalg.qr(x, mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """The determinant's sign, and the logarithm of its size."""
    return SlogdetResult(*_linalg.slogdet(x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The solution of x1 @ result = x2. Only an `x2` of one dim is a vector."""
    x1, x2 = both(x1, x2)
    if x2.ndim == 1:
        return _linalg.solve(x1, x2.unsqueeze(-1)).squeeze(-1)
    batch = _C.broadcast_tensors(x1[..., :1, :1], x2[..., :1, :1])[0].shape[:-2]
    return _linalg.solve(x1.expand(*batch, *x1.shape[-2:]), x2.expand(*batch, *x2.shape[-2:]))


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """Singular values, with the vectors of both sides."""
    return SVDResult(*_linalg.svd(x, full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values."""
    return _linalg.svdvals(x)


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """The sum of products over several axes."""
    return _tensordot(*both(x1, x2), axes)


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal."""
    if dtype is None and x.dtype in SIGNED + UNSIGNED:
        dtype = _C.int64
    return _C.sum(x.diagonal(offset, -2, -1), -1, dtype=dtype)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The sum of products along an axis."""
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        raise ValueError(f"vecdot: axis {axis} counts from the end, and both arrays have it")
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError("vecdot: vectors of one length")
    x1, x2 = both(x1, x2)
    product: Tensor = x1 * x2
    return product.sum(axis, dtype=product.dtype)


def vector_norm(x: Tensor, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """A norm of vectors."""
    if axis == ():
        return (x != 0).to(x.dtype) if ord == 0 else x.abs()
    return _linalg.vector_norm(x, ord, dim=axis, keepdim=keepdims)
