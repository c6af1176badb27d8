"""gradcore.autograd.graph: the nodes of the tape, their edges, and hooks on several tensors at once."""

from __future__ import annotations

from _thread import get_ident
from collections import namedtuple
from contextlib import contextmanager
from weakref import WeakValueDictionary

from .. import _C
from .._C import Node, Tensor
from .._handle import RemovableHandle
from .._lazy import TYPE_CHECKING
from .._modes import _Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any
else:
    from .._lazy import Any, Callable, Iterable, Iterator, Sequence

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge", "increment_version",
    "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip

# The place where a gradient arrives: output number `output_nr` of `node`. Stands for a tensor in autograd.grad and backward.
GradientEdge = namedtuple("GradientEdge", ["node", "output_nr", "ownership_token"], defaults=[None])


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of `tensor` arrives: its grad_fn, or the accumulator of a leaf.

    Raises RuntimeError for a tensor that does not require grad, AssertionError for one that only follows its base.

    >>> import gradcore
    >>> x = gradcore.ones(2, requires_grad=True)
    >>> gradcore.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node, number = _C._gradient_edge(tensor)
    if node is None:  # a view made under no_grad of what has been made to require grad since: torch's exception type
        raise AssertionError("Expected gradient function to be set")
    return GradientEdge(node, number)


class _Handles(RemovableHandle):
    """Takes several hooks out together."""

    def __init__(self, handles: tuple[RemovableHandle, ...]) -> None:
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all") -> _Handles:
    """Calls `fn` once for each backward: with the gradients of all `tensors` (None where none came) when the last of those
    that the backward reaches has its gradient (mode "all"), or with the first gradient that comes (mode "any").

    Raises ValueError for another mode, AssertionError for a tensor that does not require grad; mode "any" leaves those out.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        tensors = [t for t in tensors if t.requires_grad]  # as in torch; mode "all" refuses the others
    state = _MultiHook(tensors, fn, mode)
    return _Handles(tuple(t.register_hook(state.hook_for(i)) for i, t in enumerate(tensors)))


class _MultiHook:
    """The shared state of the hooks of one register_multi_grad_hook(). The number of a backward tells the calls apart."""

    def __init__(self, tensors: Sequence[Tensor], fn: Callable[..., None], mode: str) -> None:
        if not all(t.requires_grad for t in tensors):  # torch's exception type
            raise AssertionError("Expected gradient function to be set: every tensor must require grad")
        # Mode "any" waits for none. A leaf's edge keeps the leaf alive, and with it the hook that holds the edge.
        self._edges = [get_gradient_edge(t) for t in tensors] if mode == "all" else []
        self._fn = fn
        self._mode = mode
        self._seen: dict[tuple[int, int], list[Tensor | None]] = {}
        self._expected: dict[tuple[int, int], int] = {}

    def hook_for(self, index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            self._arrived(index, grad)

        return hook

    def _arrived(self, index: int, grad: Tensor) -> None:
        number, outermost = _C._running_backward()
        thread = get_ident()
        run = thread, number
        first = run not in self._seen
        if first:
            self._seen = {
                # Earlier backwards of this thread are over, or failed.
                k: v
                for k, v in self._seen.items()
                if k[0] != thread or k[1] >= outermost
            }
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


class saved_tensors_hooks:
    """Inside this context `pack_hook(tensor)` decides what is kept of every tensor saved for backward, and
    `unpack_hook(object)` makes the tensor of it again when backward needs it.

    pack_hook gets the tensor (an op's own result without its history) and may not write to it (RuntimeError); unpack_hook must return a tensor
    of the same content (TypeError for another object). Pairs nest, the innermost counts.

    >>> import gradcore
    >>> def pack(tensor):
    ...     print("packs", tensor)
    ...     return tensor
    >>> x = gradcore.tensor(2.0, requires_grad=True)
    >>> with gradcore.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept * 10):
    ...     y = x.square()
    packs tensor(2., requires_grad=True)
    >>> gradcore.autograd.grad(y, x)
    (tensor(40.),)
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _C._push_saved_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc: object) -> None:
        _C._pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps saved tensors on the CPU, where they are already; `pin_memory` changes nothing here. A later change of a tensor's
    shape in place (t_(), squeeze_()) does not reach what was saved."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cpu") -> None:
        super().__init__(Tensor.detach, lambda kept: kept)


