"""Dropout of elements and of channels. The masks are those that torch draws for the same seed."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._overridable import offer_calls, warn_caller
from ._random import bernoulli

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import

# The values that alpha dropout gives dropped elements: selu(-infinity).
_ALPHA = 1.7580993408473766


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p != p:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")  # as torch, for NaN


def _scaled_mask(like: Tensor, p: float, dtype: _C.dtype) -> Tensor:
    """1 / (1 - p) with probability 1 - p, else 0."""
    if p == 1:
        return _C.zeros_like(like.detach(), dtype=dtype)
    return bernoulli(like, 1 - p).to(dtype).div_(1 - p)


def _dropped(input: Tensor, p: float, mask_like: Tensor, inplace: bool) -> Tensor:
    mask = _scaled_mask(mask_like, p, input.dtype)
    return input.mul_(mask) if inplace else input * mask


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, else x / (1 - p); outside of training the input itself.

    Any shape. Raises ValueError for a p outside of [0, 1].
    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> import gradcore
    >>> gradcore.nn.functional.dropout(gradcore.ones(3), p=0.9, training=False)
    tensor([1., 1., 1.])
    """
    _check(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    return _dropped(input, p, input, inplace)


def _channels(input: Tensor) -> Tensor:
    """A tensor with the input's first two dims, and 1 for all others."""
    return input.detach().new_empty((*input.shape[:2], *[1] * (input.dim() - 2)))


def _feature_dropout(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if p == 0 or not training or input.numel() == 0:
        return input
    if p < 1 and input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _dropped(input, p, _channels(input), inplace)


def _warn_of_dims(name: str, input: Tensor, dims: int) -> None:
    """Warns of a number of dims that is neither (N, C, ...) nor (C, ...)."""
    if input.dim() not in (dims + 1, dims + 2):
        warn_caller(
            f"{name}: Received a {input.dim()}-D input to {name}, which is deprecated and will result in an error in a "
            f"future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            f"{name} exists to provide channel-wise dropout on inputs with {dims} spatial dimensions, a channel dimension, "
            f"and an optional batch dimension (i.e. {dims + 1}D or {dims + 2}D inputs).",
        )


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels 0 with probability p, the others times 1 / (1 - p). input: (N, C, L) or (C, L).

    Raises ValueError for a p outside of [0, 1], RuntimeError for another number of dims.
    Source: J. Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.dropout1d(gradcore.ones(1, 2, 3), training=False).shape
    torch.Size([1, 2, 3])
    """
    _check(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    if input.dim() == 2:
        found = _feature_dropout(input.unsqueeze_(0) if inplace else input.unsqueeze(0), p, training, inplace)
        return found.squeeze_(0) if inplace else found.squeeze(0)
    return _feature_dropout(input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels 0 with probability p. input: (N, C, H, W); of three dims the first is taken for N, as in torch.

    See dropout1d().

    >>> import gradcore
    >>> gradcore.nn.functional.dropout2d(gradcore.ones(1, 2, 3, 3), training=False).shape
    torch.Size([1, 2, 3, 3])
    """
    _check(p)
    if input.dim() not in (3, 4):
        _warn_of_dims("dropout2d", input, 2)
    elif input.dim() == 3:
        warn_caller(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future "
            "release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
        )
    return _feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels 0 with probability p. input: (N, C, D, H, W) or (C, D, H, W). See dropout1d().

    >>> import gradcore
    >>> gradcore.nn.functional.dropout3d(gradcore.ones(1, 2, 3, 3, 3), training=False).shape
    torch.Size([1, 2, 3, 3, 3])
    """
    _check(p)
    _warn_of_dims("dropout3d", input, 3)
    if input.dim() != 5:
        found = _feature_dropout(input.unsqueeze_(0) if inplace else input.unsqueeze(0), p, training, inplace)
        return found.squeeze_(0) if inplace else found.squeeze(0)
    return _feature_dropout(input, p, training, inplace)


def _alpha_dropped(input: Tensor, p: float, mask_like: Tensor, inplace: bool) -> Tensor:
    if p == 1:
        zero = _C.zeros((), dtype=input.dtype)
        return input.mul_(zero) if inplace else input * zero
    kept = bernoulli(mask_like, 1 - p).to(input.dtype)
    scale = 1 / ((_ALPHA * _ALPHA * p + 1) * (1 - p)) ** 0.5
    shift = (kept - 1) * (_ALPHA * scale) + _ALPHA * scale * p
    kept = kept * scale
    return input.mul_(kept).add_(shift) if inplace else input * kept + shift


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout to selu(-infinity) that keeps mean and variance, for networks of selu().

    Any shape. Raises ValueError for a p outside of [0, 1].
    Source: G. Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import gradcore
    >>> gradcore.nn.functional.alpha_dropout(gradcore.ones(3))
    tensor([1., 1., 1.])
    """
    _check(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    return _alpha_dropped(input, p, input, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """alpha_dropout() of whole channels. input: (N, C, ...).

    >>> import gradcore
    >>> gradcore.nn.functional.feature_alpha_dropout(gradcore.ones(1, 3, 2)).shape
    torch.Size([1, 3, 2])
    """
    _check(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p < 1 and input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _alpha_dropped(input, p, _channels(input), inplace)


offer_calls(globals())
