"""Ops along a dim whose result has as many elements: cumulative ones and softmax."""

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
