"""LAPACK's algorithms for large matrices, which come with NumPy. The core calls these with memory of its own.

eigh() gives False where LAPACK does not converge, or where there are numbers that are not finite; svd() what LAPACK says:
0, 1 where it does not converge, -4 of NaN. Results of infinities are NaN.
"""

from __future__ import annotations

import numpy as np


def eigh(
    dtype: str, shape: tuple[int, int, int], upper: bool, a: memoryview, values: memoryview, vectors: memoryview | None
) -> bool:
    """Eigenvalues and, where there is memory for them, eigenvectors of symmetric matrices (batch, n, n)."""
    matrices = np.frombuffer(a, dtype).reshape(shape)
    if not np.isfinite(matrices).all():
        return False
    try:
        if vectors is None:
            _fill(values, np.linalg.eigvalsh(matrices, "U" if upper else "L"))
        else:
            w, v = np.linalg.eigh(matrices, "U" if upper else "L")
            _fill(values, w)
            _fill(vectors, v)
    except np.linalg.LinAlgError:
        return False
    return True


def svd(
    dtype: str,
    shape: tuple[int, int, int],
    full: bool,
    a: memoryview,
    u: memoryview | None,
    values: memoryview,
    vh: memoryview | None,
) -> int:
    """Singular values and, where there is memory for them, vectors of matrices (batch, m, n)."""
    matrices = np.frombuffer(a, dtype).reshape(shape)
    if np.isnan(matrices).any():
        return -4
    infinite = np.isinf(matrices).any((-2, -1))
    matrices = np.where(infinite[:, None, None], matrices.dtype.type(0), matrices) if infinite.any() else matrices
    try:
        if u is None or vh is None:
            pairs = [(values, np.linalg.svd(matrices, compute_uv=False))]
        else:
            pairs = list(zip((u, values, vh), np.linalg.svd(matrices, full_matrices=full), strict=True))
        for memory, part in pairs:
            part[infinite] = np.nan
            _fill(memory, part)
    except np.linalg.LinAlgError:
        return 1
    return 0


def _fill(memory: memoryview, part: np.ndarray) -> None:
    np.frombuffer(memory, part.dtype).reshape(part.shape)[...] = part
