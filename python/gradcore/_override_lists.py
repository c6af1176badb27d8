"""Which functions a class with __torch_function__ may take over, by namespace. Start at `overridable`.

They are the ops that take a tensor, as functions, methods and operators, and functions in Python that were offered
(`_overridable`). Methods in Python call such ops, and queries (shapes, dtypes) ask nobody.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from . import _C, _overridable
from ._C import Tensor

_NAMESPACES = ("", "functional", "nn.functional", "linalg", "fft", "special")
_OP = type(_C.add)
_METHOD, _SLOT = type(Tensor.add), type(Tensor.__add__)
# Of the attributes these alone make tensors that a class may give otherwise; slots that convert answer for the value.
_GETTERS = {"T", "mT", "data"}
_CONVERSIONS = {
    "__bool__",
    "__contains__",
    "__float__",
    "__hash__",
    "__index__",
    "__int__",
    "__len__",
    "__repr__",
    "__str__",
}
_OF_EVERY_CLASS = {"__new__", "__setattr__", "__delattr__", "__delitem__", "__call__", "__set__", "__get__"}


class Lists:
    """The namespaces' functions; those that are not offered; names of all."""

    def __init__(self) -> None:
        self.offered: dict[Any, list[Callable[..., Any]]] = {}
        self.ignored: set[Callable[..., Any]] = set()
        self.names: dict[Callable[..., Any], str] = {}

    def add(self, owner: Any, function: Callable[..., Any], name: str, is_offered: bool) -> None:
        """Notes a function. One of several names keeps the first."""
        if function in self.names:
            return
        self.names[function] = name
        if is_offered:
            self.offered.setdefault(owner, []).append(function)
        else:
            self.ignored.add(function)


@functools.cache
def lists() -> Lists:
    """All that there are, found once."""
    found = Lists()
    for path in _NAMESPACES:
        module = importlib.import_module(f"gradcore.{path}".rstrip("."))
        for name, function in _functions_of(module):
            full = ".".join(filter(None, ("torch", path, name)))
            found.add(module, function, full, not name.endswith("_") and _takes_tensors(function))
    _add_members(found)
    return found


def _functions_of(module: Any) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(module)):
        if name[0].islower():
            function = getattr(module, name)
            if callable(function) and not isinstance(function, type):
                yield name, function


def _add_members(found: Lists) -> None:
    for name in sorted(dir(Tensor)):
        member: Any = inspect.getattr_static(Tensor, name)
        if hasattr(type(member), "__set__"):
            found.add(member, member.__get__, f"torch.Tensor.{name}.__get__", name in _GETTERS)
            found.names[member.__set__] = f"torch.Tensor.{name}.__set__"
        elif callable(member) and name not in _OF_EVERY_CLASS and getattr(object, name, None) is not member:
            is_slot = isinstance(member, _SLOT) and name not in _CONVERSIONS
            is_offered = is_slot or isinstance(member, _METHOD) or _overridable.is_offered(member)
            found.add(Tensor, member, f"torch.Tensor.{name}", is_offered)


@functools.cache
def _factories() -> set[str]:
    """Ops none of whose forms takes a tensor, but for out=."""
    takes = {
        name: any("Tensor" in _inputs(form) or "Operand" in form for form in forms) for name, forms, _ in _C._op_table()
    }
    return {name for name, does in takes.items() if not does}


def _inputs(signature: str) -> str:
    return signature.partition(") -> ")[0].replace("Tensor? out", "").replace("Tensor[]? out", "")


def _takes_tensors(function: Any) -> bool:
    if isinstance(function, _OP):
        return function.__name__ not in _factories()
    return _overridable.is_offered(function)


def dummy(function: Callable[..., Any]) -> Callable[..., int]:
    """A function that takes what this one takes, and gives -1."""

    def override(*args: Any, **kwargs: Any) -> int:
        return -1

    try:
        signature: inspect.Signature | None = inspect.signature(function)
    except (ValueError, TypeError):  # several forms, or a getter
        return override
    override.__signature__ = signature  # type: ignore[attr-defined]
    return override
