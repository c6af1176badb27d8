"""The operators of torchvision, which its own library has for torch's tensors alone: on ops of gradcore.

`torch.ops.load_library` asks for them by register(). Gradients follow from the ops. Boxes (`rois`) are rows of the
image's number, x1, y1, x2, y2; as in torchvision, they get no gradient.
Source of each formula: https://docs.pytorch.org/vision/stable/ops.html and the papers that it names.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import gradcore

from ..library import Library
from ..nn import functional as F

_libraries: dict[str, Library] = {}


def register(name: str) -> bool:
    """Defines the operators of torchvision's library `name`, "_C" or "image"; False where it has no such library."""
    operators = {"_C": ("torchvision", _BOXES), "image": ("image", _IMAGES)}.get(name)
    if operators is None or name in _libraries:
        return operators is not None
    namespace, table = operators
    library = _libraries[name] = Library(namespace, "DEF")
    for schema, function in table.items():
        library.define(schema)
        library.impl(schema.partition("(")[0], function, "CompositeImplicitAutograd")
    for op in _NAMED if name == "_C" else ():
        library.define(f"{op}(Tensor input) -> Tensor")
    return True


# ---- boxes


def nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
    """Which boxes (n, 4) stay when each takes away those of lower score that cover too much of it: their int64 indices."""
    x1, y1, x2, y2 = dets.detach().float().numpy().T if dets.numel() else np.zeros((4, 0), np.float32)
    areas = (x2 - x1) * (y2 - y1)
    left = scores.detach().sort(descending=True, stable=True)[1].numpy()
    kept = []
    while left.size:
        first, left = left[0], left[1:]
        kept.append(first)
        width = np.minimum(x2[first], x2[left]) - np.maximum(x1[first], x1[left])
        height = np.minimum(y2[first], y2[left]) - np.maximum(y1[first], y1[left])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = left[~(common / (areas[first] + areas[left] - common) > iou_threshold)]
    return gradcore.tensor(np.array(kept, np.int64))


def _rows(rois: Any) -> Iterator[tuple[int, list[float]]]:
    """The image of each box, and its corners x1, y1, x2, y2."""
    for row in rois.detach().double().tolist():
        yield int(row[0]), row[1:]


def _stacked(results: list[Any], input: Any, channels: int, height: int, width: int) -> Any:
    return gradcore.stack(results) if results else input.new_empty((0, channels, height, width))


def _bilinear_means(start: float, size: float, bins: int, ratio: int, length: int, like: Any) -> Any:
    """(bins, length): row i takes the mean of a signal at `ratio` points of bin i, between its samples linearly."""
    points = ratio if ratio > 0 else max(math.ceil(size / bins), 0)
    weights = np.zeros((bins, length))
    at = start + (np.arange(bins)[:, None] + (np.arange(points) + 0.5) / max(points, 1)) * (size / bins)
    share = ((at >= -1) & (at <= length)) / max(points, 1)
    at = np.clip(at, 0, length - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, length - 1)
    bin_of = np.broadcast_to(np.arange(bins)[:, None], at.shape)
    np.add.at(weights, (bin_of, low), share * (1 - (at - low)))
    np.add.at(weights, (bin_of, high), share * (at - low))
    return gradcore.tensor(weights, dtype=like.dtype)


# The image of a box, and weights (bins, pixels) along its height and its width.
_Weights = tuple[int, Any, Any]


def _between_pixels(
    input: Any,
    rois: Any,
    scale: float,
    bins: tuple[int, int],
    ratio: int,
    offset: float = 0.5,
    least: float = -math.inf,
) -> Iterator[_Weights]:
    """Of each box, whose sides are `least` long at least, for means of values between pixels."""
    height, width = input.shape[-2:]
    for image, corners in _rows(rois):
        x1, y1, x2, y2 = (corner * scale - offset for corner in corners)
        down = _bilinear_means(y1, max(y2 - y1, least), bins[0], ratio, height, input)
        across = _bilinear_means(x1, max(x2 - x1, least), bins[1], ratio, width, input)
        yield image, down, across


