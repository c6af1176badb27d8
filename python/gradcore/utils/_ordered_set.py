"""A set that keeps the order in which its elements came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet, Reversible
from collections.abc import Set as AbstractSet
from typing import Any, Self, TypeVar

__all__ = ["OrderedSet"]

T = TypeVar("T")


class OrderedSet(MutableSet[T], Reversible[T]):
    """A set whose elements come in the order in which they were added.

    >>> OrderedSet([3, 1, 3, 2])
    OrderedSet([3, 1, 2])
    """

    __slots__ = ("_dict",)

    def __init__(self, iterable: Iterable[T] | None = None) -> None:
        self._dict: dict[T, None] = dict.fromkeys(() if iterable is None else iterable)

    def __contains__(self, elem: object) -> bool:
        return elem in self._dict

    def __iter__(self) -> Iterator[T]:
        return iter(self._dict)

    def __reversed__(self) -> Iterator[T]:
        return reversed(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)})"

    def __reduce__(self) -> Any:
        return type(self), (list(self),)

    def add(self, elem: T) -> None:
        """Puts the element at the end, unless it is there."""
        self._dict[elem] = None

    def discard(self, elem: T) -> None:
        """Takes the element out, if it is there."""
        self._dict.pop(elem, None)

    def clear(self) -> None:
        """Takes all out."""
        self._dict.clear()

    def pop(self) -> T:
        """Takes the last element out. Raises KeyError where there is none."""
        if not self._dict:
            raise KeyError("pop from an empty set")
        return self._dict.popitem()[0]

    def copy(self) -> Self:
        """Another set of the same elements."""
        return type(self)(self)

    def update(self, *others: Iterable[T]) -> None:
        """Adds the elements of others."""
        for other in others:
            self._dict.update(dict.fromkeys(other))

    def union(self, *others: Iterable[T]) -> Self:
        """The elements of this set and of others."""
        found = self.copy()
        found.update(*others)
        return found

    def difference_update(self, *others: Iterable[T]) -> None:
        """Takes the elements of others out."""
        for other in others:
            for elem in list(other):
                self.discard(elem)

    def difference(self, *others: Iterable[T]) -> Self:
        """The elements that no other has."""
        found = self.copy()
        found.difference_update(*others)
        return found

    def intersection_update(self, *others: Iterable[T]) -> None:
        """Keeps the elements that all others have."""
        for kept in map(set, others):
            for elem in [elem for elem in self if elem not in kept]:
                self.discard(elem)

    def intersection(self, *others: Iterable[T]) -> Self:
        """The elements that all others have."""
        found = self.copy()
        found.intersection_update(*others)
        return found

    def symmetric_difference(self, other: Iterable[T]) -> Self:
        """The elements that one of both has."""
        given = dict.fromkeys(other)
        return type(self)([*(e for e in self if e not in given), *(e for e in given if e not in self)])

    def symmetric_difference_update(self, other: Iterable[T]) -> None:
        """Keeps and adds the elements that one of both has."""
        self._dict = self.symmetric_difference(other)._dict

    def issubset(self, other: Iterable[T]) -> bool:
        """Whether the other has all elements."""
        return self <= (other if isinstance(other, AbstractSet) else type(self)(other))

    def issuperset(self, other: Iterable[T]) -> bool:
        """Whether it has all elements of the other."""
        return self >= (other if isinstance(other, AbstractSet) else type(self)(other))
