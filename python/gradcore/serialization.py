"""torch.serialization: the place that programs import save and load from."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from ._class_names import torch_module
from ._pickle_reader import allowed as _allowed
from ._serialization import globals_of, name_in_nn, switches
from ._serialization import load as load
from ._serialization import save as save

MAP_LOCATION = Any
DEFAULT_PROTOCOL = 2  # of pickle
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # at the start of files before torch 1.6
PROTOCOL_VERSION = 1001
SHORT_SIZE, INT_SIZE, LONG_SIZE = 2, 4, 4
STORAGE_KEY_SEPARATOR = ","


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Lets load(weights_only=True) make instances of these classes, and call these functions, where a file names them.

    An item may be (object, "module.name"), for files that know it by another name. Only what does no harm with any
    arguments should be allowed.

    >>> import collections, io, gradcore
    >>> file = io.BytesIO()
    >>> gradcore.save(collections.Counter("aab"), file)
    >>> with gradcore.serialization.safe_globals([collections.Counter]):
    ...     _ = file.seek(0)
    ...     gradcore.load(file)
    Counter({'a': 2, 'b': 1})

    Raises TypeError for an item that has no name.
    """
    _allowed.update({_place_of(item): item[0] if isinstance(item, tuple) else item for item in safe_globals})


def get_safe_globals() -> list[Any]:
    """What add_safe_globals() was given."""
    return list(_allowed.values())


def clear_safe_globals() -> None:
    """Forgets what add_safe_globals() was given."""
    _allowed.clear()


def _place_of(item: Any) -> tuple[str, str]:
    if isinstance(item, tuple):
        module, _, name = item[1].rpartition(".")
        return torch_module(module), name
    try:
        return name_in_nn(item) or (torch_module(item.__module__), item.__qualname__)
    except AttributeError:
        raise TypeError(f"add_safe_globals: {item!r:.100} has no name that a file could hold") from None


@contextmanager
def safe_globals(safe_globals: Sequence[Any]) -> Iterator[None]:
    """add_safe_globals() for the length of a block."""
    before = dict(_allowed)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _allowed.clear()
        _allowed.update(before)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The classes and functions, as "module.name", that a file names and load(weights_only=True) does not take.

    f: a path or a file of bytes. The file's pickle is read, and not run. Raises ValueError for what is no archive of save().

    >>> import datetime, io, gradcore
    >>> file = io.BytesIO()
    >>> gradcore.save({"day": datetime.date(2024, 2, 29), "x": gradcore.ones(1)}, file)
    >>> gradcore.serialization.get_unsafe_globals_in_checkpoint(file)
    ['datetime.date']
    """
    found = globals_of(f)
    return sorted(
        f"{module}.{name}"
        for (module, name), is_known in found.items()
        if not is_known and (torch_module(module), name) not in _allowed
    )


class SourceChangeWarning(Warning):
    """What torch warned of before 1.6, when a file held a module's source and that had changed. Nothing raises it."""


class LoadEndianness(Enum):
    """The order of bytes in a file.

    >>> import gradcore
    >>> gradcore.serialization.LoadEndianness.BIG.value
    3
    """

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_default_order: LoadEndianness | None = None


def get_default_load_endianness() -> LoadEndianness | None:
    """What set_default_load_endianness() was given, or None."""
    return _default_order


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Says what order load() takes the bytes of an archive for that does not say it itself. None, like NATIVE, is the machine's.

    load() refuses files of the other order. Raises TypeError for what is no LoadEndianness.

    >>> import gradcore
    >>> gradcore.serialization.set_default_load_endianness(gradcore.serialization.LoadEndianness.NATIVE)
    >>> gradcore.serialization.get_default_load_endianness()
    <LoadEndianness.NATIVE: 1>
    >>> gradcore.serialization.set_default_load_endianness(None)
    """
    global _default_order
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _default_order = endianness
    is_native = endianness is None or endianness is LoadEndianness.NATIVE
    type(switches).byte_order = None if is_native else endianness.name.lower()  # type: ignore[union-attr]


class skip_data:
    """A block in which save() writes zeros for what tensors hold, and load() gives zeros and reads nothing of it.

    materialize_fake_tensors: accepted; every tensor here is one that has values.

    >>> import io, gradcore
    >>> file = io.BytesIO()
    >>> with gradcore.serialization.skip_data():
    ...     gradcore.save(gradcore.ones(2), file)
    >>> _ = file.seek(0)
    >>> gradcore.load(file)
    tensor([0., 0.])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self._before = switches.skips_data
        switches.skips_data = True

    def __exit__(self, *exc: object) -> None:
        switches.skips_data = self._before


_Tagger = Callable[[Any], "str | None"]
_Restorer = Callable[[Any, str], Any]


def _cpu_tag(storage: Any) -> str | None:
    return "cpu"


def _cpu_restore(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


_package_registry: list[tuple[int, _Tagger, _Restorer]] = [(10, _cpu_tag, _cpu_restore)]


def register_package(priority: int, tagger: _Tagger, deserializer: _Restorer) -> None:
    """Says how the storages of a device are named, and made from what a file names so; lower priorities are asked first.

    tagger(storage) and deserializer(storage, location) return None for what is not theirs. location_tag() and
    default_restore_location() ask them; save() and load() do not, because all their storages are the CPU's.

    >>> import gradcore
    >>> s = gradcore.serialization
    >>> s.register_package(90, lambda storage: None, lambda storage, where: storage if where == "toy" else None)
    >>> len(s.default_restore_location(gradcore.ones(2).untyped_storage(), "toy"))
    8
    """
    insort(_package_registry, (priority, tagger, deserializer), key=lambda entry: entry[0])


def location_tag(storage: Any) -> str:
    """The name of the device that a storage is on. Raises RuntimeError where no tagger knows it.

    >>> import gradcore
    >>> gradcore.serialization.location_tag(gradcore.ones(2).untyped_storage())
    'cpu'
    """
    for _, tagger, _ in _package_registry:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError("don't know how to determine data location of " + _class_of(storage))


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage on the device of this name. Raises RuntimeError where no deserializer knows it.

    >>> import gradcore
    >>> storage = gradcore.ones(2).untyped_storage()
    >>> gradcore.serialization.default_restore_location(storage, "cpu") is storage
    True
    """
    for _, _, deserializer in _package_registry:
        result = deserializer(storage, location)
        if result is not None:
            return result
    raise RuntimeError(f"don't know how to restore data location of {_class_of(storage)} (tagged with {location})")


def _class_of(storage: Any) -> str:
    return f"torch.storage.{type(storage).__name__}"
