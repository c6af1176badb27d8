"""Products that are added to a tensor, products made of others, distances; differences and integrals."""

import numpy as np

from support import FLOATS, INTS

from .rows import S, row

NUMBERS = (*FLOATS, *INTS)
WEIGHTED = {
    "ulps": 8,
    "scale": 100.0,
    "out": True,
    "inplace": True,
    "dtypes": NUMBERS,
    "skips": {"inplace": "refuses to broadcast, as the out-of-place samples do"},
}

row(
    "addmv",
    lambda d: [
        S(d(2), d(2, 3), d(3)),
        S(d(), d(2, 3), d(3)),
        S(d(1), d(2, 3), d(3), beta=2, alpha=3),
        S(d(2), d(2, 3), d(3), beta=0),
        S(d(2), d(2, 3), d(3), alpha=0),
        S(d(2), d(2, 0), d(0)),
        S(d(2), d(2, 3), d(2)),
        S(d(3), d(2, 3), d(3)),
        S(d(2), d(3), d(3)),
        S(d(2, dtype="float64"), d(2, 3, dtype="float32"), d(3, dtype="float32")),
    ],
    numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * (a @ b),
    **WEIGHTED,
    other_graphs={"addmv_": "the copied result of the form that is not in place"},
)
row(
    "addr",
    lambda d: [
        S(d(2, 3), d(2), d(3)),
        S(d(), d(2), d(3)),
        S(d(3), d(2), d(3), beta=2, alpha=3),
        S(d(2, 3), d(2), d(3), beta=0),
        S(d(2, 0), d(2), d(0)),
        S(d(2, 3), d(3), d(3)),
        S(d(2, 3), d(2, 3), d(3)),
    ],
    numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * np.outer(a, b),
    **WEIGHTED,
    other_graphs={"addr_": "the copied result of the form that is not in place"},
)
row(
    "baddbmm",
    lambda d: [
        S(d(2, 3, 5), d(2, 3, 4), d(2, 4, 5)),
        S(d(3, 5), d(2, 3, 4), d(2, 4, 5)),
        S(d(), d(2, 3, 4), d(2, 4, 5), beta=2, alpha=3),
        S(d(2, 3, 5), d(2, 3, 4), d(2, 4, 5), beta=0),
        S(d(2, 3, 5), d(2, 3, 0), d(2, 0, 5)),
        S(d(0, 3, 5), d(0, 3, 4), d(0, 4, 5)),
        S(d(2, 3, 5), d(2, 3, 4), d(2, 3, 4)),
        S(d(4), d(2, 3, 4), d(2, 4, 5)),
    ],
    numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * (a @ b),
    **WEIGHTED,
    other_graphs={"baddbmm_": "the copied result of the form that is not in place"},
)
row(
    "addbmm",
    lambda d: [
        S(d(3, 5), d(2, 3, 4), d(2, 4, 5)),
        S(d(5), d(2, 3, 4), d(2, 4, 5)),
        S(d(3, 1), d(2, 3, 4), d(2, 4, 5), beta=2, alpha=3),
        S(d(3, 5), d(2, 3, 4), d(2, 4, 5), beta=0),
        S(d(3, 5), d(2, 3, 0), d(2, 0, 5)),
        S(d(2, 3, 5), d(2, 3, 4), d(2, 4, 5)),
        S(d(4), d(2, 3, 4), d(2, 4, 5)),
    ],
    numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * (a @ b).sum(0),
    **WEIGHTED
    | {
        "skips": WEIGHTED["skips"]
        | dict.fromkeys(
            ["inplace_grad", "tangents", "halves in place"],
            "torch makes a smaller tensor that broadcasts larger in place",
        )
    },
    other_graphs={"addbmm_": "the copied result of the form that is not in place"},
)
PRODUCT = {"ulps": 8, "scale": 100.0, "dtypes": NUMBERS}
row(
    "kron",
    lambda d: [S(d(2, 3), d(4, 5)), S(d(3), d(4)), S(d(), d(2, 3)), S(d(2, 2), d(2, 2, 2)), S(d(0, 2), d(2, 2))],
    out=True,
    numpy=np.kron,
    skips={"layouts": "torch fails for most"},
    other_graphs="its last step is a view",
)
row(
    "inner",
    lambda d: [
        S(d(3), d(3)),
        S(d(2, 3), d(3)),
        S(d(2, 3), d(4, 3)),
        S(d(), d(2, 3)),
        S(d(2, 0), d(3, 0)),
        S(d(2), d(3)),
    ],
    out=True,
    numpy=np.inner,
    **PRODUCT,
    other_graphs="of vectors it goes on as of matrices",
)
row(
    "vdot",
    lambda d: [S(d(5), d(5)), S(d(0), d(0)), S(d(3), d(4)), S(d(2, 2), d(2, 2))],
    out=True,
    **PRODUCT,
    other_graphs="is dot",
)
row(
    "cross",
    lambda d: [
        S(d(3), d(3), 0),
        S(d(2, 3), d(2, 3), 1),
        S(d(3, 4), d(3, 4), dim=-2),
        S(d(3, 4), d(3, 1), 0),
        S(d(3, 3), d(3, 3)),
        S(d(0, 3), d(0, 3), 1),
        S(d(2, 4), d(2, 4), 1),
        S(d(4), d(4)),
        S(d(3), d(2, 3)),
    ],
    out=True,
    ulps=2,
    scale=9,
)
row(
    "cross",
    lambda d: [
        S(d(3), d(3)),
        S(d(2, 3), d(2, 3)),
        S(d(3, 4), d(3, 4), dim=0),
        S(d(1, 3), d(2, 3)),
        S(d(0, 3), d(0, 3)),
        S(d(2, 4), d(2, 4)),
        S(d(1, 4), d(2, 3)),
        S(d(3), d(2, 3)),
        S(d(2, 3), d(2, 3), dim=5),
        S(d(), d()),
    ],
    module="linalg",
    method=False,
    out=True,
    ulps=2,
    scale=9,
)
row(
    "chain_matmul",
    lambda d: [
        S(d(2, 3), d(3, 4)),
        S(d(2, 3), d(3, 4), d(4, 2), d(2, 5)),
        S(d(3), d(3)),
        S(d(2, 3), d(2, 3)),
    ],
    method=False,
    out=True,
    **PRODUCT | {"scale": 1000.0},
    other_graphs="has no view behind the product",
)


