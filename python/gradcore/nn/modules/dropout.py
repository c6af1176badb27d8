"""Dropout layers."""

from __future__ import annotations

from ..._C import Tensor
from .. import functional as F
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    __constants__ = ["p", "inplace"]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, each element 0 with probability p, else x / (1 - p). Raises ValueError for a p outside of [0, 1].

    >>> import gradcore
    >>> gradcore.nn.Dropout(0.2).eval()(gradcore.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """In training, whole channels 0 with probability p. Input: (N, C, L) or (C, L).

    >>> import gradcore
    >>> gradcore.nn.Dropout1d(0.2)(gradcore.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training, whole channels 0 with probability p. Input: (N, C, H, W).

    >>> import gradcore
    >>> gradcore.nn.Dropout2d(0.2)(gradcore.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training, whole channels 0 with probability p. Input: (N, C, D, H, W) or (C, D, H, W).

    >>> import gradcore
    >>> gradcore.nn.Dropout3d(0.2)(gradcore.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean and variance, for networks of SELU.

    >>> import gradcore
    >>> gradcore.nn.AlphaDropout(0.2)(gradcore.ones(2, 3)).shape
    torch.Size([2, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """AlphaDropout of whole channels. Input: (N, C, ...).

    >>> import gradcore
    >>> gradcore.nn.FeatureAlphaDropout(0.2)(gradcore.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
