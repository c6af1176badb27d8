"""The transforms that are running in this thread, the outermost first: what a custom Function must know of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Running(threading.local):
    def __init__(self) -> None:
        self.transforms: list[Any] = []  # a BatchLevel for each vmap, DIFFERENTIATION for the others


running = _Running()
DIFFERENTIATION = object()


@contextmanager
def differentiating() -> Iterator[None]:
    running.transforms.append(DIFFERENTIATION)
    try:
        yield
    finally:
        running.transforms.pop()
