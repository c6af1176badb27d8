"""gradcore.autograd.graph: the nodes of the tape, their edges, and hooks on several tensors at once."""

from __future__ import annotations

from collections import namedtuple

from .. import _C
from .._C import Node, Tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from .._tensor import RemovableHandle

__all__ = ["GradientEdge", "Node", "get_gradient_edge", "register_multi_grad_hook"]

# The place where a gradient arrives: output number `output_nr` of `node`. Stands for a tensor in autograd.grad and backward.
GradientEdge = namedtuple("GradientEdge", ["node", "output_nr", "ownership_token"], defaults=[None])


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of `tensor` arrives: its grad_fn, or the accumulator of a leaf.

    Raises RuntimeError for a tensor that does not require grad.

    >>> import gradcore
    >>> x = gradcore.ones(2, requires_grad=True)
    >>> gradcore.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*_C._gradient_edge(tensor))


class _Handles:
    """Takes several hooks out together."""

    def __init__(self, handles: tuple[RemovableHandle, ...]) -> None:
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> _Handles:
    """Calls `fn` once for each backward: with the gradients of all `tensors` (None where none came) when the last of those
    that the backward reaches has its gradient (mode "all"), or with the first gradient that comes (mode "any").

    Raises ValueError for another mode, RuntimeError for a tensor that does not require grad.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    state = _MultiHook(tensors, fn, mode)
    return _Handles(tuple(t.register_hook(state.hook_for(i)) for i, t in enumerate(tensors)))


class _MultiHook:
    """What the hooks of one register_multi_grad_hook() know together; the running backward tells the calls apart."""

    def __init__(self, tensors: Sequence[Tensor], fn: Callable[..., None], mode: str) -> None:
        self._edges = [get_gradient_edge(t) for t in tensors]
        self._fn = fn
        self._mode = mode
        self._seen: dict[int, list[Tensor | None]] = {}
        self._expected: dict[int, int] = {}

    def hook_for(self, index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            self._arrived(index, grad)

        return hook

    def _arrived(self, index: int, grad: Tensor) -> None:
        run, outermost = _C._running_backward()
        first = run not in self._seen
        if first:
            self._seen = {k: v for k, v in self._seen.items() if k >= outermost}  # those before are over, or failed
            self._seen[run] = [None] * len(self._edges)
            self._expected[run] = sum(_C._backward_reaches(e.node) for e in self._edges)
        if self._mode == "any":
            if first:
                self._fn(grad)
            return
        self._seen[run][index] = grad
        self._expected[run] -= 1
        if self._expected[run] == 0:
            self._fn(list(self._seen.pop(run)))
