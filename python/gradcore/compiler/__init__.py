"""torch.compiler without a compiler: nothing is compiled, and decorators change nothing."""

from __future__ import annotations

from typing import Any

from .._compat.settings import compile as compile


def is_compiling() -> bool:
    """False.

    >>> import gradcore
    >>> gradcore.compiler.is_compiling()
    False
    """
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, **kwargs: Any) -> Any:
    """A decorator that changes nothing."""
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn: Any) -> Any:
    """A decorator that changes nothing."""
    return fn


assume_constant_result = allow_in_graph


def substitute_in_graph(original_fn: Any, **kwargs: Any) -> Any:
    """A decorator that changes nothing."""
    return lambda function: function


def reset() -> None:
    """Does nothing."""


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """An empty list."""
    return []


def cudagraph_mark_step_begin() -> None:
    """Does nothing."""


def set_stance(stance: Any = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> Any:
    """A context manager, a decorator, or a call that lasts: how compiled programs are to run. None are compiled, so that the
    stance is kept, and changes nothing.

    stance: one of torch's names, or what `_dynamo.eval_frame._set_stance` gave for the stance before.
    Raises RuntimeError for a stance that torch does not have; torch itself does when a compiled function is called.

    >>> import gradcore
    >>> with gradcore.compiler.set_stance("force_eager"):
    ...     gradcore.compile(gradcore.neg)(gradcore.ones(1))
    tensor([-1.])
    """
    from .._dynamo.eval_frame import set_stance as make

    return make(stance, skip_guard_eval_unsafe=skip_guard_eval_unsafe, force_backend=force_backend)
