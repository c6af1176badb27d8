"""Python's multiprocessing, whose names are all here, and spawn().

A tensor that is sent to another process is copied, unless share_memory_() moved it to memory that both see.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import *  # noqa: F403
from typing import Any

from . import _shared as _shared  # which says how tensors are sent
from .spawn import ProcessContext as ProcessContext
from .spawn import ProcessExitedException as ProcessExitedException
from .spawn import ProcessRaisedException as ProcessRaisedException
from .spawn import spawn as spawn
from .spawn import start_processes as start_processes

SpawnContext = ProcessContext


def get_sharing_strategy() -> str:
    """What set_sharing_strategy() was told last."""
    return _sharing


_sharing = "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Remembered, and no more. Raises AssertionError for a strategy that is not in get_all_sharing_strategies()."""
    global _sharing
    assert new_strategy in get_all_sharing_strategies()
    _sharing = new_strategy


def get_all_sharing_strategies() -> set[str]:
    """torch's names."""
    return {"file_descriptor", "file_system"}


def __getattr__(name: str) -> Any:
    return getattr(multiprocessing, name)
