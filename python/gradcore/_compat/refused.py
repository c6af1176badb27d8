"""Functions of torch that make or want other tensors than dense ones of plain numbers. Calling one raises NotImplementedError.

>>> import gradcore
>>> gradcore.sparse_coo_tensor([[0]], [1.0])
Traceback (most recent call last):
NotImplementedError: torch.sparse_coo_tensor: all tensors are dense and strided
"""

from __future__ import annotations

from .absent import refusal

_DENSE = "all tensors are dense and strided"
_UNQUANTISED = "there are no quantised tensors"


def _refused(name: str, why: str) -> type:
    made: type = refusal("torch", name, why)
    call = f"gradcore.{name}()\nTraceback (most recent call last):\nNotImplementedError: torch.{name}: {why}"
    made.__doc__ = f"{made.__doc__}\n\n>>> import gradcore\n>>> {call}\n"
    return made


hspmm = _refused("hspmm", _DENSE)
saddmm = _refused("saddmm", _DENSE)
smm = _refused("smm", _DENSE)
sspaddmm = _refused("sspaddmm", _DENSE)
sparse_bsc_tensor = _refused("sparse_bsc_tensor", _DENSE)
sparse_bsr_tensor = _refused("sparse_bsr_tensor", _DENSE)
sparse_compressed_tensor = _refused("sparse_compressed_tensor", _DENSE)
sparse_coo_tensor = _refused("sparse_coo_tensor", _DENSE)
sparse_csc_tensor = _refused("sparse_csc_tensor", _DENSE)
sparse_csr_tensor = _refused("sparse_csr_tensor", _DENSE)

empty_quantized = _refused("empty_quantized", _UNQUANTISED)
fake_quantize_per_channel_affine = _refused("fake_quantize_per_channel_affine", _UNQUANTISED)
fake_quantize_per_tensor_affine = _refused("fake_quantize_per_tensor_affine", _UNQUANTISED)
int_repr = _refused("int_repr", _UNQUANTISED)
quantize_per_channel = _refused("quantize_per_channel", _UNQUANTISED)
quantize_per_tensor = _refused("quantize_per_tensor", _UNQUANTISED)
quantize_per_tensor_dynamic = _refused("quantize_per_tensor_dynamic", _UNQUANTISED)
