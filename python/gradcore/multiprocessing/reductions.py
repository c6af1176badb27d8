"""How tensors go to other processes, and references to storages that do not keep them."""

from __future__ import annotations

from typing import Any

from ._shared import reduce_tensor as reduce_tensor


def init_reductions() -> None:
    """Does nothing: `import gradcore.multiprocessing` has told Python's pickler how tensors are sent."""


class StorageWeakRef:
    """A place in memory, by which programs tell whether tensors share a storage: equal as long as the storage lives.

    >>> import gradcore
    >>> t = gradcore.ones(4)
    >>> StorageWeakRef(t.untyped_storage()) == StorageWeakRef(t[2:].untyped_storage())
    True
    """

    __slots__ = ("cdata",)

    def __init__(self, storage: Any) -> None:
        self.cdata: int = storage._cdata

    @classmethod
    def from_weakref(cls, cdata: int) -> StorageWeakRef:
        """The reference to this place."""
        found = cls.__new__(cls)
        found.cdata = cdata
        return found

    def expired(self) -> bool:
        """Raises NotImplementedError: the core does not tell when a storage ends."""
        raise NotImplementedError("StorageWeakRef.expired: gradcore does not tell when the memory of a storage ended")

    def __hash__(self) -> int:
        return self.cdata

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StorageWeakRef) and self.cdata == other.cdata
