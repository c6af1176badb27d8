"""Images: resizing, sampling at a grid, shuffled channels, patches as columns."""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor, channel_shuffle, native_channel_shuffle, pixel_shuffle, pixel_unshuffle
from ..._C import _nn_fold as fold
from ..._C import _nn_unfold as unfold
from ..._overridable import offer_calls, warn_caller
from ..._types import channels_last
from ._checks import SCALAR_NAMES, precise

__all__ = [
    "affine_grid",
    "affine_grid_generator",
    "channel_shuffle",
    "fold",
    "grid_sample",
    "interpolate",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
else:
    from ..._lazy import Any, Sequence


# ------------------------------------------------------------------------------------------------------------
# Resizing: each dim for itself, as a sum of a few taps

# The numbers of dims that a mode has.
_MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "trilinear": (3,),
    "bicubic": (2,),
    "lanczos": (2,),
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
    'bicubic', 'lanczos', 'trilinear' for their number of dims; align_corners: whether the corners' pixels, not their edges,
    are aligned; antialias: as image libraries shrink, for 'bilinear', 'bicubic' and 'lanczos', which needs it. Bytes (uint8) are rounded after each dim.
    Raises ValueError for what does not fit, NotImplementedError for a mode that does not have that number of dims.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    corners = bool(align_corners)
    sizes = input.shape
    dims = len(sizes) - 2
    out, factors = _resized(sizes, size, scale_factor, dims)
    if antialias and not (dims == 2 and mode in ("bilinear", "bicubic", "lanczos")):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode in ("linear", "bilinear", "trilinear") and dims in (1, 2, 3) and dims not in _MODES[mode]:
        raise NotImplementedError(f"Got {dims + 2}D input, but {mode} mode needs {_MODES[mode][0] + 2}D input")
    if dims not in _MODES.get(mode, ()):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{dims + 2}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | "
            f"nearest-exact (got {mode})"
        )
    if mode == "lanczos":
        return _lanczos(input, out, None if recompute_scale_factor else factors, corners, antialias)
    is_float = input.is_floating_point()
    is_computed = is_float or (input.dtype is _C.uint8 and mode in ("bilinear", "bicubic"))
    if not is_computed and mode != "nearest" and mode != "nearest-exact":
        raise NotImplementedError(f"\"interpolate\" not implemented for '{SCALAR_NAMES[input.dtype]}'")
    _need_sizes(sizes, out)
    if mode == "area":
        area = (_C._nn_adaptive_avg_pool1d, _C._nn_adaptive_avg_pool2d, _C._nn_adaptive_avg_pool3d)[dims - 1]
        return area(input, out)
    # A factor that was given is used as it is, unless it is to be recomputed from the sizes.
    kept = [] if recompute_scale_factor or factors is None else factors
    if is_computed:
        return _C._nn_upsample(input, out, mode, kept, corners, antialias)
    for i in range(dims):
        input = input.index_select(2 + i, _nearest(sizes[2 + i], out[i], kept[i] if kept else None, mode))
    return input.contiguous()


def _need_sizes(sizes: Sequence[int], out: list[int]) -> None:
    if min(out) <= 0 or 0 in sizes[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(sizes[2:])} output {out}"
        )


@precise
def _lanczos(input: Tensor, out: list[int], factors: Any, corners: bool, antialias: bool) -> Tensor:
    """Both dims by a product with a matrix of weights, the last one first."""
    if corners:
        raise ValueError("Lanczos mode does not support align_corners=True")
    if not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    dtype = input.dtype
    if dtype not in (_C.float32, _C.float64, _C.uint8):
        raise NotImplementedError(f"\"interpolate\" not implemented for '{SCALAR_NAMES[dtype]}' with mode 'lanczos'")
    _need_sizes(input.shape, out)
    rows, columns = (_lanczos_weights(input.shape[2 + i], out[i], factors[i] if factors else None) for i in (0, 1))
    if dtype is _C.uint8:
        found = _product_of_bytes(_product_of_bytes(input.mT, columns).mT, rows)
    else:
        found = rows.to(dtype).matmul(input.matmul(columns.to(dtype).t()))
    spread = input.is_contiguous(memory_format=channels_last) and not input.is_contiguous()
    return found.contiguous(memory_format=channels_last) if spread else found


