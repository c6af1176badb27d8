"""Pooling: maxima, means and norms of windows, adaptive and fractional ones, and max unpooling."""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor
from ..._C import _nn_avg_pool1d as avg_pool1d
from ..._C import _nn_avg_pool2d as avg_pool2d
from ..._C import _nn_avg_pool3d as avg_pool3d
from ..._C import _nn_max_pool1d as max_pool1d
from ..._C import _nn_max_pool1d_with_indices as max_pool1d_with_indices
from ..._C import _nn_max_pool2d as max_pool2d
from ..._C import _nn_max_pool2d_with_indices as max_pool2d_with_indices
from ..._C import _nn_max_pool3d as max_pool3d
from ..._C import _nn_max_pool3d_with_indices as max_pool3d_with_indices
from ..._overridable import offer_calls
from ._checks import need_tensor, precise

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

else:
    from ..._lazy import Any, Sequence

Sizes = int | Sequence[int]


def _sizes(value: Any, dims: int, name: str, function: str) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    if isinstance(value, (tuple, list)) and len(value) in (1, dims) and all(isinstance(n, int) for n in value):
        return tuple(value) * (dims // len(value))
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {type(value).__name__}")
    raise RuntimeError(f"{function}: {name} must either be a single int, or a tuple of {dims} ints")


def _batched(function: str, input: Any, dims: int) -> tuple[Tensor, bool]:
    """The input with a dim of samples, and whether it had one."""
    need_tensor(function, "input", 1, input)
    if input.dim() not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}: Expected {dims + 1}D or {dims + 2}D input, but got {list(input.shape)}")
    return (input, True) if input.dim() == dims + 2 else (input.unsqueeze(0), False)


# ------------------------------------------------------------------------------------------------------------
# Norms


def _lp_pool(dims: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    if math.isinf(norm_type):  # the largest size in a window, or the smallest
        most = (max_pool1d, max_pool2d, max_pool3d)[dims - 1]
        sizes = input.abs() if norm_type > 0 else -input.abs()
        extremes: Tensor = most(sizes, kernel_size, stride, 0, 1, ceil_mode)  # type: ignore[assignment]  # no indices
        return extremes if norm_type > 0 else -extremes
    average = (avg_pool1d, avg_pool2d, avg_pool3d)[dims - 1]
    mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    taps = math.prod(_sizes(kernel_size, dims, "kernel_size", f"lp_pool{dims}d"))
    powers = mean.detach().sign() * mean.abs().relu() * taps
    # A root has no finite slope at 0; as that of norm() it is 0.
    nothing = powers.detach() == 0
    roots: Tensor = _C.where(nothing, 0.0, _C.where(nothing, 1.0, powers).pow(1.0 / norm_type))
    return roots


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


def _adaptive_sizes(dims: int, input: Tensor, output_size: Any) -> Any:
    """One int for each dim; None stands for the input's size."""
    if isinstance(output_size, int):
        return output_size
    need_tensor("adaptive_pool", "input", 1, input)
    if input.dim() <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if None not in output_size or len(output_size) != dims:
        return output_size  # the op says what is wrong
    return [n if w is None else w for w, n in zip(output_size, input.shape[-dims:])]


def adaptive_avg_pool1d(input: Tensor, output_size: Sizes) -> Tensor:
    """Means of as many windows as output_size says. input: (N, C, L) or (C, L).

    Raises RuntimeError for other numbers of dims and empty ones.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """
    return _C._nn_adaptive_avg_pool1d(input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """adaptive_avg_pool1d() in two dims; None in output_size keeps a size.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool2d(gradcore.ones(1, 2, 5, 7), (1, None)).shape
    torch.Size([1, 2, 1, 7])
    """
    return _C._nn_adaptive_avg_pool2d(input, _adaptive_sizes(2, input, output_size))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """adaptive_avg_pool2d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_avg_pool3d(gradcore.ones(1, 2, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _C._nn_adaptive_avg_pool3d(input, _adaptive_sizes(3, input, output_size))


def adaptive_max_pool1d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """Maxima of as many windows as output_size says. input: (N, C, L) or (C, L). See adaptive_avg_pool1d().

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """
    return _C._nn_adaptive_max_pool1d(input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool1d() in two dims; None in output_size keeps a size.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool2d(gradcore.ones(1, 2, 5, 7), (1, None)).shape
    torch.Size([1, 2, 1, 7])
    """
    return _C._nn_adaptive_max_pool2d(input, _adaptive_sizes(2, input, output_size), return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d() in three dims.

    >>> import gradcore
    >>> gradcore.nn.functional.adaptive_max_pool3d(gradcore.ones(1, 2, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _C._nn_adaptive_max_pool3d(input, _adaptive_sizes(3, input, output_size), return_indices)


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


@precise
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
        if len(ratios) > dims:
            raise ValueError(f"{function} requires output_ratio to either be a single Int or tuple of Ints.")
        out = [int(n * r) for n, r in zip(sizes, ratios)]
    else:
        out = list(_sizes(output_size, dims, "output_size", function))
    given, batched = _batched(function, input, dims)
    batch, channels = given.shape[:2]
    if samples is None:
        samples = _C.rand((batch, channels, dims), dtype=input.dtype)
    found, index = _C._nn_fractional_max_pool(given, samples, kernel, out)
    if not batched:
        found, index = found.squeeze(0), index.squeeze(0)
    return (found, index) if return_indices else found


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
    unpool = (_C._nn_max_unpool1d, _C._nn_max_unpool2d, _C._nn_max_unpool3d)[dims - 1]
    found: Tensor = unpool(input, indices, [int(n) for n in out])
    return found


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


offer_calls(globals())
