"""Convolutions in one, two and three dims, and transposed ones.

Note [Convolution as a product]
The windows of the input, copied into a matrix (C * kernel, N * places), are multiplied with the weights (out, C * kernel) in
one product, for all samples together. A transposed convolution is the transpose of that: a product first, whose columns are
then added where they overlap. Every step is an operation that is differentiated by itself.
"""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ._checks import SCALAR_NAMES, ints, need_tensor
from ._pad import _constant
from ._windows import out_sizes, overlap_add, product, windows

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Sizes = int | Sequence[int]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, p] = bias[o] + sum over c, k of weight[o, c, k] * input[n, c, p * stride + k * dilation - padding].

    input: (N, C, L) or (C, L); weight: (out, C / groups, kernel); bias: (out). padding: zeros at both ends, or 'valid', or
    'same'. Raises RuntimeError for sizes and dtypes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html

    >>> import gradcore
    >>> gradcore.nn.functional.conv1d(gradcore.tensor([[[1.0, 2.0, 4.0]]]), gradcore.tensor([[[1.0, -1.0]]]))
    tensor([[[-1., -2.]]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """conv1d() in two dims. input: (N, C, H, W) or (C, H, W); weight: (out, C / groups, kH, kW).

    >>> import gradcore
    >>> gradcore.nn.functional.conv2d(gradcore.ones(1, 1, 3, 3), gradcore.ones(1, 1, 2, 2), padding=1)[0, 0]
    tensor([[1., 2., 2., 1.],
            [2., 4., 4., 2.],
            [2., 4., 4., 2.],
            [1., 2., 2., 1.]])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """conv1d() in three dims. input: (N, C, D, H, W) or (C, D, H, W); weight: (out, C / groups, kD, kH, kW).

    >>> import gradcore
    >>> gradcore.nn.functional.conv3d(gradcore.ones(1, 2, 3, 3, 3), gradcore.ones(4, 2, 2, 2, 2)).shape
    torch.Size([1, 4, 2, 2, 2])
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    name = f"conv{dims}d"
    need_tensor(name, "input", 1, input)
    need_tensor(name, "weight", 2, weight)
    if input.dim() == dims + 1:
        return _conv(dims, input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
    if type(stride) is not tuple or len(stride) != dims:
        stride = ints(stride, dims, "stride", name)
    if type(dilation) is not tuple or len(dilation) != dims:
        dilation = ints(dilation, dims, "dilation", name)
    kernel = weight.shape[2:]
    if isinstance(padding, str):
        input, padding = _padded_by_name(dims, input, weight, stride, padding, dilation, groups)
    elif type(padding) is not tuple or len(padding) != dims:
        padding = ints(padding, dims, "padding", name)
    _check(dims, input, weight, bias, stride, padding, dilation, groups, transposed=False)
    out = out_sizes(input.shape[2:], kernel, stride, padding, dilation)
    _check_kernel(input, kernel, padding, dilation, out)
    if any(padding):
        input = _constant(input, [p for n in reversed(padding) for p in (n, n)], 0.0)
    return _product(input, weight, bias, kernel, stride, dilation, groups, out)


def _product(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    out: Sequence[int],
) -> Tensor:
    """See Note [Convolution as a product]."""
    batch, channels = input.shape[:2]
    out_channels = weight.shape[0]
    dims = len(kernel)
    # (C, *kernel, N, *out): channels first, so that a group is a block of rows.
    view = windows(input, kernel, stride, dilation, out)
    order = (dims + 1, *range(dims), dims, *range(dims + 2, 2 * dims + 2))
    view = view.permute(order)
    places = batch * product(out)
    if groups == 1:
        columns = view.reshape(channels * product(kernel), places)
        matrix = weight.reshape(out_channels, -1)
        found = matrix.mm(columns) if bias is None else _C.addmm(bias.unsqueeze(1), matrix, columns)
    else:
        columns = view.reshape(groups, channels // groups * product(kernel), places)
        found = weight.reshape(groups, out_channels // groups, -1).bmm(columns).view(out_channels, places)
        if bias is not None:
            found = found + bias.unsqueeze(1)
    if batch == 1:
        return found.view(1, out_channels, *out)
    return found.view(out_channels, batch, *out).transpose(0, 1).contiguous()


def _padded_by_name(
    dims: int, input: Tensor, weight: Tensor, stride: Any, padding: str, dilation: Any, groups: int
) -> tuple[Tensor, tuple[int, ...]]:
    """The input with what 'same' adds at one end only, and what it adds at both."""
    if padding == "valid":
        return input, (0,) * dims
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
    if input.dim() == dims + 2 and any(t % 2 for t in totals):
        input = _constant(input, [p for t in reversed(totals) for p in (0, t % 2)], 0.0)
    return input, tuple(t // 2 for t in totals)


def _check(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    transposed: bool,
) -> None:
    name = f"conv{'_transpose' if transposed else ''}{dims}d"
    if weight.dim() != dims + 2 or input.dim() != dims + 2:
        if input.dim() == dims + 2 or weight.dim() != dims + 2:
            raise RuntimeError(
                f"Expected {weight.dim()}-dimensional input for {weight.dim()}-dimensional weight "
                f"{list(weight.shape)}, but got {input.dim()}-dimensional input of size {list(input.shape)} instead"
            )
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}"
        )
    if input.dtype != weight.dtype or not input.is_floating_point():
        kinds = f"{SCALAR_NAMES[input.dtype].lower()} and {SCALAR_NAMES[weight.dtype].lower()}"
        raise RuntimeError(f"{name}: input and weight must have one float dtype, and have {kinds}")
    if bias is not None and bias.dtype != input.dtype:
        names = f"({SCALAR_NAMES[input.dtype].lower()}) and bias type ({SCALAR_NAMES[bias.dtype].lower()})"
        raise RuntimeError(f"Input type {names} should be the same")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if any(p < 0 for p in padding):
        raise RuntimeError("negative padding is not supported")
    if any(s <= 0 for s in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise RuntimeError("dilation should be greater than zero")
    if weight.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(weight.shape)} instead"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"{list(weight.shape)} instead"
        )
    expected = weight.shape[0] if transposed else weight.shape[1] * groups
    if input.shape[1] != expected:
        kind = "transposed=1, weight" if transposed else f"groups={groups}, weight"
        raise RuntimeError(
            f"Given {kind} of size {list(weight.shape)}, expected input{list(input.shape)} to have {expected} channels, but "
            f"got {input.shape[1]} channels instead"
        )
    made = weight.shape[1] * groups if transposed else weight.shape[0]
    if bias is not None and (bias.dim() != 1 or bias.shape[0] != made):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {made} elements, but got "
            f"bias of size {list(bias.shape)} instead"
        )


def _check_kernel(
    input: Tensor, kernel: Sequence[int], padding: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> None:
    if min(out, default=1) > 0:
        return
    padded = " x ".join(str(n + 2 * p) for n, p in zip(input.shape[2:], padding))
    reach = " x ".join(str(d * (k - 1) + 1) for k, d in zip(kernel, dilation))
    raise RuntimeError(
        f"Calculated padded input size per channel: ({padded}). Kernel size: ({reach}). Kernel size can't be greater than "
        "actual input size"
    )


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """What conv1d() with the same weight, stride and padding does to gradients, as a layer: it makes inputs longer.

    input: (N, C, L) or (C, L); weight: (C, out / groups, kernel); bias: (out). The result is (L - 1) * stride - 2 * padding
    + dilation * (kernel - 1) + output_padding + 1 long. Raises RuntimeError for sizes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html

    >>> import gradcore
    >>> gradcore.nn.functional.conv_transpose1d(gradcore.tensor([[[1.0, 2.0]]]), gradcore.ones(1, 1, 2), stride=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """conv_transpose1d() in two dims. input: (N, C, H, W) or (C, H, W); weight: (C, out / groups, kH, kW).

    >>> import gradcore
    >>> gradcore.nn.functional.conv_transpose2d(gradcore.ones(1, 3, 4, 4), gradcore.ones(3, 2, 3, 3), stride=2).shape
    torch.Size([1, 2, 9, 9])
    """
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """conv_transpose1d() in three dims. input: (N, C, D, H, W) or (C, D, H, W); weight: (C, out / groups, kD, kH, kW).

    >>> import gradcore
    >>> gradcore.nn.functional.conv_transpose3d(gradcore.ones(1, 3, 2, 2, 2), gradcore.ones(3, 2, 3, 3, 3)).shape
    torch.Size([1, 2, 4, 4, 4])
    """
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _conv_transpose(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    name = f"conv_transpose{dims}d"
    need_tensor(name, "input", 1, input)
    need_tensor(name, "weight", 2, weight)
    if input.dim() == dims + 1:
        samples = input.unsqueeze(0)
        found = _conv_transpose(dims, samples, weight, bias, stride, padding, output_padding, groups, dilation)
        return found.squeeze(0)
    stride = ints(stride, dims, "stride", name)
    padding = ints(padding, dims, "padding", name)
    more = ints(output_padding, dims, "output_padding", name)
    dilation = ints(dilation, dims, "dilation", name)
    _check(dims, input, weight, bias, stride, padding, dilation, groups, transposed=True)
    if any(m < 0 for m in more):
        raise RuntimeError("negative output_padding is not supported")
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{list(more)} stride: {list(stride)} dilation: {list(dilation)}"
        )
    kernel = weight.shape[2:]
    places = input.shape[2:]
    whole = [(n - 1) * s + d * (k - 1) + 1 + m for n, s, d, k, m in zip(places, stride, dilation, kernel, more)]
    out = [n - 2 * p for n, p in zip(whole, padding)]
    if min(out) <= 0:
        size = " x ".join(str(n) for n in places)
        result = " x ".join(str(n) for n in out)
        raise RuntimeError(
            f"Given input size per channel: ({size}). Calculated output size per channel: ({result}). Output size is too small"
        )
    batch, channels = input.shape[:2]
    made = weight.shape[1] * groups
    matrix = weight.reshape(groups, channels // groups, made // groups * product(kernel)).transpose(1, 2)
    columns = matrix.unsqueeze(0).matmul(input.reshape(batch, groups, channels // groups, product(places)))
    columns = columns.reshape(batch, made, product(kernel) * product(places))
    found = overlap_add(columns, whole, kernel, stride, dilation, places)
    for i, p in enumerate(padding):
        if p:
            found = found.narrow(2 + i, p, out[i])
    if bias is not None:
        found = found + bias.view(-1, *[1] * dims)
    return found.contiguous()
