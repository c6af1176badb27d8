"""torch.onnx exports traced programs, which gradcore does not have: export raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "ONNXProgram OnnxExporterError dynamo_export export select_model_mode_for_export",
    "gradcore does not trace programs into graphs, so there is nothing to export",
)


def is_in_onnx_export() -> bool:
    """False."""
    return False
