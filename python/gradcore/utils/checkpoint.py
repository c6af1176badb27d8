"""Checkpointing: less memory for more time, a part of the forward pass is run again during backward. Mirrors
torch.utils.checkpoint. Start at `checkpoint`.

Source: T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, no_grad
from ..amp import autocast
from ..autograd import Function, backward
from ..random import fork_rng, get_rng_state, set_rng_state
from ._selective import (
    SAC_IGNORED_OPS as SAC_IGNORED_OPS,
)
from ._selective import (
    CheckpointPolicy as CheckpointPolicy,
)
from ._selective import (
    SelectiveCheckpointContext as SelectiveCheckpointContext,
)
from ._selective import (
    create_selective_checkpoint_contexts as create_selective_checkpoint_contexts,
)
from ._selective import (
    saving,
)

__all__ = [
    "SAC_IGNORED_OPS", "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "GraphExecGroup",
    "SelectiveCheckpointContext", "check_backward_validity", "checkpoint", "checkpoint_sequential",
    "create_selective_checkpoint_contexts", "detach_variable", "noop_context_fn", "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]  # fmt: skip

ContextFn = Callable[[], tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]]]


class CheckpointError(RuntimeError):
    """Backward raises it when the second run of a function differs from the first."""


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

    With preserve_rng_state (True by default) both runs draw the same random numbers. The second runs under the
    autocast of the first.

    use_reentrant=False records the graph as ever but keeps none of its tensors: when backward asks for one, the
    function runs again, as far as the last that was saved (all of it without early_stop). It takes keywords for the
    function; context_fn makes a context for either run; determinism_check="default" compares shapes and dtypes of the two
    runs' tensors, "none" does not. With debug, a CheckpointError lists what either run saved, and the lines that did.

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
        debug = debug if _debug is None else _debug
        if debug and context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        if determinism_check not in _DESCRIPTIONS:
            raise ValueError(f"determinism_check should be one of {list(_DESCRIPTIONS)}, but got {determinism_check}")
        describe = _DESCRIPTIONS[determinism_check]
        return _Rerun(function, args, kwargs, preserve, context_fn(), early_stop, describe, debug).first()
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


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns if no tensor among the inputs requires grad."""
    _warn_if_none_requires_grad(inputs, 3)


