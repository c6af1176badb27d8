"""gradcore.nn: so far only nn.utils, which works on parameters and gradients and needs no modules."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

    from . import utils as utils

__all__ = ["utils"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module(f".{name}", __name__)
