"""Dense linear algebra. The matrices of samples are made to be well-conditioned: regular() and positive()."""

from functools import partial

import numpy as np

from support import FLOATS

from .rows import S, row

linalg = partial(row, module="linalg", method=False)

EXACT = {"dtypes": (*FLOATS, "int64"), "ulps": 64, "scale": 4.0, "grad_ulps": 1024}
REPEATED = {"expanded": "repeated rows make the matrix singular: where that shows depends on rounding"}
SYMMETRIC = "it reads one triangle, and the gradient is that of a symmetric matrix"
# Why some rows are not compared with torch in forward mode, and where their graphs differ from torch's.
NOT_SYMMETRIC = {
    "tangents": "a factor of a symmetric matrix has no derivative along a tangent that is not; tests/linalg compares "
    "with differences"
}
CONSTANT_FACTORS = {
    "forward over reverse": "torch takes the LU factors for constants; tests/linalg compares with differences"
}
ILL_CONDITIONED = {"forward over reverse": "differs in rounding, where the gradient is ill conditioned"}
OTHER_VIEWS = "has views, and products of vectors, at other places"
OTHER_FACTORS = "keeps other factors, or less, for the same gradient"
OTHER_FIELDS = "shows other fields of what it keeps"


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
    "skips": {"numeric": SYMMETRIC, "expanded": "equal rows are no positive-definite matrix"} | NOT_SYMMETRIC,
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


linalg(
    "cholesky",
    cholesky_samples,
    numpy=lambda a, upper=False: np.linalg.cholesky(a, upper=upper),
    **CHOLESKY,
)
linalg(
    "cholesky_ex",
    lambda d: [*cholesky_samples(d)[:-3], S(-positive(d, 3, 3), check_errors=True)],
    **CHOLESKY | {"out": False},
)
row(
    "cholesky",
    cholesky_samples,
    **CHOLESKY | {"dtypes": FLOATS},
)

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