def _product_of_bytes(x: Tensor, weights: Tensor) -> Tensor:
    """weights @ x with the weights as whole numbers of 15 bits over a power of two, as torch rounds them."""
    largest = float(weights.max())
    bits = next((n for n in range(22) if int(0.5 + largest * 2.0 ** (n + 1)) >= 2**15), 22)
    whole = (weights * 2.0**bits).add(0.5 * weights.sign()).trunc()
    sums = whole.matmul(x.to(_C.float64))  # exact: they have fewer than 53 bits
    return ((sums + 2.0 ** (bits - 1)) / 2.0**bits).floor().clamp(0, 255).to(_C.uint8)


def _lanczos_weights(size: int, out: int, factor: Any) -> Tensor:
    """(out, size): sinc(x) sinc(x / 3) within three pixels of the larger one of both grids, the sum of a row being 1.

    Source: C. Duchon, "Lanczos filtering in one and two dimensions", 1979.
    """
    step = 1 / factor if factor else size / out
    wide = max(step, 1.0)
    centers = ((_C.arange(out, dtype=_C.float64) + 0.5) * step).unsqueeze(1)
    pixels = _C.arange(size, dtype=_C.float64)
    first, end = ((centers + side * 3 * wide + 0.5).trunc() for side in (-1, 1))
    x = (pixels - centers + 0.5) / wide
    inside = (pixels >= first) & (pixels < end) & (x.abs() < 3)
    weights = (x.sinc() * (x / 3).sinc()).masked_fill(~inside, 0.0)
    return weights / weights.sum(1, keepdim=True)


def _resized(sizes: Sequence[int], size: Any, scale_factor: Any, dims: int) -> tuple[list[int], list[Any] | None]:
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        out = list(size) if isinstance(size, (tuple, list)) else [size] * dims
        if len(out) != dims:
            raise ValueError(
                f"Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
                f"{list(sizes[2:])} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
                "format and output size in (o1, o2, ...,oK) format."
            )
        if any((isinstance(n, Tensor) and n.is_floating_point()) or not hasattr(n, "__index__") for n in out):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size with "
                f"types {[type(n) for n in out]}"
            )
        return [int(n) for n in out], None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = list(scale_factor) if isinstance(scale_factor, (tuple, list)) else [scale_factor] * dims
    if len(factors) != dims:
        raise ValueError(
            f"Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(sizes[2:])} and scale_factor of shape {scale_factor}. Please provide input tensor in (N, C, d1, "
            "d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    return [math.floor(float(sizes[2 + i]) * f) for i, f in enumerate(factors)], factors


def _nearest(size: int, out: int, factor: Any, mode: str) -> Tensor:
    """Which pixel of the input each output is, in a dim."""
    # torch computes in float32, whose rounding decides between neighbours.
    step = _C.tensor(1 / factor if factor else size / out, dtype=_C.float32)
    position = _C.arange(out, dtype=_C.float32)
    if mode == "nearest-exact":
        position = position + 0.5
    return (position * step).floor().long().clamp(0, size - 1)


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The old name of interpolate(); warns.

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.ones(1, 1, 2), 4).shape
    torch.Size([1, 1, 4])
    """
    warn_caller("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate() with mode 'nearest'; warns.

    >>> import gradcore
    >>> gradcore.nn.functional.interpolate(gradcore.ones(1, 1, 2), 4, mode="nearest").shape
    torch.Size([1, 1, 4])
    """
    warn_caller("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate() with mode 'bilinear' and align_corners; warns.

    >>> import gradcore
    >>> x = gradcore.ones(1, 1, 2, 2)
    >>> gradcore.nn.functional.interpolate(x, 4, mode="bilinear", align_corners=True).shape
    torch.Size([1, 1, 4, 4])
    """
    warn_caller("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
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
        warn_caller(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        )
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{list(size)}."
        )
    if align_corners and min(size[2:]) == 1:
        warn_caller(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not an "
            "intended use case of affine_grid. See the documentation of affine_grid for details.",
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


_SAMPLE_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


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
    if mode not in _SAMPLE_MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDING_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warn_caller(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        )
        align_corners = False
    return _C.grid_sampler(input, grid, _SAMPLE_MODES[mode], _PADDING_MODES[padding_mode], align_corners)


offer_calls(globals(), but=("upsample", "upsample_bilinear", "upsample_nearest"))
