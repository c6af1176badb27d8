"""Marks for NVIDIA's profiler, which need a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def _refuse(*args: Any, **kwargs: Any) -> Any:
    """Needs a GPU: raises RuntimeError."""
    raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")


range_push = range_pop = range_start = range_end = mark = _refuse


@contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """Decorates a function, or surrounds a block. RuntimeError where it begins."""
    _refuse()
    yield