def distance(name, samples, **settings):
    row(name, samples, dtypes=FLOATS, ulps=16, scale=9, grad_ulps=4096, **settings)


distance(
    "cdist",
    lambda d: [
        S(d(3, 4), d(2, 4)),
        *(S(d(3, 4), d(2, 4), p) for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))),
        S(d(2, 3, 4), d(2, 5, 4), 1.0),
        S(d(3, 4), d(2, 5, 4), p=3.0),
        S(d(2, 1, 3, 4), d(5, 2, 4), p=1.0),
        S(d(2, 9), d(2, 9)),
        S(d(0, 4), d(2, 4)),
        S(d(3, 0), d(2, 0)),
        S(d(3, 4), d(2, 4), compute_mode="donot_use_mm_for_euclid_dist"),
        S(d(3, 4), d(2, 5)),
        S(d(4), d(2, 4)),
        S(d(3, 4), d(2, 4), p=-1.0),
        S(d(3, 4), d(2, 4), compute_mode="none"),
    ],
    method=False,
    gradgrad=False,
    skips={"tangents": "torch has no forward mode for all of its arguments"},
)
distance(
    "pdist",
    lambda d: [
        *(S(d(4, 3), p) for p in (0.0, 1.0, 2.0, 3.0, float("inf"))),
        S(d(1, 3)),
        S(d(3, 0)),
        S(d(3)),
    ],
    method=False,
    gradgrad=False,
    skips={"tangents": "torch has no forward mode for all of its arguments"},
)
distance(
    "dist",
    lambda d: [S(d(3, 4), d(3, 4)), S(d(3, 4), d(4), 1.0), S(d(3), d(3), p=3.0), S(d(2), d(3)), S(d(), d())],
    other_graphs="is the norm of the difference",
)

