"""torch.backends.mkldnn: not there; its switches are remembered and do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

enabled = True
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False: gradcore does not compute with it."""
    return False


@contextmanager
def flags(enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, **_: object) -> Iterator[None]:
    """A context that changes nothing."""
    yield
