"""Windows that slide over the spatial dims: the view that convolutions, pools and unfold share, and its transpose."""

from __future__ import annotations

import functools

from ... import _C
from ..._C import Tensor
from ..._types import channels_last, channels_last_3d

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence


def product(sizes: Sequence[int]) -> int:
    """The product of all sizes."""
    found = 1
    for n in sizes:
        found *= n
    return found


def in_order_of(input: Tensor, found: Tensor) -> Tensor:
    """`found` with its channels last where those of the input are."""
    order = {4: channels_last, 5: channels_last_3d}.get(input.dim())
    if order is None or input.is_contiguous() or not input.is_contiguous(memory_format=order):
        return found
    return found.contiguous(memory_format=order)


def windows(
    input: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Tensor:
    """A view (*kernel, N, C, *out) of the input (N, C, *spatial): element [k, n, c, o] is input[n, c, o * stride +
    k * dilation].

    The dims of the kernel come first, so that what is copied or reduced runs along the others.
    """
    input = input.contiguous()
    steps = input.stride()
    spatial = steps[2:]
    shape = (*kernel, *input.shape[:2], *out)
    strides = (
        *(s * d for s, d in zip(spatial, dilation)),
        *steps[:2],
        *(s * n for s, n in zip(spatial, stride)),
    )
    return input.as_strided(shape, strides)


def out_sizes(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """How many windows there are along each dim."""
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation)]


@functools.lru_cache(maxsize=64)
def _places(
    padded: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
) -> Tensor:
    """Where each element of the windows (*kernel, *out) lies in the padded spatial dims, flat."""
    found = _C.zeros(1, dtype=_C.int64)
    dims = len(padded)
    for i in range(dims):
        taps = _C.arange(kernel[i]).view([-1 if j == i else 1 for j in range(2 * dims)]) * dilation[i]
        starts = _C.arange(out[i]).view([-1 if j == i + dims else 1 for j in range(2 * dims)]) * stride[i]
        found = found * padded[i] + taps + starts
    return found.reshape(-1)


def overlap_add(
    columns: Tensor,
    padded: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
) -> Tensor:
    """The transpose of windows(): the sum over all windows, at each place of (N, C, *padded), of what they hold there.

    columns: (N, C, product(kernel) * product(out)), with the dims of the kernel before those of the places.
    """
    index = _places(tuple(padded), tuple(kernel), tuple(stride), tuple(dilation), tuple(out))
    batch, channels = columns.shape[:2]
    rows = columns.reshape(batch * channels, columns.shape[2])
    flat = _C.zeros((batch * channels, product(padded)), dtype=columns.dtype)
    return flat.index_add(1, index, rows).view(batch, channels, *padded)
