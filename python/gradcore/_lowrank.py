"""Singular values of matrices of low rank, by random projections; extreme eigenvalues of large symmetric matrices.

Sources: N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding structure with randomness", 2011 (algorithms 4.4 and 5.1);
A. V. Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned conjugate gradient
method", 2001; A. Stathopoulos, K. Wu, "A block orthogonalization procedure with constant synchronization requirements",
2002.
"""

from __future__ import annotations

from typing import Any

from . import _C, linalg
from ._C import Tensor
from ._type_info import finfo
from .autograd import Function


def _less(a: Tensor, m: Tensor | None, x: Tensor) -> Tensor:
    return a @ x if m is None else a @ x - m @ x


def _range_of(a: Tensor, q: int, niter: int, m: Tensor | None) -> Tensor:
    """q orthonormal columns that span nearly what the columns of a - m do."""
    basis: Tensor = linalg.qr(_less(a, m, _C.randn(a.shape[-1], q, dtype=a.dtype))).Q
    for _ in range(niter):
        basis = linalg.qr(_less(a.mT, None if m is None else m.mT, basis)).Q
        basis = linalg.qr(_less(a, m, basis)).Q
    return basis


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Nearly the q largest singular values of A - M: (U, S, V) with A - M = U diag(S) V' for a rank of q or less.

    A, M: (..., m, n), floating. niter: how often the random subspace is improved. The random numbers come from the default
    generator, and are those of torch. Gradients pass through, as through svd(). Raises RuntimeError as qr() does.

    >>> import gradcore
    >>> a = gradcore.outer(gradcore.tensor([3.0, 4.0]), gradcore.tensor([1.0, 0.0, 0.0]))
    >>> gradcore.svd_lowrank(a, q=1)[1]
    tensor([5.])
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    m, n = A.shape[-2:]
    if M is not None:
        M = M.broadcast_to(A.shape)
    if m < n:
        v, s, u = svd_lowrank(A.mT, q, niter, None if M is None else M.mT)
        return u, s, v
    basis = _range_of(A, q, niter, M)
    small = _less(A.mT, None if M is None else M.mT, basis).mT
    u, s, vh = linalg.svd(small, full_matrices=False)
    return basis @ u, s, vh.mT


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """The q principal components of rows of data: (U, S, V), the components being the columns of V.

    A: (..., m, n), floating: m samples of n features, whose mean is taken away unless center is False. q: at most m and n;
    min(6, m, n) without it. Raises ValueError for another q, or a negative niter. See svd_lowrank().

    >>> import gradcore
    >>> u, s, v = gradcore.pca_lowrank(gradcore.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), q=1)
    >>> v.abs()
    tensor([[1.],
            [0.]])
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not A.is_floating_point():
        raise ValueError(f"input must have floating point dtype, got {A.dtype}.")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


# ---- lobpcg


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Any = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) eigenvalues of A x = e B x and their eigenvectors, by conjugate gradients of a block.

    A: (..., m, m), symmetric; B: the same, positive definite, the identity without it. X: (..., m, n), where to begin, n >= k
    random columns without it. iK: a preconditioner, about the inverse of A. niter: the most steps, without it until the
    residuals are below tol (the root of the dtype's precision) relative to the norms. m must be at least 3 n; for smaller
    matrices there is linalg.eigh(). `method` and the parameters of orthogonalisation are taken and have no effect: the
    basis is always orthonormal, as it is with torch's "ortho".

    Gives (eigenvalues (..., k), eigenvectors (..., m, k)), in falling order where `largest`, which is the default.
    Gradients pass to A where there is no B. Raises ValueError for a block that is too large, and for a tracker.

    >>> import gradcore
    >>> gradcore.lobpcg(gradcore.diag(gradcore.arange(9.0)), k=1)[0].round()
    tensor([8.])
    """
    if tracker is not None:
        raise NotImplementedError("lobpcg: gradcore calls no tracker")
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"lobpcg: method must be 'basic' or 'ortho', not {method!r}")
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(f"lobpcg: A must be a square matrix or a batch of them, not of shape {list(A.shape)}")
    m = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = (k if n is None else n) if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={n})"
        )
    if not 1 <= k <= n:
        raise ValueError(f"lobpcg: there must be 1 to {n} eigenpairs, not {k}")
    tol = finfo(A.dtype).eps ** 0.5 if tol is None else tol
    start = _C.randn(*A.shape[:-2], m, n, dtype=A.dtype) if X is None else X.detach()
    if B is not None and B.requires_grad:
        raise ValueError("lobpcg: there is no derivative for B")
    symmetric = (A + A.mT) / 2 if A.requires_grad else A
    most = 1000 if niter is None or niter < 0 else niter
    found: tuple[Tensor, Tensor] = _Lobpcg.apply(symmetric, k, B, start, iK, most, tol, largest is None or largest)
    return found


