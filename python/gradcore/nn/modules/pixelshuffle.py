"""Shuffles of pixels and channels."""

from __future__ import annotations

from ..._C import Tensor
from .. import functional as F
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Groups of r^2 channels become r x r pixels: (..., C * r^2, H, W) to (..., C, H * r, W * r).

    >>> import gradcore
    >>> gradcore.nn.PixelShuffle(3)(gradcore.ones(1, 9, 4, 4)).shape
    torch.Size([1, 1, 12, 12])
    """

    __constants__ = ["upscale_factor"]

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """What PixelShuffle did, undone: (..., C, H * r, W * r) to (..., C * r^2, H, W).

    >>> import gradcore
    >>> gradcore.nn.PixelUnshuffle(3)(gradcore.ones(1, 1, 12, 12)).shape
    torch.Size([1, 9, 4, 4])
    """

    __constants__ = ["downscale_factor"]

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
