"""torch.serialization: the place that programs import save and load from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ._serialization import load as load
from ._serialization import save as save

MAP_LOCATION = Any


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Refused: with weights_only=True, load() makes tensors, numbers, strings and containers alone."""
    raise NotImplementedError("add_safe_globals: load(weights_only=True) makes tensors, numbers and containers alone")


def safe_globals(safe_globals: Sequence[Any]) -> AbstractContextManager[None]:
    """Refused for a list that is not empty, as add_safe_globals()."""
    if safe_globals:
        add_safe_globals(safe_globals)
    return nullcontext()
