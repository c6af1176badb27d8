"""Names of torch._C that packages import for isinstance(). No object of gradcore is an instance of one of these classes."""

from __future__ import annotations

from typing import Any

from .absent import absent

_TensorMeta = type  # the metaclass of Tensor
_absent = absent(
    "torch._C",
    "Block CompilationUnit Future Graph ScriptFunction ScriptMethod ScriptModule ScriptObject TracingState Value",
    "gradcore does not compile programs",
)


def name_of_core(name: str) -> Any:
    """What torch._C has by this name. Raises AttributeError for another one."""
    return _TensorMeta if name == "_TensorMeta" else _absent(name)
