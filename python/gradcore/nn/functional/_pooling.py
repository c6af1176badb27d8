"""Pooling: maxima, means and norms of windows, adaptive and fractional ones, and max unpooling."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ._checks import SCALAR_NAMES, need_tensor
from ._pad import _constant
from ._windows import product, windows

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Sizes = int | Sequence[int]

_DIMS = {1: "length", 2: "spatial", 3: "spatial"}


def _sizes(value: Any, dims: int, name: str, function: str) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    if isinstance(value, (tuple, list)) and len(value) in (1, dims) and all(isinstance(n, int) for n in value):
        return tuple(value) * (dims // len(value))
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {type(value).__name__}")
    raise RuntimeError(f"{function}: {name} must either be a single int, or a tuple of {dims} ints")


def _count(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows there are along a dim; with ceil_mode one more that sticks out, if it begins inside."""
    reach = dilation * (kernel - 1) + 1
    span = size + 2 * padding - reach
    count = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    return count


class _Geometry:
    """The windows of one pooling over the spatial dims of (N, C, *spatial)."""

    def __init__(
        self,
        function: str,
        input: Tensor,
        dims: int,
        kernel: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
    ) -> None:
        self.kernel = _sizes(kernel, dims, "kernel_size", function)
        no_stride = stride is None or (isinstance(stride, (tuple, list)) and not stride)
        self.stride = self.kernel if no_stride else _sizes(stride, dims, "stride", function)
        self.padding = _sizes(padding, dims, "padding", function)
        self.dilation = _sizes(dilation, dims, "dilation", function)
        if min(self.kernel) <= 0:
            raise RuntimeError("kernel size should be greater than zero, but got kernel size " + repr(self.kernel))
        if min(self.stride) <= 0:
            raise RuntimeError("stride should not be zero")
        if min(self.dilation) <= 0:
            raise RuntimeError("dilation should be greater than zero, but got dilation " + repr(self.dilation))
        if min(self.padding) < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {min(self.padding)}")
        for k, p, d in zip(self.kernel, self.padding, self.dilation):
            if p > ((k - 1) * d + 1) // 2:
                raise RuntimeError(
                    f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
                )
        if any(n == 0 for n in input.shape[1:]):
            raise RuntimeError(
                f"{function}: expected input with non-zero sizes of all dims but the samples', but got {list(input.shape)}"
            )
        self.sizes = tuple(input.shape[2:])
        parts = zip(self.sizes, self.kernel, self.stride, self.padding, self.dilation)
        self.out = tuple(_count(n, k, s, p, d, ceil_mode) for n, k, s, p, d in parts)
        if min(self.out) <= 0:
            size = "x".join(str(n) for n in input.shape[1:])
            result = "x".join(str(n) for n in (input.shape[1], *self.out))
            raise RuntimeError(
                f"Given input size: ({size}). Calculated output size: ({result}). Output size is too small"
            )

    def padded(self, input: Tensor, value: float) -> Tensor:
        """The input with its padding, and with what the last window sticks out."""
        amounts = []
        parts = zip(self.sizes, self.kernel, self.stride, self.padding, self.dilation, self.out)
        for n, k, s, p, d, o in parts:
            after = max(p, (o - 1) * s + d * (k - 1) + 1 - n - p)
            amounts.append((p, after))
        if not any(before or after for before, after in amounts):
            return input
        return _constant(input, [n for pair in reversed(amounts) for n in pair], value)

    def view(self, input: Tensor) -> Tensor:
        """(*kernel, N, C, *out)"""
        return windows(input, self.kernel, self.stride, self.dilation, self.out)


def _batched(function: str, input: Any, dims: int) -> tuple[Tensor, bool]:
    """The input with a dim of samples, and whether it had one."""
    need_tensor(function, "input", 1, input)
    if input.dim() not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}: Expected {dims + 1}D or {dims + 2}D input, but got {list(input.shape)}")
    return (input, True) if input.dim() == dims + 2 else (input.unsqueeze(0), False)


