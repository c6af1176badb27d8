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