def _warn_if_none_requires_grad(inputs: Iterable[Any], stacklevel: int) -> None:
    if not any(value.requires_grad for value in inputs if isinstance(value, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=stacklevel)


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The numbers of the devices, besides the CPU, on which these arguments lie, and their generators' states: none.

    >>> from gradcore.utils.checkpoint import get_device_states
    >>> get_device_states(1, "two")
    ([], [])
    """
    return [], []


def set_device_states(devices: Sequence[int], states: Sequence[Tensor], *, device_type: str | None = None) -> None:
    """Sets what get_device_states() gave: nothing, for there is no device besides the CPU."""
    if devices or states:
        raise RuntimeError("set_device_states: there is no device besides the CPU")


def _autocast_of_now() -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """Makes contexts in which autocast is as it is now. Each run needs one of its own: runs may lie inside each other."""
    return functools.partial(
        autocast, "cpu", _C._autocast_dtype(), enabled=_C._autocast_enabled(), cache_enabled=_C._autocast_caches()
    )


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs with new leaves in place of tensors. RuntimeError for what is no tuple."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(t.detach().requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t for t in inputs)


class CheckpointFunction(Function):
    """checkpoint(use_reentrant=True) as a node of the graph."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        _warn_if_none_requires_grad(args, 4)
        ctx.function = function
        ctx.rng_state = get_rng_state() if preserve_rng_state else None
        ctx.autocast = _autocast_of_now()
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
        arguments = (next(saved) if is_tensor else other for is_tensor, other in zip(ctx.is_tensor, ctx.others))
        inputs = detach_variable(tuple(arguments))
        with fork_rng(enabled=ctx.rng_state is not None), enable_grad(), ctx.autocast():
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
_debug: bool | None = None


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


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside this context debug is `enabled` for every checkpoint, whatever it says itself; None leaves it the choice."""
    global _debug
    before = _debug
    _debug = enabled
    try:
        yield
    finally:
        _debug = before


class GraphExecGroup:
    """All backwards inside this context go through one second run of each checkpoint together. No two of them may need the
    same saved tensor (CheckpointError). A RuntimeError inside of itself.

    >>> import gradcore
    >>> from gradcore.utils.checkpoint import GraphExecGroup, checkpoint
    >>> def halves(x):
    ...     print("runs")
    ...     return x.sin(), x.exp()
    >>> x = gradcore.tensor(0.0, requires_grad=True)
    >>> first, second = checkpoint(halves, x, use_reentrant=False, early_stop=False)
    runs
    >>> with GraphExecGroup():
    ...     first.backward()
    ...     second.backward()
    runs
    """

    def __enter__(self) -> GraphExecGroup:
        if _groups.current is not None:
            raise RuntimeError(f"GraphExecGroup contexts cannot be nested. Already inside group {_groups.current}")
        _groups.current = self
        return self

    def __exit__(self, *exc: object) -> None:
        _groups.current = None


class _Groups(threading.local):
    current: GraphExecGroup | None = None


_groups = _Groups()


class _Stop(Exception):
    """Everything has been computed again that backward can ask for."""


class _Place:
    """The graph keeps it in place of a saved tensor. A second run puts the tensor here, under its backward's number or
    the group of backwards."""

    def __init__(self) -> None:
        self.tensors: dict[int | GraphExecGroup, Tensor] = {}


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
        debug: bool,
    ) -> None:
        self._function, self._args, self._kwargs = function, args, kwargs
        self._versions = [arg._version if isinstance(arg, Tensor) else None for arg in args]
        self._rng_state = get_rng_state() if preserve_rng_state else None
        self._autocast = _autocast_of_now()
        self._first_context, self._second_context = contexts
        self._early_stop = early_stop if _early_stop is None else _early_stop
        self._describe = describe
        self._places: list[weakref.ref[_Place]] = []
        self._descriptions: list[Any] = []
        self._complete = False  # whether the first run is over
        self._is_cut = False  # whether a second run came before that, and so cannot be compared
        self._log = _Log() if debug else None
        self._done: set[int | GraphExecGroup] = set()
        self._numbers = itertools.count(-1, -1)  # for unpacking outside of a backward

    def first(self) -> Any:
        if not _C.is_grad_enabled():
            return self._function(*self._args, **self._kwargs)
        with saving(self._pack, self._unpack), self._first_context:
            result = self._function(*self._args, **self._kwargs)
            self._complete = True
        if not self._complete:
            raise RuntimeError(
                "torch.utils.checkpoint: the forward context provided by context_fn suppressed an exception raised during "
                "the checkpointed forward. There is no result then."
            )
        return result

    def _pack(self, tensor: Tensor) -> _Place:
        place = _Place()
        if self._log:
            self._log.add_first(tensor)
        self._places.append(weakref.ref(place))
        self._descriptions.append(self._describe(tensor))
        return place

    def _unpack(self, place: _Place) -> Tensor:
        try:
            return self._computed_again(place)
        except CheckpointError as error:
            if self._log:
                raise CheckpointError(self._log.text()) from error
            raise

    def _computed_again(self, place: _Place) -> Tensor:
        number = _groups.current or _C._running_backward()[0] or next(self._numbers)
        if number not in self._done:
            self._second(number)
            self._done.add(number)
        if number not in place.tensors:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. "
                "If you are calling ctx.saved_tensors in backward, make sure to do so only once. Backwards within one "
                "GraphExecGroup may not need the same tensor."
            )
        return place.tensors.pop(number)

    def _second(self, number: int | GraphExecGroup) -> None:
        """Runs the function again and fills the places that are still wanted."""
        for arg, version in zip(self._args, self._versions):
            if isinstance(arg, Tensor) and arg._version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"an argument of checkpoint() is at version {arg._version}; expected version {version} instead."
                )
        found: list[Any] = []

        def pack(tensor: Tensor) -> Tensor:
            # A tensor without history stays the same object.
            value = tensor.detach() if tensor.requires_grad else tensor
            index = len(found)
            if self._log:
                self._log.add_second(value)
            if index >= len(self._places):
                if not self._complete:
                    self._is_cut = True
                    return value
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original "
                    f"forward pass.\n{_TIP}"
                )
            found.append(self._describe(value))
            if place := self._places[index]():
                place.tensors[number] = value
            if self._early_stop and len(found) == len(self._places):
                raise _Stop
            return value

        if self._log:
            self._log.second.clear()
        with contextlib.suppress(_Stop), fork_rng(enabled=self._rng_state is not None):
            if self._rng_state is not None:
                set_rng_state(self._rng_state)
            with saving(pack, lambda value: value), enable_grad(), self._autocast(), self._second_context:
                self._function(*self._args, **self._kwargs)
        self._compare(found)

    def _compare(self, found: list[Any]) -> None:
        if self._is_cut:
            return
        if len(found) != len(self._places):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self._places)}\n"
                f"Number of tensors saved during recomputation: {len(found)}.\n{_TIP}"
            )
        differing = [
            f"tensor at position {i}:\nsaved metadata: {a}\nrecomputed metadata: {b}\n"
            for i, (a, b, place) in enumerate(zip(self._descriptions, found, self._places))
            if a != b and place() is not None
        ]
        if differing:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                "during the forward pass.\n" + "".join(differing) + _TIP
            )


_TIP = "Tip: To see a more detailed error message, pass `debug=True` to checkpoint() or use set_checkpoint_debug_enabled(True)"


class _Log:
    """The list of what both runs of a function saved, and where: the text of a CheckpointError with debug=True."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.second: list[str] = []

    def add_first(self, tensor: Tensor) -> None:
        self.first.append(_saved_line(tensor))

    def add_second(self, tensor: Tensor) -> None:
        self.second.append(_saved_line(tensor))

    def text(self) -> str:
        return (
            "The function saved other tensors in its second run than in the first.\n\n"
            f"Saved during the original forward:\n{_numbered(self.first)}\n"
            f"Saved during recomputation:\n{_numbered(self.second)}\n"
            "You are seeing this error because you passed `debug=True` to checkpoint. Compare the two lists: each tensor "
            "comes with the lines, the innermost last, of the operation that saved it."
        )


def _saved_line(tensor: Tensor) -> str:
    """The tensor's kind, and the program's lines that led to the operation which saves it."""
    lines = [
        f"    {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in itertools.takewhile(
            lambda frame: frame.filename != __file__, reversed(traceback.extract_stack()[:-_OWN_FRAMES])
        )
    ]
    return "\n".join([f"{tensor.dtype} {tuple(tensor.shape)}", *reversed(lines)])


_OWN_FRAMES = 3  # _saved_line, add_first or add_second, and the hook


def _numbered(lines: list[str]) -> str:
    return "".join(f"{i} of {len(lines)}: {line}\n" for i, line in enumerate(lines, 1)) or "nothing\n"
