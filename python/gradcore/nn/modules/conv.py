"""Convolution layers."""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module
from .utils import _ntuple, _pair, _reverse_repeat_tuple, _single, _triple  # noqa: F401  (packages take some from here)

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

else:
    from ..._lazy import Any, Sequence

Sizes = int | tuple[int, ...]

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    __constants__ = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: Any,
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(in_channels, out_channels, groups, padding, stride, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._padding_list()
        shape = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(_C.empty((*shape, *kernel_size), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(_C.empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    @staticmethod
    def _check(
        in_channels: int, out_channels: int, groups: int, padding: Any, stride: tuple[int, ...], padding_mode: str
    ) -> None:
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {set(_PADDING_MODES)}, but got padding_mode='{padding_mode}'"
            )

    def _padding_list(self) -> list[int]:
        """What functional.pad() takes, where the padding is not zeros."""
        if not isinstance(self.padding, str):
            return list(_reverse_repeat_tuple(self.padding, 2))
        found = []
        for d, k in zip(reversed(self.dilation), reversed(self.kernel_size)):
            total = d * (k - 1) if self.padding == "same" else 0
            found += [total // 2, total - total // 2]
        return found

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _ForwardConv(_ConvNd):
    """What Conv1d, Conv2d and Conv3d have in common."""

    _dims = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            padding if isinstance(padding, str) else each(padding),
            each(dilation),
            False,
            (0,) * self._dims,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._dims
        convolution = (F.conv1d, F.conv2d, F.conv3d)[self._dims - 1]
        return convolution(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        own = self._parameters  # see Linear.forward
        if "weight" in own and "bias" in own:
            return self._conv_forward(input, own["weight"], own["bias"])  # type: ignore[arg-type]
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_ForwardConv):
    """A convolution from (N, in_channels, L) or (in_channels, L); see functional.conv1d().

    weight: (out_channels, in_channels / groups, kernel), drawn uniformly from +-1 / sqrt(in_channels / groups * kernel);
    bias: (out_channels), in the same way, or None. padding: a number, 'same' or 'valid'; padding_mode: 'zeros', 'reflect',
    'replicate' or 'circular'. Raises ValueError for arguments that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html

    >>> import gradcore
    >>> gradcore.nn.Conv1d(16, 33, 3, stride=2)(gradcore.ones(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    _dims = 1


class Conv2d(_ForwardConv):
    """A convolution from (N, in_channels, H, W) or (in_channels, H, W); see Conv1d.

    >>> import gradcore
    >>> gradcore.nn.Conv2d(3, 8, (3, 5), padding="same")(gradcore.ones(2, 3, 10, 10)).shape
    torch.Size([2, 8, 10, 10])
    """

    _dims = 2


class Conv3d(_ForwardConv):
    """A convolution from (N, in_channels, D, H, W) or (in_channels, D, H, W); see Conv1d.

    >>> import gradcore
    >>> gradcore.nn.Conv3d(3, 4, 2)(gradcore.ones(1, 3, 4, 4, 4)).shape
    torch.Size([1, 4, 3, 3, 3])
    """

    _dims = 3


class _ConvTransposeNd(_ConvNd):
    """What ConvTranspose1d, 2d and 3d have in common."""

    _dims = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            each(padding),
            each(dilation),
            True,
            each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: Sequence[int] | None,
        stride: Sequence[int],
        padding: Sequence[int],
        kernel_size: Sequence[int],
        num_spatial_dims: int,
        dilation: Sequence[int] | None = None,
    ) -> Sequence[int]:
        """The padding at the end that gives the output this size."""
        if output_size is None:
            return self.output_padding
        dims = num_spatial_dims
        outer = 2 if input.dim() == dims + 2 else 1
        wanted = list(output_size)
        if len(wanted) == outer + dims:
            wanted = wanted[outer:]
        if len(wanted) != dims:
            raise ValueError(
                f"ConvTranspose{dims}D: for {input.dim()}D input, output_size must have {dims} or {outer + dims} elements "
                f"(got {len(output_size)})"
            )
        parts = zip(input.shape[outer:], stride, padding, dilation or (1,) * dims, kernel_size)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in parts]
        most = [n + s - 1 for n, s in zip(least, stride)]
        if any(not a <= n <= b for n, a, b in zip(wanted, least, most)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.shape[2:]})"
            )
        return [n - a for n, a in zip(wanted, least)]

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        dims, stride, padding, dilation = self._dims, self.stride, self.padding, self.dilation
        more = self._output_padding(input, output_size, stride, padding, self.kernel_size, dims, dilation)
        convolution = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[dims - 1]
        return convolution(input, self.weight, self.bias, stride, padding, more, self.groups, dilation)


class ConvTranspose1d(_ConvTransposeNd):
    """A transposed convolution from (N, in_channels, L) or (in_channels, L); see functional.conv_transpose1d().

    weight: (in_channels, out_channels / groups, kernel); output_padding, or output_size at the call, chooses among the
    sizes that a strided convolution would have mapped to the input's. Raises ValueError for arguments that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html

    >>> import gradcore
    >>> gradcore.nn.ConvTranspose1d(4, 2, 3, stride=2)(gradcore.ones(1, 4, 5)).shape
    torch.Size([1, 2, 11])
    """

    _dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """A transposed convolution from (N, in_channels, H, W) or (in_channels, H, W); see ConvTranspose1d.

    >>> import gradcore
    >>> up = gradcore.nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)
    >>> up(gradcore.ones(1, 4, 5, 5), output_size=(10, 10)).shape
    torch.Size([1, 2, 10, 10])
    """

    _dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    """A transposed convolution from (N, in_channels, D, H, W) or (in_channels, D, H, W); see ConvTranspose1d.

    >>> import gradcore
    >>> gradcore.nn.ConvTranspose3d(4, 2, 2)(gradcore.ones(1, 4, 3, 3, 3)).shape
    torch.Size([1, 2, 4, 4, 4])
    """

    _dims = 3


class _LazyConvXdMixin(LazyModuleMixin):
    """Takes in_channels from the first input."""

    def reset_parameters(self: Any) -> None:
        """Draws weight and bias anew, once they have shapes."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]  # of the convolution that comes behind

    def _get_num_spatial_dims(self: Any) -> int:
        return len(self.kernel_size)

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Takes in_channels from the input."""
        if not self.has_uninitialized_params():
            return
        dims = self._get_num_spatial_dims()
        if input.dim() not in (dims + 1, dims + 2):
            raise RuntimeError(
                f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {type(self).__name__}, but got input of "
                f"size: {input.shape}"
            )
        self.in_channels = input.shape[-dims - 1]
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        shape = (self.in_channels, self.out_channels // self.groups)
        if not self.transposed:
            shape = (self.out_channels, self.in_channels // self.groups)
        self.weight.materialize((*shape, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


def _make_lazy(conv: Any, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
    conv.weight = UninitializedParameter(device=device, dtype=dtype)
    conv.out_channels = out_channels
    if bias:
        conv.bias = UninitializedParameter(device=device, dtype=dtype)


class _LazyForwardConv(_LazyConvXdMixin, _ForwardConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        # Without bias, and without channels: they come with the first input.
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        _make_lazy(self, out_channels, bias, device, dtype)


class LazyConv1d(_LazyForwardConv, Conv1d):
    """Conv1d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConv1d(4, 3)(gradcore.ones(1, 2, 5)).shape
    torch.Size([1, 4, 3])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyForwardConv, Conv2d):
    """Conv2d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConv2d(4, 3)(gradcore.ones(1, 2, 5, 5)).shape
    torch.Size([1, 4, 3, 3])
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyForwardConv, Conv3d):
    """Conv3d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConv3d(4, 3)(gradcore.ones(1, 2, 5, 5, 5)).shape
    torch.Size([1, 4, 3, 3, 3])
    """

    cls_to_become = Conv3d


class _LazyTransposedConv(_LazyConvXdMixin, _ConvTransposeNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        _make_lazy(self, out_channels, bias, device, dtype)


class LazyConvTranspose1d(_LazyTransposedConv, ConvTranspose1d):
    """ConvTranspose1d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConvTranspose1d(4, 3)(gradcore.ones(1, 2, 5)).shape
    torch.Size([1, 4, 7])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposedConv, ConvTranspose2d):
    """ConvTranspose2d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConvTranspose2d(4, 3)(gradcore.ones(1, 2, 5, 5)).shape
    torch.Size([1, 4, 7, 7])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposedConv, ConvTranspose3d):
    """ConvTranspose3d that takes in_channels from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyConvTranspose3d(4, 3)(gradcore.ones(1, 2, 5, 5, 5)).shape
    torch.Size([1, 4, 7, 7, 7])
    """

    cls_to_become = ConvTranspose3d
