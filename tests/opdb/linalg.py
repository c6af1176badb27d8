"""Dense linear algebra. The matrices of samples are made to be well-conditioned: regular() and positive()."""

from functools import partial

import numpy as np

from support import FLOATS

from .rows import S, row

linalg = partial(row, module="linalg", method=False)

EXACT = {"dtypes": (*FLOATS, "int64"), "ulps": 64, "scale": 4.0, "grad_ulps": 1024}
SYMMETRIC = "it reads one triangle, and the gradient is that of a symmetric matrix"


def regular(d, *shape):
    """Square matrices far from singular ones, whose largest element is often not on the diagonal."""
    n = shape[-1]
    turned = np.roll(np.eye(n), 1, axis=0) if n else np.eye(n)
    return np.asarray(d(*shape, low=-1, high=1) + (n + 1) * turned, d.dtype)


def positive(d, *shape):
    """Symmetric positive-definite ones."""
    a = d(*shape, low=-1, high=1).astype("float64")
    return np.asarray(a @ a.swapaxes(-1, -2) + np.eye(shape[-1]), d.dtype)


def triangular(d, *shape):
    """Matrices of which both triangles make good systems."""
    return np.asarray(d(*shape, low=-1, high=1) + (shape[-1] + 1) * np.eye(shape[-1]), d.dtype)


# ---- factors of symmetric matrices

CHOLESKY = EXACT | {
    "out": True,
    "skips": {"numeric": SYMMETRIC, "expanded": "equal rows are no positive-definite matrix"},
}


def cholesky_samples(d):
    return [
        S(positive(d, 3, 3)),
        S(positive(d, 1, 1)),
        S(positive(d, 2, 2, 4, 4)),
        S(positive(d, 4, 4), upper=True),
        S(positive(d, 40, 40)),
        S(positive(d, 70, 70), upper=True),
        S(d(0, 0)),
        S(d(0, 3, 3)),
        S(-positive(d, 3, 3)),
        S(d(2, 3)),
        S(d(3)),
    ]


linalg("cholesky", cholesky_samples, numpy=lambda a, upper=False: np.linalg.cholesky(a, upper=upper), **CHOLESKY)
linalg(
    "cholesky_ex",
    lambda d: [*cholesky_samples(d)[:-3], S(-positive(d, 3, 3), check_errors=True)],
    **CHOLESKY | {"out": False},
)
row("cholesky", cholesky_samples, **CHOLESKY | {"dtypes": FLOATS})

# ---- linear equations


def solve_samples(d):
    return [
        S(regular(d, 3, 3), d(3, 2)),
        S(regular(d, 3, 3), d(3)),
        S(regular(d, 2, 3, 3), d(2, 3)),
        S(regular(d, 2, 3, 3), d(3, 4)),
        S(regular(d, 3, 3), d(5, 3, 1)),
        S(regular(d, 2, 1, 3, 3), d(4, 3, 2)),
        S(regular(d, 3, 3), d(2, 3), left=False),
        S(regular(d, 40, 40), d(40, 3)),
        S(regular(d, 70, 70), d(3, 70), left=False),
        S(d(0, 0), d(0, 2)),
        S(regular(d, 3, 3), d(3, 0)),
        S(d(0, 3, 3), d(0, 3, 2)),
        S(np.zeros((3, 3), d.dtype), d(3, 2)),
        S(d(3, 3), d(2, 3)),
        S(d(2, 3), d(2, 3)),
    ]


linalg("solve", solve_samples, out=True, **EXACT)
linalg(
    "solve_ex", lambda d: [*solve_samples(d)[:-3], S(np.zeros((2, 2), d.dtype), d(2, 1), check_errors=True)], **EXACT
)


def inverse_samples(d):
    return [
        S(regular(d, 3, 3)),
        S(regular(d, 1, 1)),
        S(regular(d, 2, 2, 4, 4)),
        S(regular(d, 40, 40)),
        S(regular(d, 70, 70)),
        S(d(0, 0)),
        S(d(0, 3, 3)),
        S(np.zeros((2, 3, 3), d.dtype)),
        S(d(2, 3)),
        S(d(3)),
    ]


