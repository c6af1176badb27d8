"""asarray: a tensor on the memory of what is given, where that can be."""

from __future__ import annotations

import warnings
from typing import Any

from . import _C
from ._C import Tensor


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """`obj` as a tensor: on its memory if it is a tensor, an array or a buffer of the right dtype.

    copy=True always copies; copy=False raises ValueError where a copy is needed. requires_grad: False gives a tensor without
    history; without it a tensor keeps its own, of which a warning tells.

    >>> import gradcore
    >>> x = gradcore.zeros(2)
    >>> gradcore.asarray(x)[0] = 1.0
    >>> x
    tensor([1., 0.])
    """
    if requires_grad is None and isinstance(obj, Tensor) and obj.requires_grad:
        warnings.warn(
            "torch.asarray: unspecified requires_grad is obj.requires_grad now; requires_grad=False gives a tensor that "
            "does not require grad",
            stacklevel=2,
        )
    result = on_its_memory(obj, dtype, device, copy)
    if requires_grad is False:
        return result.detach() if result.requires_grad else result
    if requires_grad and not result.requires_grad:  # what has a history keeps it
        result.requires_grad = True  # requires_grad_() is refused in transforms
    return result


def on_its_memory(obj: Any, dtype: Any, device: Any, copy: bool | None) -> Tensor:
    """asarray() without a word about gradients."""
    shared = _shared(obj, dtype)
    if copy is False and shared is None:
        raise ValueError(f"can't alias arbitrary sequence into a tensor: asarray() must copy this {type(obj).__name__}")
    result = _C.tensor(obj, dtype=dtype, device=device) if shared is None else shared.to(dtype=dtype, device=device)
    if result is not shared and copy is False:
        raise ValueError("can't alias tensor with different dtype: asarray() must copy")
    if copy and result is shared:
        result = shared.clone()
    return result


def _shared(obj: Any, dtype: Any) -> Tensor | None:
    if isinstance(obj, Tensor):
        return obj
    if hasattr(obj, "__array_interface__") and obj.shape:
        return _C.as_tensor(obj)
    if hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule":
        from .utils.dlpack import from_dlpack

        return from_dlpack(obj)
    if type(obj).__name__ == "UntypedStorage" and dtype in (None, _C.uint8):
        memory: Tensor = obj._as_tensor()
        return memory
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return _C.frombuffer(obj, dtype=dtype or _C.get_default_dtype())
    return None
