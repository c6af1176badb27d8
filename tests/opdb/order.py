"""Sorting and what is found by it. torch leaves the order of equal elements open: samples have none, or ask for stable."""

import numpy as np

from support import FLOATS, INTS

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
    return np.round(values) + 0 if values.dtype.kind == "f" else values  # no zeros below zero


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


def quantile_samples(d):
    def q(*shape):
        return d(*shape, low=0.05, high=0.95)

    yield from (
        S(distinct(d, 9), 0.3),
        S(distinct(d, 2, 3), 0.5),
        S(distinct(d, 2, 3), q(2), keepdim=True),
        S(distinct(d, 3, 4, 5), q(3), 1),
        S(distinct(d, 3, 4, 5), q(), dim=0, keepdim=True),
        S(distinct(d, 3, 4, 5), q(2), -1, True),
        S(distinct(d, 3, 4), q(0), 1),
        S(d(), 0.25),
        S(d(), q(2), 0, True),
    )
    for interpolation in ("lower", "higher", "nearest", "midpoint", "linear"):
        yield S(distinct(d, 4, 6), 0.37, 1, interpolation=interpolation)
        yield S(distinct(d, 4, 6), q(2), interpolation=interpolation)
    yield from (S(d(3), 1.5), S(d(3), q(1) + 1), S(d(3), q(1, 2)), S(d(0), 0.5), S(d(3), 0.5, 1))
    yield S(d(3), 0.5, interpolation="cubic")


def quantile_with_nans(d):
    yield from (S(with_nans(distinct(d, 3, 5), 3, 8), 0.4), S(with_nans(distinct(d, 3, 5), 3, 8), 0.4, 1))
    yield S(with_nans(distinct(d, 2, 3), 3, 4, 5), np.array([0.0, 0.6, 1.0], d.dtype), dim=1)


AROUND_THE_SORT = "other views around the sort"
for name in ("quantile", "nanquantile"):
    row(
        name,
        quantile_samples,
        out=True,
        ulps=8,
        scale=8,
        dtypes=FLOATS,
        large_call=lambda d: S(d(400000), 0.3),
        skips={"expanded": "which of its equal elements has the gradient is open"},
        other_graphs=AROUND_THE_SORT,
    )
    row(
        f"{name}.nan",
        quantile_with_nans,
        grad=False,
        ulps=8,
        scale=8,
        dtypes=FLOATS,
        other_graphs=AROUND_THE_SORT,
    )


# ---- searching


def unique_samples(d):
    for array in (rounded(d, 3, 4), rounded(d, 300), d(), d(0), d(0, 3), with_nans(rounded(d, 9), 1, 5)):
        yield S(array)
        yield S(array, return_inverse=True, return_counts=True)
    yield from (S(rounded(d, 30), True, True), S(rounded(d, 30), return_counts=True), S(rounded(d, 9), sorted=False))


def unique_slices(d):
    for array, dim in (
        (rounded(d, 12, 2), 0),
        (rounded(d, 2, 12), -1),
        (rounded(d, 3, 6, 2), 1),
        (rounded(d, 20), 0),
        (d(0, 3), 0),
        (d(0, 3), 1),
        (d(0, 0), 1),
        (d(), 0),
        (d(3), 1),
        (with_nans(rounded(d, 6, 2), 4), 0),
    ):
        yield S(array, dim=dim)
        yield S(array, return_inverse=True, return_counts=True, dim=dim)


NO_SHAPES = {"grad": False, "reads_values": True}

row("unique", unique_samples, **NO_SHAPES, large_call=lambda d: S(d(400000), return_inverse=True, return_counts=True))
row("unique.dim", unique_slices, **NO_SHAPES)
row(
    "unique_consecutive",
    lambda d: [
        S(*sample.args[:1], **{k: v for k, v in sample.kwargs.items() if k != "sorted"}) for sample in unique_samples(d)
    ],
    **NO_SHAPES,
)
row("unique_consecutive.dim", unique_slices, **NO_SHAPES)


def search_samples(d):
    rows = np.sort(d(3, 20), 1)
    places = d.random.permutation(20)
    for extra in ({}, {"right": True}, {"side": "right", "out_int32": True}, {"side": "left"}):
        yield S(np.sort(d(50)), d(4, 5), **extra)
        yield S(rows, d(3, 9), **extra)
    yield from (
        S(np.sort(d(9)), 1),
        S(np.sort(d(9)), d()),
        S(np.sort(d(9)), -0.5),
        S(np.sort(d(9, dtype="int32")), d(4)),
        S(np.sort(d(9)), d(4, dtype="float64")),
        S(np.arange(20.0)[np.argsort(places)].astype(d.dtype), d(7), sorter=places),
        S(np.sort(d(9)), with_nans(d(20), 3)),
        S(d(0), d(3)),
        S(rows, d(3, 0)),
        S(d(2, 0), d(2, 4)),
        S(d(), d(3)),
        S(rows, d(2, 9)),
        S(rows, 1.0),
        S(d(3), d(2), side="middle"),
        S(d(3), d(2), side="left", right=True),
        S(d(3), d(2), sorter=np.array([0, 1])),
        S(d(3), d(2), sorter=np.array([0, 1, 3])),
        S(d(3), d(2), sorter=np.array([0.0, 1, 2])),
    )


