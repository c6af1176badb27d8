"""save and load, and what pickle and copy need to know about tensors. Start at save.

A file has torch's own format, so that torch reads what gradcore writes and the other way round: a zip archive
of data.pkl, in which a tensor is a window (offset, size, stride) on a numbered storage, and of the storages'
bytes. Tensors that share memory share it again after loading.
"""

from __future__ import annotations

import copy
import functools
import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from typing import IO, Any

import gradcore
from gradcore import Size, Tensor, device, dtype

_STORAGE_DTYPES = {f"{scalar}Storage": name for _, name, scalar in gradcore._C._dtypes()}
_STORAGE_NAMES = {name: storage for storage, name in _STORAGE_DTYPES.items()}
_FOLDER = "archive"


class _StorageType:
    """Stands for torch.FloatStorage and its like, which are only names to us."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Storage:
    """A numbered storage, seen as a 1-D tensor."""

    __slots__ = ("key", "memory", "type")

    def __init__(self, key: str, memory: Tensor) -> None:
        self.key = key
        self.memory = memory
        self.type = _StorageType(_STORAGE_NAMES[_dtype_name(memory.dtype)])


def _dtype_name(of: dtype) -> str:
    return str(of).removeprefix("torch.")


def _address_of(t: Tensor) -> int:
    """Where t's storage starts."""
    return t.data_ptr() - t.storage_offset() * t.element_size()


