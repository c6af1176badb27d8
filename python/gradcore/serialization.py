"""torch.serialization: the place that programs import save and load from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ._class_names import torch_module
from ._pickle_reader import allowed as _allowed
from ._serialization import globals_of, name_in_nn
from ._serialization import load as load
from ._serialization import save as save

MAP_LOCATION = Any
DEFAULT_PROTOCOL = 2  # of pickle


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