class _Lobpcg(Function):
    @staticmethod
    def forward(
        ctx: Any, a: Any, k: Any, b: Any, start: Any, preconditioner: Any, most: Any, tol: Any, largest: Any
    ) -> Any:
        def matrices(t: Tensor | None) -> list[Any]:
            return [None] * count if t is None else list(t.expand(*batch, *t.shape[-2:]).reshape(count, *t.shape[-2:]))

        batch, count = a.shape[:-2], a.shape[:-2].numel()
        pairs = [
            _solve(*operands, k, most, tol, largest)
            for operands in zip(matrices(a), matrices(b), matrices(start), matrices(preconditioner))
        ]
        values = _C.stack([e for e, _ in pairs]).view(*batch, k)
        vectors = _C.stack([x for _, x in pairs]).view(*batch, a.shape[-1], k)
        ctx.has_b = b is not None
        ctx.save_for_backward(a, values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, of_values: Any, of_vectors: Any) -> Any:
        if ctx.has_b:
            raise ValueError("lobpcg.backward does not support backward with B != I yet.")
        a, values, vectors = ctx.saved_tensors
        x = vectors.mT.unsqueeze(-1)  # (..., k, m, 1)
        grad = (x * of_values[..., None, None] * x.mT).sum(-3)
        # A change dA moves the vector by -(A - e)^+ dA x. The matrix below is A - e off the vector, and one along it.
        own = x * x.mT
        shifted = a.unsqueeze(-3) - values[..., None, None] * _C.eye(a.shape[-1], dtype=a.dtype) + own
        g = of_vectors.mT.unsqueeze(-1)
        y = linalg.solve(shifted, g - own @ g)
        grad = grad - (y * x.mT).sum(-3)
        return (grad + grad.mT) / 2, *[None] * 7


def _orthonormal(b: Tensor | None, blocks: list[Tensor], tiny: float) -> Tensor:
    """A basis of what the columns of the blocks span, orthonormal by B. What depends on other columns is left out."""
    basis = _C.cat(blocks, 1)
    for _ in range(2):  # once more makes up for rounding
        gram = basis.mT @ (basis if b is None else b @ basis)
        scale = gram.diagonal().clamp_min(0).sqrt()
        used = scale > 0
        basis, scale = basis[:, used], scale[used]
        values, vectors = linalg.eigh(gram[used][:, used] / scale / scale[:, None])
        kept = values > tiny * values[-1]
        basis = basis @ (vectors[:, kept] / values[kept].sqrt() / scale[:, None])
    return basis


def _solve(
    a: Tensor, b: Tensor | None, x: Tensor, preconditioner: Tensor | None, k: int, most: int, tol: float, largest: bool
) -> tuple[Tensor, Tensor]:
    """Of one matrix: Ritz pairs of the span of the vectors, of their preconditioned residuals and of the last step."""
    n = x.shape[1]
    tiny = finfo(a.dtype).eps * 10
    a_norm = linalg.norm(a @ x) / linalg.norm(x)
    b_norm = 1.0 if b is None else linalg.norm(b @ x) / linalg.norm(x)
    step: list[Tensor] = []
    residual: list[Tensor] = []
    for i in range(most + 1):
        basis = _orthonormal(b, [x, *residual, *step], tiny)
        values, vectors = linalg.eigh(basis.mT @ (a @ basis))
        chosen = vectors[:, -n:].flip(1) if largest else vectors[:, :n]
        values = values[-n:].flip(0) if largest else values[:n]
        new = basis @ chosen
        if i:
            # The part of the step that the old vectors do not have.
            step = [new - x @ (x.mT @ (new if b is None else b @ new))]
        x = new
        r = a @ x - (x if b is None else b @ x) * values
        error = linalg.norm(r, dim=0) / (linalg.norm(x, dim=0) * (a_norm + values.abs() * b_norm))
        if bool((error[:k] < tol).all()) or i == most:
            break
        residual = [r if preconditioner is None else preconditioner @ r]
    return values[:k].contiguous(), x[:, :k].contiguous()
