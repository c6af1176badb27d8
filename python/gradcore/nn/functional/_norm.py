"""Normalisations: over the batch, over instances, layers and groups of channels."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._C import _nn_batch_norm as batch_norm
from ..._C import _nn_group_norm as group_norm
from ..._C import _nn_instance_norm as instance_norm
from ..._C import _nn_layer_norm as layer_norm
from ..._C import _nn_rms_norm as rms_norm
from ..._overridable import offer_calls
from ._checks import widened_by_autocast

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta. input: (N, C, ...).

    Raises ValueError for fewer than three dims.
    Source: A. Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012.

    >>> import gradcore
    >>> gradcore.nn.functional.local_response_norm(gradcore.ones(1, 2, 1), 2, alpha=2.0, beta=1.0).flatten()
    tensor([0.5000, 0.3333])
    """
    if input.dim() < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    shape = list(input.shape)
    shape[1] = 1
    square = input * input
    if input.dim() > 3:
        square = widened_by_autocast(square)
    before = square.new_zeros([shape[0], size // 2, *shape[2:]])
    after = square.new_zeros([shape[0], (size - 1) // 2, *shape[2:]])
    padded = _C.cat([before, square, after], 1)
    channels = input.shape[1]
    total = padded.narrow(1, 0, channels)
    for i in range(1, size):
        total = total + padded.narrow(1, i, channels)
    return input / (total * (alpha / size) + k).pow(beta)


offer_calls(globals())
