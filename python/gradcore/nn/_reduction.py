"""Numbers for the reductions of losses, by which programs that call torch's kernels name them."""

from __future__ import annotations

import warnings

from .functional._checks import old_reduction

_NUMBERS = {"none": 0, "mean": 1, "elementwise_mean": 1, "sum": 2}


def get_enum(reduction: str) -> int:
    """The number of a reduction. Raises ValueError for a name that is none.

    >>> from gradcore.nn import _reduction
    >>> [_reduction.get_enum(name) for name in ("none", "mean", "sum")]
    [0, 1, 2]
    """
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=2)
    if reduction not in _NUMBERS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return _NUMBERS[reduction]


def legacy_get_string(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """The reduction that the two older arguments meant; None counts as True."""
    return old_reduction(True if size_average is None else size_average, reduce, "", emit_warning)


def legacy_get_enum(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> int:
    """The number of legacy_get_string()."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))
