"""Padding layers; functional.pad() says what they compute."""

from __future__ import annotations

from ..._C import Tensor
from .. import functional as F
from .module import Module
from .utils import _ntuple, _pair, _quadruple  # noqa: F401  (packages take some from here)

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _ConstantPadNd(Module):
    __constants__ = ["padding", "value"]
    _dims = 0

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pads the last dim with `value`: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ConstantPad1d(1, 3.5)(gradcore.ones(1, 2, 4)).shape
    torch.Size([1, 2, 6])
    """

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads the last two dims with `value`: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ConstantPad2d(1, 3.5)(gradcore.ones(1, 2, 4, 4)).shape
    torch.Size([1, 2, 6, 6])
    """

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads the last three dims with `value`: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ConstantPad3d(1, 3.5)(gradcore.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    _dims = 3


class _ReflectionPadNd(Module):
    __constants__ = ["padding"]
    _dims = 0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "reflect")

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_ReflectionPadNd):
    """Pads the last dim with the elements mirrored at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReflectionPad1d(1)(gradcore.ones(1, 2, 4)).shape
    torch.Size([1, 2, 6])
    """

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads the last two dims with the elements mirrored at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReflectionPad2d(1)(gradcore.ones(1, 2, 4, 4)).shape
    torch.Size([1, 2, 6, 6])
    """

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads the last three dims with the elements mirrored at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReflectionPad3d(1)(gradcore.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    _dims = 3


class _ReplicationPadNd(Module):
    __constants__ = ["padding"]
    _dims = 0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "replicate")

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReplicationPad1d(_ReplicationPadNd):
    """Pads the last dim with the element at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReplicationPad1d(1)(gradcore.ones(1, 2, 4)).shape
    torch.Size([1, 2, 6])
    """

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads the last two dims with the element at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReplicationPad2d(1)(gradcore.ones(1, 2, 4, 4)).shape
    torch.Size([1, 2, 6, 6])
    """

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads the last three dims with the element at the edge: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.ReplicationPad3d(1)(gradcore.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    _dims = 3


class _CircularPadNd(Module):
    __constants__ = ["padding"]
    _dims = 0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        dims = self._dims
        if input.dim() not in (dims + 1, dims + 2):
            raise ValueError(f"expected {dims + 1}D or {dims + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_CircularPadNd):
    """Pads the last dim with the elements of the other end: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.CircularPad1d(1)(gradcore.ones(1, 2, 4)).shape
    torch.Size([1, 2, 6])
    """

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Pads the last two dims with the elements of the other end: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.CircularPad2d(1)(gradcore.ones(1, 2, 4, 4)).shape
    torch.Size([1, 2, 6, 6])
    """

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Pads the last three dims with the elements of the other end: by one number, or by one for each end, last dim first.

    >>> import gradcore
    >>> gradcore.nn.CircularPad3d(1)(gradcore.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Pads the last dim with zeros; see ConstantPad1d.

    >>> import gradcore
    >>> gradcore.nn.ZeroPad1d(1)(gradcore.ones(1, 2, 4)).shape
    torch.Size([1, 2, 6])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pads the last two dims with zeros; see ConstantPad2d.

    >>> import gradcore
    >>> gradcore.nn.ZeroPad2d(1)(gradcore.ones(1, 2, 4, 4)).shape
    torch.Size([1, 2, 6, 6])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pads the last three dims with zeros; see ConstantPad3d.

    >>> import gradcore
    >>> gradcore.nn.ZeroPad3d(1)(gradcore.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
