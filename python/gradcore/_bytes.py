"""Tensors as bytes, and back, for files."""

from __future__ import annotations

from typing import Any

from . import _C
from ._C import Tensor, dtype


def bytes_of(memory: Tensor) -> Any:
    """The bytes of a contiguous tensor, without a copy."""
    if memory.is_floating_point() and memory.element_size() == 2:
        memory = memory.detach().view(_C.int16)  # memoryview knows no half
    return memoryview(memory.detach()).cast("B") if memory.numel() else b""


def memory_from(data: bytes, target: dtype) -> Tensor:
    """A tensor of its own memory from bytes."""
    if not data:
        return _C.empty(0, dtype=target)
    if target == _C.bool:
        return _C.frombuffer(data, dtype=_C.uint8) != 0  # whatever the bytes, True is 1
    return _C.frombuffer(data, dtype=target).clone()
