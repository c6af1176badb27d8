"""torch.export traces programs, which gradcore does not: every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "Dim ExportedProgram export export_for_training load save register_dataclass",
    "gradcore does not trace programs into graphs",
)
