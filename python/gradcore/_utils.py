"""What programs take from torch's private module of this name: many gradients as one vector, and back."""

from __future__ import annotations

from . import _C

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._C import Tensor


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """Their elements in one vector. They have one dtype.

    >>> import gradcore
    >>> gradcore._utils._flatten_dense_tensors([gradcore.ones(1, 2), gradcore.zeros(1)])
    tensor([1., 1., 0.])
    """
    return _C.cat([tensor.reshape(-1) for tensor in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Views of the vector with the shapes of these tensors, one after the other."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape) for part, tensor in zip(parts, tensors))
