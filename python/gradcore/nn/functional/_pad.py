"""Padding."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ._checks import widened_by_autocast
from ._windows import in_order_of

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Adds elements before and after, in the last dim by pad[0] and pad[1], in the one before by pad[2] and pad[3] ...

    mode: 'constant' (any dims; value, by default 0; negative numbers cut), 'reflect', 'replicate' or 'circular' (the last
    one, two or three dims of an input with one or two more). Raises RuntimeError and NotImplementedError for what does not
    fit. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    >>> import gradcore
    >>> gradcore.nn.functional.pad(gradcore.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    >>> gradcore.nn.functional.pad(gradcore.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    amounts = [n.__index__() for n in pad]
    if len(amounts) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(amounts) > 2 * input.dim():
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(amounts)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return _C.constant_pad_nd(input, amounts, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    dims = len(amounts) // 2
    if mode not in _INDEX:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if dims not in (1, 2, 3) or input.dim() not in (dims + 1, dims + 2):
        raise NotImplementedError(
            f"Padding size {len(amounts)} is not supported for {input.dim()}D input tensor: non-constant padding is of the last "
            "one, two or three dims of an input with one or two more"
        )
    if mode == "replicate" or (mode == "reflect" and dims < 3):
        input = widened_by_autocast(input)
    found = input
    for i in range(dims):
        dim = input.dim() - 1 - i
        before, after = amounts[2 * i], amounts[2 * i + 1]
        if before or after:
            index = _INDEX[mode](input.shape[dim], before, after, i, input)
            found = found.index_select(dim, index)
    return found if mode == "circular" else in_order_of(input, found)


def _positions(size: int, before: int, after: int) -> Tensor:
    return _C.arange(-before, size + after)


def _reflect(size: int, before: int, after: int, nth: int, input: Tensor) -> Tensor:
    if max(before, after) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {input.dim() - 1 - nth} of input {list(input.shape)}"
        )
    position = _positions(size, before, after).abs()
    last = size - 1
    return last - (last - position).abs()


def _replicate(size: int, before: int, after: int, nth: int, input: Tensor) -> Tensor:
    if size == 0:
        raise RuntimeError(f"Expected non-empty input for padding, but got: {list(input.shape)}")
    return _positions(size, before, after).clamp(0, size - 1)


def _circular(size: int, before: int, after: int, nth: int, input: Tensor) -> Tensor:
    if before + size + after < 0:
        raise RuntimeError("Negative padding value is resulting in an empty dimension")
    # What negative numbers cut off does not come back at the other end.
    cut, kept = max(-before, 0), size + min(before, 0) + min(after, 0)
    if before > kept or after > kept:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    return cut + _positions(kept, max(before, 0), max(after, 0)) % max(kept, 1)


_INDEX = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