UNSORTED = {"layouts": "its samples are sorted in one layout alone"}

row(
    "searchsorted",
    search_samples,
    method=False,
    out=True,
    grad=False,
    dtypes=(*FLOATS, *INTS),
    large_call=lambda d: S(np.sort(d(1000)), d(100000)),
)
row("searchsorted.bool", lambda d: [S(d(3), d(2))], method=False, grad=False, dtypes=("bool",))
row(
    "bucketize",
    lambda d: [
        S(d(3, 4), np.sort(d(7))),
        S(d(3, 4), np.sort(d(7)), right=True, out_int32=True),
        S(d(), np.sort(d(7))),
        S(1.5, np.sort(d(7))),
        S(d(3), d(2, 2)),
        S(d(3), d()),
        S(d(0, 2), d(3)),
    ],
    method=False,
    out=True,
    grad=False,
    large_call=lambda d: S(d(100000), np.sort(d(1000))),
)
row(
    "isin",
    lambda d: [
        S(rounded(d, 3, 4), rounded(d, 2)),
        S(rounded(d, 3, 4), rounded(d, 2, 100), invert=True),
        S(rounded(d, 30), np.arange(3), assume_unique=True),
        S(rounded(d, 5), 1),
        S(rounded(d, 5), 1.5),
        S(2, rounded(d, 9)),
        S(rounded(d), rounded(d, 9)),
        S(rounded(d, 5), d(0)),
        S(d(0), rounded(d, 3)),
        S(with_specials(d, 40), with_specials(d, 20)),
    ],
    method=False,
    out=True,
    grad=False,
    large_call=lambda d: S(rounded(d, 100000), rounded(d, 300)),
)
row(
    "argwhere",
    lambda d: [S(rounded(d, 3, 4)), S(rounded(d, 2, 3, 4)), S(d()), S(d(0, 2)), S(np.zeros((2, 2), d.dtype))],
    grad=False,
    reads_values=True,
)


# ---- counting


def count_samples(d):
    numbers = d.index(20, below=7)
    if np.dtype(d.dtype).kind == "i" and d.dtype != "int64":
        yield S(np.asarray(numbers, d.dtype))
    yield from (
        S(numbers),
        S(numbers, minlength=12),
        S(numbers, d(20)),
        S(numbers, weights=d(20), minlength=3),
        S(d.index(0, below=1)),
        S(d.index(0, below=1), d(0), 4),
        S(numbers, minlength=-1),
        S(numbers - 3),
        S(d.index(2, 2, below=3)),
        S(numbers, d(19)),
        S(np.ones(3, d.dtype)),
    )


row("bincount", count_samples, **NO_SHAPES, large_call=lambda d: S(d.index(400000, below=500)))
row(
    "histc",
    lambda d: [
        S(d(40)),
        S(d(4, 10), 5),
        S(d(40), 7, -1, 2),
        S(d(40), bins=7, min=-1.5, max=0.5),
        S(np.ones(3, d.dtype), 4),
        S(d(0), 3),
        S(d(), 3),
        S(with_nans(d(9), 3), 4, -1, 1),
        S(with_nans(d(9), 3), 4),
        S(d(9), 0),
        S(d(9), 3, 2, 1),
        S(d(9), 3, 0, float("inf")),
    ],
    grad=False,
    reads_values=True,
    large_call=lambda d: S(d(400000), 50),
)


def histogram_samples(d):
    edges = np.array([-2, -0.5, 0, 0.25, 2], d.dtype)
    for weight in ({}, {"weight": d(40, low=0)}, {"weight": d(40, low=0), "density": True}):
        yield from (S(d(40), 7, **weight), S(d(40), bins=6, range=(-1.5, 2.0), **weight), S(d(40), edges, **weight))
    yield from (
        S(d(4, 10), 5, density=True),
        S(d(9)),
        S(np.ones(3, d.dtype), 4),
        S(d(9), 4, range=(1, 1)),
        S(d(0), 3),
        S(d(), 3),
        S(d(9), 3, range=None),
        S(with_nans(d(9), 3), 4, range=(-1, 1)),
        S(with_nans(d(9), 3), 4),
        S(d(9), 0),
        S(d(9), edges[:1]),
        S(d(9), d()),
        S(d(9), 3, range=(2, 1)),
        S(d(9), 3, range=(2,)),
        S(d(9), 3, range=(0, float("inf"))),
        S(d(9), 3, weight=d(8)),
        S(d(9), np.arange(3)),
    )


row(
    "histogram",
    histogram_samples,
    **NO_SHAPES,
    dtypes=(*FLOATS, "int64"),
    ulps=8,
    scale=1.0,  # an edge near zero is a difference of larger numbers
    large_call=lambda d: S(d(400000), 50),
)
row(
    "aminmax",
    lambda d: [
        S(d(3, 4)),
        S(d(3, 4), keepdim=True),
        S(d(2, 3, 4), dim=1),
        S(d(2, 3, 4), dim=-1, keepdim=True),
        S(d()),
        S(d(), dim=0),
        S(d(0, 3), dim=1),
        S(d(0, 3), dim=0),
        S(d(0)),
        S(d(3), dim=1),
    ],
    out=True,
    large_call=lambda d: S(d(600, 700), dim=1),
)
