"""torch._guards: what programs ask about a compiler that looks on. None does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ._compat.absent import absent

__getattr__ = absent(
    __name__,
    "ChainedSource CompileId Guard GuardSource GuardsContext GuardsSet ShapeGuard Source TraceId",
    "gradcore does not compile programs",
)


def detect_fake_mode(inputs: Any = None) -> None:
    """None: every tensor has memory.

    >>> detect_fake_mode()
    """


def active_fake_mode() -> None:
    """None, as detect_fake_mode()."""


class TracingContext:
    """What a compiler knows while it traces a program."""

    @staticmethod
    def try_get() -> None:
        """None: none traces."""

    @staticmethod
    def get() -> Any:
        """Raises RuntimeError, as in torch where no compiler traces."""
        raise RuntimeError("TracingContext.get() must be called within an ongoing trace.")


class CompileContext:
    """What a compiler knows while it compiles a program."""

    @staticmethod
    def try_get() -> None:
        """None: none compiles."""

    @staticmethod
    def current_compile_id() -> None:
        """None: none compiles."""

    @staticmethod
    def current_trace_id() -> None:
        """None: none compiles."""


@contextlib.contextmanager
def tracing(context: Any) -> Iterator[Any]:
    """Changes nothing."""
    yield context
