"""Names of torch itself for what gradcore does not have: their use raises NotImplementedError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .absent import refusal

_NAMES = {
    "gradcore's tensors are dense and strided": "hspmm saddmm smm sparse_bsc_tensor sparse_bsr_tensor sparse_compressed_tensor "
    "sparse_coo_tensor sparse_csc_tensor sparse_csr_tensor sspaddmm",
    "Cannot access accelerator device when none is available": "Event Stream",
    "gradcore does not compile programs": "DeviceObjType StreamObjType",
    "gradcore has no quantised tensors": "empty_quantized fake_quantize_per_channel_affine "
    "fake_quantize_per_tensor_affine int_repr quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic",
}

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


for _why, _names in _NAMES.items():
    globals().update({name: refusal("gradcore", name, _why) for name in _names.split()})
