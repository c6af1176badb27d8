"""Selective checkpoints: ops whose results are kept, so that the second run of a checkpoint need not compute them. Start at
create_selective_checkpoint_contexts(); checkpoint.py gives it to programs.

Modes see the calls of both runs. In the first run a kept call's result is put away, and what the graph saved of the call is
noted: its arguments, its results, or other tensors, which are kept too. The second run takes the result from there and saves
the same again, from its own arguments.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from .. import _C
from .._C import Tensor
from .._ops import OpOverload, OpOverloadPacket, ops
from ..autograd import Function
from ..autograd.graph import saved_tensors_hooks
from ..overrides import TorchFunctionMode
from ._pytree import tree_leaves, tree_map

aten: Any = ops.aten


class CheckpointPolicy(enum.Enum):
    """What a policy says of an op: that its result is kept, or that the second run computes it again. (The CPU is the only
    device: CPU_OFFLOAD computes again, as torch does without a compiler.)

    >>> CheckpointPolicy.MUST_SAVE.value
    0
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEEPS = (True, CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)
SAC_IGNORED_OPS = {aten.detach.default}


class SelectiveCheckpointContext:
    """What a policy is told besides the op: its result. is_recompute is always False."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute, self.op_output = is_recompute, op_output


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable[..., Any] | list[Any], allow_cache_entry_mutation: bool = False
) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """The contexts for checkpoint(context_fn=...) that keep the results of some ops.

    policy_fn_or_list: a list of torch.ops.aten.x.default whose results are kept, or a function policy(ctx, op, *args,
    **kwargs) that gives a CheckpointPolicy, or whether to keep. Ops have the names that torch's dispatcher has for them:
    of matmul() and linear() mm, bmm or addmm, of convolutions `convolution`; functions made of others are seen as those.
    Ops in place and views are computed again in any case. An op that is kept draws no random numbers in the second run.

    Raises ValueError for list items that are no ops, TypeError for anything else. In backward: RuntimeError when a result
    was modified, unless allow_cache_entry_mutation; when the second run makes other calls; at a second backward.

    >>> import functools, gradcore
    >>> from gradcore.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> kept = functools.partial(create_selective_checkpoint_contexts, [gradcore.ops.aten.mm.default])
    >>> x = gradcore.eye(2, requires_grad=True)
    >>> y = checkpoint(lambda x: (x @ x).exp(), x, use_reentrant=False, context_fn=kept)
    >>> y.sum().backward()
    >>> x.grad
    tensor([[5.4366, 2.0000],
            [2.0000, 5.4366]])
    """
    if isinstance(policy_fn_or_list, list):
        for op in policy_fn_or_list:
            if isinstance(op, OpOverloadPacket) or not isinstance(op, OpOverload):
                tip = f" Name one of its forms, as in torch.ops.{op}.default." if isinstance(op, OpOverload) else ""
                raise ValueError(f"Expected op in `op_list` to be an OpOverload but got: {op} of type {type(op)}.{tip}")
    elif not callable(policy_fn_or_list):
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    calls: list[_Call] = []
    return _Keeping(policy_fn_or_list, calls), _Replaying(calls, allow_cache_entry_mutation)


# ---- the hooks of the checkpoint that runs: the modes save through them


class _Hooks(NamedTuple):
    pack: Callable[[Tensor], Any]
    unpack: Callable[[Any], Tensor]


class _Current(threading.local):
    hooks: _Hooks | None = None


_current = _Current()


@contextmanager
def saving(pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> Iterator[None]:
    """saved_tensors_hooks() of a checkpoint's run, which the modes of this module find."""
    before, _current.hooks = _current.hooks, _Hooks(pack, unpack)
    try:
        with saved_tensors_hooks(pack, unpack):
            yield
    finally:
        _current.hooks = before


# ---- which op of torch a call is

_FORMS = {"add", "sub", "mul", "div", "eq", "ne", "lt", "le", "gt", "ge", "bitwise_and", "bitwise_or", "bitwise_xor"}


def _op_of(name: str, args: tuple[Any, ...], out: Any) -> Any:
    if name in ("matmul", "__matmul__", "__rmatmul__"):
        return getattr(aten, _product(*(t.dim() for t in args[:2]))).default
    if name == "linear":
        return (aten.addmm if len(args) > 2 and args[2] is not None else aten.mm).default
    if name.startswith("conv") and name[-1] == "d":
        return aten.convolution.default
    if name == "scaled_dot_product_attention":
        return aten._scaled_dot_product_flash_attention_for_cpu.default
    packet = getattr(aten, name.strip("_") if name.startswith("__") else name)
    return packet.Tensor if name in _FORMS else packet.default


def _product(a: int, b: int) -> str:
    if b == 1:
        return "dot" if a == 1 else "mv"
    return "bmm" if a > 2 and b > 2 else "mm"


# ---- calls that are kept


class _Note(NamedTuple):
    """A tensor that the graph saved of a call: a window of an argument or of a result (by its number), or itself."""

    among: str  # "arguments", "results" or "others"
    number: int = 0
    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    offset: int = 0
    tensor: Tensor | None = None

    def found(self, arguments: list[Any], results: list[Any]) -> Tensor:
        """The same of the second run."""
        if self.tensor is not None:
            return self.tensor
        source: Tensor = (arguments if self.among == "arguments" else results)[self.number]
        if (tuple(source.shape), source.stride(), 0) == (self.size, self.stride, self.offset):
            return source
        return source.as_strided(self.size, self.stride, source.storage_offset() + self.offset)


