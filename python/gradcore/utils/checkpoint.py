"""Checkpointing: less memory for more time, a part of the forward pass is run again during backward. Mirrors
torch.utils.checkpoint. Start at `checkpoint`.

Source: T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, no_grad
from ..autograd import Function, backward
from ..autograd.graph import saved_tensors_hooks
from ..random import fork_rng, get_rng_state, set_rng_state

__all__ = [
    "CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn",
    "set_checkpoint_early_stop",
]  # fmt: skip

ContextFn = Callable[[], tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]]]


class CheckpointError(RuntimeError):
    """What backward raises when the second run of a function differs from the first."""


def noop_context_fn() -> tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]]:
    """The default of `context_fn`: no context around either run."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: ContextFn = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args), of which nothing is kept but the arguments: backward runs it again and goes through that run.

    With preserve_rng_state (True by default) both runs draw the same random numbers.

    use_reentrant=False records the graph as ever but keeps none of its tensors: when backward asks for one, the
    function runs again, as far as the last that was saved (all of it without early_stop). It takes keywords for the
    function; context_fn makes a context for either run; determinism_check="default" compares shapes and dtypes of the two
    runs' tensors, "none" does not. debug is not implemented.

    use_reentrant=True runs a backward inside the backward. It gives gradients to tensor arguments only, takes no other
    keywords, and works with backward() alone, not with autograd.grad.

    Raises ValueError for options that the chosen way does not have. In backward: CheckpointError if the runs differ,
    RuntimeError if an argument was modified in between or if no output of a reentrant second run requires grad. Warns
    if use_reentrant is not given and, in the reentrant way, if no argument requires grad.

    >>> import gradcore
    >>> from gradcore.utils.checkpoint import checkpoint
    >>> x = gradcore.tensor(2.0, requires_grad=True)
    >>> checkpoint(lambda x: x.exp() * x, x, use_reentrant=False).backward()
    >>> x.grad
    tensor(22.1672)
    """
    use_reentrant = _chosen(use_reentrant, "torch.utils.checkpoint")
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        if debug:
            raise NotImplementedError("checkpoint(debug=True), a log of both runs' operations, is not implemented")
        if determinism_check not in _DESCRIPTIONS:
            raise ValueError(f"determinism_check should be one of {list(_DESCRIPTIONS)}, but got {determinism_check}")
        again = _Rerun(function, args, kwargs, preserve, context_fn(), early_stop, _DESCRIPTIONS[determinism_check])
        return again.first()
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    return CheckpointFunction.apply(function, preserve, *args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """The functions one after another, in `segments` parts that are checkpointed; the last part is not.

    functions: a sequence, or a module with children(). The other options and what is raised are checkpoint's.

    >>> import gradcore
    >>> from gradcore.utils.checkpoint import checkpoint_sequential
    >>> x = gradcore.tensor(1.0, requires_grad=True)
    >>> checkpoint_sequential([gradcore.sin, gradcore.cos, gradcore.exp], 2, x, use_reentrant=True).backward()
    >>> x.grad
    tensor(-0.7844)
    """
    use_reentrant = _chosen(use_reentrant, "torch.utils.checkpoint.checkpoint_sequential")
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps: Sequence[Callable[[Any], Any]] = list(functions.children()) if hasattr(functions, "children") else functions
    size = len(steps) // segments
    for start in range(0, size * (segments - 1), size):
        part = _in_turn(steps[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _in_turn(steps[size * (segments - 1) :])(input)


def _in_turn(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return run


def _chosen(use_reentrant: bool | None, name: str) -> bool:
    if use_reentrant is not None:
        return use_reentrant
    warnings.warn(
        f"{name}: the use_reentrant parameter should be passed explicitly. Without it use_reentrant=True is taken, "
        "as torch does before it refuses.",
        stacklevel=3,
    )
    return True


class CheckpointFunction(Function):
    """checkpoint(use_reentrant=True) as a node of the graph."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        if not any(isinstance(arg, Tensor) and arg.requires_grad for arg in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3)
        ctx.function = function
        ctx.rng_state = get_rng_state() if preserve_rng_state else None
        # Tensors are saved, so that a change before backward is noticed; what is left keeps its place.
        ctx.save_for_backward(*(arg for arg in args if isinstance(arg, Tensor)))
        ctx.others = [None if isinstance(arg, Tensor) else arg for arg in args]
        ctx.is_tensor = [isinstance(arg, Tensor) for arg in args]
        with no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        if not _C._backward_reaches_all_leaves():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). Set use_reentrant=False, or call .backward() without `inputs`."
            )
        saved = iter(ctx.saved_tensors)
        inputs = [next(saved) if is_tensor else other for is_tensor, other in zip(ctx.is_tensor, ctx.others)]
        inputs = [t.detach().requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t for t in inputs]
        with fork_rng(enabled=ctx.rng_state is not None), enable_grad():
            if ctx.rng_state is not None:
                set_rng_state(ctx.rng_state)
            outputs = ctx.function(*inputs)
        pairs = [
            (out, gradient)
            for out, gradient in zip(outputs if isinstance(outputs, (tuple, list)) else (outputs,), gradients)
            if isinstance(out, Tensor) and out.requires_grad
        ]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [gradient for _, gradient in pairs])
        return (None, None, *(t.grad if isinstance(t, Tensor) else None for t in inputs))