linalg(
    "solve",
    solve_samples,
    out=True,
    **EXACT,
    other_graphs=OTHER_VIEWS,
    skips=REPEATED | CONSTANT_FACTORS,
)
linalg(
    "solve_ex",
    lambda d: [*solve_samples(d)[:-3], S(np.zeros((2, 2), d.dtype), d(2, 1), check_errors=True)],
    **EXACT,
    skips=REPEATED | CONSTANT_FACTORS,
    other_graphs=OTHER_VIEWS,
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


linalg("inv", inverse_samples, numpy=np.linalg.inv, out=True, **EXACT, skips=REPEATED)
linalg(
    "inv_ex",
    lambda d: [*inverse_samples(d)[:-3], S(np.zeros((2, 2), d.dtype), check_errors=True)],
    **EXACT,
    skips=REPEATED,
)
row("inverse", inverse_samples, numpy=np.linalg.inv, out=True, **EXACT, skips=REPEATED)
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
    skips=REPEATED,
    other_graphs=OTHER_VIEWS,
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


DETERMINANT = EXACT | {
    "scale": 1.0,
    "skips": {"expanded": "equal rows are a singular matrix"} | CONSTANT_FACTORS,
}
linalg(
    "det",
    determinant_samples,
    numpy=np.linalg.det,
    out=True,
    **DETERMINANT,
    other_graphs=OTHER_FACTORS,
)
linalg(
    "slogdet",
    lambda d: [*determinant_samples(d), S(regular(d, 40, 40))],
    **DETERMINANT,
    other_graphs=OTHER_FACTORS,
)
row(
    "det",
    determinant_samples,
    numpy=np.linalg.det,
    **DETERMINANT,
    other_graphs=OTHER_FACTORS,
)
row(
    "slogdet",
    determinant_samples,
    **DETERMINANT,
    other_graphs=OTHER_FACTORS,
)
row(
    "logdet",
    lambda d: [S(positive(d, 3, 3)), S(positive(d, 2, 2, 4, 4)), S(d(0, 0)), S(d(2, 3))],
    **DETERMINANT,
)

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
    other_graphs=OTHER_FIELDS,
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
    other_graphs=OTHER_FIELDS,
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

# ---- QR, eigenvalues, singular values

# Signs of vectors are the algorithm's: what is compared does not depend on them (of eigenvectors and singular vectors
# tests/linalg/test_decompositions.py tells more).


def rectangular(d, *shape):
    """Matrices of full rank, whose singular values are apart from each other."""
    *batch, m, n = shape
    k = min(m, n)
    random = np.random.default_rng(7)
    u, _ = np.linalg.qr(random.normal(size=(*batch, m, k)))
    v, _ = np.linalg.qr(random.normal(size=(*batch, n, k)))
    values = np.linspace(1, 3, k) if k else np.zeros(0)
    a = (u * values) @ v.swapaxes(-1, -2) + 0.01 * d(*shape, low=-1, high=1)
    return np.asarray(a, d.dtype)


def symmetric(d, *shape):
    """Symmetric matrices, whose eigenvalues are apart from each other and have both signs."""
    random = np.random.default_rng(7)
    q, _ = np.linalg.qr(random.normal(size=shape))
    return np.asarray((q * (np.arange(shape[-1]) - shape[-1] / 3 - 0.4)) @ q.swapaxes(-1, -2), d.dtype)


SPECTRAL = EXACT | {"dtypes": FLOATS, "skips": {"expanded": "equal rows have equal singular values: zeros"}}

linalg(
    "qr",
    lambda d: [
        S(rectangular(d, 3, 3)),
        S(rectangular(d, 5, 3)),
        S(rectangular(d, 3, 5)),
        S(rectangular(d, 2, 5, 3), "reduced"),
        S(rectangular(d, 3, 5), mode="complete"),
        S(rectangular(d, 40, 36)),
        S(rectangular(d, 70, 40)),
        S(rectangular(d, 40, 70)),
        S(d(0, 3)),
        S(d(3, 0)),
        S(d(0, 3, 2)),
        S(d(3)),
        S(d(3, 3), mode="x"),
    ],
    **SPECTRAL | {"grad_ulps": 4096, "skips": SPECTRAL["skips"] | ILL_CONDITIONED},
    other_graphs=OTHER_FIELDS,
)
linalg(
    "qr.without_gradient",
    lambda d: [S(rectangular(d, 5, 3), "complete"), S(rectangular(d, 5, 3), "r")],
    **SPECTRAL | {"skips": SPECTRAL["skips"] | {"numeric": "backward raises"}},
    other_graphs=OTHER_FIELDS,
)
row(
    "qr",
    lambda d: [S(rectangular(d, 5, 3)), S(rectangular(d, 3, 5), some=False)],
    **SPECTRAL | {"skips": SPECTRAL["skips"] | ILL_CONDITIONED},
    other_graphs=OTHER_FIELDS,
)
row(
    "geqrf",
    lambda d: [S(rectangular(d, 5, 3)), S(rectangular(d, 2, 3, 5)), S(d(0, 3))],
    **SPECTRAL | {"grad": False},
    other_graphs="is made of other ops, or of a refusal",
)
linalg(
    "eigvalsh",
    lambda d: [
        S(symmetric(d, 3, 3)),
        S(symmetric(d, 2, 2, 4, 4), UPLO="U"),
        S(symmetric(d, 1, 1)),
        S(symmetric(d, 40, 40)),
        S(d(0, 0)),
        S(d(0, 3, 3)),
        S(d(2, 3)),
        S(d(3, 3), UPLO="x"),
        S(np.full((3, 3), np.nan, d.dtype)),
    ],
    out=True,
    numpy=lambda a, UPLO="L": np.linalg.eigvalsh(a, UPLO),
    **SPECTRAL
    | {
        "skips": SPECTRAL["skips"]
        | ILL_CONDITIONED
        | {"numeric": SYMMETRIC, "layouts": "torch reads the other triangle there"}
    },
    other_graphs=OTHER_FACTORS,
)
linalg(
    "svdvals",
    lambda d: [
        S(rectangular(d, 3, 3)),
        S(rectangular(d, 2, 5, 3)),
        S(rectangular(d, 3, 5)),
        S(rectangular(d, 40, 36)),
        S(d(0, 3)),
        S(d(0, 3, 2)),
        S(d(3)),
        S(np.full((3, 3), np.nan, d.dtype)),
        S(d(3, 3), driver="gesvd"),
    ],
    out=True,
    **SPECTRAL,
    other_graphs=OTHER_FIELDS,
)

# ---- what singular values decide

linalg(
    "pinv",
    lambda d: [
        S(rectangular(d, 3, 3)),
        S(rectangular(d, 5, 3)),
        S(rectangular(d, 2, 3, 5)),
        S(rectangular(d, 5, 3), rtol=1e-3),
        S(rectangular(d, 5, 3), atol=1e-3),
        S(d(0, 3)),
        S(d(2, 3, 0)),
        S(d(3)),
    ],
    out=True,
    **SPECTRAL
    | {"skips": SPECTRAL["skips"] | {"layouts": "equal rows again", "autocast": "torch casts empty ones otherwise"}},
)
linalg(
    "pinv.hermitian",
    lambda d: [S(symmetric(d, 3, 3), hermitian=True), S(d(2, 3), hermitian=True)],
    **SPECTRAL | {"skips": {"numeric": SYMMETRIC, "layouts": "torch reads the other triangle there"}},
)
row("pinverse", lambda d: [S(rectangular(d, 5, 3)), S(rectangular(d, 2, 3, 5), rcond=1e-10)], **SPECTRAL)
linalg(
    "matrix_rank",
    lambda d: [
        S(rectangular(d, 3, 5)),
        S(np.ones((2, 3, 3), d.dtype)),
        S(np.zeros((3, 2), d.dtype)),
        S(rectangular(d, 3, 3), 2.0),
        S(rectangular(d, 3, 3), atol=0.5, rtol=0.9),
        S(symmetric(d, 3, 3), hermitian=True),
        S(d(0, 3)),
        S(d(3)),
    ],
    grad=False,
    **{"dtypes": FLOATS},
)
linalg(
    "cond",
    lambda d: [
        S(rectangular(d, 3, 3)),
        S(rectangular(d, 2, 5, 3), -2),
        S(rectangular(d, 3, 4), 2),
        S(d(0, 0)),
        S(d(3)),
    ],
    out=True,
    **SPECTRAL,
)
linalg(
    "cond.by_inverse",
    lambda d: [
        S(regular(d, 2, 3, 3), 1),
        S(regular(d, 3, 3), -float("inf")),
        S(regular(d, 3, 3), "fro"),
        S(rectangular(d, 3, 3), "nuc"),
        S(np.zeros((3, 3), d.dtype), 1),
        S(d(3, 3), 3),
        S(d(3, 3), "x"),
        S(d(5, 3), 1),
    ],
    out=True,
    **SPECTRAL
    | {
        "skips": dict.fromkeys(("grad", "gradgrad", "layouts", "numeric"), "torch changes what its node has saved")
        | {"tangents": "infinite or NaN at other points"}
    },
    other_graphs="is made of other ops, or of a refusal",
)
row(
    "nuclear_norm",
    lambda d: [
        S(rectangular(d, 3, 4)),
        S(rectangular(d, 2, 3, 4), True),
        S(rectangular(d, 2, 3, 4), (0, 2), keepdim=True),
        S(rectangular(d, 2, 3, 4), (0,)),
        S(d(3)),
    ],
    method=False,
    out=True,
    other_graphs="is made of linalg.svdvals",
    **SPECTRAL,
)
row(
    "norm.nuclear",
    lambda d: [S(rectangular(d, 3, 4), "nuc"), S(d(2, 3, 4), "nuc"), S(d(3), "nuc")],
    other_graphs="is made of linalg.svdvals",
    **SPECTRAL,
)
linalg(
    "lstsq",
    lambda d: [
        S(rectangular(d, 5, 3), d(5, 2)),
        S(rectangular(d, 5, 3), d(5)),
        S(rectangular(d, 3, 5), d(3, 2)),
        S(rectangular(d, 2, 5, 3), d(2, 5, 2), driver="gelsd"),
        S(rectangular(d, 2, 5, 3), d(2, 5), driver="gels"),
        S(rectangular(d, 3, 5), d(3, 1), driver="gelss"),
        S(d(3), d(3)),
        S(d(3, 2), d(4)),
        S(d(3, 2), d(4, 2)),
        S(d(3, 2), d(3, 2), driver="x"),
    ],
    **SPECTRAL | {"strides": "any"},
    other_graphs=OTHER_FACTORS,
)

linalg(
    "lstsq.of_low_rank",
    lambda d: [S(np.ones((3, 2), d.dtype), d(3, 1)), S(np.zeros((2, 3), d.dtype), d(2))],
    **SPECTRAL | {"strides": "any", "skips": {"numeric": "it is no continuous function there"}},
    other_graphs=OTHER_VIEWS,
)

# ---- products of reflections


def reflections(d, m, k, *batch):
    """Matrices and numbers as geqrf gives them, but for what stands above the diagonal."""
    return [d(*batch, m, k, low=-1, high=1), d(*batch, k, low=0.5, high=1.5)]


HOUSEHOLDER = {"dtypes": FLOATS, "ulps": 64, "scale": 8.0, "grad_ulps": 4096, "out": True, "other_graphs": OTHER_FIELDS}
OVER_REVERSE = {
    "forward over reverse": "torch's differ from central differences, with which tests/linalg compares",
}
NO_TANGENTS = {"tangents": "torch has none", "forward over reverse": "torch has none"}
WRONG_TANGENTS = OVER_REVERSE | {"tangents": OVER_REVERSE["forward over reverse"]}


def product_samples(d):
    return [
        S(*reflections(d, 3, 3)),
        S(*reflections(d, 5, 3)),
        S(*reflections(d, 4, 2, 2, 3)),
        S(d(5, 3), d(2)),
        S(d(3, 2), d(0)),
        S(d(3, 0), d(0)),
        S(d(0, 3, 2), d(0, 2)),
        S(d(0, 0), d(0)),
        S(d(3), d(3)),
        S(d(2, 3), d(2)),
        S(d(3, 2), d(3)),
        S(d(2, 3, 2), d(2)),
        S(d(2, 3, 2), d(1, 2)),
        S(d(3, 2), d()),
        S(d(3, 2), d(2, dtype="int64")),
    ]


linalg("householder_product", product_samples, **HOUSEHOLDER, skips=OVER_REVERSE)
row("orgqr", product_samples, **HOUSEHOLDER, skips=OVER_REVERSE)
row(
    "ormqr",
    lambda d: [
        S(*reflections(d, 4, 3), d(4, 2)),
        S(*reflections(d, 4, 3), d(4, 2), True, True),
        S(*reflections(d, 4, 3), d(2, 4), False),
        S(*reflections(d, 4, 3), d(2, 4), left=False, transpose=True),
        S(*reflections(d, 3, 3), d(3, 3), transpose=True),
        S(d(3, 4), d(3), d(3, 2)),
        S(*reflections(d, 4, 2, 2, 3), d(2, 3, 4, 5)),
        S(*reflections(d, 4, 2, 2), d(2, 5, 4), left=False),
        S(d(4, 0), d(0), d(4, 2)),
        S(d(4, 3), d(3), d(4, 0)),
        S(d(0, 4, 3), d(0, 3), d(0, 4, 2)),
        S(d(3), d(3), d(3, 2)),
        S(d(4, 3), d(2), d(4, 2)),
        S(d(4, 3), d(3), d(3, 2)),
        S(d(4, 3), d(3), d(4)),
        S(d(2, 4, 3), d(2, 3), d(4, 2)),
        S(d(2, 4, 3), d(3), d(2, 4, 2)),
        S(d(2, 4, 3), d(2, 3), d(1, 4, 2)),
    ],
    **HOUSEHOLDER,
    skips=NO_TANGENTS,
)

# ---- symmetric matrices of any sign


def indefinite(d, *shape):
    """Symmetric ones with small diagonals, for which steps of two rows are taken."""
    a = d(*shape, low=-2, high=2).astype("float64")
    n = shape[-1]
    return np.asarray((a + a.swapaxes(-1, -2)) * (1 - 0.9 * np.eye(n)), d.dtype)


LDL = {
    "dtypes": FLOATS,
    "ulps": 256,
    "scale": 8.0,
    "grad": False,
    "other_graphs": "names what has no derivative otherwise",
}
linalg(
    "ldl_factor",
    lambda d: [
        S(indefinite(d, 3, 3)),
        S(indefinite(d, 2, 3, 7, 7)),
        S(positive(d, 4, 4), hermitian=True),
        S(indefinite(d, 33, 33)),
        S(d(1, 1)),
        S(d(0, 0)),
        S(d(2, 0, 0)),
        S(d(3)),
        S(d(2, 3)),
    ],
    **LDL,
    skips={"expanded": "equal rows are a singular matrix"},
)
linalg(
    "ldl_factor_ex",
    lambda d: [
        S(indefinite(d, 5, 5)),
        S(indefinite(d, 2, 6, 6), check_errors=True),
        S(np.zeros((2, 3, 3), d.dtype)),
        S(np.diag([1.0, 0.0, 2.0]).astype(d.dtype)),
    ],
    **LDL,
    skips={"expanded": "equal rows are a singular matrix: rounding decides which pivot is zero"},
)
linalg(
    "ldl_solve",
    lambda d: [
        S(triangular(d, 3, 3), np.asarray([1, 3, 3], "int32"), d(3, 2)),
        S(triangular(d, 4, 4), np.asarray([-2, -2, -4, -4], "int32"), d(4, 2), hermitian=True),
        S(triangular(d, 2, 4, 4), np.asarray([[1, -3, -3, 4], [2, 2, -4, -4]], "int64"), d(4, 2)),
        S(triangular(d, 4, 4), np.asarray([1, -3, -3, 4], "int32"), d(3, 4, 2)),
        S(d(0, 0), np.zeros(0, "int32"), d(0, 2)),
        S(triangular(d, 3, 3), np.asarray([1, 2, 4], "int32"), d(3, 2)),
        S(triangular(d, 3, 3), np.asarray([1, 2], "int32"), d(3, 2)),
        S(triangular(d, 3, 3), np.asarray([1, 2, 3], "int32"), d(2, 2)),
        S(d(2, 3), np.asarray([1, 2], "int32"), d(2, 2)),
        S(triangular(d, 2, 3, 3), np.asarray([1, 2, 3], "int32"), d(3, 2)),
    ],
    **LDL,
    out=True,
)
row(
    "triangular_solve",
    lambda d: [
        S(d(3, 2), triangular(d, 3, 3)),
        S(d(3, 2), triangular(d, 3, 3), False),
        S(d(3, 2), triangular(d, 3, 3), True, True),
        S(d(3, 2), triangular(d, 3, 3) / 4, upper=False, transpose=True, unitriangular=True),
        S(d(2, 3, 2), triangular(d, 3, 3)),
        S(d(3, 2), triangular(d, 2, 3, 3)),
        S(d(2, 0), triangular(d, 2, 2)),
        S(d(0, 3, 2), triangular(d, 3, 3)),
        S(d(3), triangular(d, 3, 3)),
        S(d(3, 2), d(3)),
        S(d(3, 2), d(2, 3)),
        S(d(2, 2), triangular(d, 3, 3)),
    ],
    **EXACT | {"dtypes": FLOATS},
    skips=REPEATED | WRONG_TANGENTS,
    other_graphs=OTHER_VIEWS,
)

# ---- factors as results, and what is solved with them

FACTORS = EXACT | {"dtypes": FLOATS}
linalg(
    "lu_factor",
    lambda d: [
        S(regular(d, 3, 3)),
        S(rectangular(d, 5, 3)),
        S(rectangular(d, 2, 3, 5)),
        S(regular(d, 40, 40)),
        S(regular(d, 70, 70)),
        S(d(0, 0)),
        S(np.zeros((2, 2), d.dtype)),
        S(d(3)),
        S(d(3, 3), pivot=False),
    ],
    **FACTORS,
)
linalg(
    "lu_factor_ex",
    lambda d: [S(regular(d, 2, 3, 3)), S(np.zeros((2, 2), d.dtype))],
    **FACTORS
    | {
        "skips": {"numeric": "of a singular matrix there is no gradient", "tangents": "infinite or NaN at other points"}
    },
)
row("lu", lambda d: [S(regular(d, 2, 3, 3)), S(rectangular(d, 5, 3), get_infos=True)], **FACTORS)
linalg(
    "lu", lambda d: [S(regular(d, 3, 3)), S(rectangular(d, 5, 3)), S(rectangular(d, 2, 3, 5)), S(d(0, 0))], **FACTORS
)


def pivots(*numbers):
    return np.asarray(numbers, "int32")


def triangles(d, *shape):
    return np.asarray(d(*shape, low=-1, high=1) + 3 * np.eye(*shape[-2:]), d.dtype)


PIVOTS = FACTORS | {"skips": {"layouts": "torch reads pivots as if they were contiguous"}}
linalg(
    "lu_solve",
    lambda d: [
        S(triangles(d, 3, 3), pivots(2, 3, 3), d(3, 2)),
        S(triangles(d, 3, 3), pivots(2, 3, 3), d(4, 3), left=False),
        S(triangles(d, 2, 3, 3), pivots([2, 3, 3], [1, 2, 3]), d(3, 2), adjoint=True),
        S(triangles(d, 3, 3), pivots(2, 3, 3), d(2, 5, 3), left=False, adjoint=True),
        S(triangles(d, 3, 3), pivots(2, 3, 7), d(3, 2)),
        S(triangles(d, 3, 3), d(3), d(3, 2)),
        S(triangles(d, 3, 3), pivots(2, 3, 3), d(3)),
    ],
    out=True,
    **PIVOTS,
    other_graphs=OTHER_VIEWS,
)
row("lu_solve", lambda d: [S(d(3, 2), triangles(d, 3, 3), pivots(2, 3, 3))], out=True, **PIVOTS)
row(
    "lu_unpack",
    lambda d: [
        S(triangles(d, 3, 3), pivots(2, 3, 3)),
        S(triangles(d, 2, 5, 3), pivots([4, 3, 5], [1, 2, 3])),
        S(triangles(d, 3, 5), pivots(3, 2, 3), unpack_pivots=False),
        S(triangles(d, 3, 3), pivots(2, 3, 9)),
        S(triangles(d, 3, 3), d(3)),
    ],
    method=False,
    **PIVOTS,
    other_graphs=OTHER_FIELDS,
)
UNREAD = dict.fromkeys(("grad", "gradgrad", "layouts"), "torch's gradient has numbers in the triangle that is not read")
row(
    "cholesky_solve",
    lambda d: [
        S(d(3, 2), triangular(d, 3, 3)),
        S(d(4, 3, 2), triangular(d, 3, 3), upper=True),
        S(d(0, 2), d(0, 0)),
        S(d(3), d(3, 3)),
        S(d(2, 2), d(3, 3)),
    ],
    out=True,
    **FACTORS | {"skips": UNREAD | NOT_SYMMETRIC},
    other_graphs=OTHER_FACTORS,
)
row(
    "cholesky_inverse",
    lambda d: [
        S(triangular(d, 3, 3)),
        S(triangular(d, 2, 3, 3), upper=True),
        S(d(0, 0)),
        S(np.zeros((2, 2), d.dtype)),
        S(d(2, 3)),
    ],
    out=True,
    **FACTORS | {"skips": UNREAD | NOT_SYMMETRIC},
)

# ---- products


def small(d, *shape):
    return np.asarray(d(*shape, low=-1, high=1), d.dtype)


def power_samples(d):
    return [
        S(small(d, 3, 3), 3),
        S(small(d, 2, 3, 3), 6),
        S(small(d, 3, 3), 1),
        S(small(d, 3, 3), 0),
        S(small(d, 2, 3, 3), 0),
        S(small(d, 0, 0), 2),
        S(d(2, 3), 2),
    ]


POWERS = {"ulps": 64, "scale": 8.0, "grad_ulps": 1024, "out": True}
linalg(
    "matrix_power",
    lambda d: [*power_samples(d), S(regular(d, 3, 3), -2)],
    dtypes=FLOATS,
    **POWERS,
    other_graphs=OTHER_VIEWS,
)
row(
    "matrix_power",
    power_samples,
    dtypes=(*FLOATS, "int64"),
    **POWERS,
    other_graphs=OTHER_VIEWS,
)


def exp_samples(d):
    return [
        S(small(d, 3, 3)),
        S(np.stack([small(d, 3, 3), 20 * small(d, 3, 3), 0 * small(d, 3, 3)])),
        S(small(d, 1, 1)),
        S(small(d, 0, 0)),
        S(d(2, 3)),
        S(d(3)),
    ]


# Both algorithms scale and square: their rounding grows with the norm.
EXP = {"dtypes": FLOATS, "ulps": 256, "scale": 30.0, "grad_ulps": 4096}
EXP["skips"] = {"mapped gradients": "a batch is squared as often as its largest matrix asks, which rounds otherwise"}
linalg("matrix_exp", exp_samples, **EXP)
row("matrix_exp", exp_samples, **EXP)
linalg(
    "multi_dot",
    lambda d: [
        S([d(2, 3), d(3, 4)]),
        S([d(2, 3), d(3, 4), d(4, 5), d(5, 1)]),
        S([d(3), d(3, 4), d(4)]),
        S([d(3), d(3)]),
        S([d(2, 3)]),
        S([d(2, 3), d(2, 3)]),
        S([d(2, 3), d(3, 3, 3)]),
    ],
    dtypes=FLOATS,
    **POWERS,
    other_graphs=OTHER_VIEWS,
)
linalg(
    "vecdot",
    lambda d: [
        S(d(3, 4), d(3, 4)),
        S(d(2, 3), d(4, 1, 3)),
        S(d(2, 3), d(3), dim=0),
        S(d(), d()),
        S(d(0), d(0)),
        S(d(3), d(2)),
    ],
    dtypes=(*FLOATS, "int64"),
    **POWERS,
    other_graphs=OTHER_VIEWS,
)
linalg(
    "tensorinv",
    lambda d: [
        S(regular(d, 12, 12).reshape(3, 4, 2, 6)),
        S(regular(d, 6, 6).reshape(6, 2, 3), ind=1),
        S(d(2, 3)),
        S(d(2, 3), ind=0),
    ],
    **POWERS,
    dtypes=FLOATS,
)
linalg(
    "tensorsolve",
    lambda d: [
        S(regular(d, 6, 6).reshape(2, 3, 6), d(2, 3)),
        S(regular(d, 6, 6).reshape(6, 2, 3), d(6)),
        S(d(2, 3), d(3)),
    ],
    **POWERS,
    dtypes=FLOATS,
    other_graphs=OTHER_VIEWS,
    skips=CONSTANT_FACTORS,
)
linalg(
    "vander",
    lambda d: [S(d(3)), S(d(2, 3), N=2), S(d(3), N=5), S(d()), S(d(3), N=1)],
    **{"ulps": 4, "scale": 10.0},
)
linalg(
    "diagonal",
    lambda d: [S(d(3, 4)), S(d(2, 3, 4), offset=1), S(d(2, 3, 4), dim1=0, dim2=1), S(d(3))],
    kind="view",
)
