"""torch.quantization: gradcore has no quantised tensors, and every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent, absent_modules

_WHY = "gradcore has no quantised tensors"
__getattr__ = absent(
    __name__,
    "DeQuantStub FakeQuantize FakeQuantizeBase ObserverBase QConfig QuantStub QuantWrapper convert default_qconfig fuse_modules "
    "get_default_qconfig prepare prepare_qat "
    "quantize quantize_dynamic quantize_qat",
    _WHY,
)
absent_modules(
    __name__,
    {
        "observer": "HistogramObserver MinMaxObserver MovingAverageMinMaxObserver MovingAveragePerChannelMinMaxObserver "
        "NoopObserver ObserverBase PerChannelMinMaxObserver PlaceholderObserver default_observer default_weight_observer",
        "qconfig": "QConfig default_qconfig get_default_qat_qconfig get_default_qconfig",
    },
    _WHY,
)
