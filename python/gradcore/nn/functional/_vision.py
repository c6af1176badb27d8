"""Images: resizing, sampling at a grid, shuffled channels, patches as columns."""

from __future__ import annotations

import math
import warnings

from ... import _C
from ..._C import Tensor
from ._checks import SCALAR_NAMES, precise
from ._windows import in_order_of, out_sizes, overlap_add, product, windows

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


# ------------------------------------------------------------------------------------------------------------
# Shuffles


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Groups of r^2 channels become r x r pixels: (..., C * r^2, H, W) to (..., C, H * r, W * r).

    Raises RuntimeError for fewer than three dims and a number of channels that does not fit.
    Source: W. Shi et al., "Real-time single image and video super-resolution", 2016.

    >>> import gradcore
    >>> gradcore.nn.functional.pixel_shuffle(gradcore.arange(4.0).view(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}"
        )
    parts = input.reshape(*batch, channels // (r * r), r, r, height, width)
    n = len(batch)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    found = parts.permute(order).reshape(*batch, channels // (r * r), height * r, width * r)
    return in_order_of(input, found)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """What pixel_shuffle() did, undone: (..., C, H * r, W * r) to (..., C * r^2, H, W).

    >>> import gradcore
    >>> gradcore.nn.functional.pixel_unshuffle(gradcore.ones(1, 4, 4), 2).shape
    torch.Size([4, 2, 2])
    """
    r = downscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    for name, dim, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={size} is not "
                f"divisible by {r}"
            )
    parts = input.reshape(*batch, channels, height // r, r, width // r, r)
    n = len(batch)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    found = parts.permute(order).reshape(*batch, channels * r * r, height // r, width // r)
    return in_order_of(input, found)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels in the order 0, C / groups, 2 C / groups, ..., 1 ... input: (N, C, ...).

    Source: X. Zhang et al., "ShuffleNet", 2017.

    >>> import gradcore
    >>> gradcore.nn.functional.channel_shuffle(gradcore.arange(4.0).view(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    if input.dim() < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if input.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} groups."
        )
    found = input.unflatten(1, (groups, input.shape[1] // groups)).transpose(1, 2).flatten(1, 2)
    return in_order_of(input, found) if input.dim() == 4 else found


native_channel_shuffle = channel_shuffle


# ------------------------------------------------------------------------------------------------------------
# Patches as columns


def _pair(value: Any, name: str, function: str) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value, value)
    found = tuple(value)
    if len(found) == 1:
        return found * 2
    if len(found) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(found)}")
    return found


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of a convolution as columns: (N, C, H, W) to (N, C * kernel, windows), or without N.

    Raises RuntimeError for sizes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html

    >>> import gradcore
    >>> gradcore.nn.functional.unfold(gradcore.arange(6.0).view(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    kernel, dilation, padding, stride = (
        _pair(v, n, "unfold")
        for v, n in ((kernel_size, "kernel_size"), (dilation, "dilation"), (padding, "padding"), (stride, "stride"))
    )
    _check_positive(kernel, dilation, padding, stride)
    if input.dim() not in (3, 4) or 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
            f"got: {list(input.shape)}"
        )
    samples = input if input.dim() == 4 else input.unsqueeze(0)
    out = out_sizes(samples.shape[2:], kernel, stride, padding, dilation)
    if min(out) < 1:
        size = tuple(samples.shape[2:])
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, calculated shape of the array of sliding blocks as {tuple(out)}, which is too small "
            "(non-positive)"
        )
    if any(padding):
        samples = _C.constant_pad_nd(samples, [padding[1], padding[1], padding[0], padding[0]])
    view = windows(samples, kernel, stride, dilation, out).permute(2, 3, 0, 1, 4, 5)
    found = view.reshape(samples.shape[0], samples.shape[1] * product(kernel), product(out))
    return found if input.dim() == 4 else found.squeeze(0)


def _check_positive(
    kernel: Sequence[int], dilation: Sequence[int], padding: Sequence[int], stride: Sequence[int]
) -> None:
    for name, values in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(values) <= 0:
            raise RuntimeError(f"{name} should be greater than zero, but got {name}: {list(values)}")
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got padding: {list(padding)}")


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The transpose of unfold(): columns (N, C * kernel, windows) are added where they lie in (N, C, *output_size).

    Raises RuntimeError for sizes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html

    >>> import gradcore
    >>> gradcore.nn.functional.fold(gradcore.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    size = _pair(output_size, "output_size", "fold")
    kernel, dilation, padding, stride = (
        _pair(v, n, "fold")
        for v, n in ((kernel_size, "kernel_size"), (dilation, "dilation"), (padding, "padding"), (stride, "stride"))
    )
    _check_positive(kernel, dilation, padding, stride)
    if input.dim() not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, "
            f"but got: {list(input.shape)}"
        )
    samples = input if input.dim() == 3 else input.unsqueeze(0)
    taps = product(kernel)
    if samples.shape[1] % taps:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={samples.shape[1]} and kernel_size={kernel}."
        )
    out = out_sizes(size, kernel, stride, padding, dilation)
    if samples.shape[2] != product(out) or min(out) < 1:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, "
            "expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{out[0]} * {out[1]} = {product(out)}, but got input.size(2)={samples.shape[2]}."
        )
    whole = [n + 2 * p for n, p in zip(size, padding)]
    columns = samples.reshape(samples.shape[0], samples.shape[1] // taps, taps * product(out))
    found = overlap_add(columns, whole, kernel, stride, dilation, out)
    for i, p in enumerate(padding):
        if p:
            found = found.narrow(2 + i, p, size[i])
    found = found.contiguous()
    return found if input.dim() == 3 else found.squeeze(0)


# ------------------------------------------------------------------------------------------------------------
# Resizing: each dim for itself, as a sum of a few taps

_MODES = {
    "nearest": (3, 4, 5),
    "nearest-exact": (3, 4, 5),
    "area": (3, 4, 5),
    "linear": (3,),
    "bilinear": (4,),
    "trilinear": (5,),
    "bicubic": (4,),
}


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """The input at another resolution: size, or scale_factor times the input's.

    input: (N, C, L), (N, C, H, W) or (N, C, D, H, W); mode: 'nearest', 'nearest-exact', 'area', or 'linear', 'bilinear',
    'bicubic', 'trilinear' for their number of dims; align_corners: whether the corners' pixels, not their edges, are
    aligned; antialias: as image libraries shrink, for 'bilinear' and 'bicubic'. Raises ValueError for what does not fit,
    NotImplementedError for a mode that does not have that number of dims.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    corners = bool(align_corners)
    dims = input.dim() - 2
    out, factors = _resized(input, size, scale_factor, dims)
    if antialias and not (mode in ("bilinear", "bicubic") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    if input.dim() not in _MODES.get(mode, (3, 4, 5)):
        raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {_MODES[mode][0]}D input")
    if mode not in _MODES or dims not in (1, 2, 3):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.dim()}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got "
            f"{mode})"
        )
    if not input.is_floating_point() and mode != "nearest" and mode != "nearest-exact":
        raise NotImplementedError(f"\"interpolate\" not implemented for '{SCALAR_NAMES[input.dtype]}'")
    if min(out) <= 0 or 0 in input.shape[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(input.shape[2:])} output {out}"
        )
    if mode == "area":
        area = (_C._nn_adaptive_avg_pool1d, _C._nn_adaptive_avg_pool2d, _C._nn_adaptive_avg_pool3d)[dims - 1]
        return area(input, out)
    # A factor that was given is used as it is, unless it is to be recomputed from the sizes.
    kept = [] if recompute_scale_factor or factors is None else factors
    if input.is_floating_point():
        return _C._nn_upsample(input, out, mode, kept, corners, antialias)
    for i in range(dims):
        input = input.index_select(2 + i, _nearest(input.shape[2 + i], out[i], kept[i] if kept else None, mode))
    return input.contiguous()


def _resized(input: Tensor, size: Any, scale_factor: Any, dims: int) -> tuple[list[int], list[Any] | None]:
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        out = list(size) if isinstance(size, (tuple, list)) else [size] * dims
        if len(out) != dims:
            raise ValueError(
                f"Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
                f"{list(input.shape[2:])} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
                "format and output size in (o1, o2, ...,oK) format."
            )
        return [int(n) for n in out], None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = list(scale_factor) if isinstance(scale_factor, (tuple, list)) else [scale_factor] * dims
    if len(factors) != dims:
        raise ValueError(
            f"Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(input.shape[2:])} and scale_factor of shape {scale_factor}. Please provide input tensor in (N, C, d1, "
            "d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    return [math.floor(float(n) * f) for n, f in zip(input.shape[2:], factors)], factors


def _nearest(size: int, out: int, factor: Any, mode: str) -> Tensor:
    """Which pixel of the input each output is, in a dim."""
    # torch computes in float32, whose rounding decides between neighbours.
    step = _C.tensor(1 / factor if factor else size / out, dtype=_C.float32)
    position = _C.arange(out, dtype=_C.float32)
    if mode == "nearest-exact":
        position = position + 0.5
    return (position * step).floor().long().clamp(0, size - 1)


def _cubic(x: Tensor, a: float) -> Tensor:
    """Keys's kernel of cubic convolution."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    found: Tensor = _C.where(x <= 1, near, _C.where(x < 2, far, 0.0))
    return found


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The old name of interpolate(); warns.

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.ones(1, 1, 2), 4).shape
    torch.Size([1, 1, 4])
    """
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate() with mode 'nearest'; warns.

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.ones(1, 1, 2), 4, mode="nearest").shape
    torch.Size([1, 1, 4])
    """
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate() with mode 'bilinear' and align_corners; warns.

    >>> import gradcore
    >>> x = gradcore.ones(1, 1, 2, 2)
    >>> gradcore.nn.functional.interpolate(x, 4, mode="bilinear", align_corners=True).shape
    torch.Size([1, 1, 4, 4])
    """
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


# ------------------------------------------------------------------------------------------------------------
# Sampling at a grid


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that affine maps take the pixels of an image to, for grid_sample().

    theta: (N, 2, 3) and size (N, C, H, W), or (N, 3, 4) and (N, C, D, H, W); the result is (N, H, W, 2) or (N, D, H, W, 3).
    Raises ValueError for other shapes.
    Source: M. Jaderberg et al., "Spatial transformer networks", 2015.

    >>> import gradcore
    >>> theta = gradcore.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> gradcore.nn.functional.affine_grid(theta, (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=2,
        )
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{list(size)}."
        )
    return affine_grid_generator(theta, size, align_corners)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """affine_grid() by torch's older name, with `align_corners` given.

    >>> import gradcore
    >>> theta = gradcore.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> gradcore.affine_grid_generator(theta, (1, 1, 1, 2), True).shape
    torch.Size([1, 1, 2, 2])
    """
    if len(size) not in (4, 5):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    dims = len(size) - 2
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {list(size)}. Got "
            f"{theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    spatial = size[2:]
    axes = []
    for i in reversed(range(dims)):  # x comes first
        axis = _axis(spatial[i], align_corners, theta.dtype)
        axes.append(axis.view([-1 if j == i else 1 for j in range(dims)]).expand(tuple(spatial)))
    axes.append(_C.ones(tuple(spatial), dtype=theta.dtype))
    base = _C.stack(axes, -1).view(1, -1, dims + 1)
    found: Tensor = base.matmul(theta.transpose(1, 2)).view(size[0], *spatial, dims)
    return found


def _axis(count: int, align_corners: bool, dtype: _C.dtype) -> Tensor:
    if count <= 1:
        return _C.zeros(count, dtype=dtype)
    axis = _C.linspace(-1, 1, count, dtype=dtype)
    return axis if align_corners else axis * ((count - 1) / count)


@precise
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input at the places of a grid, whose coordinates go from -1 to 1 over the image, x first.

    input: (N, C, H, W) and grid (N, h, w, 2), or (N, C, D, H, W) and (N, d, h, w, 3); mode: 'bilinear', 'nearest', and for
    images 'bicubic'; padding_mode: 'zeros', 'border' or 'reflection'. Raises ValueError and RuntimeError for what does not
    fit. Source: M. Jaderberg et al., "Spatial transformer networks", 2015.

    >>> import gradcore
    >>> image = gradcore.tensor([[[[1.0, 3.0]]]])
    >>> gradcore.nn.functional.grid_sample(image, gradcore.zeros(1, 1, 1, 2), align_corners=True)
    tensor([[[[2.]]]])
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=2,
        )
        align_corners = False
    dims = input.dim() - 2
    _check_grid(input, grid, mode, dims)
    sizes = input.shape[2:]
    at = [_unnormalized(grid[..., dims - 1 - i], n, align_corners) for i, n in enumerate(sizes)]  # z, y, x
    if mode != "bicubic":
        at = [_into_range(x, n, padding_mode, align_corners) for x, n in zip(at, sizes)]
    per_dim: list[list[tuple[Tensor, Any]]] = []
    for x in at:
        if mode == "nearest":
            per_dim.append([(x.detach().round(), x * 0 + 1 if x.requires_grad else None)])  # the derivative is 0
        elif mode == "bilinear":
            low = x.detach().floor()
            share = x - low
            per_dim.append([(low, 1 - share), (low + 1, share)])
        else:
            low = x.detach().floor()
            per_dim.append([(low + k, _cubic((x - low - k).abs(), -0.75)) for k in range(-1, 3)])
    if mode == "bicubic":  # each tap is brought into the image for itself
        per_dim = [
            [(_into_range(i, n, padding_mode, align_corners).round(), w) for i, w in taps]
            for taps, n in zip(per_dim, sizes)
        ]
    flat = input.flatten(2)
    places = grid.shape[1:-1]
    return _sum_of_corners(flat, per_dim, list(sizes)).unflatten(2, places)


def _sum_of_corners(flat: Tensor, per_dim: list[list[tuple[Tensor, Any]]], sizes: list[int]) -> Tensor:
    """The sum over all combinations of one tap per dim of weight times element; what lies outside is 0."""
    combinations: list[tuple[Any, Any, Any]] = [(0, None, None)]  # flat index, weight, inside
    for taps, n in zip(per_dim, sizes):
        grown = []
        for index, weight, inside in combinations:
            for position, share in taps:
                within = (position >= 0) & (position <= n - 1)
                place = position.clamp(0, n - 1)
                place = _C.where(place == place, place, 0.0).long()  # NaN goes anywhere
                both = within if inside is None else inside & within
                product_ = share if weight is None else weight * share if share is not None else weight
                grown.append((index * n + place, product_, both))
        combinations = grown
    total: Any = None
    batch, channels = flat.shape[:2]
    for index, weight, inside in combinations:
        rows = index.reshape(batch, 1, -1).expand(batch, channels, -1)
        part = flat.gather(2, rows)
        scale = inside.to(flat.dtype) if weight is None else _C.where(inside, weight, 0.0)
        part = part * scale.reshape(batch, 1, -1)
        total = part if total is None else total + part
    found: Tensor = total
    return found


def _check_grid(input: Tensor, grid: Tensor, mode: str, dims: int) -> None:
    if dims not in (2, 3) or grid.dim() != input.dim():
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if grid.shape[-1] != dims:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {dims} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    if input.dtype != grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have the same dtype, but input has {SCALAR_NAMES[input.dtype]} and "
            f"grid has {SCALAR_NAMES[grid.dtype]}"
        )
    if 0 in input.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
            f"{list(input.shape)}"
        )
    if mode == "bicubic" and dims == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _unnormalized(x: Tensor, size: int, align_corners: bool) -> Tensor:
    return (x + 1) / 2 * (size - 1) if align_corners else ((x + 1) * size - 1) / 2


def _into_range(x: Tensor, size: int, padding_mode: str, align_corners: bool) -> Tensor:
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        x = _reflected(x, 0.0, float(size - 1)) if align_corners else _reflected(x, -0.5, size - 0.5)
    return _clipped(x, size)


def _clipped(x: Tensor, size: int) -> Tensor:
    """Clamped to the image, with no gradient at its borders, as torch has it."""
    found: Tensor = _C.where(x <= 0, 0.0, _C.where(x >= size - 1, float(size - 1), x))
    return found


def _reflected(x: Tensor, low: float, high: float) -> Tensor:
    span = high - low
    if span == 0:
        return x * 0
    distance = x - low
    distance = _C.where(distance < 0, -distance, distance)
    turns = (distance.detach() / span).floor()
    rest = distance - turns * span
    found: Tensor = _C.where(turns % 2 == 0, rest + low, high - rest)
    return found
