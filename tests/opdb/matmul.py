"""Products of matrices and vectors."""

import numpy as np

from .rows import S, row

PRODUCT = {"ulps": 4, "scale": 30.0, "out": True}
row(
    "matmul",
    lambda d: [
        S(d(3), d(3)),
        S(d(2, 3), d(3)),
        S(d(3), d(3, 4)),
        S(d(2, 3), d(3, 4)),
        S(d(5, 2, 3), d(3, 4)),
        S(d(2, 3), d(5, 3, 4)),
        S(d(2, 1, 2, 3), d(5, 3, 4)),
        S(d(5, 2, 3), d(3)),
        S(d(3), d(5, 3, 4)),
        S(d(2, 0), d(0, 3)),
        S(d(0, 3), d(3, 2)),
        S(d(0, 2, 3), d(3, 4)),
        S(d(17, 33), d(33, 9)),
    ],
    operator="matmul",
    numpy=np.matmul,
    operands_for_promotion=lambda a, b: [a, b],
    large_call=lambda d: S(d(600, 700), d(700, 600)),
    **PRODUCT,
)
row(
    "mm",
    lambda d: [
        S(d(2, 3), d(3, 4)),
        S(d(1, 3), d(3, 1)),
        S(d(2, 0), d(0, 3)),
        S(d(0, 3), d(3, 2)),
        S(d(9, 20), d(20, 18)),
    ],
    numpy=np.matmul,
    **PRODUCT,
)
row(
    "bmm",
    lambda d: [S(d(5, 2, 3), d(5, 3, 4)), S(d(0, 2, 3), d(0, 3, 4)), S(d(2, 2, 0), d(2, 0, 3))],
    numpy=np.matmul,
    **PRODUCT,
)
row("mv", lambda d: [S(d(2, 3), d(3)), S(d(2, 0), d(0)), S(d(9, 33), d(33))], numpy=np.matmul, **PRODUCT)
row("dot", lambda d: [S(d(5), d(5)), S(d(0), d(0)), S(d(37), d(37))], numpy=np.dot, **PRODUCT | {"scale": 300.0})
row("outer", lambda d: [S(d(3), d(4)), S(d(0), d(4))], numpy=np.outer, out=True, aliases=("ger",))
row(
    "addmm",
    lambda d: [
        S(d(2, 4), d(2, 3), d(3, 4)),
        S(d(4), d(2, 3), d(3, 4)),
        S(d(), d(2, 3), d(3, 4)),
        S(d(2, 1), d(2, 3), d(3, 4), beta=2, alpha=3),
        S(d(2, 4), d(2, 3), d(3, 4), beta=0),
    ],
    inplace=True,
    numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * (a @ b),
    skips={"inplace": "refuses to broadcast, as the out-of-place samples do"},
    **PRODUCT,
    other_graphs={"addmm_": "the copied result of the form that is not in place"},
)
