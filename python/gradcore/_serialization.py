"""save and load, and what pickle and copy need to know about tensors. Start at save.

A file has torch's own format, so that torch reads what gradcore writes and the other way round: a zip archive
of data.pkl, in which a tensor is a window (offset, size, stride) on a numbered storage, and of the storages'
bytes. Tensors that share memory share it again after loading.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import io
import os
import pickle
import shutil
import struct
import sys
import warnings
import zipfile
from _thread import _local
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import IO, Any, NamedTuple

import gradcore
from gradcore import Size, Tensor, device, dtype, layout, memory_format

from ._archive import ArchiveWriter, read_into, start_of
from ._bytes import bytes_of, memory_from
from ._class_names import torch_module
from ._compat.legacy import STORAGES, TypedStorage, UntypedStorage
from ._pickle_reader import EmptyFileError, FileError, Reader, check_key
from ._storage_types import (
    BYTES,
    DTYPES,
    STORAGE_DTYPES,
    STORAGE_NAMES,
    WITHOUT_STORAGE,
    StorageType,
    dtype_named,
    storage_type,
)
from ._types import check_cpu

_TENSOR_CLASS = "torch.Tensor"

_STORAGES_OF_NAMES = {  # of dtypes that tensors do not have
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
_FOLDER = "archive"


class _Switches(_local):
    skips_data = False  # serialization.skip_data()
    byte_order: str | None = None  # of archives that do not say theirs


switches = _Switches()


class _Storage:
    """A numbered storage, seen as a 1-D tensor."""

    __slots__ = ("dtype", "key", "memory", "type")

    def __init__(self, key: str, memory: Tensor) -> None:
        self.key = key
        self.dtype = memory.dtype
        name = _dtype_name(memory.dtype)
        self.memory = memory.view(gradcore.uint8) if name in WITHOUT_STORAGE else memory
        self.type = storage_type(BYTES if name in WITHOUT_STORAGE else STORAGE_NAMES[name])


def _dtype_name(of: dtype) -> str:
    return str(of).removeprefix("torch.")


def _address_of(t: Tensor) -> int:
    """Where t's storage starts."""
    return t.data_ptr() - t.storage_offset() * t.element_size()


