"""segment_reduce(): sums, means, products and extremes of the segments of a dim."""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from warnings import warn

from . import _C
from ._C import Tensor
from .autograd import Function
from .autograd.function import once_differentiable
from .nn.functional._checks import SCALAR_NAMES

# By torch's names: the reduction of index_reduce_(), and what a segment without elements gives.
_REDUCTIONS = {
    "sum": ("sum", 0.0),
    "mean": ("sum", 0.0),
    "prod": ("prod", 1.0),
    "max": ("amax", -math.inf),
    "amax": ("amax", -math.inf),
    "min": ("amin", math.inf),
    "amin": ("amin", math.inf),
}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Tensor:
    """Each segment of the dim `axis` reduced to one element: its "sum", "mean", "prod", "max" or "min".

    data: floating, at least `axis` + 1 dims. lengths: (..., segments), those of the segments, which begin one behind the
    other; its other dims are data's in front of the axis. offsets: the same by where segments begin, and the end of the
    last. The lengths of a row must sum to data's size there, unless `unsafe`. initial: what each segment has besides its
    elements (it does not count in a mean); without it an empty one gives 0, NaN, 1, -inf or inf.

    Raises RuntimeError for lengths that do not fit, NotImplementedError for another dtype.
    Source: https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/SegmentReduce.cpp

    >>> import gradcore
    >>> gradcore.segment_reduce(gradcore.tensor([1.0, 2.0, 4.0]), "sum", lengths=gradcore.tensor([2, 1]))
    tensor([3., 4.])
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    given: Any = lengths if offsets is None else offsets
    if data.dim() < given.dim():
        raise RuntimeError("Expected data.dim() >= lengths_value.dim() to be true, but got false.")
    axis = axis + data.dim() if axis < 0 else axis
    if axis != given.dim() - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}.")
    if not data.is_floating_point():
        raise NotImplementedError(f"\"_segment_reduce_cpu\" not implemented for '{SCALAR_NAMES[data.dtype]}'")
    if given.dtype not in (_C.int64, _C.int32):
        name = SCALAR_NAMES.get(given.dtype, str(given.dtype))
        raise NotImplementedError(f"\"_segment_reduce_lengths_cpu_kernel1\" not implemented for '{name}'")
    if given.shape[:-1] != data.shape[:axis]:
        raise RuntimeError(
            f"segment_reduce(): lengths of shape {list(given.shape)} do not fit data of {list(data.shape)}"
        )
    found: Tensor = _SegmentReduce.apply(data, reduce, lengths, offsets, axis, unsafe, initial)
    return found


class _Segments(NamedTuple):
    """Of data whose dims up to the axis are one: the rows that are picked, and the segment of each."""

    places: Tensor
    of_picked: Tensor
    sizes: Tensor


def _rows(data: Tensor, axis: int) -> Tensor:
    return data.reshape(-1, *data.shape[axis + 1 :])


def _segments(data: Tensor, lengths: Tensor | None, offsets: Tensor | None, axis: int, unsafe: bool) -> _Segments:
    size = data.shape[axis]
    if offsets is None:
        assert lengths is not None
        sizes = lengths.long()
        starts = sizes.cumsum(-1) - sizes
        if not unsafe:
            _check_lengths(sizes, size)
    else:
        starts, sizes = offsets[..., :-1].long(), offsets.long().diff()
    if sizes.numel() and (int(sizes.min()) < 0 or int(starts.min()) < 0 or int((starts + sizes).max()) > size):
        raise RuntimeError(f"segment_reduce(): a segment does not lie within the {size} elements of the axis")
    firsts = _C.arange(sizes[..., 0].numel() if sizes.shape[-1] else 0).view(*sizes.shape[:-1], 1) * size
    starts, sizes = (starts + firsts).reshape(-1), sizes.reshape(-1)
    of_picked = _C.repeat_interleave(_C.arange(len(sizes)), sizes)
    before = sizes.cumsum(0) - sizes
    places = starts[of_picked] + _C.arange(len(of_picked)) - before[of_picked]
    return _Segments(places, of_picked, sizes)


def _check_lengths(sizes: Tensor, size: int) -> None:
    if sizes.numel() and int(sizes.min()) < 0:
        raise RuntimeError("lengths contains negative value!")
    if not (sizes.sum(-1) == size).all():
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
        )


class _SegmentReduce(Function):
    """Of rows: those of each segment become one."""

    @staticmethod
    def forward(data: Any, reduce: Any, lengths: Any, offsets: Any, axis: Any, unsafe: Any, initial: Any) -> Any:
        places, segments, sizes = _segments(data, lengths, offsets, axis, unsafe)
        picked = _rows(data, axis).index_select(0, places)
        how, neutral = _REDUCTIONS[reduce]
        out = data.new_full((len(sizes), *data.shape[axis + 1 :]), neutral if initial is None else initial)
        if how == "sum":
            out.index_add_(0, segments, picked)
        else:
            _reduce_into(out, segments, picked, how)
        if reduce == "mean":
            counts = _column(sizes, out).to(out.dtype)
            out = out / (counts if initial is None else counts.clamp_min(1))
        count = lengths.shape[-1] if offsets is None else offsets.shape[-1] - 1
        return out.view(*data.shape[:axis], count, *data.shape[axis + 1 :])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        data, ctx.reduce, lengths, offsets, ctx.axis, ctx.unsafe, initial = inputs
        ctx.initial = 1.0 if initial is None else initial
        ctx.save_for_backward(data, lengths, offsets, output)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Sample by sample, as torch does: how many rows a segment has may differ."""
        warn(
            "There is a performance drop because we have not yet implemented the batching rule for aten::segment_reduce: "
            "it runs sample by sample.",
            stacklevel=2,
        )
        samples = (
            [arg if dim is None else arg.select(dim, k) for arg, dim in zip(args, in_dims)]
            for k in range(info.batch_size)
        )
        return _C.stack([_SegmentReduce.apply(*sample) for sample in samples]), 0

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Any) -> Any:
        data, lengths, offsets, out = ctx.saved_tensors
        places, segments, sizes = _segments(data, lengths, offsets, ctx.axis, ctx.unsafe)
        rows = _rows(data, ctx.axis)
        picked, grad, out = rows.index_select(0, places), _rows(grad, ctx.axis), _rows(out, ctx.axis)
        g = grad.index_select(0, segments)
        if ctx.reduce == "mean":
            g = g / _column(sizes, grad).to(grad.dtype).index_select(0, segments)
        elif ctx.reduce == "prod":
            g = g * _product_of_others(picked, grad, segments, out, ctx.initial)
        elif ctx.reduce != "sum":
            chosen = (picked == out.index_select(0, segments)).to(grad.dtype)
            count = _C.zeros_like(grad).index_add_(0, segments, chosen)
            g = g * chosen / count.index_select(0, segments).clamp_min(1)
        of_data = _C.zeros_like(rows).index_add_(0, places, g).view(data.shape)
        return of_data, None, None, None, None, None, None


def _reduce_into(out: Tensor, segments: Tensor, rows: Tensor, how: str) -> Tensor:
    """index_reduce_(), which warns that it is in beta."""
    index = segments.view(-1, *[1] * (rows.dim() - 1)).expand(rows.shape)
    return out.scatter_reduce_(0, index, rows, how)


def _column(sizes: Tensor, like: Tensor) -> Tensor:
    return sizes.view(-1, *[1] * (like.dim() - 1)).expand(like.shape)


def _product_of_others(picked: Tensor, grad: Tensor, segments: Tensor, out: Tensor, initial: float) -> Tensor:
    """For each element the product of its segment without it. Of a segment with a zero, only that of the zero is not 0."""
    zero = picked == 0
    zeros = _C.zeros_like(grad).index_add_(0, segments, zero.to(grad.dtype)).index_select(0, segments)
    others = _reduce_into(_C.full_like(grad, initial), segments, picked.masked_fill(zero, 1.0), "prod")
    rest = others.index_select(0, segments)
    whole = out.index_select(0, segments)
    return _C.where(zeros == 0, whole / picked, _C.where(zero & (zeros == 1), rest, 0.0))
