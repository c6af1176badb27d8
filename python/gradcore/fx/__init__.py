"""torch.fx traces programs, which gradcore does not: every use raises NotImplementedError."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "Graph GraphModule Interpreter Node Proxy Tracer Transformer symbolic_trace replace_pattern",
    "gradcore does not trace programs into graphs",
)


def wrap(fn_or_name: Any) -> Any:
    """Returns what it is given: nothing is traced."""
    return fn_or_name
