"""Reductions over axes (none, one, several), running sums, orders and sets."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _C
from .._C import Tensor
from ._dtypes import SIGNED, UNSIGNED

__all__ = [
    "all", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean",
    "min", "nonzero", "prod", "searchsorted", "sort", "std", "sum", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "var", "where",
]  # fmt: skip

Axis = Any  # None for all, an int, or a tuple


def _as_rows(x: Tensor, axis: Axis) -> Tensor:
    """`x` with the axes as one, the last one."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a + x.ndim if a < 0 else a for a in axes)
    if len(set(axes)) != len(axes) or not builtins.all(0 <= a < x.ndim for a in axes):
        raise ValueError(f"axis {axis} does not fit an array of {x.ndim} dims")
    kept = [a for a in range(x.ndim) if a not in axes]
    rows = x.permute((*kept, *axes))
    return rows.reshape(*rows.shape[: len(kept)], -1) if axes else rows.unsqueeze(-1)


def _reduced(function: Callable[[Tensor], Tensor], x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """function(rows) reduces the last dim."""
    if axis is not None and not isinstance(axis, tuple):
        axis = (axis,)
    out = function(_as_rows(x, axis))
    if not keepdims:
        return out
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in axis]
    return out.reshape([1 if d in axes else n for d, n in enumerate(x.shape)])


def _sum_dtype(x: Tensor, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    return _C.int64 if x.dtype in SIGNED + UNSIGNED else x.dtype


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true."""
    return _reduced(lambda rows: _C.all(rows != 0, -1), x, axis, keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether one of the elements is true."""
    return _reduced(lambda rows: _C.any(rows != 0, -1), x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not 0."""
    return _reduced(lambda rows: (rows != 0).sum(-1), x, axis, keepdims)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element, or NaN where there is one."""
    return _reduced(lambda rows: _C.amax(rows, -1), x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element, or NaN where there is one."""
    return _reduced(lambda rows: _C.amin(rows, -1), x, axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean."""
    return _reduced(lambda rows: _C.mean(rows, -1), x, axis, keepdims)


def prod(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product. Integers are multiplied as int64."""
    dtype = _sum_dtype(x, dtype)
    return _reduced(lambda rows: _C.prod(rows, -1, dtype=dtype), x, axis, keepdims)


def sum(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum. Integers are added as int64."""
    dtype = _sum_dtype(x, dtype)
    return _reduced(lambda rows: _C.sum(rows, -1, dtype=dtype), x, axis, keepdims)


def var(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance: squared deviations from the mean over n - correction."""
    return _reduced(lambda rows: _C.var(rows, -1, correction=correction), x, axis, keepdims)


def std(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The square root of the variance."""
    return _reduced(lambda rows: _C.std(rows, -1, correction=correction), x, axis, keepdims)


def _running(function: Any, neutral: int, x: Tensor, axis: int | None, dtype: Any, include_initial: bool) -> Tensor:
    if axis is None:
        if x.ndim > 1:
            raise ValueError("axis is needed for an array of several dims")
        axis = 0
    out: Tensor = function(x, axis, dtype=_sum_dtype(x, dtype))
    if not include_initial:
        return out
    shape = [1 if d == axis % x.ndim else n for d, n in enumerate(x.shape)]
    return _C.cat([_C.full(shape, neutral, dtype=out.dtype), out], axis)


def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Running sums along an axis, behind a 0 if asked for."""
    return _running(_C.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Running products along an axis, behind a 1 if asked for."""
    return _running(_C.cumprod, 1, x, axis, dtype, include_initial)


def diff(
    x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbours along an axis, n times."""
    return _C.diff(x, n, axis, prepend, append)


# ---- orders


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element is, the first of equal ones."""
    return _reduced(lambda rows: _C.argmax(rows, -1), x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element is, the first of equal ones."""
    return _reduced(lambda rows: _C.argmin(rows, -1), x, axis, keepdims)


def argsort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The order that sorts `x` along an axis."""
    return _C.argsort(x, dim=axis, descending=descending, stable=stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """`x` sorted along an axis."""
    values: Tensor = _C.sort(x, dim=axis, descending=descending, stable=stable)[0]
    return values


def searchsorted(x1: Tensor, x2: Tensor, /, *, side: str = "left", sorter: Tensor | None = None) -> Tensor:
    """Where the numbers of `x2` would stand in `x1`, which is sorted, or is sorted by `sorter`."""
    return _C.searchsorted(x1, x2, side=side, sorter=sorter)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """For each axis the places of elements that are not 0."""
    if x.ndim == 0:
        raise ValueError("nonzero: an array of no dims has no places")
    places: Any = _C.nonzero(x, as_tuple=True)
    return tuple(places)


def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """`x1` where the condition is true, else `x2`."""
    from ._elementwise import both

    return _C.where(condition, *both(x1, x2))


# ---- sets


class UniqueAll(NamedTuple):
    """What unique_all() gives."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What unique_counts() gives."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What unique_inverse() gives."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Tensor, /) -> UniqueAll:
    """The different elements, where each stands first, which one each element is, and how often each is there."""
    values, inverse, counts = _C.unique(x, return_inverse=True, return_counts=True)
    flat = inverse.reshape(-1)
    first = _C.full((values.numel(),), flat.numel(), dtype=_C.int64)
    first = first.scatter_reduce(0, flat, _C.arange(flat.numel()), "amin")
    return UniqueAll(values, first, inverse, counts)


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The different elements, and how often each is there."""
    return UniqueCounts(*_C.unique(x, return_counts=True))


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The different elements, and which one each element is."""
    return UniqueInverse(*_C.unique(x, return_inverse=True))


def unique_values(x: Tensor, /) -> Tensor:
    """The different elements."""
    return _C.unique(x)  # type: ignore[return-value]
