"""Shapes, order of elements, and elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from ._dtypes import result_type

__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis", "permute_dims", "repeat", "reshape",
    "roll", "squeeze", "stack", "take", "take_along_axis", "tile", "unstack",
]  # fmt: skip


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """The arrays, each spread over their common shape."""
    return list(_C.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """`x` spread over a shape."""
    return x.expand(shape)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The arrays one behind the other along an axis, or all of their elements in a row for axis=None."""
    dtype = result_type(*arrays)
    parts = [array.to(dtype) for array in arrays]
    return _C.cat([part.reshape(-1) for part in parts]) if axis is None else _C.cat(parts, axis)


def expand_dims(x: Tensor, /, axis: int) -> Tensor:
    """`x` with a dim of one element more. IndexError where there can be none."""
    return x.unsqueeze(axis)


def flip(x: Tensor, /, *, axis: Any = None) -> Tensor:
    """`x` with the elements along the axes, or along all, in the other order."""
    return x.flip(tuple(range(x.ndim)) if axis is None else axis)


def moveaxis(x: Tensor, source: Any, destination: Any, /) -> Tensor:
    """`x` with some of its axes in other places."""
    return x.moveaxis(source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """`x` with its axes in another order."""
    return x.permute(axes)


def repeat(x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Each element along an axis several times."""
    return _C.repeat_interleave(x, repeats.to(_C.int64) if isinstance(repeats, Tensor) else repeats, axis)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements in another shape. With copy=False ValueError where that needs new memory."""
    if copy:
        return x.clone().reshape(shape)
    if copy is False:
        try:
            return x.view(shape)
        except RuntimeError as error:
            raise ValueError(str(error)) from None
    return x.reshape(shape)


def roll(x: Tensor, /, shift: Any, *, axis: Any = None) -> Tensor:
    """The elements further on along axes; those that leave come in again."""
    return x.roll(shift) if axis is None else x.roll(shift, axis)


def squeeze(x: Tensor, /, axis: Any) -> Tensor:
    """`x` without axes of one element. ValueError for longer ones."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axes {axes} of shape {tuple(x.shape)} have more than one element")
    return x.squeeze(axes)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """The arrays along a new axis."""
    dtype = result_type(*arrays)
    return _C.stack([array.to(dtype) for array in arrays], axis)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The parts of `x` with these indices along an axis."""
    if axis is None:
        if x.ndim != 1:
            raise ValueError("take: axis is needed for an array of several dims")
        axis = 0
    length = x.shape[axis]
    places = indices.reshape(-1).to(_C.int64)
    taken = x.index_select(axis, _C.where(places < 0, places + length, places))
    axis = axis % x.ndim
    return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """For each place of `indices` the element of `x` there, with the index along an axis replaced by what it holds."""
    indices = indices.to(_C.int64)
    return _C.take_along_dim(x, _C.where(indices < 0, indices + x.shape[axis], indices), axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """`x` several times along each axis."""
    return x.tile(repetitions)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The parts along an axis."""
    return x.unbind(axis)
