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


class set_stance:
    """A context manager, a decorator, or a call that lasts: how compiled programs are to run. None are: it changes nothing.

    Raises RuntimeError for a stance that torch does not have.

    >>> import gradcore
    >>> with gradcore.compiler.set_stance("force_eager"):
    ...     gradcore.compile(gradcore.neg)(gradcore.ones(1))
    tensor([-1.])
    """

    _known = (
        "default eager_then_compile aot_eager_then_compile force_eager eager_on_recompile fail_on_recompile".split()
    )

    def __init__(
        self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        if stance not in self._known:
            raise RuntimeError(f"invalid torch.compile stance {stance!r}: it is none of {self._known}")
        if force_backend is not None and stance != "default":
            raise RuntimeError("force_backend cannot be used with a stance other than 'default'")

    def __call__(self, fn: Any) -> Any:
        return fn

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        pass
