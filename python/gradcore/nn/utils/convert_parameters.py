"""Parameters as one vector, and back."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
else:
    from ..._lazy import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters one after another in one new vector, through which gradients flow.

    Raises ValueError for no parameters, RuntimeError for one whose memory order is not that of its elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html

    >>> import gradcore
    >>> gradcore.nn.utils.parameters_to_vector([gradcore.tensor([[1.0, 2.0]]), gradcore.tensor(3.0)])
    tensor([1., 2., 3.])
    """
    return _C.cat([p.view(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cuts the vector into the parameters' shapes. As in torch each parameter is then a view of the vector's memory.

    Elements beyond the last parameter are not used. Raises TypeError where vec is not a tensor, RuntimeError where it is too
    short; then no parameter has changed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html

    >>> import gradcore
    >>> w, b = gradcore.zeros(1, 2), gradcore.zeros(())
    >>> gradcore.nn.utils.vector_to_parameters(gradcore.tensor([1.0, 2.0, 3.0]), [w, b])
    >>> w, b
    (tensor([[1., 2.]]), tensor(3.))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected gradcore.Tensor, but got: {type(vec).__name__}")
    begin = 0
    pieces = []
    for p in parameters:
        end = begin + p.numel()
        pieces.append((p, vec[begin:end].view_as(p).data))
        begin = end
    for p, piece in pieces:
        p.data = piece
