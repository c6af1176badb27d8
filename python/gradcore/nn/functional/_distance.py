"""Distances and similarities of vectors."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor, cosine_similarity, pdist
from ..._overridable import offer_calls

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The norm of order p of x1 - x2 + eps along the last dim. x1, x2: (..., D), broadcast.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html

    >>> import gradcore
    >>> gradcore.nn.functional.pairwise_distance(gradcore.tensor([[3.0, 4.0]]), gradcore.zeros(1, 2))
    tensor([5.0000])
    """
    difference = x1 - x2 + eps
    return _C.norm(difference, p, -1, keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """input / max(norm of order p along dim, eps). dim: one, or several.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html

    >>> import gradcore
    >>> gradcore.nn.functional.normalize(gradcore.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    size = _C.norm(input, p, dim, True).clamp_min(eps)
    return input / size if out is None else _C.div(input, size, out=out)


offer_calls(globals())
