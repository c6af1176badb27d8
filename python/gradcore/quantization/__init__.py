"""torch.quantization: gradcore has no quantised tensors, and every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "DeQuantStub QuantStub QuantWrapper convert default_qconfig fuse_modules get_default_qconfig prepare prepare_qat "
    "quantize quantize_dynamic quantize_qat",
    "gradcore has no quantised tensors",
)
