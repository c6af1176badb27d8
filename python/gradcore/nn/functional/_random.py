"""Bernoulli and exponential numbers, those that torch draws for the same seed.

torch draws them from double precision uniform numbers, one for each element in the order of memory. (On processors of
Intel its MKL library draws them from a stream of another kind; those numbers are not ours.)
"""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._overridable import offer_calls

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import


def bernoulli(like: Tensor, p: float) -> Tensor:
    """A bool tensor, of the shape and memory order of `like`, whose elements are True with probability p."""
    return _C.rand_like(like.detach(), dtype=_C.float64) < p


def exponential(like: Tensor) -> Tensor:
    """Numbers of density exp(-x), of the shape and dtype of `like`, in its usual order of memory."""
    uniform = like.detach().new_empty(like.shape, dtype=_C.float64).uniform_()
    return (-(-uniform).log1p()).to(like.dtype)


offer_calls(globals())
