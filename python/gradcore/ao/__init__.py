"""torch.ao: gradcore has no quantised tensors, and every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent_modules

_NAMES = (
    "DeQuantStub FakeQuantize FakeQuantizeBase ObserverBase QConfig QuantStub QuantWrapper convert default_qconfig fuse_modules get_default_qconfig "
    "get_default_qat_qconfig prepare prepare_qat quantize quantize_dynamic quantize_qat"
)
absent_modules(
    __name__,
    {"quantization": _NAMES, "nn": "", "nn.quantized": "Conv2d Linear", "pruning": "WeightNormSparsifier"},
    "gradcore has no quantised tensors",
)
