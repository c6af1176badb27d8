"""The results of ops that give several tensors by name: tuples whose parts have names."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class _NamedTuple(tuple[Any, ...]):
    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = ",\n".join(f"{name}={part!r}" for name, part in zip(self._fields, self))
        return f"torch.return_types.{type(self).__name__}(\n{parts})"


class _ValuesIndices(_NamedTuple):
    __slots__ = ()
    _fields = ("values", "indices")
    values = property(itemgetter(0), doc="The first part.")
    indices = property(itemgetter(1), doc="The second part.")


class cummax(_ValuesIndices):
    """Of cummax(input, dim)."""

    __slots__ = ()


class cummin(_ValuesIndices):
    """Of cummin(input, dim)."""

    __slots__ = ()


class kthvalue(_ValuesIndices):
    """Of kthvalue(input, k)."""

    __slots__ = ()


class max(_ValuesIndices):
    """Of max(input, dim)."""

    __slots__ = ()


class median(_ValuesIndices):
    """Of median(input, dim)."""

    __slots__ = ()


class min(_ValuesIndices):
    """Of min(input, dim)."""

    __slots__ = ()


class mode(_ValuesIndices):
    """Of mode(input)."""

    __slots__ = ()


class nanmedian(_ValuesIndices):
    """Of nanmedian(input, dim)."""

    __slots__ = ()


class sort(_ValuesIndices):
    """Of sort(input)."""

    __slots__ = ()


class topk(_ValuesIndices):
    """Of topk(input, k)."""

    __slots__ = ()