def _note_of(tensor: Tensor, arguments: list[Any], results: list[Any]) -> _Note:
    for among, candidates in (("arguments", arguments), ("results", results)):
        for number, source in enumerate(candidates):
            if isinstance(source, Tensor) and source.dtype == tensor.dtype and _share_memory(source, tensor):
                offset = tensor.storage_offset() - source.storage_offset()
                return _Note(among, number, tuple(tensor.shape), tensor.stride(), offset)
    return _Note("others", tensor=tensor.detach())


def _share_memory(a: Tensor, b: Tensor) -> bool:
    return bool(a.numel() and b.numel()) and a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


class _Result:
    """A tensor that a kept call gave."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.requires_grad = tensor.detach(), tensor.requires_grad
        self.version = self.tensor._version

    def again(self, allow_mutation: bool) -> Tensor:
        if not allow_mutation and self.tensor._version != self.version:
            raise RuntimeError("Tensor cached during selective activation checkpoint has been mutated")
        if not self.requires_grad:
            return self.tensor
        given: Tensor = _Given.apply(_C.zeros((), requires_grad=True), self.tensor)
        return given


class _Given(Function):
    """A tensor that requires grad and is no leaf, so that the ops behind it save what they saved in the first run."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, tensor: Tensor) -> Tensor:
        return tensor.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return None, None


class _Call:
    """A call of the first run. Its result is None where it is computed again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_kept = self.is_used = False
        self.result: Any = None
        self.notes: list[_Note] = []


class _Mode(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: tuple[type, ...], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Answers a call; of functions in Python, the calls inside."""
        inside = getattr(func, "__wrapped__", None)
        if inside is not None:
            TorchFunctionMode.__enter__(self)  # which begins nothing anew
            try:
                return inside(*args, **(kwargs or {}))
            finally:
                self.__exit__()
        if _current.hooks is None:  # outside of a checkpoint
            return func(*args, **(kwargs or {}))
        return self.answer(_current.hooks, func, args, kwargs or {})

    def answer(self, hooks: _Hooks, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError


class _Keeping(_Mode):
    """The mode of the first run."""

    def __init__(self, policy: Any, calls: list[_Call]) -> None:
        self.policy, self.calls = policy, calls

    def answer(self, hooks: _Hooks, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the call, and keeps what it gives if the policy says so."""
        saved: list[Tensor] = []

        def pack(tensor: Tensor) -> Any:
            saved.append(tensor)
            return hooks.pack(tensor)

        with saved_tensors_hooks(pack, hooks.unpack):
            out = func(*args, **kwargs)
        call = _Call(getattr(func, "__name__", ""))
        self.calls.append(call)
        arguments, results = tree_leaves((args, kwargs)), tree_leaves(out)
        if not any(isinstance(t, Tensor) for t in results) or not self.keeps(call.name, args, kwargs, out):
            return out
        if any(_share_memory(a, b) for a in _tensors(arguments) for b in _tensors(results)):
            return out  # a view, or in place
        call.is_kept = True
        call.result = tree_map(lambda t: _Result(t) if isinstance(t, Tensor) else t, out)
        call.notes = [_note_of(tensor, arguments, results) for tensor in saved]
        return out

    def keeps(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> bool:
        """What the policy says."""
        op = _op_of(name, args, out)
        if op in SAC_IGNORED_OPS:
            return False
        if isinstance(self.policy, list):
            return op in self.policy
        return self.policy(SelectiveCheckpointContext(is_recompute=False, op_output=out), op, *args, **kwargs) in _KEEPS


class _Replaying(_Mode):
    """The mode of the second run."""

    def __init__(self, calls: list[_Call], allow_mutation: bool) -> None:
        self.calls, self.allow_mutation = calls, allow_mutation
        self.place = 0

    def __enter__(self) -> _Replaying:
        self.place = 0
        super().__enter__()
        return self

    def answer(self, hooks: _Hooks, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The kept result, or what the call gives now."""
        name = getattr(func, "__name__", "")
        if self.place >= len(self.calls) or self.calls[self.place].name != name:
            raise RuntimeError(
                f"{name} encountered during backward but not found in storage. This can happen if the operations in the "
                "checkpointed region are nondeterministic or depend on global state that changed between forward and "
                "backward."
            )
        call = self.calls[self.place]
        self.place += 1
        if not call.is_kept:
            return func(*args, **kwargs)
        if call.is_used:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any region computed under "
                "selective activation checkpoint."
            )
        out = tree_map(lambda t: t.again(self.allow_mutation) if isinstance(t, _Result) else t, call.result)
        call.is_used, call.result = True, None
        for note in call.notes:
            hooks.pack(note.found(tree_leaves((args, kwargs)), tree_leaves(out)))
        call.notes = []
        return out


def _tensors(items: list[Any]) -> list[Tensor]:
    return [item for item in items if isinstance(item, Tensor)]
