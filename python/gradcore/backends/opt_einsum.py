"""torch.backends.opt_einsum: not there; its switches are remembered and do nothing."""

from __future__ import annotations

enabled = False
strategy: str | None = None


def is_available() -> bool:
    """False: gradcore does not use it."""
    return False


def get_opt_einsum() -> None:
    """None."""
