"""The types of storages that files of tensors name: torch.FloatStorage and its like."""

from __future__ import annotations

import functools
from typing import Any

from . import _C

DTYPES = {name: f"{scalar}Storage" for _, name, scalar in _C._dtypes()}
WITHOUT_STORAGE = ("uint16", "uint32", "uint64")  # of torch's: tensors of these are written with their bytes
BYTES = "UntypedStorage"
STORAGE_DTYPES = {storage: name for name, storage in DTYPES.items() if name not in WITHOUT_STORAGE}
STORAGE_NAMES = {name: storage for storage, name in STORAGE_DTYPES.items()}


class StorageType:
    """Stands for torch.FloatStorage and its like, which are only names to us."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


storage_type = functools.cache(StorageType)  # one for each name: a pickle has each once


def dtype_named(kind: StorageType) -> Any:
    """The dtype of a storage's elements."""
    return _C.uint8 if kind.name == BYTES else getattr(_C, STORAGE_DTYPES[kind.name])