# ---- use_reentrant=False ---------------------------------------------------------------------------------------------


_DESCRIPTIONS: dict[str, Callable[[Tensor], Any]] = {
    "default": lambda t: {"shape": t.shape, "dtype": t.dtype, "device": t.device},
    "none": lambda t: None,
}
_early_stop: bool | None = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside this context early_stop is `enable` for every checkpoint, whatever it says itself."""
    global _early_stop
    before = _early_stop
    _early_stop = enable
    try:
        yield
    finally:
        _early_stop = before


class _Stop(Exception):
    """Everything has been computed again that backward can ask for."""


class _Place:
    """What the graph keeps instead of a saved tensor. A second run puts the tensor here, under its backward's
    number."""

    def __init__(self) -> None:
        self.tensors: dict[int, Tensor] = {}


class _Rerun:
    """One checkpoint. The graph's places hold it; it holds them weakly, so that it knows which are still wanted."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        preserve_rng_state: bool,
        contexts: tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]],
        early_stop: bool,
        describe: Callable[[Tensor], Any],
    ) -> None:
        self._function, self._args, self._kwargs = function, args, kwargs
        self._versions = [arg._version if isinstance(arg, Tensor) else None for arg in args]
        self._rng_state = get_rng_state() if preserve_rng_state else None
        self._first_context, self._second_context = contexts
        self._early_stop = early_stop if _early_stop is None else _early_stop
        self._describe = describe
        self._places: list[weakref.ref[_Place]] = []
        self._descriptions: list[Any] = []
        self._done: set[int] = set()
        self._numbers = itertools.count(-1, -1)  # for unpacking outside of a backward

    def first(self) -> Any:
        if not _C.is_grad_enabled():
            return self._function(*self._args, **self._kwargs)
        with saved_tensors_hooks(self._pack, self._unpack), self._first_context:
            return self._function(*self._args, **self._kwargs)

    def _pack(self, tensor: Tensor) -> _Place:
        place = _Place()
        self._places.append(weakref.ref(place))
        self._descriptions.append(self._describe(tensor))
        return place

    def _unpack(self, place: _Place) -> Tensor:
        number = _C._running_backward()[0] or next(self._numbers)
        if number not in self._done:
            self._second(number)
            self._done.add(number)
        if number not in place.tensors:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. "
                "If you are calling ctx.saved_tensors in backward, make sure to do so only once."
            )
        return place.tensors.pop(number)

    def _second(self, number: int) -> None:
        """Runs the function again and fills the places that are still wanted."""
        for arg, version in zip(self._args, self._versions):
            if isinstance(arg, Tensor) and arg._version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"an argument of checkpoint() is at version {arg._version}; expected version {version} instead."
                )
        found: list[Any] = []

        def pack(tensor: Tensor) -> Tensor:
            value = tensor.detach()
            index = len(found)
            if index >= len(self._places):
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original "
                    "forward pass."
                )
            found.append(self._describe(value))
            if place := self._places[index]():
                place.tensors[number] = value
            if self._early_stop and len(found) == len(self._places):
                raise _Stop
            return value

        with contextlib.suppress(_Stop), fork_rng(enabled=self._rng_state is not None):
            if self._rng_state is not None:
                set_rng_state(self._rng_state)
            with saved_tensors_hooks(pack, lambda value: value), enable_grad(), self._second_context:
                self._function(*self._args, **self._kwargs)
        self._compare(found)

    def _compare(self, found: list[Any]) -> None:
        if len(found) != len(self._places):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self._places)}\n"
                f"Number of tensors saved during recomputation: {len(found)}."
            )
        differing = [
            f"tensor at position {i}:\nsaved metadata: {a}\nrecomputed metadata: {b}\n"
            for i, (a, b, place) in enumerate(zip(self._descriptions, found, self._places))
            if a != b and place() is not None
        ]
        if differing:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                "during the forward pass.\n" + "".join(differing)
            )
