"""utils.swap_tensors()."""

from __future__ import annotations

from typing import Any
from weakref import getweakrefs

from .. import _C, Tensor

__all__ = ["swap_tensors"]


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchanges what two tensors are, but for their identity: values, gradient, history, hooks, class and attributes.

    Raises RuntimeError where a weak reference to one of them exists, TypeError for what is no tensor.

    >>> import gradcore
    >>> x, y = gradcore.zeros(2), gradcore.ones(3)
    >>> gradcore.utils.swap_tensors(x, y)
    >>> x
    tensor([1., 1., 1.])
    """
    for name, t in (("t1", t1), ("t2", t2)):
        if getweakrefs(t):
            raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
    _C._swap_tensors(t1, t2)
    _exchange(t1, t2, "__class__")
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for name in _slots(type(t1)) & _slots(type(t2)):
        _exchange(t1, t2, name)


def _slots(kind: type) -> set[str]:
    return {name for base in kind.__mro__ for name in _names(vars(base).get("__slots__", ()))}


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _exchange(a: Any, b: Any, name: str) -> None:
    """Exchanges an attribute that one of them, or both, may lack."""
    missing = object()
    values = getattr(a, name, missing), getattr(b, name, missing)
    for holder, value in zip((b, a), values, strict=True):
        if value is not missing:
            setattr(holder, name, value)
        elif hasattr(holder, name):
            delattr(holder, name)