class _Handle:
    """The graph keeps it in place of a tensor inside of allow_mutation_on_saved_tensors()."""

    def __init__(self, tensor: Tensor) -> None:
        self.original = tensor.detach()  # not the tensor itself, whose history may hold us
        self.version = tensor._version
        self.copy = self.original.clone()  # now: nobody tells of a write before it is made

    def written(self) -> bool:
        return self.original._version != self.version


class _AllowMutationOnSavedContext:
    """allow_mutation_on_saved_tensors() returns it: the tensors that the graph keeps, each with a handle that lives as long."""

    def __init__(self) -> None:
        # A tensor that is saved several times has one handle. Its place, size and version are part of the key, because
        # Python gives the id of a tensor that is gone to another.
        self.tid_to_weakhandle: WeakValueDictionary[tuple[Any, ...], _Handle] = WeakValueDictionary()

    @property
    def cloned(self) -> dict[_Handle, Tensor]:
        """The values of those that were written to since."""
        return {handle: handle.copy for handle in self.tid_to_weakhandle.values() if handle.written()}

    @property
    def original(self) -> dict[_Handle, Tensor]:
        """The tensors of the others."""
        return {handle: handle.original for handle in self.tid_to_weakhandle.values() if not handle.written()}

    @property
    def sid_to_tid(self) -> dict[tuple[int, int], set[tuple[Any, ...]]]:
        """The keys of the handles, by place in memory and version."""
        found: dict[tuple[int, int], set[tuple[Any, ...]]] = {}
        for key, handle in self.tid_to_weakhandle.items():
            found.setdefault((handle.original.data_ptr(), handle.version), set()).add(key)
        return found

    def clear(self) -> None:
        self.tid_to_weakhandle.clear()

    def _pack(self, tensor: Tensor) -> _Handle:
        key = (id(tensor), tensor.data_ptr(), tensor._version, tensor.shape, tensor.stride())
        handle = self.tid_to_weakhandle.get(key)
        if handle is None:
            self.tid_to_weakhandle[key] = handle = _Handle(tensor)
        return handle

    def _unpack(self, handle: _Handle) -> Tensor:
        if _mutation_context is not self:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was "
                "recorded"
            )
        return handle.copy


_mutation_context: _AllowMutationOnSavedContext | None = None  # the open one, of the whole process as in torch


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_AllowMutationOnSavedContext]:
    """Inside this context tensors that were saved for backward may be written to: backward, which must run inside of it
    too, gets the values of before. Every saved tensor is copied, which costs memory.

    Raises RuntimeError inside of itself; a backward outside is an AssertionError.

    >>> import gradcore
    >>> x = gradcore.tensor(2.0, requires_grad=True)
    >>> with gradcore.autograd.graph.allow_mutation_on_saved_tensors() as context:
    ...     y = x.clone()
    ...     z = y.square()
    ...     _ = y.zero_()
    ...     print(list(context.cloned.values()))
    ...     gradcore.autograd.grad(z, x)
    [tensor(2.)]
    (tensor(4.),)
    """
    global _mutation_context
    context = _AllowMutationOnSavedContext()
    with saved_tensors_hooks(context._pack, context._unpack):
        if _mutation_context is not None:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        _mutation_context = context
        try:
            yield context
        finally:
            context.clear()
            _mutation_context = None


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Counts a write to a tensor, or to each of several, that was made behind the tape's back."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        _C._increment_version(t)


class disable_saved_tensors_hooks(_Switch):
    """Entering saved_tensors_hooks inside this context (or with hooks already active) is a RuntimeError with this message."""

    def __init__(self, error_message: str) -> None:
        super().__init__()
        self.error_message = error_message

    def _now(self) -> Any:
        return _C._saved_hooks_disabled()

    def _set(self) -> None:
        _C._disable_saved_hooks(self.error_message)

    def _restore(self, before: Any) -> None:
        _C._disable_saved_hooks(before)

    def clone(self) -> disable_saved_tensors_hooks:
        return disable_saved_tensors_hooks(self.error_message)
