"""The transforms that are running in this thread, and what they refuse meanwhile."""

from __future__ import annotations

import threading
from typing import Any

from .. import _C


class _Running(threading.local):
    def __init__(self) -> None:
        # The outermost first, as a custom Function must know them: a BatchLevel for each vmap, DIFFERENTIATION for the
        # others.
        self.transforms: list[Any] = []


running = _Running()
DIFFERENTIATION = object()
Entered = tuple[int, int, bool]  # what the core knows of a transform; its number is the first


# Classes, because a generator as a context manager would take longer than all of this.


class tracing:
    """A context for linearize and the like. torch refuses nothing there, so the core is not told."""

    def __enter__(self) -> Entered | None:
        running.transforms.append(DIFFERENTIATION)
        return None

    def __exit__(self, *exception: Any) -> None:
        running.transforms.pop()


class differentiating(tracing):
    """A context for the other transforms but vmap. It returns what the core knows of the transform."""

    def __enter__(self) -> Entered | None:
        self._entered = _C._enter_differentiation()
        running.transforms.append(DIFFERENTIATION)
        return self._entered

    def __exit__(self, *exception: Any) -> None:
        running.transforms.pop()
        _C._exit_differentiation(self._entered)
