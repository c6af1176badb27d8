"""Ops along a dim whose result has as many elements: cumulative ones and softmax."""

import numpy as np

from support import FLOATS, D

from .rows import S, row


def scan_samples(d):
    return [
        S(d(3, 4), 0),
        S(d(3, 4), dim=-1),
        S(d(2, 3, 4), 1),
        S(d(), 0),
        S(d(0, 3), 0),
        S(d(3), 0, dtype=D("float64")),
    ]


def large_call(d):
    return S(d(600, 700), 1)


row(
    "cumsum",
    scan_samples,
    inplace=True,
    out=True,
    ulps=4,
    scale=10,
    inplace_grad=False,
    large_call=large_call,
    other_graphs={"cumsum_": "the copied result of the form that is not in place"},
)
row(
    "cumprod",
    scan_samples,
    inplace=True,
    out=True,
    ulps=4,
    scale=1,
    low=0.3,
    high=1.9,
    grad_ulps=4096,
    inplace_grad=False,
    large_call=large_call,
    other_graphs={"cumprod_": "the copied result of the form that is not in place"},
)


row(
    "cumprod.zeros",
    lambda d: [
        S(d(9) * np.array([1, 1, 0, 1, 1, 1, 0, 1, 1]), 0),
        S(d(3, 4) * np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 1, 1]]), 1),
        S(d(4, 3) * np.array([0, 1, 1]), 0),
    ],
    ulps=4,
    scale=1,
    dtypes=FLOATS,
    grad=False,  # torch's forward mode over its gradient takes the zeros for constants; tests/ops/test_recurrences.py
)


def without_dtype(d):
    return (sample for sample in scan_samples(d) if "dtype" not in sample.kwargs)


row(
    "logcumsumexp",
    lambda d: [*without_dtype(d), S(d(700), 0), S(d(300) * 20, 0), S(d(40, 300), 0)],
    out=True,
    ulps=16,
    scale=1,
    grad_ulps=4096,
    dtypes=(*FLOATS, "int64"),
    large_call=large_call,
    skips={"tangents": "differs in rounding, where the gradient is ill conditioned"},
)
row(
    "logcumsumexp.special",
    lambda d: [
        S(np.array([-np.inf, -np.inf, 1, 2, np.inf, 3], d.dtype), 0),
        S(np.array([[-np.inf, 1, np.nan], [3, np.inf, 1], [-np.inf, -np.inf, 5]], d.dtype), 0),
        S(np.array([1, np.nan, 2], d.dtype), 0),
    ],
    grad=False,
    ulps=16,
    scale=1,
    dtypes=FLOATS,
    skips={"grad": "is 0 at -inf and beside inf, where torch's is NaN: see tests/ops/test_special_points.py"},
)


def extreme_samples(d):
    yield from without_dtype(d)
    yield S(d(3, 4), 2)


def extremes_with_nans(d):
    yield S(np.array([2, -0.0, 0.0, 3, np.nan, 1, 5, np.nan, 2], d.dtype), 0)


for name in ("cummax", "cummin"):
    row(name, extreme_samples, out=True, large_call=large_call)
    row(f"{name}.nan", extremes_with_nans, grad=False, dtypes=FLOATS)


def softmax_samples(d):
    return [
        S(d(3, 4), 0),
        S(d(3, 4), dim=-1),
        S(d(2, 3, 4), 1),
        S(d(), 0),
        S(d(0, 3), 1),
        S(d(3), 0, dtype=D("float64")),
    ]


row(
    "softmax",
    softmax_samples,
    ulps=16,
    scale=0.1,
    dtypes=FLOATS,
    large_call=large_call,
)
row(
    "log_softmax",
    softmax_samples,
    ulps=16,
    scale=1,
    dtypes=FLOATS,
    large_call=large_call,
)
