"""torch.utils.dlpack: memory shared with other libraries (NumPy, JAX, torch, CuPy ...) by the DLPack protocol.

`from_dlpack` takes their arrays, and they take tensors by `Tensor.__dlpack__`. Nothing is copied unless it is asked for,
and memory goes when the last of the two sides lets go of it, in whichever order.
"""

from __future__ import annotations

import enum
from typing import Any

from .. import _C
from .._C import Tensor
from .._types import device as Device

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers of the kinds of devices."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


_CPU = (DLDeviceType.kDLCPU, 0)


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule with the memory of `tensor`, of DLPack before 1.0. It can be taken once, by from_dlpack().

    Raises BufferError for read-only memory, which such a capsule cannot tell of. As in torch, that the tensor requires
    grad is forgotten.

    >>> import gradcore
    >>> x = gradcore.zeros(2)
    >>> gradcore.from_dlpack(gradcore.to_dlpack(x))[0] = 1.0
    >>> x
    tensor([1., 0.])
    """
    return _C._to_dlpack(tensor, False, False)


def give(tensor: Tensor, stream: Any, max_version: Any, dl_device: Any, copy: bool | None) -> Any:
    """Tensor.__dlpack__()."""
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if dl_device is not None and tuple(dl_device) != _CPU:
        raise BufferError(f"gradcore has tensors on the CPU, DLPack's device (1, 0), and none on {tuple(dl_device)}")
    if copy is not None and type(copy) is not bool:
        raise TypeError(f"__dlpack__(): argument 'copy' must be bool, not {type(copy).__name__}")
    return _C._to_dlpack(tensor, max_version is not None and max_version[0] >= 1, bool(copy))


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an array of another library: what is written to one is seen in the other.

    `ext_tensor` has the methods `__dlpack__` and `__dlpack_device__`, or is a capsule that to_dlpack() made. With
    copy=True the tensor has memory of its own. Read-only memory stays so: a write to the tensor raises RuntimeError.

    Raises BufferError for what no tensor can show: a dtype that tensors do not have, negative strides, memory that is not
    aligned, other devices than the CPU; and RuntimeError for a capsule that was taken before.

    >>> import numpy, gradcore
    >>> a = numpy.zeros(2)
    >>> gradcore.from_dlpack(a)[0] = 1.0
    >>> a
    array([1., 0.])
    """
    _check_target(device)
    if not hasattr(ext_tensor, "__dlpack__"):
        shared = _C._from_dlpack(ext_tensor)
        return shared.clone() if copy else shared
    source = tuple(ext_tensor.__dlpack_device__())
    if source != _CPU:
        raise BufferError(f"gradcore takes arrays on the CPU, DLPack's device (1, 0), and this one is on {source}")
    options: dict[str, Any] = {"max_version": (1, 0)}
    if copy is not None:
        options["copy"] = copy
    if device is not None:
        options["dl_device"] = _CPU
    try:
        capsule = ext_tensor.__dlpack__(**options)
    except TypeError:  # from before these options were there
        shared = _C._from_dlpack(ext_tensor.__dlpack__())
        return shared.clone() if copy else shared
    return _C._from_dlpack(capsule)


def _check_target(device: Any) -> None:
    if device is None:
        return
    if not isinstance(device, (str, Device)):
        raise AssertionError(f"from_dlpack: unsupported device type: {type(device)}")
    _C.empty(0, device=device)
