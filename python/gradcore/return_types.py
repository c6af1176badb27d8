"""The results of max and min along a dim: tuples whose parts have names."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class _ValuesIndices(tuple[Any, ...]):
    __slots__ = ()
    values = property(itemgetter(0), doc="The first part.")
    indices = property(itemgetter(1), doc="The second part.")

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self[0]!r},\nindices={self[1]!r})"


class max(_ValuesIndices):
    """Of max(input, dim)."""

    __slots__ = ()


class min(_ValuesIndices):
    """Of min(input, dim)."""

    __slots__ = ()