def _memory_of(t: Tensor) -> Tensor:
    """All of t's storage as a 1-D tensor."""
    return t.detach().as_strided((t._storage_nbytes() // t.element_size(),), (1,), 0)


# ---- save ----


def save(
    obj: object,
    f: str | os.PathLike[str] | IO[bytes],
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write obj to a file (a path, or an object with write()): tensors, and whatever pickle can write.

    torch reads the file, and so does load(). A path that ends in ".safetensors" or ".npz" gets that format: a dict of
    tensors by name, which the package safetensors, or numpy.load(), reads. An old file of the name is replaced when the new
    one is whole. `pickle_module` and `pickle_protocol` are accepted and change nothing.

    >>> import gradcore, io
    >>> file = io.BytesIO()
    >>> gradcore.save({"weight": gradcore.tensor([1.0, 2.0])}, file)
    >>> _ = file.seek(0)
    >>> gradcore.load(file)
    {'weight': tensor([1., 2.])}

    Without `_use_new_zipfile_serialization` the file has the format that torch had before 1.6. Raises RuntimeError for a
    folder that is not there, and for tensors of different dtypes on one memory.
    """
    save_to = _save_archive if _use_new_zipfile_serialization else _save_legacy
    if not isinstance(f, (str, os.PathLike)):
        save_to(obj, f)
        if hasattr(f, "flush"):  # others may open the file now
            f.flush()
        return None
    path = os.fspath(f)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if path.endswith((".safetensors", ".npz")):
        from . import _safetensors

        write = _safetensors.write if path.endswith(".safetensors") else _safetensors.write_npz
        return _replace(path, lambda file: write(obj, file))
    return _replace(path, lambda file: save_to(obj, file))


def _replace(path: str, write: Callable[[IO[bytes]], None]) -> None:
    """Writes a new file beside the old one, which stays as it is until the new one is whole."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:  # a device or a pipe has no beside
            return write(file)
    folder, name = os.path.split(os.path.realpath(path))
    # Not longer than the name may be: file systems end names at 255 bytes.
    new = os.path.join(folder, f".{os.getpid()}.{os.urandom(8).hex()}")
    try:
        with open(new, "xb") as file:
            write(file)
        if os.path.exists(path):
            shutil.copymode(path, new)
        os.replace(new, os.path.join(folder, name))
    except BaseException:
        if os.path.exists(new):
            os.unlink(new)
        raise


def _save_archive(obj: object, file: IO[bytes]) -> None:
    # Everything that can fail for the object's sake comes before the file is touched.
    pickled = io.BytesIO()
    pickler = _Pickler(pickled, protocol=2)
    pickler.dump(obj)
    archive = ArchiveWriter(file)
    archive.add(f"{_FOLDER}/data.pkl", pickled.getvalue())
    archive.add(f"{_FOLDER}/byteorder", sys.byteorder.encode())
    for storage in pickler.storages.values():
        memory = gradcore.zeros_like(storage.memory) if switches.skips_data else storage.memory
        archive.add(f"{_FOLDER}/data/{storage.key}", bytes_of(memory))
    archive.add(f"{_FOLDER}/version", b"3\n")
    archive.close()


def _save_legacy(obj: object, file: IO[bytes]) -> None:
    if switches.skips_data:
        raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
    pickled = io.BytesIO()
    pickler = _LegacyPickler(pickled, protocol=2)
    pickler.dump(obj)
    system = {
        "protocol_version": _Legacy.VERSION,
        "little_endian": sys.byteorder == "little",
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for head in (_Legacy.MAGIC, _Legacy.VERSION, system):
        file.write(pickle.dumps(head, 2))
    file.write(pickled.getvalue())
    storages = list(pickler.storages.values())
    file.write(pickle.dumps([storage.key for storage in storages], 2))
    for storage in storages:
        file.write(struct.pack("<q", storage.memory.numel()))
        file.write(bytes_of(storage.memory))


class _Pickler(pickle._Pickler):
    """Writes torch's names without torch: the pickler in C looks up every global by importing its module.

    A tensor is written as the opcodes of a call of torch._utils._rebuild_tensor_v2; to pickle the same call object by
    object would take five times as long.
    """

    _behind_storage = b""

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[object, _Storage] = {}
        self.dispatch = _dispatch()  # type: ignore[misc]  # of this one: Parameter comes in with nn
        self._write: Any = self.write  # type: ignore[attr-defined]  # the pickler in Python, which typeshed leaves out

    def storage_of(self, t: Tensor) -> _Storage:
        size = t._storage_nbytes()
        # Arrays of NumPy may begin together and differ in length: those are storages of their own.
        key = (_address_of(t), size) if size else ("empty", t.dtype)
        if key not in self.storages:
            self.storages[key] = _Storage(str(len(self.storages)), _memory_of(t))
        storage = self.storages[key]
        if storage.dtype != t.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types: "
                f"{storage.dtype} and {t.dtype}"
            )
        return storage

    def save_typed(self, storage: TypedStorage) -> None:
        self.save_storage(self.storage_of(storage._memory))

    def save_untyped(self, storage: UntypedStorage) -> None:
        self.save_storage(self.storage_of(storage._as_tensor()))

    def save_tensor(self, t: Tensor) -> None:
        attributes = t.__dict__
        if attributes:
            self.save_known(_rebuild_with_attributes)
            self._write(pickle.MARK)
        self.save_known(_rebuild_by(t))
        if attributes:
            self.save_known(Tensor)
        self._write(pickle.MARK)
        if t.is_meta:
            self.save_known(t.dtype)
            self._write(_ints(t.shape) + _ints(t.stride()))
            self._write(pickle.NEWTRUE if t.requires_grad else pickle.NEWFALSE)
        else:
            self.save_window(t)
        if attributes:
            self._write(pickle.TUPLE)
            self.save(attributes)  # type: ignore[attr-defined]
        self._write(pickle.TUPLE + pickle.REDUCE)
        self.memoize_once(t)

    def save_window(self, t: Tensor) -> None:
        self.save_storage(self.storage_of(t))
        window = _int(t.storage_offset()) + _ints(t.shape) + _ints(t.stride())
        self._write(window + (pickle.NEWTRUE if t.requires_grad else pickle.NEWFALSE))
        self.save_hooks()
        if _dtype_name(t.dtype) in WITHOUT_STORAGE:
            self.save_known(t.dtype)

    def memoize_once(self, t: Tensor) -> None:
        """Attributes that lead to the tensor itself have written it already: that one counts, as in pickle."""
        known = self.memo.get(id(t))  # type: ignore[attr-defined]
        if known is None:
            self.memoize(t)  # type: ignore[attr-defined]
        else:
            self._write(pickle.POP + self.get(known[0]))  # type: ignore[attr-defined]

    def save_parameter(self, parameter: Any) -> None:
        attributes = parameter.__dict__
        self.save_known(_rebuild_parameter_with_state if attributes else _rebuild_parameter)
        if attributes:
            self._write(pickle.MARK)
        self.save_tensor(parameter.detach())
        self._write(pickle.NEWTRUE if parameter.requires_grad else pickle.NEWFALSE)
        self.save_hooks()
        if attributes:
            self.save(attributes)  # type: ignore[attr-defined]
        self._write((pickle.TUPLE if attributes else pickle.TUPLE3) + pickle.REDUCE)
        self.memoize_once(parameter)

    def save_storage(self, storage: _Storage) -> None:
        """A persistent id: ("storage", torch.FloatStorage, key, "cpu", count)."""
        self._write(pickle.MARK)
        self.save_known("storage")
        self.save_known(storage.type)
        self._write(pickle.BINUNICODE + struct.pack("<I", len(storage.key)) + storage.key.encode())
        self.save_known("cpu")
        self._write(_int(storage.memory.numel()) + self._behind_storage + pickle.TUPLE + pickle.BINPERSID)

    def save_hooks(self) -> None:
        """Hooks are not saved: OrderedDict()."""
        self.save_known(OrderedDict)
        self._write(pickle.EMPTY_TUPLE + pickle.REDUCE)

    def save_known(self, obj: Any) -> None:
        """A constant or a global, which nearly always is in the memo."""
        known = self.memo.get(id(obj))  # type: ignore[attr-defined]
        if known is None:
            self.save(obj)  # type: ignore[attr-defined]
        else:
            self._write(self.get(known[0]))  # type: ignore[attr-defined]

    def save_global(self, obj: Any, name: str | None = None) -> None:
        torch_name = _torch_name(obj)
        if torch_name is None:
            super().save_global(obj, name)  # type: ignore[misc]
            return
        self._write(pickle.GLOBAL + "{}\n{}\n".format(*torch_name).encode())
        self.memoize(obj)  # type: ignore[attr-defined]

    def save_layout(self, obj: layout) -> None:
        self.save_reduce(_get_layout, (str(obj),), obj=obj)  # type: ignore[attr-defined]

    def save_memory_format(self, obj: memory_format) -> None:
        raise TypeError("cannot pickle 'torch.memory_format' object")  # torch neither writes nor reads it in a file


class _LegacyPickler(_Pickler):
    """Of the format before torch 1.6, where a storage may be a part of another one; these are not."""

    _behind_storage = pickle.NONE


def _dispatch() -> dict[type, Any]:
    """What writes objects of a class. nn is not imported for the sake of Parameter."""
    dispatch = {
        **pickle._Pickler.dispatch,
        Tensor: _Pickler.save_tensor,
        dtype: _Pickler.save_global,
        layout: _Pickler.save_layout,
        memory_format: _Pickler.save_memory_format,
        StorageType: _Pickler.save_global,
        FunctionType: _Pickler.save_global,
        UntypedStorage: _Pickler.save_untyped,
        TypedStorage: _Pickler.save_typed,
        **dict.fromkeys(STORAGES.values(), _Pickler.save_typed),
    }
    parameter = sys.modules.get("gradcore.nn.parameter")
    if parameter is not None:
        dispatch[parameter.Parameter] = _Pickler.save_parameter
    return dispatch


def _rebuild_by(t: Tensor) -> Any:
    if t.is_meta:
        return _rebuild_meta_tensor_no_storage
    return _rebuild_tensor_v3 if _dtype_name(t.dtype) in WITHOUT_STORAGE else _rebuild_tensor_v2


def _int(number: int) -> bytes:
    if 0 <= number < 256:
        return pickle.BININT1 + bytes((number,))
    if -(2**31) <= number < 2**31:
        return pickle.BININT + struct.pack("<i", number)
    return pickle.LONG1 + b"\x08" + struct.pack("<q", number)


def _ints(numbers: Iterable[int]) -> bytes:
    """A tuple of ints."""
    return pickle.MARK + b"".join(map(_int, numbers)) + pickle.TUPLE


def _torch_name(obj: Any) -> tuple[str, str] | None:
    """Module and name that torch knows obj by."""
    if obj is _rebuild_tensor_v2 or obj is _rebuild_tensor_v3 or obj is _rebuild_parameter:
        return "torch._utils", obj.__name__
    if obj is _rebuild_parameter_with_state or obj is _rebuild_meta_tensor_no_storage:
        return "torch._utils", obj.__name__
    if obj is _rebuild_with_attributes:
        return "torch._tensor", "_rebuild_from_type_v2"
    if obj is _get_layout:
        return "torch.serialization", obj.__name__
    if obj is Size or obj is device or obj is Tensor:
        return "torch", obj.__name__
    if isinstance(obj, dtype):
        return "torch", _dtype_name(obj)
    if isinstance(obj, StorageType):
        return "torch.storage" if obj.name == BYTES else "torch", obj.name
    return name_in_nn(obj)


def name_in_nn(obj: Any) -> tuple[str, str] | None:
    """Of a layer's class, or of a function that a layer keeps: torch loads whole modules by these names."""
    module = getattr(obj, "__module__", None) or ""
    if not module.startswith("gradcore."):
        return None
    if isinstance(obj, type):
        return (torch_module(module), obj.__qualname__) if module.startswith("gradcore.nn.") else None
    name = getattr(obj, "__name__", "")
    for home in ("gradcore.nn.functional", "gradcore"):
        if home in sys.modules and getattr(sys.modules[home], name, None) is obj:
            return torch_module(home), name
    return None


# ---- load ----


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what save(), or torch.save() of any version, wrote; also safetensors and uncompressed .npz files.

    With weights_only a file can hold tensors, numbers, strings and containers of them, and no code runs.
    Without it a file can run any code: only for files you trust. Whole modules that torch wrote become gradcore's, and those
    that gradcore wrote are torch's there. Tensors come to the CPU wherever they were saved;
    map_location may be the CPU, a function or a dict, and changes nothing; for "meta", or a dict that says so of "cpu" or
    another place of storages, no values are read of a file in torch's format since 1.6. With mmap=True and a path, storages that lie
    aligned in the file are mapped, not read; writes stay in this process. pickle_module says no more than that weights_only
    is False where it is not given, as in torch; the file is read by gradcore's own reader. encoding= and errors= are for
    strings that Python 2 wrote, as in pickle.load(): "latin1", "bytes" and so on.

    For a file that is damaged, or that holds what weights_only does not allow, it raises one error that is both a
    pickle.UnpicklingError and a RuntimeError, and says what is wrong; where the file is empty, an EOFError too. (Without weights_only the file's own code may raise
    anything.) Memory is bounded by the length of the file.

    >>> import gradcore
    >>> import io
    >>> file = io.BytesIO()
    >>> gradcore.save({"weight": gradcore.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> gradcore.load(file)
    {'weight': tensor([1., 1.])}
    """
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    for name in pickle_load_args:
        if name not in ("fix_imports", "encoding", "errors", "buffers"):
            raise TypeError(f"load() got an unexpected keyword argument {name!r}")
    weights_only = pickle_module is None if weights_only is None else bool(weights_only)
    reading = _Reading(weights_only, {k: pickle_load_args[k] for k in ("encoding", "errors") if k in pickle_load_args})
    place = _places(map_location)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load_file(file, reading, bool(mmap), place)
    if mmap:
        raise ValueError("f must be a string filename in order to use mmap argument")
    return _load_file(f, reading, False, place)


class _Reading(NamedTuple):
    """How the pickles of a file are read."""

    weights_only: bool
    strings: dict[str, str]  # the encoding of those that Python 2 wrote, and its errors

    def pickle(self, data: bytes, persistent_load: Callable[[Any], Any]) -> Any:
        if not self.weights_only:
            return _Unpickler(io.BytesIO(data), persistent_load, **self.strings).load()
        reader = Reader(data, _known_global, persistent_load, 0, **self.strings)
        found = reader.load()
        _warn_of_protocol(reader)
        return found


_Place = Callable[[str], str]  # where the storages come that the file says are at a place: "cpu" or "meta"


def _places(map_location: Any) -> _Place:
    if isinstance(map_location, (str, device)):
        everywhere = _checked_place(map_location)
        return lambda _: everywhere
    if isinstance(map_location, dict):
        return lambda location: "meta" if str(map_location.get(location)) == "meta" else "cpu"
    return lambda _: "cpu"


def _checked_place(place: str | device) -> str:
    """ "cpu" or "meta". Raises RuntimeError, as torch does here, for all else."""
    if device(place).type == "meta":
        return "meta"
    try:
        check_cpu(place)
    except AssertionError:
        name = device(place).type
        raise RuntimeError(
            f"Attempting to deserialize object on a {name.upper()} device but torch.{name}.is_available() is False. Please "
            "use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
        ) from None
    return "cpu"


def _start_of(file: IO[bytes]) -> int:
    try:
        start = file.tell() if hasattr(file, "tell") else 0
        file.seek(start)
    except (AttributeError, io.UnsupportedOperation) as error:
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like "
            "io.BytesIO and try to load from it instead."
        ) from None
    return start


def _load_file(file: IO[bytes], reading: _Reading, mapped: bool, place: _Place) -> Any:
    start = _start_of(file)
    head = file.read(10)
    file.seek(start)
    if head.startswith(b"PK\x03\x04"):
        if not hasattr(file, "seekable"):  # zipfile asks for it, torch does not
            file = io.BytesIO(file.read())
        try:
            with zipfile.ZipFile(file) as archive:
                return _load_archive(archive, reading, file if mapped else None, place)
        except FileError:
            raise
        except zipfile.BadZipFile as error:
            raise FileError(f"load: not a file that save() wrote, or damaged: {error}") from None
        except (RuntimeError, EOFError, ValueError, LookupError, OSError, struct.error) as error:
            if not reading.weights_only or isinstance(error, NotImplementedError):
                raise  # what the file's own code raised, or a dtype that tensors do not have
            raise FileError(f"load: not a file that save() wrote, or damaged: {error}") from None
    if place("cpu") == "meta":
        raise NotImplementedError("load: only files in torch's format since 1.6 are read to the device meta")
    data = file.read()
    if not data:
        raise EmptyFileError("load: the file is empty. Ran out of input")
    if head[8:10] == b'{"' or head[8:9] == b"{":
        from . import _safetensors

        return _safetensors.read(data)
    if data[257:262] == b"ustar":
        from . import _tar_files

        return _tar_files.read(data, reading.weights_only, reading.pickle)
    return _Legacy(data, reading).load()


def _load_archive(archive: zipfile.ZipFile, reading: _Reading, mapped: IO[bytes] | None, place: _Place) -> Any:
    names = archive.namelist()
    if names and all(name.endswith(".npy") for name in names):
        from . import _safetensors

        return {name.removesuffix(".npy"): _safetensors.read_npy(_stored(archive, name)) for name in names}
    pickles = [name for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise FileError("load: not a file that save() wrote: it has no data.pkl")
    folder = pickles[0].removesuffix("data.pkl")
    order = folder + "byteorder"
    written_in = _stored(archive, order).decode("latin1") if order in names else switches.byte_order or sys.byteorder
    if written_in != sys.byteorder:
        raise FileError("load: the file was written on a machine of the other byte order")
    storages = _ArchiveStorages(archive, folder, mapped, place)
    return reading.pickle(_stored(archive, pickles[0]), storages.persistent_load)


def _stored(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member that is not compressed: so memory is bounded by the file."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise _compressed(name)
    return archive.read(info)


def _compressed(name: str) -> FileError:
    return FileError(f"load: {name!r:.200} is compressed, which save() does not do")


def _warn_of_protocol(reader: Reader) -> None:
    if reader.protocol != 2:
        warnings.warn(
            f"Detected pickle protocol {reader.protocol} in the checkpoint, which was not the default pickle protocol used by "
            "`torch.load` (2). Other readers of weights alone might not support all instructions of this protocol.",
            stacklevel=2,
        )


class _Unpickler(pickle.Unpickler):
    """For files that may run code."""

    def __init__(
        self, data: IO[bytes], persistent_load: Callable[[Any], Any], encoding: str = "utf-8", errors: str = "strict"
    ) -> None:
        super().__init__(data, encoding=encoding, errors=errors)
        self._load_storage = persistent_load

    def find_class(self, module: str, name: str) -> Any:
        found = Tensor if (module, name) == ("torch", "Tensor") else _known(module, name)
        if found is None:
            found = _of_gradcore(module, name)
        return super().find_class(module, name) if found is None else found

    def persistent_load(self, pid: Any) -> Any:
        return self._load_storage(pid)


def _of_text(pid: Any) -> Any:
    """A persistent id whose strings came as bytes, as encoding="bytes" lets them."""
    if not isinstance(pid, tuple):
        return pid
    return tuple(item.decode("latin1") if isinstance(item, bytes) else item for item in pid)


class _ArchiveStorages:
    """The storages of a zip archive, each read when it is first named."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, mapped: IO[bytes] | None, place: _Place) -> None:
        self.archive, self.folder, self.mapped, self.place = archive, folder, mapped, place
        self.storages: dict[str, TypedStorage] = {}
        self.whole: Any = None  # the file in memory, once for all storages
        file: Any = archive.fp
        self.file = file
        self.budget = file.seek(0, os.SEEK_END)  # what all storages together may have

    def persistent_load(self, pid: Any) -> TypedStorage:
        match _of_text(pid):
            case ("storage", StorageType() as kind, str() as key, str() as location, int() as numel):
                if key not in self.storages:
                    self.storages[key] = _storage_on(self.read(kind, key, numel, self.place(location)))
                return self.storages[key]
        raise FileError(f"load: the file names a storage in an unknown way: {pid!r:.200}")

    def read(self, kind: StorageType, key: str, numel: int, place: str) -> Tensor:
        target = dtype_named(kind)
        name = f"{self.folder}data/{key}"
        try:
            info = self.archive.getinfo(name)
        except KeyError:
            raise FileError(f"load: the file lacks storage {key!r:.200}") from None
        if info.file_size != numel * target.itemsize:
            sizes = f"{info.file_size} bytes, not {numel} * {target.itemsize}"
            raise FileError(f"load: storage {key!r:.200} has {sizes}")
        self.budget -= info.file_size
        if self.budget < 0:
            raise FileError("load: the storages are larger than the file")
        if info.compress_type != zipfile.ZIP_STORED:
            raise _compressed(name)
        if place == "meta":
            return gradcore.empty(numel, dtype=target, device="meta")
        if switches.skips_data:
            return gradcore.zeros(numel, dtype=target)
        mapped = self.map(info, target, numel)
        if mapped is not None:
            return mapped
        memory = gradcore.empty(numel, dtype=gradcore.uint8 if target == gradcore.bool else target)
        if numel:
            read_into(memoryview(bytes_of(memory)), info, self.file)
        return memory != 0 if target == gradcore.bool else memory  # whatever the bytes, True is 1

    def map(self, info: zipfile.ZipInfo, target: dtype, numel: int) -> Tensor | None:
        """The storage as a part of the file in memory, or None where that cannot be."""
        if self.mapped is None or not numel or target == gradcore.bool:
            return None
        from mmap import ACCESS_COPY
        from mmap import mmap as open_map

        if self.whole is None:
            self.whole = open_map(self.mapped.fileno(), 0, access=ACCESS_COPY)
        whole = self.whole
        start = start_of(info, self.file)
        if start % target.itemsize or start + info.file_size > len(whole):
            return None
        return gradcore.frombuffer(memoryview(whole)[start : start + info.file_size], dtype=target)


class _Legacy:
    """The format before torch 1.6: pickles one after another, then the bytes of the storages."""

    MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001

    def __init__(self, data: bytes, reading: _Reading) -> None:
        self.data, self.reading, self.position = data, reading, 0
        self.memories: dict[str, Tensor] = {}
        self.views: dict[str, Tensor] = {}
        self.budget = len(data)

    def next_pickle(self, strings: dict[str, str] | None = None) -> Any:
        reader = Reader(self.data, _known_global, self.persistent_load, self.position, **(strings or {}))
        found = reader.load()
        self.position = reader.position
        if self.reading.weights_only:
            _warn_of_protocol(reader)
        return found

    def next_object(self) -> Any:
        if self.reading.weights_only:
            return self.next_pickle(self.reading.strings)
        stream = io.BytesIO(self.data)
        stream.seek(self.position)
        found = _Unpickler(stream, self.persistent_load, **self.reading.strings).load()
        self.position = stream.tell()
        return found

    def load(self) -> Any:
        if self.next_pickle() != self.MAGIC or self.next_pickle() != self.VERSION:
            raise FileError("load: not a file that save() wrote")
        system = self.next_pickle()
        if not isinstance(system, dict) or system.get("little_endian") is not (sys.byteorder == "little"):
            raise FileError("load: the file was written on a machine of the other byte order")
        result = self.next_object()
        keys = self.next_pickle()
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(self.memories):
            raise FileError("load: the file is damaged: it has other storages than it names")
        for key in keys:
            self.fill(self.memories[str(key)])
        return result

    def persistent_load(self, pid: Any) -> TypedStorage:
        match _of_text(pid):
            case ("storage", StorageType() as kind, str() as key, str(), int() as numel, view):
                if key not in self.memories:
                    self.memories[key] = self.reserve(kind, numel)
                memory = self.memories[key]
                return _storage_on(memory if view is None else self.part(memory, view))
        raise FileError(f"load: the file names a storage in an unknown way: {pid!r:.200}")

    def reserve(self, kind: StorageType, numel: int) -> Tensor:
        target = dtype_named(kind)
        self.budget -= numel * target.itemsize
        if numel < 0 or self.budget < 0:
            raise FileError("load: the storages are larger than the file")
        return gradcore.zeros(numel, dtype=target)

    def part(self, memory: Tensor, view: Any) -> Tensor:
        match _of_text(view):
            case (str(), int() as start, int() as length) if 0 <= start <= start + length <= memory.numel():
                return memory.narrow(0, start, length)
        raise FileError(f"load: the file names a part of a storage in an unknown way: {view!r:.200}")

    def fill(self, memory: Tensor) -> None:
        end = self.position + 8 + memory.numel() * memory.element_size()
        if end > len(self.data) or struct.unpack_from("<q", self.data, self.position)[0] != memory.numel():
            raise FileError("load: the file is damaged: a storage has another size than it says")
        if memory.numel():
            memory.copy_(memory_from(self.data[self.position + 8 : end], memory.dtype))
        self.position = end


def _storage_on(memory: Tensor) -> TypedStorage:
    return TypedStorage(_memory=memory, dtype=memory.dtype)


def _read_storage(storage: Any) -> Tensor:
    memory = storage._memory if isinstance(storage, TypedStorage) else storage
    if not isinstance(memory, Tensor):
        raise FileError("load: the file has a tensor without a storage")
    return memory


def _rebuild_tensor_v2(
    storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool, *_: object
) -> Tensor:
    return _with_grad(_read_storage(storage).as_strided(size, stride, offset).detach(), requires_grad)


def _rebuild_tensor_v3(
    storage: Any,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    _hooks: object,
    of: dtype,
    *_: object,
) -> Tensor:
    """Of a storage of bytes."""
    memory = _read_storage(storage)
    if memory.dtype != gradcore.uint8 or not isinstance(of, dtype):
        raise FileError("load: the file has a tensor without a storage")
    return _rebuild_tensor_v2(memory.view(of), offset, size, stride, requires_grad)


def _rebuild_tensor_v1(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """What torch wrote before 0.4."""
    return _rebuild_tensor_v2(storage, offset, size, stride, False)


def _rebuild_meta_tensor_no_storage(
    of: dtype, size: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> Tensor:
    """Of the device meta, which has no storages."""
    return _with_grad(gradcore.empty_strided(size, stride, dtype=of, device="meta"), requires_grad)


def _with_grad(tensor: Tensor, requires_grad: bool) -> Tensor:
    tensor.requires_grad = requires_grad  # requires_grad_() is refused in transforms
    return tensor


def _rebuild_parameter(data: Tensor, requires_grad: bool, *_: object) -> Tensor:
    if not isinstance(data, Tensor):
        raise FileError("load: the file has a parameter without a tensor")
    parameter: Tensor = gradcore.nn.Parameter(data.detach(), requires_grad=bool(requires_grad))
    return parameter


def _rebuild_parameter_with_state(data: Tensor, requires_grad: bool, hooks: object, state: object) -> Tensor:
    return _set_attributes(_rebuild_parameter(data, requires_grad, hooks), state)


def _rebuild_with_attributes(function: Any, cls: object, arguments: tuple[Any, ...], state: object) -> Tensor:
    rebuild = getattr(function, "function", function)
    if rebuild not in (_rebuild_tensor_v2, _rebuild_tensor_v3, _rebuild_meta_tensor_no_storage) or cls not in (
        Tensor,
        _TENSOR_CLASS,
    ):
        raise FileError("load: the file has a tensor of a class of its own")
    return _set_attributes(rebuild(*arguments), state)


def _set_attributes(tensor: Tensor, state: object) -> Tensor:
    if type(state) is not dict or not all(type(name) is str for name in state):
        raise FileError("load: the file has a tensor whose attributes are no dict of names")
    vars(tensor).update(state)
    return tensor


def _get_layout(name: str) -> layout:
    """The constant that prints as this name: torch pickles it so."""
    found = getattr(gradcore, str(name).removeprefix("torch."), None)
    if not isinstance(found, layout):
        raise FileError(f"load: the file has a layout that is none of torch's: {name!r:.200}")
    return found


def _encode_latin1(text: str, _encoding: str) -> bytes:
    """How protocol 2 writes bytes."""
    return text.encode("latin1")


def _bytearray(*parts: Any) -> bytearray:
    """Of bytes, never of a length."""
    if parts and not isinstance(parts[0], (bytes, str)):
        raise FileError("load: the file has a bytearray that is made of no bytes")
    return bytearray(*parts)


def _set(items: Any = ()) -> set[Any]:
    for item in items:
        check_key(item)
    return set(items)


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    for key, _ in items:
        check_key(key)
    return OrderedDict(items)


def _counter(items: Any = ()) -> Counter[Any]:
    if type(items) is not dict:
        raise FileError("load: the file has a Counter that is made of no dict")
    return Counter(items)


@functools.cache
def _known_globals() -> dict[tuple[str, str], Any]:
    known: dict[tuple[str, str], Any] = {
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
        ("torch._utils", "_rebuild_tensor"): _rebuild_tensor_v1,
        ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor_v3,
        ("torch._utils", "_rebuild_meta_tensor_no_storage"): _rebuild_meta_tensor_no_storage,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter_with_state,
        ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_with_attributes,
        ("torch.serialization", "_get_layout"): _get_layout,
        ("torch", "Size"): Size,
        ("torch", "device"): device,
        ("collections", "OrderedDict"): _ordered_dict,
        ("collections", "Counter"): _counter,
        ("_codecs", "encode"): _encode_latin1,
    }
    for builtins in ("__builtin__", "builtins"):
        known[builtins, "bytearray"] = _bytearray
        known[builtins, "complex"] = complex
        known[builtins, "set"] = _set
    for name in DTYPES:
        known["torch", name] = getattr(gradcore, name)
    return known


def _known(module: str, name: str) -> Any:
    if (module in ("torch", "torch.storage") and name in STORAGE_DTYPES) or (module, name) == (
        "torch.storage",
        BYTES,
    ):
        return StorageType(name)
    if module in ("torch", "torch.storage") and name in _STORAGES_OF_NAMES:
        raise NotImplementedError(
            f"load: the file has a tensor of torch.{_STORAGES_OF_NAMES[name]}, a dtype that gradcore has no tensors of"
        )
    return _known_globals().get((module, name))


def _of_gradcore(module: str, name: str) -> Any:
    """What gradcore has by torch's name: a layer's class, mostly. None where it has nothing of the kind."""
    if (module, name) == ("torch._C", "_VariableFunctionsClass"):  # torch's functions are its attributes
        return gradcore
    if module == "torch._C._nn":
        module = "torch.nn.functional"
    root, dot, rest = module.partition(".")
    if root != "torch":
        return None
    try:
        found: Any = importlib.import_module("gradcore" + dot + rest)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _known_global(module: str, name: str) -> Any:
    """What a global stands for when nothing may run."""
    # The class is named beside a tensor that has attributes, and may not be called.
    found = _TENSOR_CLASS if (module, name) == ("torch", "Tensor") else _known(module, name)
    if found is None:
        raise FileError(
            f"Weights only load failed: Unsupported global: GLOBAL {module}.{name} is more than tensors, numbers, "
            "strings and containers. With weights_only=False it loads, and can run any code that somebody put "
            "into the file: do that only with a file you trust."
        )
    return found


def globals_of(f: Any) -> dict[tuple[str, str], bool]:
    """The classes and functions that an archive's pickle names, and whether loading weights takes them."""
    with contextlib.nullcontext(f) if hasattr(f, "read") else open(f, "rb") as file:
        file.seek(0)
        if not zipfile.is_zipfile(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                raise ValueError(
                    "Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint"
                )
            pickles = [name for name in names if name.endswith("/data.pkl")]
            if not pickles:
                raise ValueError("Expected input to be a checkpoint returned by torch.save")
            data = _stored(archive, pickles[0])
    return {place: place == ("torch", "Tensor") or _known(*place) is not None for place in _globals_in(data)}


def _globals_in(data: bytes) -> set[tuple[str, str]]:
    import pickletools

    found: set[tuple[str, str]] = set()
    texts: list[str] = []  # what STACK_GLOBAL takes from the stack was written, or fetched, before it
    memo: dict[int, str] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = argument.partition(" ")
            found.add(_name_of_today(module, name))
        elif opcode.name == "STACK_GLOBAL":
            found.add((texts[-2], texts[-1]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = texts[-1] if texts else ""
        elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
            texts.append(memo.get(argument, ""))
        elif isinstance(argument, str):
            texts.append(argument)
    return found


def _name_of_today(module: str, name: str) -> tuple[str, str]:
    """Old protocols write Python 2's names, as pickle's own reader knows them."""
    import _compat_pickle

    return _compat_pickle.NAME_MAPPING.get((module, name), (_compat_pickle.IMPORT_MAPPING.get(module, module), name))


# ---- pickle and copy ----


def reduce_tensor(t: Tensor) -> tuple[Any, ...]:
    """Tensor.__reduce_ex__: the memory that the tensor spans, or its elements if that has gaps."""
    shape, stride = tuple(t.shape), tuple(t.stride())
    args: tuple[Any, ...] = _bytes_of_window(t, shape, stride) + (t.requires_grad,)
    if type(t) is not Tensor:
        return _rebuild_subclass, (type(t), *args), _attributes(t)
    return _rebuild_tensor, args, _attributes(t)


def _bytes_of_window(t: Tensor, shape: tuple[int, ...], stride: tuple[int, ...]) -> tuple[Any, ...]:
    """Bytes, name of the dtype, shape and stride; no bytes where there is no memory."""
    if t.is_meta:
        return None, _dtype_name(t.dtype), shape, stride
    span = 1 + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) if t.numel() else 0
    if span > t.numel():
        data, stride = t._to_bytes(), _row_major(shape)
    else:
        data = t.detach().as_strided((span,), (1,), t.storage_offset())._to_bytes()
    return data, _dtype_name(t.dtype), shape, stride


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    stride = [1]
    for n in reversed(shape[1:]):
        stride.append(stride[-1] * max(n, 1))
    return tuple(reversed(stride)) if shape else ()


def _attributes(t: Tensor) -> dict[str, Any] | None:
    return t.__dict__ or None


def _rebuild_tensor(
    data: bytes | None, dtype_name: str, shape: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> Tensor:
    of = getattr(gradcore, dtype_name)
    if data is None:
        return _rebuild_meta_tensor_no_storage(of, shape, stride, requires_grad)
    memory = gradcore.frombuffer(data, dtype=of).clone() if data else gradcore.empty(0, dtype=of)
    return _rebuild_tensor_v2(memory, 0, shape, stride, requires_grad)


def _rebuild_subclass(
    cls: type[Tensor],
    data: bytes | None,
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
    key = "storage", _address_of(t), t._storage_nbytes(), t.dtype
    if key not in memo:
        memo[key] = _memory_of(t).clone()
    new = memo[key].as_strided(t.shape, t.stride(), t.storage_offset()).detach()
    new = _like(t, new)
    memo[id(t)] = new
    if gradcore.nn.Parameter in type(t).__mro__:  # which leaves its gradient and attributes behind in torch
        return new
    if t.grad is not None:
        new.grad = copy.deepcopy(t.grad, memo)
    if t.__dict__:
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
