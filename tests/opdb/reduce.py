"""Reductions."""

import numpy as np

from support import FLOATS, D

from .rows import S, row

LARGE_SHAPES = ((1, 70001), (70001, 1), (300, 300), (3, 1000), (1000, 3), (17, 129))
SHORT_SHAPES = ((1, 40), (40, 1), (9, 17))  # a longer product is 0 or infinite


def large_call_along_dim(d):
    return S(d(600, 700), 1)


def dim_samples(d, *, tuples=True, whole=True, empty=True):
    """The ways of naming dims; `empty` adds sizes of zero, for reductions that have an answer for them."""
    if whole:
        yield from (S(d(3, 4)), S(d()), S(d(2, 3, 4)))
    yield from (
        S(d(3, 4), 0),
        S(d(3, 4), dim=-1),
        S(d(2, 3, 4), 1, True),
        S(d(2, 3, 4), dim=2, keepdim=True),
        S(d(), 0),
        S(d(1, 5), 0),
        S(d(33), 0),
        S(d(3, 17, 2), 1),
    )
    if tuples:
        yield from (S(d(2, 3, 4), (0, 2)), S(d(2, 3, 4), dim=(-1, 0), keepdim=True), S(d(2, 3, 4), [1]))
    if empty:
        yield from (S(d(0, 3), 0), S(d(0, 3), 1), S(d(2, 0), 1, True))
        if whole:
            yield S(d(0))


def reduction(name, numpy=None, *, ulps=4, scale=30.0, extra=None, samples=dim_samples, **settings):
    def all_samples(d):
        yield from samples(d)
        if extra:
            yield from extra(d)

    settings = {"large_shapes": LARGE_SHAPES, "large_call": lambda d: S(d(600, 700))} | settings
    row(name, all_samples, kind="reduction", numpy=numpy, ulps=ulps, scale=scale, **settings)


def along(function):
    """A NumPy reduction with torch's argument names."""

    def call(x, dim=None, keepdim=False, **kwargs):
        dims = tuple(dim) if isinstance(dim, list) else dim
        return function(x, axis=dims, keepdims=keepdim, **kwargs)

    return call


def without_tuples(d):
    return dim_samples(d, tuples=False)


def without_empty(d):
    return dim_samples(d, empty=False)


def single_dim(d):
    """A dim is required and cannot be a tuple."""
    return dim_samples(d, tuples=False, whole=False, empty=False)


def whole_only(d):
    return [S(d(3, 4)), S(d()), S(d(2, 3, 4)), S(d(37))]


def deviation_samples(d):
    yield from dim_samples(d, empty=False)
    yield from (
        S(d(3, 4), unbiased=False),
        S(d(3, 4), 0, unbiased=False),
        S(d(3, 4), dim=1, correction=2),
        S(d(3, 4), correction=0),
        S(d(1), 0),
        S(d(3, 4), False),
        S(d(2, 3, 4), (0, 1), correction=1, keepdim=True),
    )


def norm_samples(d):
    yield from (
        S(d(3, 4)),
        S(d(3, 4), 1),
        S(d(3, 4), 3),
        S(d(3, 4), 2, 1),
        S(d(3, 4), p=2, dim=0, keepdim=True),
        S(d(3, 4), float("inf")),
        S(d(3, 4), float("-inf"), 1),
        S(d(3, 4), 0),
        S(d(3, 4), 2, (0, 1)),
        S(d(5), "fro"),
        S(d(2, 3, 4), 1.5, (0, 2)),
        S(d()),
        S(d(0)),
    )


reduction("sum", along(np.sum), extra=lambda d: [S(d(3, 4), dtype=D("float64")), S(d(3), 0, dtype=D("float32"))])


def with_nans(samples):
    """Every third float of the samples' arrays is NaN, and every number of one's."""

    def punctured(array, step):
        array = array.copy()
        if array.dtype.kind == "f":
            array.reshape(-1)[::step] = np.nan
        return array

    def all_samples(d):
        for sample in samples(d):
            yield S(*(punctured(a, 3) if isinstance(a, np.ndarray) else a for a in sample.args), **sample.kwargs)
        yield S(punctured(d(4), 1))

    return all_samples


