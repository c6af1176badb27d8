"""torch.utils.weak: dicts whose keys are told apart by identity and are not kept alive. Start at WeakIdKeyDictionary."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any
from weakref import ReferenceType, ref

from .. import Tensor

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakIdRef", "WeakTensorKeyDictionary"]


class WeakIdRef(ReferenceType):  # type: ignore[type-arg]
    """A weak reference that equals another one when both are to the same object, whatever the objects think of `==`.

    >>> import gradcore
    >>> x = gradcore.ones(2)
    >>> gradcore.utils.weak.WeakIdRef(x) == gradcore.utils.weak.WeakIdRef(x)
    True
    """

    __slots__ = ("_id",)

    def __init__(self, key: Any, callback: Callable[[Any], None] | None = None) -> None:
        super().__init__(key, callback)  # type: ignore[call-arg]
        self._id = id(key)

    def __hash__(self) -> int:
        return self._id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WeakIdRef):
            return NotImplemented
        mine, theirs = self(), other()
        if mine is None or theirs is None:
            return self is other
        return mine is theirs

    def __ne__(self, other: object) -> bool:
        return not self == other


class TensorWeakRef:
    """A weak reference to a tensor: called it gives the tensor, or None when that is gone.

    >>> import gradcore
    >>> x = gradcore.ones(2)
    >>> reference = gradcore.utils.weak.TensorWeakRef(x)
    >>> reference() is x
    True
    >>> del x
    >>> reference() is None
    True
    """

    def __init__(self, tensor: Tensor) -> None:
        self.ref = ref(tensor)

    def __call__(self) -> Tensor | None:
        return self.ref()


class WeakIdKeyDictionary(MutableMapping[Any, Any]):
    """A dict that tells its keys apart by identity and forgets an item when its key goes.

    dict: a mapping whose items it begins with. ref_type: what makes a key's reference. Raises TypeError for a key that
    cannot be referenced weakly.

    >>> import gradcore
    >>> names = gradcore.utils.weak.WeakIdKeyDictionary()
    >>> x, y = gradcore.ones(2), gradcore.ones(2)
    >>> names[x], names[y] = "x", "y"
    >>> names[y]
    'y'
    >>> del y
    >>> len(names)
    1
    """

    def __init__(self, dict: Mapping[Any, Any] | None = None, ref_type: type = WeakIdRef) -> None:
        self.data: Any = {}
        self.ref_type = ref_type
        self._forget = _forgetter(self)
        if dict is not None:
            self.update(dict)

    def __getitem__(self, key: Any) -> Any:
        return self.data[self.ref_type(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.data[self.ref_type(key, self._forget)] = value

    def __delitem__(self, key: Any) -> None:
        del self.data[self.ref_type(key)]

    def __contains__(self, key: object) -> bool:
        try:
            return self.ref_type(key) in self.data
        except TypeError:
            return False

    def __iter__(self) -> Iterator[Any]:
        for reference in list(self.data):  # a key may go while its neighbours are looked at
            key = reference()
            if key is not None:
                yield key

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return _by_id(self) == _by_id(other)

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Mapping):
            return NotImplemented
        union = self.copy()
        union.update(other)
        return union

    def __ror__(self, other: Any) -> Any:
        if not isinstance(other, Mapping):
            return NotImplemented
        union = type(self)(other)
        union.update(self)
        return union

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def copy(self) -> WeakIdKeyDictionary:
        """Another dict with the same keys and values."""
        return type(self)(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> WeakIdKeyDictionary:
        """Another dict with the same keys and copies of the values."""
        new = type(self)()
        for key, value in self.items():
            new[key] = copy.deepcopy(value, memo)
        return new

    def keyrefs(self) -> list[Any]:
        """The weak references of the keys. Some of the keys may be gone by the time that they are called."""
        return list(self.data)


WeakTensorKeyDictionary = WeakIdKeyDictionary


def _by_id(mapping: Mapping[Any, Any]) -> dict[int, Any]:
    return {id(key): value for key, value in mapping.items()}


def _forgetter(owner: WeakIdKeyDictionary) -> Callable[[Any], None]:
    """What takes a dead key's item out. It holds the dict weakly: no cycle keeps that alive."""
    weak_owner = ref(owner)

    def forget(reference: Any) -> None:
        found = weak_owner()
        if found is not None:
            found.data.pop(reference, None)

    return forget
