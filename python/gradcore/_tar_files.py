"""The oldest format of torch's files: a tar archive of the files "storages", "tensors" and "pickle". Start at read.

"storages" and "tensors" are pickles, one after another, with plain numbers between them. Each storage and each tensor has
a number, by which "tensors" names storages, and "pickle" tensors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ._bytes import memory_from
from ._C import Tensor
from ._pickle_reader import FileError, Reader
from ._storage_types import STORAGE_DTYPES, StorageType, dtype_named, storage_type

_BLOCK = 512  # what a tar archive is made of


def read(data: bytes, weights_only: bool, read_pickle: Callable[[bytes, Callable[[Any], Any]], Any]) -> Any:
    """What such a file holds; `read_pickle` reads its "pickle". Raises FileError for a file that is damaged."""
    files = _members(data)
    missing = {"storages", "tensors", "pickle"} - set(files)
    if missing:
        raise FileError(f"load: not a file that torch wrote: the tar archive has no {', '.join(sorted(missing))}")
    objects = _Objects()
    objects.read_storages(_Stream(files["storages"]))
    objects.read_tensors(_Stream(files["tensors"]))
    load = objects.named if weights_only else objects.named_or_class
    return read_pickle(files["pickle"], load)


def _members(data: bytes) -> dict[str, bytes]:
    """The plain files of a tar archive, whose sizes are bounded by it."""
    found: dict[str, bytes] = {}
    at = 0
    while at + _BLOCK <= len(data) and data[at]:
        header = data[at : at + _BLOCK]
        name, digits = (field.split(b"\0")[0].strip() for field in (header[:100], header[124:136]))
        if not digits or digits.strip(b"01234567"):
            raise FileError("load: the file is damaged: a member of the tar archive has no size")
        start, size = at + _BLOCK, int(digits, 8)
        if start + size > len(data):
            raise FileError("load: the file is damaged: it ends too early")
        if header[156:157] in (b"0", b"\0"):
            found[name.decode("latin1")] = data[start : start + size]
        at = start + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    return found


class _Stream:
    """A member of the archive, read from its beginning on. Its pickles are read by the reader that runs nothing."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def next_pickle(self) -> Any:
        reader = Reader(self.data, _known_type, None, self.position)
        found = reader.load()
        self.position = reader.position
        return found

    def take(self, size: int) -> bytes:
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise FileError("load: the file is damaged: it ends too early")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def numbers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self.take(8 * count))


def _known_type(module: str, name: str) -> StorageType:
    """What the globals of storages and tensors stand for: types of the CPU or a GPU, whose names end like these."""
    storage = name.removesuffix("Tensor") + "Storage" if name.endswith("Tensor") else name
    if module in ("torch", "torch.cuda") and storage in STORAGE_DTYPES:
        return storage_type(storage)
    raise FileError(f"load: the file names a type of tensors in an unknown way: {module}.{name}")


class _Objects:
    """The storages and tensors of a file, by number."""

    def __init__(self) -> None:
        self.found: dict[int, Tensor] = {}  # a storage as a 1-D tensor

    def read_storages(self, stream: _Stream) -> None:
        for _ in range(_count(stream.next_pickle())):
            match stream.next_pickle():
                case (int() as key, str(), StorageType() as kind):
                    target = dtype_named(kind)
                    (numel,) = stream.numbers(1)
                    self.found[key] = memory_from(stream.take(numel * target.itemsize), target)
                case other:
                    raise FileError(f"load: the file names a storage in an unknown way: {other!r:.200}")
        views = stream.next_pickle()
        for view in views if isinstance(views, list) else [views]:
            self.add_part(view)

    def add_part(self, view: Any) -> None:
        match view:
            case (int() as key, int() as root, int() as start, int() as length):
                memory = self.found.get(root)
                if memory is not None and 0 <= start <= start + length <= memory.numel():
                    self.found[key] = memory.narrow(0, start, length)
                    return
        raise FileError(f"load: the file names a part of a storage in an unknown way: {view!r:.200}")

    def read_tensors(self, stream: _Stream) -> None:
        for _ in range(_count(stream.next_pickle())):
            match stream.next_pickle():
                case (int() as key, int() as storage, StorageType()) if storage in self.found:
                    self.found[key] = _next_tensor(stream, self.found[storage])
                case other:
                    raise FileError(f"load: the file names a tensor in an unknown way: {other!r:.200}")

    def named(self, pid: Any) -> Tensor:
        """The tensor of a number, which may be written as text."""
        key = int(pid) if isinstance(pid, str) and pid.isdecimal() and len(pid) < 20 else pid
        if isinstance(key, int) and key in self.found:
            return self.found[key]
        raise FileError(f"load: the file names a tensor in an unknown way: {pid!r:.200}")

    def named_or_class(self, pid: Any) -> Any:
        """The same, where code may run: beside tensors, classes of modules with their source are named."""
        return pid[0] if isinstance(pid, tuple) and pid else self.named(pid)


def _count(number: Any) -> int:
    if not isinstance(number, int):
        raise FileError(f"load: the file has {number!r:.200} where a number of storages or tensors stands")
    return number


def _next_tensor(stream: _Stream, memory: Tensor) -> Tensor:
    dims, _ = struct.unpack("<ii", stream.take(8))
    size, stride = stream.numbers(dims), stream.numbers(dims)
    (offset,) = stream.numbers(1)
    try:
        return memory.as_strided(size, stride, offset).detach()
    except (RuntimeError, ValueError, OverflowError) as error:
        raise FileError(f"load: the file is damaged: {error}") from None
