"""torch.nn.quantized: gradcore has no quantised tensors, and every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "BatchNorm2d BatchNorm3d Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d DeQuantize Dropout ELU "
    "Embedding EmbeddingBag FXFloatFunctional FloatFunctional GroupNorm Hardswish InstanceNorm1d InstanceNorm2d "
    "InstanceNorm3d LSTM LayerNorm LeakyReLU Linear MaxPool2d MultiheadAttention PReLU QFunctional Quantize ReLU6 Sigmoid "
    "Softmax",
    "gradcore has no quantised tensors",
)
