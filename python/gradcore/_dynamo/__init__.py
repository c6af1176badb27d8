"""What programs ask of torch's private module _dynamo: nothing is compiled, and decorators change nothing."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent_modules
from ..compiler import allow_in_graph as allow_in_graph
from ..compiler import disable as disable
from ..compiler import is_compiling as is_compiling
from ..compiler import reset as reset
from . import eval_frame as eval_frame
from .eval_frame import OptimizedModule as OptimizedModule

absent_modules(__name__, {"exc": "TorchDynamoException Unsupported"}, "gradcore does not compile programs")


class _Config:
    suppress_errors = False
    cache_size_limit = 8
    verbose = False


config: Any = _Config()


def graph_break(msg: str = "") -> None:
    """Does nothing."""


def mark_static_address(t: Any, guard: bool = True) -> None:
    """Does nothing: no compiler asks whether a tensor stays where it is."""


def mark_dynamic(t: Any, index: Any, *, hint_override: Any = None, min: Any = None, max: Any = None) -> None:
    """Does nothing: no compiler asks which sizes change."""


mark_unbacked = maybe_mark_dynamic = mark_static = mark_dynamic


def assume_constant_result(fn: Any) -> Any:
    """The function itself."""
    return fn
