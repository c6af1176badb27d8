"""torch's oldest constructors, FloatTensor and its like, and storages: the memory below a tensor as an object."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from .._overridable import warn_caller
from .._types import check_cpu, check_device, device, strided

_NAMES = {
    "Bool": "bool",
    "Byte": "uint8",
    "Char": "int8",
    "Short": "int16",
    "Int": "int32",
    "Long": "int64",
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
}


def _dtype(prefix: str) -> Any:
    """The dtype of a legacy type's name."""
    return getattr(_C, _NAMES[prefix])


# ---- legacy tensor types ----


class tensortype(type):
    """The class of FloatTensor and its like. Tensors of the dtype are instances; the types make no tensors of their own."""

    dtype: Any
    layout = strided
    is_sparse = False
    is_cuda: bool

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and not cls.is_cuda and instance.dtype == cls.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        if cls.is_cuda:
            raise TypeError(f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled.")
        return construct(cls.dtype, *args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        try:
            return getattr(Tensor, name)
        except AttributeError:
            raise AttributeError(f"type object 'torch.{cls.__name__}' has no attribute {name!r}") from None


def construct(dtype: Any, /, *args: Any, **kwargs: Any) -> Tensor:
    """torch.FloatTensor(...) and Tensor.new(...): from sizes, from data, from a storage or from another tensor."""
    place = kwargs.pop("device", None)
    if place is not None and device(place).type != "cpu":
        raise RuntimeError(
            f"legacy constructor expects device type: cpu but device type: {device(place).type} was passed"
        )
    for name in ("size", "data", "other"):
        if name in kwargs and not args:
            args = (tuple(kwargs.pop(name)) if name == "size" else kwargs.pop(name),)
            if name == "size":
                return gradcore.empty(args[0], dtype=dtype)
    if kwargs:
        raise TypeError(
            f"new() received an invalid combination of arguments: unexpected keyword {next(iter(kwargs))!r}"
        )
    if not args:
        return gradcore.empty(0, dtype=dtype)
    if len(args) > 1 or _is_size(args[0]):
        return gradcore.empty(_sizes(args), dtype=dtype)
    return _from_data(dtype, args[0])


def _is_size(item: Any) -> bool:
    if isinstance(item, gradcore.Size):
        return True
    return hasattr(item, "__index__") and not isinstance(item, (bool, Tensor)) and not hasattr(item, "__len__")


def _sizes(args: tuple[Any, ...]) -> tuple[int, ...]:
    if len(args) == 1 and isinstance(args[0], gradcore.Size):
        return tuple(args[0])
    for position, item in enumerate(args, 1):
        if not _is_size(item):
            kind = type(item).__name__
            raise TypeError(
                f"new(): argument 'size' failed to unpack the object at pos {position} with error "
                f'"type must be tuple of ints,but got {kind}"'
            )
    return tuple(item.__index__() for item in args)


def _from_data(dtype: Any, data: Any) -> Tensor:
    if isinstance(data, Tensor):
        if data.dtype != dtype:
            raise TypeError(
                f"new(): expected a tensor of {dtype}, got one of {data.dtype}; .type() or .to() converts it"
            )
        alias: Tensor = data.as_subclass(Tensor)  # recorded
        return alias
    if isinstance(data, (TypedStorage, UntypedStorage)):
        return data._tensor_on_memory(dtype)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type {type(data).__name__!r}")
    if not hasattr(data, "__len__") or getattr(data, "shape", None) == ():
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return _C.tensor(data if hasattr(data, "__array_interface__") else list(data), dtype=dtype)


def tensor_new(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """An uninitialised tensor of these sizes, or a tensor of this data, in the dtype of this one.

    >>> import gradcore
    >>> gradcore.zeros(2).new([1, 2])
    tensor([1., 2.])
    """
    return construct(self.dtype, *args, **kwargs)


def _make_type(prefix: str, module: str) -> tensortype:
    dtype = _dtype(prefix)
    doc = f"Legacy constructor: `{prefix}Tensor(2, 3)` is an uninitialised tensor, `{prefix}Tensor([1, 2])` one of this data."
    doc += f"\n\nRaises NotImplementedError for a dtype that is a name alone.\n\n>>> gradcore.{prefix}Tensor.dtype\n{dtype}"
    members = {"dtype": dtype, "is_cuda": module == "torch.cuda", "__module__": module, "__doc__": doc}
    return tensortype(f"{prefix}Tensor", (), members)


TYPES = {prefix: _make_type(prefix, "torch") for prefix in _NAMES}
CUDA_TYPES = {prefix: _make_type(prefix, "torch.cuda") for prefix in _NAMES}


def type_named(name: str) -> tensortype:
    """The legacy type that torch knows by this name. Raises ValueError for another name."""
    for types, start in ((CUDA_TYPES, "torch.cuda."), (TYPES, "torch.")):
        prefix = name.removeprefix(start).removesuffix("Tensor")
        if name == f"{start}{prefix}Tensor" and prefix in types:
            return types[prefix]
    raise ValueError(f"invalid type: {name!r}")


def set_default_tensor_type(t: Any, /) -> None:
    """Makes the dtype of a floating-point legacy type, or of its name, the default dtype.

    >>> import gradcore
    >>> gradcore.set_default_tensor_type(gradcore.DoubleTensor)
    >>> gradcore.get_default_dtype()
    torch.float64
    >>> gradcore.set_default_tensor_type("torch.FloatTensor")

    Raises TypeError for any other type, NotImplementedError for a dtype that tensors do not have.
    """
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated: torch.set_default_dtype() sets the dtype", stacklevel=2
    )
    kind = type_named(t) if isinstance(t, str) else t
    if not isinstance(kind, tensortype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if kind.is_cuda:
        raise TypeError(f"type torch.cuda.{kind.__name__} not available. Torch not compiled with CUDA enabled.")
    if not kind.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _C.set_default_dtype(kind.dtype)


# ---- storages ----


def mapped(filename: Any, shared: bool, size: int, dtype: Any) -> Tensor:
    """The first `size` numbers of a file, mapped into memory."""
    import os

    import numpy as np

    item = _C.empty(0, dtype=dtype).element_size()
    if shared:
        with open(filename, "ab") as file:
            if file.tell() < size * item:
                file.truncate(size * item)
    elif os.path.getsize(filename) < size * item:
        raise RuntimeError(
            f"file <{filename}> size <{os.path.getsize(filename)}> is smaller than the required mapping size "
            f"<{size * item}>"
        )
    if size == 0:
        return _C.empty(0, dtype=dtype)
    return _C.from_numpy(np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(size * item,))).view(dtype)


class _Conversions:
    """What storages of both kinds turn into. float(), long() and kin give the numbers in another dtype, on new memory."""

    def _numbers(self) -> Tensor:
        raise NotImplementedError("a storage says in _numbers() what it holds")

    def _converted(self, to: Any) -> TypedStorage:
        return TypedStorage(_memory=self._numbers().to(to, copy=True), dtype=to)

    def get_device(self) -> None:
        """None: the CPU has no number."""

    is_hpu = False


def _conversion(name: str) -> Any:
    to = getattr(_C.empty(0), name)().dtype

    def converted(self: Any) -> Any:
        """The numbers in the dtype that the method's name says."""
        return self._converted(to)

    converted.__name__ = name
    return converted


for _method in "double float half bfloat16 long int short char byte bool".split():
    setattr(_Conversions, _method, _conversion(_method))


class TypedStorage(_Conversions):
    """The memory of a tensor as a sequence of numbers. Writes are seen by the tensor.

    >>> import gradcore
    >>> x = gradcore.zeros(3)
    >>> x.storage()[0] = 5
    >>> x
    tensor([5., 0., 0.])
    """

    dtype: Any = None
    is_cuda = False
    is_sparse = False

    def __new__(cls, *args: Any, **kwargs: Any) -> TypedStorage:
        self = super().__new__(cls)
        dtype = kwargs.pop("dtype", None) or cls.dtype or _C.get_default_dtype()
        memory = kwargs.pop("_memory", None)
        self._is_below_a_tensor = memory is not None
        if memory is None:
            memory = construct(dtype, *args, **kwargs)
        self._memory = memory
        self.dtype = dtype
        return self

    _memory: Tensor
    _is_below_a_tensor: bool

    @property
    def device(self) -> device:
        """The CPU."""
        return device("cpu")

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, size: int = 0) -> TypedStorage:
        """The first `size` numbers of a file: see UntypedStorage.from_file()."""
        dtype = cls.dtype or _C.get_default_dtype()
        return cls(_memory=mapped(filename, shared, size, dtype), dtype=dtype)

    @classmethod
    def from_buffer(cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0) -> TypedStorage:
        """A copy of the numbers in a buffer: see UntypedStorage.from_buffer()."""
        dtype = cls.dtype or _C.get_default_dtype()
        memory = UntypedStorage.from_buffer(buffer, byte_order, count, offset, dtype=dtype)
        return cls(_memory=memory._tensor_on_memory(dtype), dtype=dtype)

    def __len__(self) -> int:
        """How many numbers it holds."""
        return self._memory.numel()

    size = __len__

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return self._memory[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._memory[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._memory.tolist())

    def tolist(self) -> list[Any]:
        """The numbers as a list."""
        return list(self._memory.tolist())

    def data_ptr(self) -> int:
        """Where the memory begins."""
        return self._memory.data_ptr()

    def element_size(self) -> int:
        """Bytes of one number."""
        return self._memory.element_size()

    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return len(self) * self.element_size()

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def fill_(self, value: Any) -> TypedStorage:
        """Writes `value` everywhere."""
        self._memory.fill_(value)
        return self

    def copy_(self, source: TypedStorage, non_blocking: bool = False) -> TypedStorage:
        """Writes what `source` holds."""
        self._memory.copy_(source._memory)
        return self

    def clone(self) -> TypedStorage:
        """A copy with its own memory."""
        return type(self)(_memory=self._memory.clone(), dtype=self.dtype)

    filename = None  # of a storage that is mapped from a file

    def _numbers(self) -> Tensor:
        return self._memory

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of its class; with a dtype, or a class of storages, the numbers in that dtype."""
        if dtype is None:
            return f"torch.{next(name for name, kind in STORAGES.items() if vars(kind)['dtype'] == self.dtype)}Storage"
        return self._converted(getattr(dtype, "dtype", dtype))

    def cpu(self) -> TypedStorage:
        """The storage itself."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> TypedStorage:
        """Refused as torch's CPU build does."""
        check_device("cuda")
        return self

    def _tensor_on_memory(self, dtype: Any = None, room: int = 0) -> Tensor:
        """The memory as a tensor, which gradcore.tensor() and others ask for."""
        if dtype not in (None, self.dtype):
            raise RuntimeError(
                f"Expected a Storage of type {dtype} or an UntypedStorage, but got {self.dtype} for argument 1 'storage'"
            )
        return self._memory.detach()

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(_owner=self._memory)

    _untyped_storage = property(untyped)

    @property
    def _cdata(self) -> int:
        return _place(self._memory)

    @classmethod
    def _new_shared(cls, size: int, *, device: Any = None) -> TypedStorage:
        """As collate functions ask for it: memory that the process of a DataLoader sees, too."""
        check_cpu("cpu" if device is None else device)
        return cls(_memory=_C.empty(size, dtype=cls.dtype).share_memory_())

    def _size(self) -> int:
        return len(self)

    def is_pinned(self, device: Any = None) -> bool:
        """False: there is no other device to copy to."""
        return False

    def resizable(self) -> bool:
        """Whether resize_() works: not for the memory below a tensor."""
        return not self._is_below_a_tensor

    def resize_(self, size: int) -> None:
        """Gives a storage that was made by itself another number of elements; tensors on it keep those that it had.

        Raises NotImplementedError for the memory below a tensor, RuntimeError for a negative size.

        >>> import gradcore
        >>> storage = gradcore.FloatStorage([1, 2])
        >>> storage.resize_(1)
        >>> storage.tolist()
        [1.0]
        """
        if self._is_below_a_tensor:
            raise NotImplementedError("TypedStorage.resize_: the memory below a tensor of gradcore keeps its size")
        self._memory.resize_(size)

    def pickle_storage_type(self) -> str:
        """The name of the storage's type."""
        return type(self).__name__

    def share_memory_(self) -> TypedStorage:
        """Moves the storage to memory that other processes see, and returns it. Tensors on it stay where they are."""
        self._memory.share_memory_()
        return self

    def is_shared(self) -> bool:
        """Whether other processes may see it."""
        return self._memory.is_shared()

    def __repr__(self) -> str:
        numbers = "".join(f" {number}\n" for number in self.tolist())
        return f"{numbers}[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {len(self)}]"


class StorageBase:
    """What untyped storages are, for isinstance().

    >>> import gradcore
    >>> isinstance(gradcore.zeros(3).untyped_storage(), gradcore.StorageBase)
    True
    """


class UntypedStorage(_Conversions, StorageBase):
    """The memory of a tensor as bytes. Writes are seen by the tensor.

    >>> import gradcore
    >>> len(gradcore.zeros(3).untyped_storage())
    12
    """

    is_cuda = False
    is_sparse = False

    def __init__(self, *args: Any, device: Any = None, _owner: Tensor | None = None) -> None:
        if device is not None:
            check_cpu(device)
        self._is_below_a_tensor = _owner is not None
        self._owner = construct(_C.uint8, *args) if _owner is None else _owner

    @property
    def _bytes(self) -> memoryview:
        owner = self._owner.detach()
        return memoryview(owner).cast("B") if owner.numel() else memoryview(bytearray())

    @property
    def device(self) -> device:
        """The CPU."""
        return device("cpu")

    def __len__(self) -> int:
        """How many bytes it holds."""
        return self._owner.numel() * self._owner.element_size()

    size = nbytes = __len__

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + len(self)

    def data_ptr(self) -> int:
        """Where the memory begins; 0 when there is none."""
        return self._owner.data_ptr() if self._owner.numel() else 0

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` bytes of a file, mapped into memory and read when they are used. Writes go to the file if it is
        `shared`, which also makes the file if need be, and to memory alone if not.
        """
        return cls(_owner=mapped(filename, shared, nbytes, _C.uint8))

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0, *, dtype: Any
    ) -> UntypedStorage:
        """A copy of `count` numbers of a buffer, or of all, from the byte `offset` on; those of more than a byte lie in it by
        byte_order: "big", "little" or "native".

        Raises ValueError for another order and where the buffer has other than whole numbers or too few of them.

        >>> import gradcore
        >>> gradcore.UntypedStorage.from_buffer(b"abcd", "big", dtype=gradcore.int16).tolist()
        [98, 97, 100, 99]
        """
        item = _C.empty(0, dtype=dtype).element_size()
        content = bytearray(memoryview(buffer).cast("B")[offset:])
        if byte_order is None and item > 1:
            raise RuntimeError("function missing required argument 'byte_order' (pos 2)")
        if byte_order not in (None, "big", "little", "native"):
            raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
        if count < 0 and len(content) % item:
            raise ValueError(f"buffer size ({len(content)}) must be a multiple of element size ({item})")
        if count * item > len(content):
            raise ValueError(
                f"buffer has only {len(content) // item} elements after offset {offset}, but specified a size of {count}"
            )
        if count >= 0:
            del content[count * item :]
        if not content:
            return cls(0)
        numbers = _C.frombuffer(content, dtype=_C.uint8)
        if byte_order in ("big", "little") and byte_order != sys.byteorder:
            numbers = numbers.view(-1, item).flip(1).flatten()
        return cls(_owner=numbers)

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self._bytes[index]
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise RuntimeError(f"Trying to slice with a step of {step}, but only a step of 1 is supported")
        return UntypedStorage(_owner=self._as_tensor()[start : max(start, stop)])

    def _as_tensor(self) -> Tensor:
        """The bytes as a tensor on the same memory."""
        return self._owner.detach().view(_C.uint8)

    def _tensor_on_memory(self, dtype: Any = None, room: int = 0) -> Tensor:
        """The memory as numbers of this dtype, so many if it can grow; bytes that are too few for another one are left out.

        Without a dtype they are int64, as the type of a list of bytes would be.
        """
        dtype = dtype or _C.int64
        item = _C.empty(0, dtype=dtype).element_size()
        if room * item > len(self) and self.resizable():
            self.resize_(room * item)
        return self._as_tensor()[: len(self) // item * item].view(dtype)

    def __setitem__(self, index: Any, value: Any) -> None:
        memory = self._bytes
        for position in range(len(memory))[index] if isinstance(index, slice) else [index]:
            memory[position] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self._bytes)

    def tolist(self) -> list[int]:
        """The bytes as a list of ints."""
        return list(self._bytes)

    def clone(self) -> UntypedStorage:
        """A copy with its own memory."""
        copy = UntypedStorage()
        copy._owner = self._owner.clone()
        return copy

    def _numbers(self) -> Tensor:
        return self._as_tensor()

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of its class; with a dtype the bytes as numbers of that dtype."""
        return "torch.storage.UntypedStorage" if dtype is None else self._converted(dtype)

    def cpu(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> UntypedStorage:
        """Refused as torch's CPU build does."""
        check_device("cuda")
        return self

    def element_size(self) -> int:
        """1."""
        return 1

    filename = None  # of a storage that is mapped from a file

    @property
    def _cdata(self) -> int:
        return _place(self._owner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._cdata == other._cdata

    def __hash__(self) -> int:
        return hash(self._cdata)

    @classmethod
    def _new_shared(cls, size: int, *, device: Any = None) -> UntypedStorage:
        check_cpu("cpu" if device is None else device)
        return cls(_owner=_C.empty(size, dtype=_C.uint8).share_memory_())

    def is_pinned(self, device: Any = None) -> bool:
        """False: there is no other device to copy to."""
        return False

    def fill_(self, value: int) -> UntypedStorage:
        """Writes the byte `value` everywhere."""
        self[:] = _C.tensor(value, dtype=_C.uint8).item()
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> UntypedStorage:
        """Writes the bytes of `source`. Raises RuntimeError where it has another number of them."""
        if len(source) != len(self):
            raise RuntimeError(f"size does not match, self was {len(self)} bytes but src was {len(source)} bytes")
        self._bytes[:] = bytes(source._bytes)
        return self

    def share_memory_(self) -> UntypedStorage:
        """Moves the storage to memory that other processes see, and returns it. Tensors on it stay where they are."""
        self._owner.share_memory_()
        return self

    def is_shared(self) -> bool:
        """Whether other processes may see it."""
        return self._owner.is_shared()

    def resizable(self) -> bool:
        """Whether resize_() works: not for the memory below a tensor."""
        return not self._is_below_a_tensor

    def resize_(self, size: int) -> UntypedStorage:
        """Gives a storage that was made by itself another number of bytes; tensors on it keep those that it had.

        Raises NotImplementedError for the memory below a tensor, RuntimeError for a negative size.

        >>> import gradcore
        >>> gradcore.UntypedStorage([1, 2]).resize_(1).tolist()
        [1]
        """
        if self._is_below_a_tensor:
            raise NotImplementedError("UntypedStorage.resize_: the memory below a tensor of gradcore keeps its size")
        self._owner.resize_(size)
        return self

    def __repr__(self) -> str:
        numbers = "".join(f" {number}\n" for number in self)
        return f"{numbers}[torch.storage.UntypedStorage(device=cpu) of size {len(self)}]"


STORAGES = {
    prefix: type(
        f"{prefix}Storage",
        (TypedStorage,),
        {"dtype": _dtype(prefix), "__module__": "torch", "__doc__": TypedStorage.__doc__},
    )
    for prefix in _NAMES
}


def _place(memory: Tensor) -> int:
    """What two storages on the same memory have in common."""
    return memory.data_ptr() if memory.numel() else id(memory)


def _whole_memory(t: Tensor) -> Tensor:
    return t.detach().as_strided((t._storage_nbytes() // t.element_size(),), (1,), 0)


def tensor_storage(self: Tensor) -> TypedStorage:
    """The memory below this tensor as a sequence of numbers. Deprecated in torch, which warns."""
    warn_caller(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class."
    )
    return typed_storage(self)


def typed_storage(self: Tensor) -> TypedStorage:
    """As Tensor.storage(), for libraries: it does not warn."""
    prefix = next(prefix for prefix, name in _NAMES.items() if getattr(_C, name, None) == self.dtype)
    storage: TypedStorage = STORAGES[prefix](_memory=_whole_memory(self), dtype=self.dtype)
    return storage


def tensor_untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory below this tensor as bytes.

    >>> import gradcore
    >>> gradcore.zeros(3)[1:].untyped_storage().nbytes()
    12
    """
    return UntypedStorage(_owner=_whole_memory(self))


def is_storage(obj: Any, /) -> bool:
    """Whether `obj` is a TypedStorage or an UntypedStorage.

    >>> import gradcore
    >>> gradcore.is_storage(gradcore.zeros(3).untyped_storage()), gradcore.is_storage(gradcore.zeros(3))
    (True, False)
    """
    return isinstance(obj, (TypedStorage, UntypedStorage))


BoolTensor, BoolStorage = TYPES["Bool"], STORAGES["Bool"]
ByteTensor, ByteStorage = TYPES["Byte"], STORAGES["Byte"]
CharTensor, CharStorage = TYPES["Char"], STORAGES["Char"]
ShortTensor, ShortStorage = TYPES["Short"], STORAGES["Short"]
IntTensor, IntStorage = TYPES["Int"], STORAGES["Int"]
LongTensor, LongStorage = TYPES["Long"], STORAGES["Long"]
FloatTensor, FloatStorage = TYPES["Float"], STORAGES["Float"]
DoubleTensor, DoubleStorage = TYPES["Double"], STORAGES["Double"]
HalfTensor, HalfStorage = TYPES["Half"], STORAGES["Half"]
BFloat16Tensor, BFloat16Storage = TYPES["BFloat16"], STORAGES["BFloat16"]
