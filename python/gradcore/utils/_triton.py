"""torch.utils._triton: whether Triton can be used. gradcore runs none of its kernels."""

from __future__ import annotations


def has_triton() -> bool:
    """False.

    >>> has_triton()
    False
    """
    return False


has_triton_package = has_triton_tma = has_triton_tma_device = has_triton_tensor_descriptor_host_tma = has_triton
has_triton_experimental_host_tma = has_triton_stable_tma_api = has_datacenter_blackwell_tma_device = has_triton
