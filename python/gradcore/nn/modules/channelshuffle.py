"""Shuffled channels."""

from __future__ import annotations

from ..._C import Tensor
from .. import functional as F
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Channels in the order 0, C / groups, 2 C / groups, ..., 1 ... Input: (N, C, ...).

    >>> import gradcore
    >>> gradcore.nn.ChannelShuffle(2)(gradcore.arange(4.0).view(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    __constants__ = ["groups"]

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
