"""Sorting and what is found by it. torch leaves the order of equal elements open: samples have none, or ask for stable."""

import numpy as np

from .rows import S, row


def distinct(d, *shape):
    """Elements that all differ, in any dtype but bool; shuffled, and of both signs where the dtype has signs."""
    dtype, count = np.dtype(d.dtype), int(np.prod(shape))
    if dtype.kind == "b":
        return d(*shape)
    first = 0 if dtype.kind == "u" else -(count // 2)
    values = d.random.permutation(np.arange(first, first + count)).reshape(shape)
    return np.asarray(values * 0.5 if dtype.kind == "f" else values, dtype)


def with_specials(d, *shape):
    """With equal elements, zeros of both signs, infinities and NaNs among floats."""
    values = d(*shape)
    if values.dtype.kind == "f":
        flat = np.round(values).ravel()
        specials = [np.nan, -0.0, 0.0, np.inf, -np.inf, np.nan, -0.0]
        flat[: len(specials)] = specials[: flat.size]
        values = d.random.permutation(flat).reshape(shape)
    return values


def with_nans(array, *places):
    """Some elements made NaN, where there are any."""
    if array.dtype.kind == "f":
        array.ravel()[list(places)] = np.nan
    return array


def sort_samples(d):
    yield from (
        S(distinct(d, 3, 4)),
        S(distinct(d, 3, 4), 0),
        S(distinct(d, 2, 3, 4), 1, True),
        S(distinct(d, 2, 3, 4), dim=-2, descending=True),
        S(distinct(d, 200), stable=True),
        S(d()),
        S(d(), 0, True),
        S(d(0)),
        S(d(0, 3), 0),
        S(d(2, 0), 1),
        S(d(3, 4), 2),
        S(d(3, 4), -3),
    )
    for dim in (0, 1):
        yield S(distinct(d, 20, 70), stable=True, dim=dim)


def special_samples(d):
    for array in (d(30), with_specials(d, 4, 12), with_specials(d, 300)):
        yield S(array, stable=True)
        yield S(array, stable=True, dim=0, descending=True)


def large_sort(d):
    return S(d(400000))


row("sort", sort_samples, out=True, large_call=large_sort)
row("sort.special", special_samples, grad=False, large_call=lambda d: S(d(600, 700)))
row("argsort", sort_samples, grad=False, large_call=large_sort)
row("msort", lambda d: [S(distinct(d, 3, 4)), S(distinct(d, 5, 2, 2)), S(d()), S(d(0, 2))], out=True)


def topk_samples(d):
    yield from (
        S(distinct(d, 3, 8), 2),
        S(distinct(d, 3, 8), 5, dim=-1, largest=False),
        S(distinct(d, 2, 6, 2), 1, 1),
        S(distinct(d, 2, 2, 20), k=3, sorted=True),
        S(distinct(d, 2, 90), 7),
        S(distinct(d, 2, 90), 40, largest=False),
        S(distinct(d, 3, 4), 4),
        S(distinct(d, 3, 4), 0),
        S(distinct(d, 3, 4), 5),
        S(distinct(d, 3, 4), -1),
        S(distinct(d, 3, 4), 1, 2),
        S(d(), 1),
        S(d(), 0),
        S(d(), 2),
        S(d(0, 3), 2),
        S(d(0, 3), 1, 0),
    )


EQUAL = {"layouts": "an expanded input has equal elements, whose order torch leaves open"}

row("topk", topk_samples, out=True, large_call=lambda d: S(d(400000), 50))
row(
    "topk.columns",
    lambda d: [S(distinct(d, 40, 3), 3, 0), S(distinct(d, 240), 7), S(with_nans(distinct(d, 240), 9, 70), 7)],
    grad=False,
    large_call=lambda d: S(d(600, 700), 30),
    skips=EQUAL,
)


def reduced_samples(d):
    """One element of each row: dims, keepdim, and rows too long to be put in order by comparing."""
    yield from (
        S(distinct(d, 3, 4), 1),
        S(distinct(d, 2, 3, 4), 1, True),
        S(distinct(d, 2, 3, 5), dim=-1, keepdim=True),
        S(distinct(d, 1, 200), 1),
        S(distinct(d, 2, 100), 1),
        S(d(), 0),
        S(d(0, 3), 1),
        S(d(0, 3), 0),
        S(d(3, 4), 2),
    )


def kth_samples(d):
    for k, sample in zip((2, 3, 5, 150, 33, 1, 1, 1, 1), reduced_samples(d)):
        yield S(sample.args[0], k, *sample.args[1:], **sample.kwargs)
    yield from (S(d(3, 4), 0), S(d(3, 4), 5), S(d(3, 4), 4), S(distinct(d, 3, 4), k=1))


def median_samples(d):
    yield from (S(distinct(d, 3, 5)), S(distinct(d, 300)), S(d()), S(d(0)))
    yield from reduced_samples(d)


def median_with_nans(d):
    yield from (S(with_nans(distinct(d, 3, 5), 3, 8)), S(with_nans(distinct(d, 3, 5), 3, 8), 1))
    yield from (S(with_nans(distinct(d, 2, 3), 3, 4, 5), 1), S(with_nans(distinct(d, 200), 60, 3)))


def rounded(d, *shape):
    values = d(*shape)
    return np.round(values) if values.dtype.kind == "f" else values


def mode_samples(d):
    """Where elements are equal: no more of them than torch puts in their order."""
    if np.dtype(d.dtype).kind != "b":
        yield from reduced_samples(d)
    yield from (S(rounded(d, 4, 16)), S(rounded(d, 12, 3), 0), S(rounded(d, 3, 9), 1, True), S(d(0)))


row("kthvalue", kth_samples, out=True, large_call=lambda d: S(d(400000), 1234))
row(
    "kthvalue.columns",
    lambda d: [S(distinct(d, 9, 3), 4, 0), S(distinct(d, 200), 150), S(with_nans(distinct(d, 9), 0, 4), 8)],
    grad=False,
    skips=EQUAL,
)
row("median", median_samples, large_call=lambda d: S(d(400000)))
row(
    "median.columns",
    lambda d: [S(distinct(d, 41, 3), 0), S(distinct(d, 90), 0)],
    large_call=lambda d: S(d(600, 700), 1),
    skips=EQUAL,
)
row("median.nan", median_with_nans, grad=False)
row("nanmedian", median_samples, large_call=lambda d: S(with_nans(d(400000), 5)))
row("nanmedian.nan", median_with_nans, grad=False)
row(
    "mode",
    mode_samples,
    out=True,
    large_call=lambda d: S(rounded(d, 600, 700), 1),
    skips=EQUAL | {"numeric": "a small step ends the equality of elements"},
)
