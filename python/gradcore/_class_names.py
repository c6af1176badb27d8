"""Names of modules in torch, and those that nn's classes and some others show: torch's while a proxy stands for it.
Programs look for "torch.nn" in `__module__`, and notebooks print `type(x.shape)`."""

from __future__ import annotations

import sys

from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_classes: list[Any] = []
_root = "gradcore"


def note(cls: Any) -> Any:
    """Takes a class or function of gradcore.nn; others are left alone. A decorator, too."""
    if str(cls.__module__).partition(".")[0] == "gradcore":
        _classes.append(cls)
        _rename(cls)
    return cls


def belongs_to(module: str) -> Callable[[Any], Any]:
    """A decorator for a class that programs know from another module than ours: "gradcore.utils.hooks", or "gradcore"."""

    def rename(cls: Any) -> Any:
        _set_module(cls, module)
        return note(cls)

    return rename


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
    _set_module(cls, _root + dot + rest)
    if (
        rest and before in sys.modules
    ):  # inspect and pickle look there for a class's module; the proxy makes "torch" itself
        sys.modules.setdefault(cls.__module__, sys.modules[before])


def _set_module(cls: Any, module: str) -> None:
    line = vars(cls).get("__firstlineno__")  # Python 3.13 forgets it with the module, and inspect needs it
    cls.__module__ = module
    if line is not None:
        cls.__firstlineno__ = line