row(
    "diff",
    lambda d: [
        S(d(5)),
        S(d(3, 4)),
        S(d(3, 4), 2),
        S(d(3, 4), 1, 0),
        S(d(3, 4), n=9),
        S(d(3, 4), prepend=d(3, 1)),
        S(d(3, 4), dim=0, prepend=d(2, 4), append=d(1, 4)),
        S(d(2, 0)),
        S(d(3), 0),
        S(d()),
        S(d(3), -1),
        S(d(3, 4), prepend=d(3)),
        S(d(3, 4), append=d(2, 4)),
        S(d(3), prepend=d(1, dtype="float64")),
    ],
    out=True,
    numpy=lambda x, n=1, dim=-1, **joined: np.diff(x, n, dim, **joined) if x.ndim and x.dtype != bool else None,
    skips={"numpy": "np.diff takes 0-d tensors in front; values are torch's"},
    other_graphs={"diff(float64[3], 0)": "is a clone", "diff(float64[2, 0])": "is a clone"},
)
for name in ("trapezoid", "cumulative_trapezoid"):
    row(
        name,
        lambda d: [
            S(d(5)),
            S(d(3, 4)),
            S(d(3, 4), d(4)),
            S(d(3, 4), d(3), dim=0),
            S(d(3, 4), d(3, 4)),
            S(d(2, 3, 4), d(3, 4)),
            S(d(3, 4), dx=2.5, dim=0),
            S(d(3, 4), dx=2),
            S(d(3, 1)),
            S(d(2, 0)),
            S(d(3, 4), d(3)),
            S(d()),
        ],
        method=False,
        ulps=4,
        scale=30,
        aliases=("trapz",) if name == "trapezoid" else (),
        other_graphs="multiplies with a number",
    )
row(
    "cov",
    lambda d: [
        S(d(3, 5)),
        S(d(5)),
        S(d()),
        S(d(3, 5), correction=0),
        S(d(3, 4), fweights=np.array([1, 2, 3, 1])),
        S(d(3, 4), aweights=np.array([0.5, 1.5, 1.0, 2.0], d.dtype if np.dtype(d.dtype).kind == "f" else "float32")),
        S(d(3, 4), fweights=np.array([1, 2, 3, 1]), aweights=np.array([0.5, 1.5, 1.0, 2.0])),
        S(d(3, 4), correction=4),
        S(d(2, 2, 2)),
        S(d(3, 4), fweights=np.array([1, -2, 3, 1])),
        S(d(3, 4), fweights=np.array([1, 2])),
        S(d(3, 4), fweights=np.array([0, 0, 0, 0])),
        S(d(3, 4), aweights=np.array([1, 2, 1, 2])),
    ],
    ulps=32,
    scale=30,
)
row("corrcoef", lambda d: [S(d(3, 5)), S(d(5)), S(d(2, 2, 2))], ulps=64, scale=9, grad_ulps=65536)
row(
    "renorm",
    lambda d: [
        S(d(3, 4), 2, 0, 1.0),
        S(d(3, 4), 1, 1, 2.0),
        S(d(2, 3, 4), 3.0, -1, 1),
        S(d(3, 4), float("inf"), 0, 0.5),
        S(d(3, 4), 2, 0, 100.0),
        S(d(0, 3), 2, 0, 1.0),
        S(d(3), 2, 0, 1.0),
        S(d(3, 4), 0, 0, 1.0),
        S(d(3, 4), 2, 0, -1.0),
    ],
    out=True,
    inplace=True,
    dtypes=FLOATS,
    ulps=8,
    scale=9,
    other_graphs="is made of other ops",
)
