"""torch.backends.cpu: what the processor can do."""

from __future__ import annotations

from .. import _C


def get_cpu_capability() -> str:
    """The instruction set that the kernels use, in torch's words: "DEFAULT", "AVX2" or "AVX512"."""
    return {"v3": "AVX2", "v4": "AVX512"}.get(_C._build_info()["isa"], "DEFAULT")
