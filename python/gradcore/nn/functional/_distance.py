"""Distances and similarities of vectors."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._C import pdist as pdist

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


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) * max(|x2|, eps)) along dim; x1, x2 are broadcast.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html

    >>> import gradcore
    >>> gradcore.nn.functional.cosine_similarity(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([[2.0, 2.0]]))
    tensor([1.0000])
    """
    common = _C.promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise RuntimeError("expected common dtype to be floating point, yet common dtype is " + _dtype_name(common))
    x1, x2 = _C.broadcast_to(x1.to(common), _shape(x1, x2)), _C.broadcast_to(x2.to(common), _shape(x1, x2))
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)


def _dtype_name(dtype: _C.dtype) -> str:
    from ._checks import SCALAR_NAMES

    return SCALAR_NAMES[dtype]


def _shape(x1: Tensor, x2: Tensor) -> tuple[int, ...]:
    return tuple(_C.broadcast_to(x1.detach(), (x1.detach() + x2.detach()).shape).shape)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    # A norm below eps is replaced without a derivative of its own, as torch does.
    norm = _C.norm(x, 2, dim, True)
    return x / (norm + (norm.detach().clamp_min(eps) - norm.detach()))


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """input / max(norm of order p along dim, eps). dim: one, or several.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html

    >>> import gradcore
    >>> gradcore.nn.functional.normalize(gradcore.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    size = _C.norm(input, p, dim, True).clamp_min(eps)
    return input / size if out is None else _C.div(input, size, out=out)