def _by_position(input: Any, bins: tuple[int, int], boxes: Iterator[_Weights]) -> tuple[Any, Any]:
    """The values of boxes each of whose bins reads a channel of its own, and the channels that were read."""
    pixels = input.reshape(input.shape[0], -1, *bins, *input.shape[-2:])
    results = [gradcore.einsum("ih,cijhw,jw->cij", down, pixels[image], across) for image, down, across in boxes]
    channels = pixels.shape[1]
    read = gradcore.arange(channels * bins[0] * bins[1], dtype=gradcore.int32).view(1, channels, *bins)
    return _stacked(results, input, channels, *bins), read.repeat(len(results), 1, 1, 1)


def roi_align(
    input: Any,
    rois: Any,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Any:
    """(boxes, channels, pooled_height, pooled_width): means over bins of each box, of values between pixels (Mask R-CNN)."""
    bins = (pooled_height, pooled_width)
    limits = (0.5, -math.inf) if aligned else (0.0, 1.0)
    boxes = _between_pixels(input, rois, spatial_scale, bins, sampling_ratio, *limits)
    return _stacked([down @ input[image] @ across.t() for image, down, across in boxes], input, input.shape[1], *bins)


def ps_roi_align(
    input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int, sampling_ratio: int
) -> Any:
    """roi_align() with a group of channels for each bin (Light-Head R-CNN), and the channels that were read."""
    bins = (pooled_height, pooled_width)
    return _by_position(input, bins, _between_pixels(input, rois, spatial_scale, bins, sampling_ratio))


def _rounded(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))  # halves away from 0, as C rounds


def _bins(start: int, size: int, bins: int, last: int) -> list[tuple[int, int]]:
    """The first pixel of each bin and the one after its end, both between 0 and `last`."""
    step = size / bins
    edges = [(start + math.floor(i * step), start + math.ceil((i + 1) * step)) for i in range(bins)]
    return [(min(max(low, 0), last), min(max(high, 0), last)) for low, high in edges]