NUMERIC_NAN = {"numeric": "its arguments hold NaN"}
reduction(
    "nansum",
    along(np.nansum),
    samples=with_nans(dim_samples),
    extra=lambda d: [S(d(3, 4), dtype=D("float64"))],
    skips=NUMERIC_NAN,
)
reduction(
    "nanmean",
    samples=with_nans(dim_samples),
    extra=lambda d: [S(d(3, 4), dtype=D("float64"))],
    skips=NUMERIC_NAN,
)
reduction("mean", along(np.mean), extra=lambda d: [S(d(3, 4), dtype=D("float64")), S(d(3), 0, dtype=D("float32"))])
reduction(
    "prod",
    along(np.prod),
    samples=without_tuples,
    extra=lambda d: [S(d(3, 4), dtype=D("float64"))],
    scale=1e-3,
    low=0.3,
    high=1.9,
    large_shapes=SHORT_SHAPES,
)
reduction(
    "prod.zeros",
    samples=lambda d: [S(d(3, 4) * np.array([0, 1, 1, 1], d.dtype)), S(d(3, 4) * (d(3, 4) > 0), 1)],
    scale=1,
    dtypes=FLOATS,
    large_shapes=SHORT_SHAPES,
)
reduction("var", samples=deviation_samples, scale=3, dtypes=FLOATS)
reduction(
    "std",
    samples=deviation_samples,
    scale=3,
    dtypes=FLOATS,
    grad_ulps=4096,
    skips={"expanded": "its gradient at equal values is rounding noise"},
)
reduction(
    "var_mean",
    samples=without_empty,
    scale=3,
    dtypes=FLOATS,
    method=False,
    other_graphs="two nodes instead of one with two outputs",
)
reduction(
    "std_mean",
    samples=without_empty,
    scale=3,
    dtypes=FLOATS,
    method=False,
    other_graphs="two nodes instead of one with two outputs",
)
reduction("max", np.max, samples=whole_only, ulps=0)
reduction("min", np.min, samples=whole_only, ulps=0)
reduction("max.dim", samples=single_dim, ulps=0, out=False, large_call=large_call_along_dim)
reduction("min.dim", samples=single_dim, ulps=0, out=False, large_call=large_call_along_dim)
reduction("max.other", samples=lambda d: [S(d(3, 4), d(4))], ulps=0, numpy=np.maximum)
reduction("min.other", samples=lambda d: [S(d(3, 4), d(4))], ulps=0, numpy=np.minimum)
reduction("amax", along(np.max), samples=without_empty, ulps=0)
reduction("amin", along(np.min), samples=without_empty, ulps=0)
reduction("argmax", along(np.argmax), samples=lambda d: dim_samples(d, tuples=False, empty=False), grad=False, ulps=0)
reduction("argmin", along(np.argmin), samples=lambda d: dim_samples(d, tuples=False, empty=False), grad=False, ulps=0)
reduction("any", along(np.any), grad=False, ulps=0)
reduction("all", along(np.all), grad=False, ulps=0)
reduction("norm", samples=norm_samples, dtypes=FLOATS, ulps=16, grad_ulps=4096)
row(
    "frobenius_norm",
    lambda d: [S(d(3, 4), 1), S(d(3, 4), (0, 1)), S(d(3, 4), [], True), S(d(2, 3, 4), [-1], keepdim=True)],
    method=False,
    out=True,
    dtypes=FLOATS,
    ulps=16,
    grad_ulps=4096,
    other_graphs="is linalg.vector_norm",
)
EXCEPT_DIM = {"method": False, "dtypes": FLOATS, "ulps": 16, "grad_ulps": 4096}
row(
    "norm_except_dim",
    lambda d: [S(d(3, 4)), S(d(3, 4), 3, 1), S(d(2, 3, 4), 2, 1), S(d(3, 4), 2, 5)],
    other_graphs="reduces several dims at once",
    **EXCEPT_DIM,
)
row(
    "norm_except_dim.whole",
    lambda d: [S(d(3, 4), 2, -1)],
    skips={"tangents": "torch refuses its own tangent"},
    other_graphs="is linalg.vector_norm",
    **EXCEPT_DIM,
)
row(
    "hash_tensor",
    lambda d: [
        S(d(3, 4)),
        S(d(3, 5), 1),
        S(d(3, 4), (0, -1), keepdim=True),
        S(d()),
        S(d(0, 3), 0),
        S(d(0, 3), 1),
        S(d(0)),
        S(d(3), mode=1),
        S(d(3), 4),
    ],
    grad=False,
    out=True,
)
reduction(
    "logsumexp",
    samples=lambda d: dim_samples(d, whole=False, empty=False),
    ulps=16,
    scale=3,
    large_call=large_call_along_dim,
)
reduction(
    "count_nonzero", samples=lambda d: [S(d(3, 4)), S(d(3, 4), 0), S(d(2, 3, 4), (0, 1)), S(d())], grad=False, ulps=0
)
