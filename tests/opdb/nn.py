"""Ops that stand in nn.functional."""

from support import ALL_DTYPES

from .rows import S, row


def nn_row(name, samples, **settings):
    row(name, samples, **({"module": "nn.functional", "method": False} | settings))


nn_row(
    "linear",
    lambda d: [
        S(d(2, 3), d(4, 3), d(4)),
        S(d(2, 3), d(4, 3)),
        S(d(3), d(4, 3), d(4)),
        S(d(3), d(3)),
        S(d(2, 5, 3), d(4, 3), d(4)),
        S(d(2, 5, 3), d(4, 3)),
        S(d(0, 3), d(4, 3), d(4)),
        S(d(2, 0, 3), d(4, 3), d(4)),
        S(d(2, 0), d(4, 0), d(4)),
    ],
    dtypes=tuple(dtype for dtype in ALL_DTYPES if dtype != "bool"),
    ulps=4,
    scale=30.0,
    numpy=lambda x, w, b=0: x @ w.T + b,
    large_call=lambda d: S(d(200, 300), d(250, 300), d(250)),
)