# ------------------------------------------------------------------------------------------------------------
# Maxima


def _max_pool(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    function = f"max_pool{dims}d"
    samples, batched = _batched(function, input, dims)
    if input.dtype == _C.bool:
        raise NotImplementedError(f"\"{function}\" not implemented for 'Bool'")
    geometry = _Geometry(function, samples, dims, kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -float("inf") if samples.is_floating_point() else _lowest(samples.dtype)
    view = geometry.view(geometry.padded(samples, lowest))
    taps = product(geometry.kernel)
    found, which = view.reshape(taps, *view.shape[dims:]).max(0)
    if not return_indices:
        return found if batched else found.squeeze(0)
    places = _flat_places(which, geometry)
    return (found, places) if batched else (found.squeeze(0), places.squeeze(0))


def _lowest(dtype: _C.dtype) -> int:
    from ..._type_info import iinfo

    return int(iinfo(dtype).min)


def _flat_places(which: Tensor, geometry: _Geometry) -> Tensor:
    """Where in the input's spatial dims, flat, the chosen element of each window lies."""
    dims = len(geometry.kernel)
    flat = _C.zeros((), dtype=_C.int64)
    rest = which
    taps = []
    for k in reversed(geometry.kernel):
        taps.append(rest % k)
        rest = rest.div(k, rounding_mode="floor")
    taps.reverse()
    for i in range(dims):
        starts = _C.arange(geometry.out[i]).view([-1 if j == i else 1 for j in range(dims)]) * geometry.stride[i]
        place = starts - geometry.padding[i] + taps[i] * geometry.dilation[i]
        flat = flat * geometry.sizes[i] + place
    return flat


def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; with return_indices also where it lies.

    input: (N, C, L) or (C, L); stride: by default the kernel's size; padding: with -infinity; ceil_mode: with a last
    window that sticks out. Raises RuntimeError for sizes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html

    >>> import gradcore
    >>> gradcore.nn.functional.max_pool1d(gradcore.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """max_pool1d() in two dims. input: (N, C, H, W) or (C, H, W).

    >>> import gradcore
    >>> gradcore.nn.functional.max_pool2d(gradcore.tensor([[[1.0, 5.0], [2.0, 3.0]]]), 2, return_indices=True)
    (tensor([[[5.]]]), tensor([[[1]]]))
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """max_pool1d() in three dims. input: (N, C, D, H, W) or (C, D, H, W).

    >>> import gradcore
    >>> gradcore.nn.functional.max_pool3d(gradcore.ones(1, 2, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(input: Tensor, kernel_size: Sizes, *args: Any, **kwargs: Any) -> Any:
    """max_pool1d() with return_indices.

    >>> import gradcore
    >>> gradcore.nn.functional.max_pool1d_with_indices(gradcore.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    return max_pool1d(input, kernel_size, *args, **{**kwargs, "return_indices": True})


def max_pool2d_with_indices(input: Tensor, kernel_size: Sizes, *args: Any, **kwargs: Any) -> Any:
    """max_pool2d() with return_indices.

    >>> import gradcore
    >>> gradcore.nn.functional.max_pool2d_with_indices(gradcore.arange(4.0).view(1, 2, 2), 2)
    (tensor([[[3.]]]), tensor([[[3]]]))
    """
    return max_pool2d(input, kernel_size, *args, **{**kwargs, "return_indices": True})


def max_pool3d_with_indices(input: Tensor, kernel_size: Sizes, *args: Any, **kwargs: Any) -> Any:
    """max_pool3d() with return_indices.

    >>> import gradcore
    >>> values, indices = gradcore.nn.functional.max_pool3d_with_indices(gradcore.arange(8.0).view(1, 2, 2, 2), 2)
    >>> indices.flatten()
    tensor([7])
    """
    return max_pool3d(input, kernel_size, *args, **{**kwargs, "return_indices": True})


# ------------------------------------------------------------------------------------------------------------
# Means and norms


def _avg_pool(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    function = f"avg_pool{dims}d"
    samples, batched = _batched(function, input, dims)
    if not samples.is_floating_point():
        raise NotImplementedError(f"\"{function}\" not implemented for '{SCALAR_NAMES[samples.dtype]}'")
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    geometry = _Geometry(function, samples, dims, kernel_size, stride, padding, 1, ceil_mode)
    total = geometry.view(geometry.padded(samples, 0.0)).sum(tuple(range(dims)))
    if divisor_override is not None:
        found = total / divisor_override
    else:
        found = total / _divisors(geometry, count_include_pad, samples.dtype)
    return found if batched else found.squeeze(0)


def _divisors(geometry: _Geometry, count_include_pad: bool, dtype: _C.dtype) -> Any:
    """How many elements each window averages: what sticks out beyond the padding never counts."""
    if not any(geometry.padding) and all(
        (o - 1) * s + k <= n for n, k, s, o in zip(geometry.sizes, geometry.kernel, geometry.stride, geometry.out)
    ):
        return product(geometry.kernel)
    found = _C.ones((), dtype=dtype)
    dims = len(geometry.kernel)
    for i in range(dims):
        start = _C.arange(geometry.out[i]) * geometry.stride[i] - geometry.padding[i]
        if count_include_pad:
            end = (start + geometry.kernel[i]).clamp_max(geometry.sizes[i] + geometry.padding[i])
        else:
            end = (start + geometry.kernel[i]).clamp_max(geometry.sizes[i])
            start = start.clamp_min(0)
        found = found * (end - start).to(dtype).view([-1 if j == i else 1 for j in range(dims)])
    return found


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window. input: (N, C, L) or (C, L); count_include_pad: whether padding counts as elements.

    See max_pool1d().

    >>> import gradcore
    >>> gradcore.nn.functional.avg_pool1d(gradcore.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[3.0000, 2.5000]])
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """avg_pool1d() in two dims. input: (N, C, H, W) or (C, H, W); divisor_override: by what sums are divided.

    >>> import gradcore
    >>> gradcore.nn.functional.avg_pool2d(gradcore.tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2)
    tensor([[[3.]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """avg_pool2d() in three dims. input: (N, C, D, H, W) or (C, D, H, W).

    >>> import gradcore
    >>> gradcore.nn.functional.avg_pool3d(gradcore.ones(1, 2, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(dims: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    mean = _avg_pool(dims, input.pow(norm_type), kernel_size, stride, 0, ceil_mode, True, None)
    taps = product(_sizes(kernel_size, dims, "kernel_size", f"lp_pool{dims}d"))
    return (mean.detach().sign() * mean.abs().relu() * taps).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^norm_type)^(1 / norm_type) of each window. input: (N, C, L) or (C, L).

    >>> import gradcore
    >>> gradcore.nn.functional.lp_pool1d(gradcore.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """lp_pool1d() in two dims.

    >>> import gradcore
    >>> gradcore.nn.functional.lp_pool2d(gradcore.ones(1, 1, 2, 2), 2, 2)
    tensor([[[[2.]]]])
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """lp_pool1d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.lp_pool3d(gradcore.ones(1, 1, 2, 2, 2), 3, 2)
    tensor([[[[[2.]]]]])
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


# ------------------------------------------------------------------------------------------------------------
# Adaptive pools: the window of output i of `out` reaches from floor(i * n / out) to ceil((i + 1) * n / out)


def _adaptive_sizes(function: str, dims: int, input: Tensor, output_size: Any) -> list[int]:
    wanted = [output_size] * dims if isinstance(output_size, int) or output_size is None else list(output_size)
    if len(wanted) != dims:
        raise RuntimeError(f"{function}: internal error: output_size must be {dims} ints")
    found = [n if w is None else w for w, n in zip(wanted, input.shape[-dims:])]
    if any(n == 0 for n in input.shape[input.dim() - dims :]):
        raise RuntimeError(
            f"{function}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{list(input.shape)}"
        )
    if min(found) < 0:
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0, but received {found}"
        )
    return found


def _bounds(size: int, out: int) -> list[tuple[int, int]]:
    return [(i * size // out, -((-(i + 1) * size) // out)) for i in range(out)]


def _averaging_matrix(size: int, out: int, dtype: _C.dtype) -> Tensor:
    """(size, out): a column averages the window of one output."""
    rows = [[0.0] * out for _ in range(size)]
    for o, (begin, end) in enumerate(_bounds(size, out)):
        for i in range(begin, end):
            rows[i][o] = 1 / (end - begin)
    return _C.tensor(rows, dtype=dtype).view(size, out)


def _adaptive_avg_pool(dims: int, input: Tensor, output_size: Any) -> Tensor:
    function = f"adaptive_avg_pool{dims}d"
    need_tensor(function, "input", 1, input)
    out = _adaptive_sizes(function, dims, input, output_size)
    if input.dim() not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(input.shape)}")
    if all(n == 1 for n in out):
        return input.mean(tuple(range(-dims, 0)), keepdim=True)
    for i, n in enumerate(out):
        dim = input.dim() - dims + i
        size = input.shape[dim]
        if n == size:
            continue
        if n and size % n == 0:
            input = input.unflatten(dim, (n, size // n)).mean(dim + 1)
        else:
            matrix = _averaging_matrix(size, n, input.dtype)
            input = input.movedim(dim, -1).matmul(matrix).movedim(-1, dim)
    return input.contiguous()


def adaptive_avg_pool1d(input: Tensor, output_size: Sizes) -> Tensor:
    """Means of as many windows as output_size says. input: (N, C, L) or (C, L).

    Raises RuntimeError for other numbers of dims and empty ones.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """adaptive_avg_pool1d() in two dims; None in output_size keeps a size.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool2d(gradcore.ones(1, 2, 5, 7), (1, None)).shape
    torch.Size([1, 2, 1, 7])
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """adaptive_avg_pool2d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool3d(gradcore.ones(1, 2, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _adaptive_avg_pool(3, input, output_size)


def _gathered(input: Tensor, dims: int, per_dim: list[list[tuple[int, int]]], return_indices: bool) -> Any:
    """The maxima of windows that are given by their bounds in each dim, and where they lie."""
    sizes = input.shape[-dims:]
    flat = _C.zeros((), dtype=_C.int64)
    inside = _C.ones((), dtype=_C.bool)
    shape: list[int] = []
    for i, bounds in enumerate(per_dim):
        widest = max((end - begin for begin, end in bounds), default=1)
        begins = _C.tensor([b for b, _ in bounds], dtype=_C.int64)
        ends = _C.tensor([e for _, e in bounds], dtype=_C.int64)
        at = begins.unsqueeze(1) + _C.arange(widest)  # (out, widest)
        view = [1] * (2 * dims)
        view[i], view[dims + i] = len(bounds), widest
        inside = inside & (at < ends.unsqueeze(1)).view(view)
        flat = flat * sizes[i] + at.clamp_max(sizes[i] - 1).view(view)
        shape.append(len(bounds))
    places = product(shape)
    flat = flat.reshape(places, -1)
    inside = inside.reshape(places, -1)
    taken = input.flatten(-dims).index_select(-1, flat.reshape(-1)).unflatten(-1, flat.shape)
    taken = taken.masked_fill(~inside, -float("inf"))
    found, which = taken.max(-1)
    found = found.unflatten(-1, shape)
    if not return_indices:
        return found
    index = flat.expand(*which.shape, flat.shape[1]).gather(-1, which.unsqueeze(-1)).squeeze(-1)
    return found, index.unflatten(-1, shape)


def _adaptive_max_pool(dims: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    function = f"adaptive_max_pool{dims}d"
    need_tensor(function, "input", 1, input)
    out = _adaptive_sizes(function, dims, input, output_size)
    if input.dim() not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(input.shape)}")
    return _gathered(input, dims, [_bounds(n, o) for n, o in zip(input.shape[-dims:], out)], return_indices)


def adaptive_max_pool1d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """Maxima of as many windows as output_size says. input: (N, C, L) or (C, L). See adaptive_avg_pool1d().

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool1d() in two dims; None in output_size keeps a size.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool2d(gradcore.ones(1, 2, 5, 7), (1, None)).shape
    torch.Size([1, 2, 1, 7])
    """
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool3d(gradcore.ones(1, 2, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _adaptive_max_pool(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """adaptive_max_pool1d() with return_indices.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool1d_with_indices(gradcore.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    return adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d() with return_indices.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool2d_with_indices(gradcore.arange(4.0).view(1, 2, 2), 1)[1].flatten()
    tensor([3])
    """
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool3d() with return_indices.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool3d_with_indices(gradcore.arange(8.0).view(1, 2, 2, 2), 1)[1].flatten()
    tensor([7])
    """
    return adaptive_max_pool3d(input, output_size, True)


# ------------------------------------------------------------------------------------------------------------
# Fractional max pools: windows of one size, whose places are drawn


def _fractional_starts(sample: float, size: int, out: int, kernel: int) -> list[int]:
    if out == 1:
        return [size - kernel]
    alpha = (size - kernel) / (out - 1)
    first = int(sample * alpha)
    return [int((i + sample) * alpha) - first for i in range(out - 1)] + [size - kernel]


def _fractional_max_pool(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Tensor | None,
) -> Any:
    function = f"fractional_max_pool{dims}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{function} requires specifying either an output_size or an output_ratio")
    kernel = _sizes(kernel_size, dims, "kernel_size", function)
    sizes = input.shape[-dims:]
    if output_size is None:
        ratios = (output_ratio,) * dims if isinstance(output_ratio, (int, float)) else tuple(output_ratio)
        out = [int(n * r) for n, r in zip(sizes, ratios)]
    else:
        out = list(_sizes(output_size, dims, "output_size", function))
    given, batched = _batched(function, input, dims)
    batch, channels = given.shape[:2]
    if samples is None:
        samples = _C.rand((batch, channels, dims), dtype=input.dtype)
    for n, k, o in zip(sizes, kernel, out):
        if o + k - 1 > n:
            raise RuntimeError(f"{function}(): pool size ({k}) too large relative to input size {n}")
    results = []
    # In two dims torch takes the sample of the last dim first.
    for sample, plane in zip(samples.reshape(-1, dims).tolist(), given.reshape(-1, *sizes)):
        starts = [
            _fractional_starts(u, n, o, k)
            for u, n, o, k in zip(sample[::-1] if dims == 2 else sample, sizes, out, kernel)
        ]
        bounds = [[(s, s + k) for s in begins] for begins, k in zip(starts, kernel)]
        results.append(_gathered(plane, dims, bounds, True))
    shape = (batch, channels, *out) if batched else (channels, *out)
    found = _C.stack([r[0] for r in results]).view(shape)
    if not return_indices:
        return found
    return found, _C.stack([r[1] for r in results]).view(shape)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima of windows that lie at random, so that the size shrinks by any factor. input: (N, C, H, W) or (C, H, W).

    output_size, or output_ratio of the input's. Raises ValueError without either, RuntimeError for sizes that do not fit.
    Source: B. Graham, "Fractional max-pooling", 2014.

    >>> import gradcore
    >>> gradcore.nn.functional.fractional_max_pool2d(gradcore.ones(1, 2, 9, 9), 2, output_ratio=0.7).shape
    torch.Size([1, 2, 6, 6])
    """
    return _fractional_max_pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """fractional_max_pool2d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.fractional_max_pool3d(gradcore.ones(1, 2, 5, 5, 5), 2, output_size=3).shape
    torch.Size([1, 2, 3, 3, 3])
    """
    return _fractional_max_pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(input: Tensor, kernel_size: Sizes, *args: Any, **kwargs: Any) -> Any:
    """fractional_max_pool2d() with return_indices.

    >>> import gradcore
    >>> x = gradcore.arange(16.0).view(1, 1, 4, 4)
    >>> values, indices = gradcore.nn.functional.fractional_max_pool2d_with_indices(x, 2, output_size=2)
    >>> values.shape, indices.shape
    (torch.Size([1, 1, 2, 2]), torch.Size([1, 1, 2, 2]))
    """
    return fractional_max_pool2d(input, kernel_size, *args, **{**kwargs, "return_indices": True})


def fractional_max_pool3d_with_indices(input: Tensor, kernel_size: Sizes, *args: Any, **kwargs: Any) -> Any:
    """fractional_max_pool3d() with return_indices.

    >>> import gradcore
    >>> x = gradcore.arange(64.0).view(1, 1, 4, 4, 4)
    >>> values, indices = gradcore.nn.functional.fractional_max_pool3d_with_indices(x, 2, output_size=2)
    >>> values.shape
    torch.Size([1, 1, 2, 2, 2])
    """
    return fractional_max_pool3d(input, kernel_size, *args, **{**kwargs, "return_indices": True})


# ------------------------------------------------------------------------------------------------------------
# Unpooling


def _max_unpool(
    dims: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    function = f"max_unpool{dims}d"
    kernel = _sizes(kernel_size, dims, "kernel_size", function)
    steps = kernel if stride is None else _sizes(stride, dims, "stride", function)
    padded = _sizes(padding, dims, "padding", function)
    default = [(n - 1) * s - 2 * p + k for n, k, s, p in zip(input.shape[-dims:], kernel, steps, padded)]
    if output_size is None:
        out = default
    else:
        out = list(output_size)[-dims:]
        if len(output_size) not in (dims, dims + 1, dims + 2):
            raise ValueError(
                f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
                f"'{len(output_size)}'"
            )
        for i, (n, d, s) in enumerate(zip(out, default, steps)):
            if not d - s < n < d + s:
                raise ValueError(
                    f'invalid output_size "{list(output_size)}" (dim {i} must be between {d - s} and {d + s})'
                )
    if indices.dtype != _C.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {SCALAR_NAMES[indices.dtype]}")
    if indices.shape != input.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices tensor "
            f"with shape: {list(indices.shape)}"
        )
    places = product(out)
    if indices.numel() and not bool(((indices >= 0) & (indices < places)).all()):
        raise RuntimeError(
            f"{function}: found an invalid max index (output volumes are of size {'x'.join(map(str, out))})"
        )
    flat = input.flatten(-dims)
    zeros = _C.zeros((*flat.shape[:-1], places), dtype=input.dtype)
    return zeros.scatter(-1, indices.flatten(-dims), flat).unflatten(-1, out)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """Puts the maxima of max_pool1d() back to where they were, and 0 elsewhere. input, indices: (N, C, L) or (C, L).

    Raises RuntimeError for indices of another shape or out of range, ValueError for an output_size that does not fit.

    >>> import gradcore
    >>> gradcore.nn.functional.max_unpool1d(gradcore.tensor([[5.0]]), gradcore.tensor([[1]]), 2)
    tensor([[0., 5.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """max_unpool1d() in two dims.

    >>> import gradcore
    >>> gradcore.nn.functional.max_unpool2d(gradcore.tensor([[[5.0]]]), gradcore.tensor([[[3]]]), 2)
    tensor([[[0., 0.],
             [0., 5.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:
    """max_unpool1d() in three dims.

    >>> import gradcore
    >>> pooled, indices = gradcore.nn.functional.max_pool3d(gradcore.ones(1, 4, 4, 4), 2, return_indices=True)
    >>> gradcore.nn.functional.max_unpool3d(pooled, indices, 2).shape
    torch.Size([1, 4, 4, 4])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
