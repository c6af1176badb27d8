"""torch.onnx exports traced programs, which gradcore does not have: export raises NotImplementedError."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent, absent_modules

_WHY = "gradcore does not trace programs into graphs, so there is nothing to export"
__getattr__ = absent(
    __name__,
    "ONNXProgram OnnxExporterError TensorProtoDataType dynamo_export export select_model_mode_for_export",
    _WHY,
)
absent_modules(__name__, {f"symbolic_opset{version}": "" for version in range(7, 21)}, _WHY)


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int) -> None:
    """Does nothing: packages say how their operators are exported when they are imported."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Does nothing."""


def is_in_onnx_export() -> bool:
    """False."""
    return False
