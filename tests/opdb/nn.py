"""Ops that stand in nn.functional."""

import numpy as np

from support import ALL_DTYPES, FLOATS

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
    other_graphs="has views, and products of vectors, at other places",
)


def layer_norm(x, shape, weight=1.0, bias=0.0, eps=1e-5):
    dims = tuple(range(-len(shape), 0))
    centred = x - x.mean(dims, keepdims=True)
    return centred / np.sqrt((centred**2).mean(dims, keepdims=True) + eps) * weight + bias


nn_row(
    "layer_norm",
    lambda d: [
        S(d(4, 3), (3,), d(3), d(3)),
        S(d(4, 3), (3,), d(3)),
        S(d(4, 3), (3,)),
        S(d(2, 3, 4), (3, 4), d(3, 4), d(3, 4), 0.1),
        S(d(5), (5,), d(5), d(5)),
        S(d(3, 1), (1,), d(1), d(1)),
        S(d(0, 3), (3,), d(3), d(3)),
        S(d(70, 33), (33,), d(33), d(33)),
    ],
    dtypes=FLOATS,
    ulps=64,
    scale=8.0,
    numpy=layer_norm,
    large_call=lambda d: S(d(900, 700), (700,), d(700), d(700)),
    other_graphs="shows other fields of what it keeps",
    skips={"forward over reverse": "torch's formula leaves out a part; tests/linalg compares with differences"},
)


nn_row(  # torch's second derivatives want a weight
    "layer_norm.without_weight",
    lambda d: [S(d(4, 3), [3], bias=d(3))],
    dtypes=FLOATS,
    ulps=64,
    scale=8.0,
    gradgrad=False,
    numpy=layer_norm,
    other_graphs="shows other fields of what it keeps",
)
