"""Packages whose names are imported when they are first asked for: `import gradcore` takes milliseconds. Start at `attach`.

The stub beside a package (`__init__.pyi`) is its table of names, so that each stands in one place: type checkers read it,
and so does `attach`. `from .sgd import SGD as SGD` gives the package a class, `from . import data as data` a submodule.
"""

from __future__ import annotations

import sys

# Type checkers take this name for true. The import of typing would cost more than that of the package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
else:
    # What typing.get_type_hints() finds for the names in annotations. The interpreter has loaded these classes already.
    from _collections_abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence  # noqa: F401

    _typing = sys.modules.get("typing")  # where nobody has loaded it, any value is an object
    Any, Self, NoReturn = (getattr(_typing, name, object) for name in ("Any", "Self", "NoReturn"))


class _LazyPackage(type(sys)):  # type: ignore[misc]  # the class of modules
    """A package whose `__dict__` has every name: programs walk through `vars(torch.distributions)`.

    Neither a name's look-up nor the import machinery asks for `__dict__`: they reach a module's namespace directly.
    """

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        for name in self.__dir__():
            getattr(self, name)
        return _namespace(self)

    def __dir__(self) -> list[str]:
        namespace: dict[str, Any] = _namespace(self)
        names: list[str] = namespace["__dir__"]()  # dir() of a module would ask for its __dict__
        return names


def _namespace(module: Any) -> dict[str, Any]:
    """The names that are there already."""
    slot = vars(type(sys))["__dict__"]
    namespace: dict[str, Any] = slot.__get__(module)
    return namespace


def attach(
    package: str, *, star_submodules: Iterable[str] = (), whole_dict: bool = False
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package that has a stub. `from package import *` takes all public names.

    star_submodules: the submodules that it takes, too. They are those that torch's takes: a program that has a `normal` or
    a `utils` of its own keeps it. whole_dict: whether the package's `__dict__` has every name, for programs that walk
    through it; a look-up in the package then takes some nanoseconds longer. The `__getattr__` raises AttributeError for a
    name that the stub does not have.
    """
    table: dict[str, tuple[str, str | None]] = {}
    namespace = _namespace(sys.modules[package])
    if whole_dict:
        sys.modules[package].__class__ = _LazyPackage

    def names() -> dict[str, tuple[str, str | None]]:
        if not table:
            table.update(_read_stub(package))
        return table

    def getattribute(name: str) -> Any:
        if name == "__all__":
            own = {name for name, value in namespace.items() if not isinstance(value, type(sys))}
            listed = {name for name, (_, attribute) in names().items() if attribute or name in star_submodules}
            return sorted(name for name in own | listed if not name.startswith("_"))
        if name not in names():
            raise AttributeError(f"module {package!r} has no attribute {name!r}{_nearest(name, directory())}")
        module, attribute = table[name]
        __import__(module)
        # A submodule that is imported is bound to its name in the package, also where the name is a function of the stub's.
        found = _namespace(sys.modules[module])
        for other, (home, original) in table.items():
            if home == module and original in found:
                namespace[other] = found[original]
        if attribute is None:
            namespace[name] = sys.modules[module]
        return namespace[name]

    def directory() -> list[str]:
        return sorted({*namespace, *names()})

    return getattribute, directory


def make_callable(module: str, function: Callable[..., Any]) -> None:
    """Calls of the module call the function. An import such as `import gradcore.autograd.gradcheck` binds the module to the
    name that is its function's in the package."""
    members = {"__call__": staticmethod(function)}
    sys.modules[module].__class__ = type("CallableModule", (type(sys),), members)


def _nearest(name: str, known: list[str]) -> str:
    """For the message about a name that is missing: the public one that looks most like it, if one does."""
    if name.startswith("_"):
        return ""
    from difflib import get_close_matches  # not at the top: most programs ask for nothing that is missing

    near = get_close_matches(name, [other for other in known if not other.startswith("_")], n=1, cutoff=0.75)
    return f". The nearest name that it has is {near[0]!r}" if near else ""


def _read_stub(package: str) -> dict[str, tuple[str, str | None]]:
    """For each line `from home import original as name`: name -> (home, original), original being None for a submodule.

    The lines are split at spaces: a syntax tree of the stub would take nearly as long as the import of the package.
    """
    spec: Any = sys.modules[package].__spec__
    parents = package.split(".")
    found: dict[str, tuple[str, str | None]] = {}
    for line in spec.loader.get_data(spec.origin + "i").decode().splitlines():
        words = line.split()
        if words[:1] != ["from"] or words[4:5] != ["as"]:
            continue
        _, source, _, original, _, name = words
        module = source.lstrip(".")
        level = len(source) - len(module)
        home = ".".join([*parents[: len(parents) + 1 - level], *filter(None, [module])]) if level else module
        found[name] = (home, original) if module else (f"{home}.{original}", None)
    return found
