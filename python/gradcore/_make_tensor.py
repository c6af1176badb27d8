"""torch.testing.make_tensor: tensors of random numbers for tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import gradcore

from ._C import Tensor


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of this shape with random numbers from [low, high), those that torch draws for the same seed.

    The shape is a sequence or lone ints. Without low and high, floats lie in [-9, 9), integers in [-9, 10), those without
    a sign in [0, 10), bools in [0, 2); limits that the dtype does not reach are moved to its ends. noncontiguous takes
    every second element of twice as many, where there are two or more. exclude_zero puts one in place of zeros, for floats
    the smallest normal number. memory_format orders the memory.

    Raises ValueError for NaN limits, for low above high (for integers also when they are equal), for limits that are all
    beyond the dtype, for requires_grad of integers, and for noncontiguous with memory_format; TypeError for a dtype that
    has no random numbers.

    >>> import gradcore
    >>> x = gradcore.testing.make_tensor(2, 3, dtype=gradcore.int64, device="cpu", low=1, high=2)
    >>> x
    tensor([[1, 1, 1],
            [1, 1, 1]])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
            f"but got noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    if requires_grad and not dtype.is_floating_point and not dtype.is_complex:
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype}"
        )
    spread = noncontiguous and math.prod(sizes) > 1
    if spread:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    result = _drawn(sizes, dtype, device, low, high)
    if spread:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = gradcore.finfo(dtype).tiny if dtype.is_floating_point else 1
    return result.requires_grad_(requires_grad) if dtype.is_floating_point else result


def _drawn(sizes: tuple[int, ...], dtype: Any, device: Any, low: float | None, high: float | None) -> Tensor:
    if dtype.is_complex:
        raise TypeError(f"make_tensor: gradcore has no tensors of {dtype} yet")
    if not dtype.is_floating_point:
        return gradcore.randint(*_integer_limits(dtype, low, high), sizes, dtype=dtype, device=device)
    info = gradcore.finfo(dtype)
    start, stop = _limits(dtype, low, high, (-9, 9), (info.min, info.max))
    result = gradcore.empty(sizes, dtype=dtype, device=device)
    if stop - start >= info.max:  # wider than uniform_() takes
        return result.uniform_(start / 2, stop / 2).mul_(2)
    return result.uniform_(start, stop)


def _integer_limits(dtype: Any, low: float | None, high: float | None) -> tuple[int, int]:
    if dtype == gradcore.bool:
        start, stop = _limits(dtype, low, high, (0, 2), (0, 2))
    else:
        info = gradcore.iinfo(dtype)
        end = info.max + (dtype != gradcore.int64)  # randint() takes no end beyond int64
        start, stop = _limits(dtype, low, high, (-9, 10), (info.min, end))
    return math.ceil(start), math.ceil(stop)


def _limits(
    dtype: Any,
    low: float | None,
    high: float | None,
    usual: tuple[float, float],
    possible: tuple[float, float],
) -> tuple[float, float]:
    """The limits to draw between: those asked for, or the usual ones, within the possible ones."""
    start = usual[0] if low is None else low
    stop = usual[1] if high is None else high
    if math.isnan(start) or math.isnan(stop):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={start} and high={stop}")
    if start == stop and dtype.is_floating_point:
        warnings.warn(
            "make_tensor: low == high is deprecated for floats: torch.full() makes such a tensor",
            FutureWarning,
            stacklevel=5,
        )
    elif start >= stop:
        raise ValueError(f"`low` must be less than `high`, but got {start} >= {stop}")
    elif stop < possible[0] or start >= possible[1]:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{start}, {stop}), "
            f"but {dtype} only supports [{possible[0]}, {possible[1]})"
        )
    return max(start, possible[0]), min(stop, possible[1])
