"""Memory that several processes see. Start at share.

Such memory is a file without a name, mapped by each process. A process that forks hands the mapping on; to one that is
spawned, or at the other end of a queue, goes the file's descriptor.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any

import gradcore
from gradcore import Tensor

# The mapping and its descriptor, by the address where it begins. A mapping ends with the last tensor on it.
_mappings: weakref.WeakValueDictionary[int, mmap.mmap] = weakref.WeakValueDictionary()
_descriptors: dict[int, int] = {}


def share(t: Tensor) -> None:
    """Moves the memory of a tensor to where other processes see it, unless it is there."""
    size = t._storage_nbytes()
    if not size or is_shared(t):
        return
    whole = t.detach().as_strided((size // t.element_size(),), (1,), 0)
    memory = _map(_open(size), size, whole.dtype)
    memory.copy_(whole)
    t.data = memory.as_strided(t.shape, t.stride(), t.storage_offset())


def is_shared(t: Tensor) -> bool:
    """Whether the tensor lies in such memory."""
    return _address(t) in _mappings


def _address(t: Tensor) -> int:
    """Where the memory below the tensor begins."""
    return t.data_ptr() - t.storage_offset() * t.element_size()


def _open(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("gradcore")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, size)
    return descriptor


def _map(descriptor: int, size: int, of: Any) -> Tensor:
    """The file as a tensor, which owns the descriptor from now on."""
    mapping = mmap.mmap(descriptor, size)
    memory = gradcore.frombuffer(mapping, dtype=of)
    address = memory.data_ptr()
    _mappings[address], _descriptors[address] = mapping, descriptor
    weakref.finalize(mapping, _close, address, descriptor).atexit = False
    return memory


def _close(address: int, descriptor: int) -> None:
    if _descriptors.get(address) == descriptor:
        del _descriptors[address]
    os.close(descriptor)


def reduce_tensor(t: Tensor) -> Any:
    """How a tensor goes to another process: shared memory stays so, other memory is copied. Its graph cannot go."""
    if not t.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing "
            "process boundaries.  If you just want to transfer the data, call detach() on the tensor before serializing "
            "(e.g., putting it on the queue)."
        )
    if not t._storage_nbytes() or not is_shared(t):
        return t.__reduce_ex__(2)
    window = tuple(t.shape), t.stride(), t.storage_offset()
    descriptor = DupFd(_descriptors[_address(t)])
    return _rebuild, (type(t), descriptor, t._storage_nbytes(), t.dtype, window, t.requires_grad, vars(t) or None)


def _rebuild(
    cls: type[Tensor], descriptor: Any, size: int, of: Any, window: Any, requires_grad: bool, attributes: Any
) -> Tensor:
    plain = _map(descriptor.detach(), size, of).as_strided(*window)
    if cls is Tensor:
        found = plain.detach()
        found.requires_grad = requires_grad
    else:
        found = gradcore._C._make_subclass(cls, plain, requires_grad)
    if attributes:
        vars(found).update(attributes)
    return found


def _register() -> None:
    for cls in (Tensor, gradcore.nn.Parameter):
        ForkingPickler.register(cls, reduce_tensor)


_register()
