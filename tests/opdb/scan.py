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


row("cumsum", scan_samples, inplace=True, out=True, ulps=4, scale=10, inplace_grad=False, large_call=large_call)
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
)


def extreme_samples(d):
    for sample in scan_samples(d):
        if not sample.kwargs.get("dtype"):
            yield sample
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
