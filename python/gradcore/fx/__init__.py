"""torch.fx traces programs, which gradcore does not: every use raises NotImplementedError."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent, absent_modules

_WHY = "gradcore does not trace programs into graphs"
__getattr__ = absent(
    __name__, "Graph GraphModule Interpreter Node Proxy Tracer Transformer symbolic_trace replace_pattern", _WHY
)

absent_modules(
    __name__,
    {
        "graph": "CodeGen Graph PythonCode",
        "graph_module": "GraphModule _CodeOnlyModule _USER_PRESERVED_ATTRIBUTES_KEY _copy_attr",
        "interpreter": "Interpreter Transformer",
        "node": "Argument Node Target has_side_effect map_aggregate map_arg",
        "proxy": "Attribute GraphAppendingTracer MetaProxy ParameterProxy Proxy Scope ScopeContextManager TraceError TracerBase",
    },
    _WHY,
)


def wrap(fn_or_name: Any) -> Any:
    """Returns what it is given: nothing is traced."""
    return fn_or_name
