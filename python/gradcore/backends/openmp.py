"""torch.backends.openmp: not there."""

from __future__ import annotations


def is_available() -> bool:
    """False: gradcore does not compute with it."""
    return False


is_built = is_available
