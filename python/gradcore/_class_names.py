"""Names of modules in torch, and those that nn's classes show: torch's while a proxy stands for it. Programs look for
"torch.nn" in `__module__`."""

from __future__ import annotations

import sys

from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_classes: list[Any] = []
_root = "gradcore"


def note(cls: Any) -> Any:
    """Takes a class or function of gradcore.nn; others are left alone. A decorator, too."""
    if str(cls.__module__).startswith("gradcore."):
        _classes.append(cls)
        _rename(cls)
    return cls


def set_root(root: str) -> None:
    """What the classes' `__module__` begins with: "gradcore" or "torch"."""
    global _root
    _root = root
    for cls in _classes:
        _rename(cls)


def torch_module(name: str) -> str:
    """The name in torch of a module of gradcore: files may have either."""
    root, dot, rest = name.partition(".")
    return "torch" + dot + rest if root == "gradcore" else name


def _rename(cls: Any) -> None:
    before = cls.__module__
    root, dot, rest = before.partition(".")
    if root == _root:
        return
    line = vars(cls).get("__firstlineno__")  # Python 3.13 forgets it with the module, and inspect needs it
    cls.__module__ = _root + dot + rest
    if line is not None:
        cls.__firstlineno__ = line
    if before in sys.modules:  # inspect and pickle look there for a class's module
        sys.modules.setdefault(cls.__module__, sys.modules[before])
