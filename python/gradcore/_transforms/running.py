"""The transforms that are running in this thread, and what they refuse meanwhile."""

from __future__ import annotations

import threading
from typing import Any

from .. import _C


class _Running(threading.local):
    def __init__(self) -> None:
        # The outermost first, as a custom Function must know them: a BatchLevel for each vmap, DIFFERENTIATION for the
        # others. A tuple: to leave a transform, which puts back the one before, needs no memory.
        self.transforms: tuple[Any, ...] = ()


running = _Running()
DIFFERENTIATION = object()
Entered = tuple[int, int, bool, bool]  # what the core knows of a transform; its number is the first


# Classes, because a generator as a context manager would take longer than all of this.


class tracing:
    """A context for linearize and the like. torch refuses nothing there, so the core is not told."""

    def __enter__(self) -> Entered | None:
        self._around = running.transforms
        running.transforms = (*self._around, DIFFERENTIATION)
        return None

    def __exit__(self, *exception: Any) -> None:
        running.transforms = self._around


class differentiating(tracing):
    """A context for the other transforms but vmap. It returns what the core knows of the transform."""

    def __enter__(self) -> Entered | None:
        super().__enter__()
        try:
            self._entered = _C._enter_differentiation()
        except BaseException:
            running.transforms = self._around
            raise
        return self._entered

    def __exit__(self, *exception: Any) -> None:
        running.transforms = self._around
        try:
            _C._exit_differentiation(self._entered)
        except MemoryError:  # a call takes some; the first to fail has often made room
            _C._exit_differentiation(self._entered)
            raise
