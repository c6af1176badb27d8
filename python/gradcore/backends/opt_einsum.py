"""torch.backends.opt_einsum: whether the package opt_einsum chooses the order in which einsum contracts, and how."""

from __future__ import annotations

import functools
import importlib
from typing import Any

__all__ = ["enabled", "get_opt_einsum", "is_available", "strategy"]

enabled = True
strategy = "auto"


@functools.cache
def get_opt_einsum() -> Any:
    """The package opt_einsum, or None where it is not installed."""
    try:
        return importlib.import_module("opt_einsum")
    except ImportError:
        return None


def is_available() -> bool:
    """Whether the package opt_einsum is installed."""
    return get_opt_einsum() is not None
