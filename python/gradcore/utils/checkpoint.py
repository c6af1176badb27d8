"""Checkpointing: less memory for more time, a part of the forward pass is run again during backward. Mirrors
torch.utils.checkpoint. Start at `checkpoint`.

Source: T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import Any, Callable, ContextManager, Sequence

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, no_grad
from ..autograd import Function, backward
from ..random import fork_rng, get_rng_state, set_rng_state

__all__ = ["CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn"]

ContextFn = Callable[[], tuple[ContextManager[Any], ContextManager[Any]]]


class CheckpointError(RuntimeError):
    """What backward raises when the second run of a function differs from the first."""


def noop_context_fn() -> tuple[ContextManager[Any], ContextManager[Any]]:
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

    use_reentrant=True runs a backward inside the backward. It gives gradients to tensor arguments only, takes no keywords
    but preserve_rng_state (True by default: both runs draw the same random numbers), and works with backward() alone, not
    with autograd.grad. use_reentrant=False needs autograd.graph.saved_tensors_hooks, which gradcore does not have yet.

    Raises ValueError for options that the chosen way does not have, RuntimeError in backward if the second run has no output
    that requires grad. Warns if use_reentrant is not given and if no argument requires grad.

    >>> import gradcore
    >>> from gradcore.utils.checkpoint import checkpoint
    >>> x = gradcore.tensor(2.0, requires_grad=True)
    >>> checkpoint(lambda x: x.exp() * x, x, use_reentrant=True).backward()
    >>> x.grad
    tensor(22.1672)
    """
    use_reentrant = _chosen(use_reentrant, "torch.utils.checkpoint")
    if not use_reentrant:
        raise NotImplementedError(
            "checkpoint(use_reentrant=False) needs autograd.graph.saved_tensors_hooks, which gradcore does not have yet"
        )
    preserve = kwargs.pop("preserve_rng_state", True)
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
