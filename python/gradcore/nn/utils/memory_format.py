"""Convolutions' weights in another memory order: channels last."""

from __future__ import annotations

from typing import Any, TypeVar

from ..modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Gives the weights of all Conv2d and ConvTranspose2d in a module this memory order, and returns the module.

    >>> import gradcore
    >>> layer = gradcore.nn.Conv2d(3, 2, 5)
    >>> gradcore.nn.utils.convert_conv2d_weight_memory_format(layer, gradcore.channels_last).weight.stride()
    (75, 1, 15, 3)
    """
    return _convert(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Gives the weights of all Conv3d and ConvTranspose3d in a module this memory order, and returns the module.

    >>> import gradcore
    >>> layer = gradcore.nn.Conv3d(3, 2, 1)
    >>> layer = gradcore.nn.utils.convert_conv3d_weight_memory_format(layer, gradcore.channels_last_3d)
    >>> layer.weight.is_contiguous(memory_format=gradcore.channels_last_3d)
    True
    """
    return _convert(module, (Conv3d, ConvTranspose3d), memory_format)


def _convert(module: M, kinds: tuple[type, ...], memory_format: Any) -> M:
    for part in module.modules():
        if isinstance(part, kinds):
            part.weight.data = part.weight.detach().clone(memory_format=memory_format)
    return module