def _memory_of(t: Tensor) -> Tensor:
    """All of t's storage as a 1-D tensor."""
    return t.detach().as_strided((t._storage_nbytes() // t.element_size(),), (1,), 0)


# ---- save ----


def save(obj: object, f: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write obj to a file (a path, or an object with write()): tensors, and whatever pickle can write.

    >>> import gradcore, io
    >>> file = io.BytesIO()
    >>> gradcore.save({"weight": gradcore.tensor([1.0, 2.0])}, file)
    >>> _ = file.seek(0)
    >>> gradcore.load(file)
    {'weight': tensor([1., 2.])}
    """
    # Everything that can fail for the object's sake comes before the file is touched.
    pickled = io.BytesIO()
    pickler = _Pickler(pickled, protocol=2)
    pickler.dump(obj)
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "data.pkl", pickled.getvalue())
        _add(archive, "byteorder", sys.byteorder.encode())
        for storage in pickler.storages.values():
            _add(archive, f"data/{storage.key}", storage.memory._to_bytes())
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A ZipInfo of its own has a fixed date: the same objects give the same file.
    archive.writestr(zipfile.ZipInfo(f"{_FOLDER}/{name}"), data)


# The pickler in C looks up every global by importing its module; this one can write torch's names without torch.
class _Pickler(pickle._Pickler):
    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[object, _Storage] = {}

    def storage_of(self, t: Tensor) -> _Storage:
        key = _address_of(t) if t._storage_nbytes() else ("empty", t.dtype)
        if key not in self.storages:
            self.storages[key] = _Storage(str(len(self.storages)), _memory_of(t))
        storage = self.storages[key]
        if storage.memory.dtype != t.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types: "
                f"{storage.memory.dtype} and {t.dtype}"
            )
        return storage

    def persistent_id(self, obj: Any) -> object:
        if not isinstance(obj, _Storage):
            return None
        return "storage", obj.type, obj.key, "cpu", obj.memory.numel()

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Tensor:
            window = obj.storage_offset(), tuple(obj.shape), tuple(obj.stride())
            return _rebuild_tensor_v2, (self.storage_of(obj), *window, obj.requires_grad, OrderedDict())
        name = _torch_name(obj)
        return NotImplemented if name is None else name[1]

    def save_global(self, obj: Any, name: str | None = None) -> None:
        torch_name = _torch_name(obj)
        if torch_name is None:
            super().save_global(obj, name)  # type: ignore[misc]  # the Python pickler, which typeshed leaves out
            return
        self.write(pickle.GLOBAL + "{}\n{}\n".format(*torch_name).encode())  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]


def _torch_name(obj: Any) -> tuple[str, str] | None:
    """Module and name that torch knows obj by."""
    if obj is _rebuild_tensor_v2:
        return "torch._utils", "_rebuild_tensor_v2"
    if obj is Size or obj is device:
        return "torch", obj.__name__
    if isinstance(obj, dtype):
        return "torch", _dtype_name(obj)
    if isinstance(obj, _StorageType):
        return "torch", obj.name
    return None


# ---- load ----


def load(
    f: str | os.PathLike[str] | IO[bytes], map_location: object = None, *, weights_only: bool | None = True
) -> Any:
    """Read what save, or torch.save, wrote.

    With weights_only a file can hold tensors, numbers, strings and containers of them, and no code runs.
    Without it a file can run any code: only for files you trust. map_location is accepted and does nothing:
    tensors come to the CPU wherever they were saved.
    """
    try:
        with zipfile.ZipFile(f) as archive:
            return _load_archive(archive, weights_only is None or weights_only)
    except zipfile.BadZipFile as error:
        raise pickle.UnpicklingError(f"load: not a file that save() wrote, or damaged: {error}") from None


def _load_archive(archive: zipfile.ZipFile, weights_only: bool) -> Any:
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise pickle.UnpicklingError("load: not a file that save() wrote: it has no data.pkl")
    folder = pickles[0].removesuffix("data.pkl")
    order = folder + "byteorder"
    if order in archive.namelist() and archive.read(order).decode() != sys.byteorder:
        raise NotImplementedError("load: the file was written on a machine of the other byte order")
    data = io.BytesIO(archive.read(pickles[0]))
    return _Unpickler(data, archive, folder, weights_only).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: IO[bytes], archive: zipfile.ZipFile, folder: str, weights_only: bool) -> None:
        super().__init__(data)
        self.archive = archive
        self.folder = folder
        self.weights_only = weights_only
        self.memories: dict[object, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _STORAGE_DTYPES:
            return _StorageType(name)
        found = _known_globals().get((module, name))
        if found is None and self.weights_only:
            raise pickle.UnpicklingError(
                f"Weights only load failed: Unsupported global: GLOBAL {module}.{name} is more than tensors, numbers, "
                "strings and containers. With weights_only=False it loads, and can run any code that somebody put "
                "into the file: do that only with a file you trust."
            )
        if found is None:
            return super().find_class(module, name)
        # A pickle can set attributes of what it names: it gets a wrapper of its own, not our function.
        return functools.partial(found) if self.weights_only and callable(found) else found

    def persistent_load(self, pid: Any) -> Tensor:
        match pid:
            case ("storage", _StorageType() as kind, str() as key, str(), int() as numel):
                if key not in self.memories:
                    self.memories[key] = self.read_storage(kind, key, numel)
                return self.memories[key]
        raise pickle.UnpicklingError(f"load: the file names a storage in an unknown way: {pid!r:.200}")

    def read_storage(self, kind: _StorageType, key: str, numel: int) -> Tensor:
        target = getattr(gradcore, _STORAGE_DTYPES[kind.name])
        try:
            info = self.archive.getinfo(f"{self.folder}data/{key}")
        except KeyError:
            raise pickle.UnpicklingError(f"load: the file lacks storage {key!r:.200}") from None
        if info.file_size != numel * target.itemsize:
            sizes = f"{info.file_size} bytes, not {numel} * {target.itemsize}"
            raise pickle.UnpicklingError(f"load: storage {key!r:.200} has {sizes}")
        if numel == 0:
            return gradcore.empty(0, dtype=target)
        data = self.archive.read(info)
        if target == gradcore.bool:
            return gradcore.frombuffer(data, dtype=gradcore.uint8) != 0  # whatever the bytes, True is 1
        return gradcore.frombuffer(data, dtype=target).clone()


def _rebuild_tensor_v2(
    memory: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool, *_: object
) -> Tensor:
    if not isinstance(memory, Tensor):
        raise pickle.UnpicklingError("load: the file has a tensor without a storage")
    return _with_grad(memory.as_strided(size, stride, offset).detach(), requires_grad)


def _with_grad(tensor: Tensor, requires_grad: bool) -> Tensor:
    tensor.requires_grad = requires_grad  # requires_grad_() is refused in transforms
    return tensor


def _rebuild_parameter(data: Tensor, requires_grad: bool, *_: object) -> Tensor:
    return _with_grad(data.detach(), requires_grad)


def _encode_latin1(text: str, _encoding: str) -> bytes:
    """How protocol 2 writes bytes."""
    return text.encode("latin1")


@functools.cache
def _known_globals() -> dict[tuple[str, str], Any]:
    known: dict[tuple[str, str], Any] = {
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        ("torch", "Size"): Size,
        ("torch", "device"): device,
        ("collections", "OrderedDict"): OrderedDict,
        ("_codecs", "encode"): _encode_latin1,
        ("__builtin__", "bytearray"): bytearray,
        ("__builtin__", "complex"): complex,
        ("__builtin__", "set"): set,
    }
    for name in _STORAGE_NAMES:
        known["torch", name] = getattr(gradcore, name)
    return known


# ---- pickle and copy ----


def reduce_tensor(t: Tensor) -> tuple[Any, ...]:
    """Tensor.__reduce_ex__: the memory that the tensor spans, or its elements if that has gaps."""
    shape, stride = tuple(t.shape), tuple(t.stride())
    span = 1 + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) if t.numel() else 0
    if span > t.numel():
        data, stride = t._to_bytes(), _row_major(shape)
    else:
        data = t.detach().as_strided((span,), (1,), t.storage_offset())._to_bytes()
    args = data, _dtype_name(t.dtype), shape, stride, t.requires_grad
    if type(t) is not Tensor:
        return _rebuild_subclass, (type(t), *args), _attributes(t)
    return _rebuild_tensor, args, _attributes(t)


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    stride = [1]
    for n in reversed(shape[1:]):
        stride.append(stride[-1] * max(n, 1))
    return tuple(reversed(stride)) if shape else ()


def _attributes(t: Tensor) -> dict[str, Any] | None:
    return t.__dict__ or None


def _rebuild_tensor(
    data: bytes, dtype_name: str, shape: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> Tensor:
    of = getattr(gradcore, dtype_name)
    memory = gradcore.frombuffer(data, dtype=of).clone() if data else gradcore.empty(0, dtype=of)
    return _rebuild_tensor_v2(memory, 0, shape, stride, requires_grad)


def _rebuild_subclass(
    cls: type[Tensor],
    data: bytes,
    dtype_name: str,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
) -> Tensor:
    plain = _rebuild_tensor(data, dtype_name, shape, stride, False)
    tensor: Tensor = gradcore._C._make_subclass(cls, plain, requires_grad)
    return tensor


def deepcopy_tensor(t: Tensor, memo: dict[Any, Any]) -> Tensor:
    """Tensor.__deepcopy__: with its own memory, which tensors of one deepcopy share as the originals do."""
    if id(t) in memo:
        known: Tensor = memo[id(t)]
        return known
    if t.grad_fn is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment: "
            f"this one is a result of {t.grad_fn.name()}. deepcopy its detach()."
        )
    key = "storage", _address_of(t), t.dtype
    if key not in memo:
        memo[key] = _memory_of(t).clone()
    new = memo[key].as_strided(t.shape, t.stride(), t.storage_offset()).detach()
    new = _like(t, new)
    memo[id(t)] = new
    if t.grad is not None:
        new.grad = copy.deepcopy(t.grad, memo)
    new.__dict__.update(copy.deepcopy(t.__dict__, memo))
    return new


def copy_tensor(t: Tensor) -> Tensor:
    """Tensor.__copy__: another tensor on the same memory."""
    new = _like(t, t.detach())
    new.__dict__.update(t.__dict__)
    return new


def _like(t: Tensor, plain: Tensor) -> Tensor:
    """plain with t's class and requires_grad."""
    if type(t) is Tensor:
        return _with_grad(plain, t.requires_grad)
    tensor: Tensor = gradcore._C._make_subclass(type(t), plain, t.requires_grad)
    return tensor