linalg("inv", inverse_samples, numpy=np.linalg.inv, out=True, **EXACT)
linalg("inv_ex", lambda d: [*inverse_samples(d)[:-3], S(np.zeros((2, 2), d.dtype), check_errors=True)], **EXACT)
row("inverse", inverse_samples, numpy=np.linalg.inv, out=True, **EXACT)
linalg(
    "solve_triangular",
    lambda d: [
        S(triangular(d, 3, 3), d(3, 2), upper=False),
        S(triangular(d, 3, 3), d(3, 2), upper=True),
        S(triangular(d, 2, 1, 3, 3), d(4, 3, 2), upper=True),
        S(triangular(d, 3, 3), d(5, 3), upper=True, left=False),
        S(triangular(d, 3, 3) / 4, d(3, 2), upper=False, unitriangular=True),
        S(triangular(d, 3, 3) / 4, d(2, 3), upper=True, left=False, unitriangular=True),
        S(triangular(d, 40, 40), d(40, 3), upper=True),
        S(triangular(d, 70, 70), d(3, 70), upper=True, left=False),
        S(d(0, 0), d(0, 2), upper=True),
        S(triangular(d, 3, 3), d(3), upper=True),
        S(triangular(d, 3, 3), d(2, 3), upper=True),
    ],
    out=True,
    **EXACT | {"dtypes": FLOATS},
)

# ---- determinants


def determinant_samples(d):
    return [
        S(regular(d, 3, 3)),
        S(regular(d, 1, 1)),
        S(regular(d, 2, 2, 4, 4)),
        S(d(0, 0)),
        S(d(0, 3, 3)),
        S(d(2, 3)),
        S(d(3)),
    ]


DETERMINANT = EXACT | {"scale": 1.0, "skips": {"expanded": "equal rows are a singular matrix"}}
linalg("det", determinant_samples, numpy=np.linalg.det, out=True, **DETERMINANT)
linalg("slogdet", lambda d: [*determinant_samples(d), S(regular(d, 40, 40))], **DETERMINANT)
row("det", determinant_samples, numpy=np.linalg.det, **DETERMINANT)
row("slogdet", determinant_samples, **DETERMINANT)
row("logdet", lambda d: [S(positive(d, 3, 3)), S(positive(d, 2, 2, 4, 4)), S(d(0, 0)), S(d(2, 3))], **DETERMINANT)

# ---- norms

INF = float("inf")
NORM = {"dtypes": (*FLOATS, "int64"), "ulps": 16, "scale": 4.0, "out": True}
linalg(
    "vector_norm",
    lambda d: [
        S(d(5)),
        S(d(3, 4)),
        S(d(3, 4), 1),
        S(d(3, 4), 3, dim=0),
        S(d(2, 3, 4), INF, dim=(0, 2)),
        S(d(3, 4), -INF, dim=-1, keepdim=True),
        S(d(3, 4), 0.5, keepdim=True),
        S(d(3, 4), dim=()),
        S(d(3, 0), dim=1),
        S(d()),
    ],
    **NORM,
)
linalg(
    "matrix_norm",
    lambda d: [
        S(d(3, 4)),
        S(d(2, 3, 4), 1),
        S(d(2, 3, 4), -1, keepdim=True),
        S(d(2, 3, 4), INF, dim=(0, 2)),
        S(d(2, 3, 4), -INF, dim=(2, 1)),
        S(d(2, 3, 4), "fro", dim=(2, 0), keepdim=True),
        S(d(3, 4), 3),
        S(d(3, 4), "x"),
        S(d(4)),
        S(d(3, 4), dim=(0, -2)),
        S(d(3, 4), dim=(0,)),
    ],
    **NORM,
)
linalg(
    "norm",
    lambda d: [
        S(d(5)),
        S(d(2, 3, 4)),
        S(d(2, 3, 4), keepdim=True),
        S(d(5), 3),
        S(d(3, 4), 1),
        S(d(3, 4), "fro"),
        S(d(3, 4), None, 0),
        S(d(2, 3, 4), INF, (1, 2)),
        S(d(2, 3, 4), 3, 1, True),
        S(d(2, 3, 4), dim=(0, 2)),
        S(d(2, 3, 4), 2),
        S(d(2, 3, 4), "fro"),
        S(d(2, 3, 4), 1, dim=(0, 1, 2)),
        S(d(3, 4), "fro", dim=0),
    ],
    **NORM,
)
