"""Distances as modules."""

from __future__ import annotations

from ..._C import Tensor
from .. import functional as F
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The norm of order p of x1 - x2 + eps along the last dim.

    >>> import gradcore
    >>> gradcore.nn.PairwiseDistance()(gradcore.tensor([[3.0, 4.0]]), gradcore.zeros(1, 2))
    tensor([5.0000])
    """

    __constants__ = ["norm", "eps", "keepdim"]

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between x1 and x2 along dim.

    >>> import gradcore
    >>> gradcore.nn.CosineSimilarity()(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([[2.0, 2.0]]))
    tensor([1.0000])
    """

    __constants__ = ["dim", "eps"]

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