def roi_pool(input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int) -> Any:
    """Maxima over bins of whole pixels of each box (Fast R-CNN), 0 in an empty one, and the pixels where they stand."""
    channels, height, width = input.shape[1:]
    results, places = [], []
    for image, corners in _rows(rois):
        x1, y1, x2, y2 = (_rounded(corner * spatial_scale) for corner in corners)
        for top, bottom in _bins(y1, max(y2 - y1 + 1, 1), pooled_height, height):
            for left, right in _bins(x1, max(x2 - x1 + 1, 1), pooled_width, width):
                if bottom <= top or right <= left:
                    results.append(input.new_zeros(channels))
                    places.append(gradcore.full((channels,), -1))
                    continue
                value, at = input[image, :, top:bottom, left:right].flatten(1).max(1)
                results.append(value)
                places.append((top + at // (right - left)) * width + left + at % (right - left))
    if not results:
        shape = (0, channels, pooled_height, pooled_width)
        return input.new_empty(shape), gradcore.empty(shape, dtype=gradcore.int32)

    def as_boxes(bins: list[Any]) -> Any:
        return gradcore.stack(bins, -1).view(channels, -1, pooled_height, pooled_width).transpose(0, 1)

    return as_boxes(results).contiguous(), as_boxes(places).to(gradcore.int32)


def _box_means(start: int, size: int, bins: int, length: int, like: Any) -> Any:
    """(bins, length): row i takes the mean of the pixels of bin i, 0 of an empty one."""
    weights = np.zeros((bins, length))
    for i, (low, high) in enumerate(_bins(start, size, bins, length)):
        weights[i, low:high] = 1 / max(high - low, 1)
    return gradcore.tensor(weights, dtype=like.dtype)


def _whole_pixels(input: Any, rois: Any, scale: float, bins: tuple[int, int]) -> Iterator[_Weights]:
    """Of each box, for means of whole pixels."""
    height, width = input.shape[-2:]
    for image, corners in _rows(rois):
        x1, y1, x2, y2 = (_rounded(corner * scale) for corner in corners)
        down = _box_means(y1, max(y2 - y1, 1), bins[0], height, input)
        yield image, down, _box_means(x1, max(x2 - x1, 1), bins[1], width, input)


def ps_roi_pool(input: Any, rois: Any, spatial_scale: float, pooled_height: int, pooled_width: int) -> Any:
    """Means over bins of whole pixels, a group of channels for each bin (R-FCN), and the channels that were read."""
    bins = (pooled_height, pooled_width)
    return _by_position(input, bins, _whole_pixels(input, rois, spatial_scale, bins))


def deform_conv2d(
    input: Any,
    weight: Any,
    offset: Any,
    mask: Any,
    bias: Any,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    groups: int,
    offset_groups: int,
    use_mask: bool,
) -> Any:
    """A convolution whose taps read between pixels, at places moved by `offset` (Deformable ConvNets v2, with `mask`)."""
    batch, channels, height, width = input.shape
    out_channels, _, tall, wide = weight.shape
    rows = (height + 2 * pad_h - dilation_h * (tall - 1) - 1) // stride_h + 1
    columns = (width + 2 * pad_w - dilation_w * (wide - 1) - 1) // stride_w + 1
    if tuple(offset.shape) != (batch, 2 * offset_groups * tall * wide, rows, columns):
        raise RuntimeError(
            f"offset output dims: {tuple(offset.shape)} - computed output dims: "
            f"{(batch, 2 * offset_groups * tall * wide, rows, columns)}"
        )

    def places(moved: Any, length: int, taps: Any, outputs: int, stride: int, pad: int, axis: int) -> Any:
        """Where each tap reads, between -1 and 1 over all pixels, as grid_sample takes it."""
        shape = [1, 1, 1, 1, 1]
        shape[axis] = outputs
        at = gradcore.arange(outputs, dtype=input.dtype).mul(stride).sub(pad).view(shape)
        return (2 * (moved + at + taps) + 1) / length - 1

    moves = offset.reshape(batch, offset_groups, tall * wide, 2, rows, columns)
    tap_rows = gradcore.arange(tall, dtype=input.dtype).mul(dilation_h).repeat_interleave(wide).view(1, 1, -1, 1, 1)
    tap_columns = gradcore.arange(wide, dtype=input.dtype).mul(dilation_w).repeat(tall).view(1, 1, -1, 1, 1)
    y = places(moves[:, :, :, 0], height, tap_rows, rows, stride_h, pad_h, 3)
    x = places(moves[:, :, :, 1], width, tap_columns, columns, stride_w, pad_w, 4)
    grid = gradcore.stack([x, y], -1).view(batch * offset_groups, tall * wide * rows, columns, 2)
    pixels = input.reshape(batch * offset_groups, channels // offset_groups, height, width)
    read = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    read = read.view(batch, offset_groups, channels // offset_groups, tall * wide, rows, columns)
    if use_mask:
        read = read * mask.reshape(batch, offset_groups, 1, tall * wide, rows, columns)
    read = read.reshape(batch, groups, channels // groups * tall * wide, rows * columns)
    product = weight.reshape(groups, out_channels // groups, -1) @ read
    return product.view(batch, out_channels, rows, columns) + bias.view(1, -1, 1, 1)


_ROI = "(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width"
_BOXES: dict[str, Callable[..., Any]] = {
    "_cuda_version() -> int": lambda: -1,
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor": nms,
    f"roi_align{_ROI}, int sampling_ratio, bool aligned) -> Tensor": roi_align,
    f"roi_pool{_ROI}) -> (Tensor, Tensor)": roi_pool,
    f"ps_roi_align{_ROI}, int sampling_ratio) -> (Tensor, Tensor)": ps_roi_align,
    f"ps_roi_pool{_ROI}) -> (Tensor, Tensor)": ps_roi_pool,
    "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, int stride_h, int stride_w, "
    "int pad_h, int pad_w, int dilation_h, int dilation_w, int groups, int offset_groups, bool use_mask) -> Tensor": (
        deform_conv2d
    ),
}

# torchvision registers what these have no gradient of, or only the shape of. They are not there: a call is refused.
_NAMED = (
    *(f"_{op}_backward" for op in ("deform_conv2d", "ps_roi_align", "ps_roi_pool", "roi_align", "roi_pool")),
    "qnms",
    "qroi_align",
)


# ---- images, by Pillow

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # of torchvision's ImageReadMode; 0 leaves an image as it is


def _opened(data: Any) -> Any:
    try:
        from PIL import Image
    except ImportError as e:
        raise ImportError("torchvision's images are read and written by Pillow here: pip install pillow") from e
    if data is None:
        return Image
    try:
        return Image.open(io.BytesIO(data.contiguous().numpy().tobytes()))
    except OSError as e:
        raise RuntimeError(f"the image cannot be decoded: {e}") from e


def _pixels(image: Any) -> Any:
    """(channels, height, width), uint8 (uint16 of images that are)."""
    values = np.array(image)
    values = values[:, :, None] if values.ndim == 2 else values
    return gradcore.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))


def decode_image(data: Any, mode: int, apply_exif_orientation: bool = False) -> Any:
    """The pixels (channels, height, width) of an encoded image, a uint8 tensor of its bytes."""
    image = _opened(data)
    if apply_exif_orientation:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if mode == 1 and image.format == "PNG" and image.mode in ("RGB", "RGBA"):
        return _png_gray(image)
    if mode == 1:
        image.draft("L", image.size)  # a JPEG has its brightness
    if mode:
        image = image.convert(_MODES[mode])
    elif image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGBA" if "transparency" in image.info else "RGB")
    return _pixels(image)


def _png_gray(image: Any) -> Any:
    """As libpng does it, with the weights that torchvision gives it: 0.2989, 0.587 and what is left, over 2^15."""
    values = np.array(image).astype(np.int32)
    gray = (values[..., :3] @ np.array([9794, 19234, 3740])) >> 15
    return gradcore.from_numpy(gray[None].astype(np.uint8))


def decode_gif(data: Any) -> Any:
    """(3, height, width), or (frames, 3, height, width) of a moving one."""
    from PIL import ImageSequence

    frames = [_pixels(frame.convert("RGB")) for frame in ImageSequence.Iterator(_opened(data))]
    return gradcore.stack(frames) if len(frames) > 1 else frames[0]


def _encoded(pixels: Any, **options: Any) -> Any:
    values = np.moveaxis(pixels.numpy(), 0, -1)
    file = io.BytesIO()
    _opened(None).fromarray(values[:, :, 0] if values.shape[-1] == 1 else np.ascontiguousarray(values)).save(
        file, **options
    )
    return gradcore.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())


def encode_png(pixels: Any, compression_level: int) -> Any:
    """The bytes of a PNG of pixels (1 or 3, height, width)."""
    return _encoded(pixels, format="PNG", compress_level=compression_level)


def encode_jpeg(pixels: Any, quality: int) -> Any:
    """The bytes of a JPEG of pixels (1 or 3, height, width)."""
    return _encoded(pixels, format="JPEG", quality=quality)


def read_file(path: str) -> Any:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return gradcore.from_numpy(np.frombuffer(file.read(), np.uint8).copy())


def write_file(path: str, data: Any) -> None:
    """Writes bytes to a file."""
    with open(path, "wb") as file:
        file.write(data.contiguous().numpy().tobytes())


_DECODER = "(Tensor data, int mode, bool apply_exif_orientation=False) -> Tensor"
_IMAGES: dict[str, Callable[..., Any]] = {
    f"decode_image{_DECODER}": decode_image,
    f"decode_png{_DECODER}": decode_image,
    f"decode_jpeg{_DECODER}": decode_image,
    "decode_webp(Tensor data, int mode) -> Tensor": decode_image,
    "decode_gif(Tensor data) -> Tensor": decode_gif,
    "encode_png(Tensor pixels, int compression_level) -> Tensor": encode_png,
    "encode_jpeg(Tensor pixels, int quality) -> Tensor": encode_jpeg,
    "read_file(str path) -> Tensor": read_file,
    "write_file(str path, Tensor data) -> ()": write_file,
}
