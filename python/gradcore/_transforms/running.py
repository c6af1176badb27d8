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
    """The time of linearize and the like, in which torch refuses nothing: the core does not hear of it."""

    def __enter__(self) -> Entered | None:
        running.transforms.append(DIFFERENTIATION)
        return None

    def __exit__(self, *exception: Any) -> None:
        running.transforms.pop()


class differentiating(tracing):
    """The time of another transform that is not vmap. Gives what the core knows of it."""

    def __enter__(self) -> Entered | None:
        self._entered = _C._enter_differentiation()
        running.transforms.append(DIFFERENTIATION)
        return self._entered

    def __exit__(self, *exception: Any) -> None:
        running.transforms.pop()
        _C._exit_differentiation(self._entered)
