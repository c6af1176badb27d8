"""torch._VF: the functions of the core by their names, whatever a package has put in their place elsewhere."""

from __future__ import annotations

from typing import Any

from . import _C


def __getattr__(name: str) -> Any:
    return getattr(_C, name)
