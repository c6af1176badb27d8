"""as_torch: `import torch` finds gradcore, where and while the program says so."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec

import gradcore

from .. import _class_names, _tensor
from .._lazy import TYPE_CHECKING

# What the proxy needs is loaded in a few milliseconds: importlib's metadata and base classes would take most of the time.
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.metadata import Distribution
    from types import ModuleType
    from typing import Any
else:
    from .._lazy import Any, Iterable, Sequence

    ModuleType = type(sys)

VERSION = "2.13.0+gradcore"


class TorchVersion(str):
    """A version that compares with others, and with tuples of numbers, number by number.

    >>> from gradcore._compat.proxy import TorchVersion
    >>> TorchVersion("2.13.0") > "2.2", TorchVersion("2.13.0") >= (1, 8)
    (True, True)
    """

    __slots__ = ()

    @staticmethod
    def _numbers(version: Any) -> tuple[int, ...]:
        if not isinstance(version, str):
            return tuple(map(int, version))
        import re

        found = re.match(r"\d+(\.\d+)*", version)
        if found is None:
            raise ValueError(f"Invalid version: {version!r}")
        return tuple(map(int, found[0].split(".")))

    def _order(self, other: Any) -> int:
        ours, theirs = self._numbers(self), self._numbers(other)
        length = max(len(ours), len(theirs))
        ours, theirs = (numbers + (0,) * (length - len(numbers)) for numbers in (ours, theirs))
        return (ours > theirs) - (ours < theirs)

    def __lt__(self, other: Any) -> bool:
        return self._order(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._order(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._order(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._order(other) >= 0


class _Torch(ModuleType):
    """The module that `import torch` gives: gradcore's names, and torch's version."""

    def __init__(self) -> None:
        super().__init__("torch", gradcore.__doc__)
        names = {name: value for name, value in vars(gradcore).items() if not name.startswith("__")}
        self.__dict__.update(names)
        self.torch = self  # torch.torch is torch: some packages write it so
        self.__path__: list[str] = []  # its submodules are gradcore's: no folder is searched
        self.__file__ = gradcore.__file__
        self.__version__ = TorchVersion(VERSION)
        self.version = _version_module()

    def __getattr__(self, name: str) -> Any:
        try:
            value = getattr(gradcore, name)
        except AttributeError as error:
            raise AttributeError(str(error).replace("module 'gradcore'", "module 'torch' (gradcore)", 1)) from None
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(gradcore)})


def _version_module() -> ModuleType:
    ours = gradcore.version
    module = ModuleType("torch.version", ours.__doc__)
    module.__dict__.update({name: getattr(ours, name) for name in ours.__all__})
    module.__dict__["__version__"] = TorchVersion(VERSION)
    return module


# What torch installs, and where it is here.
_HOMES = {"torch": "gradcore", "functorch": "gradcore._compat.functorch"}
_OF_CORE = {
    "torch._C._functorch": "gradcore._compat.functorch_of_core",
    "torch._C._nn": "gradcore._compat.nn_of_core",
}


def _is_torch(name: str) -> bool:
    return name.partition(".")[0] in _HOMES


def _ours(name: str) -> str:
    """The name of gradcore's module for one of torch's."""
    if name in _OF_CORE:
        return _OF_CORE[name]
    root, dot, rest = name.partition(".")
    return _HOMES[root] + dot + rest


def _module(name: str) -> ModuleType:
    """The module for torch's name. Raises ModuleNotFoundError where gradcore has none."""
    if name == "torch":
        return _the_module()
    if name == "torch.version":
        version: ModuleType = _the_module().version
        return version
    ours = _ours(name)
    try:
        return importlib.import_module(ours)
    except ModuleNotFoundError as error:
        if error.name is None or not ours.startswith(error.name):
            raise
        raise ModuleNotFoundError(f"No module named {name!r}: gradcore has no {ours}", name=name) from None


_made: list[_Torch] = []


def _the_module() -> _Torch:
    if not _made:
        _made.append(_Torch())
    return _made[0]


class _Loader:
    def create_module(self, spec: ModuleSpec) -> None:
        """As the import system makes them."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        found = _module(name)
        if name == "torch":
            found.__spec__ = module.__spec__
        sys.modules[name] = found  # the import system takes what stands here in the end
        if name == "torch._C":  # an extension is no package, so that nothing would look for modules below it
            sys.modules.update({below: _module(below) for below in _OF_CORE})


class _Finder:
    """Finds torch and its submodules in gradcore, and says that torch is installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not _is_torch(name):
            return None
        ours = _ours(name)
        try:
            found = importlib.util.find_spec(ours)
        except ModuleNotFoundError:
            return None
        if found is None:
            return None
        loader: Any = _Loader()
        return ModuleSpec(name, loader, origin=found.origin, is_package=found.submodule_search_locations is not None)

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:
        """For importlib.metadata.version("torch")."""
        return [_installed()] if getattr(context, "name", None) == "torch" else []


def _installed() -> Distribution:
    from importlib.metadata import Distribution

    class Installed(Distribution):
        def read_text(self, filename: str) -> str | None:
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {VERSION}\n" if filename == "METADATA" else None

        def locate_file(self, path: Any) -> Any:
            return path

    return Installed()


class as_torch:
    """From here on `import torch`, and of every submodule that gradcore has, gives gradcore.

    As a context manager it ends with the block; else with remove(), or never. `packages` names the packages whose imports
    are meant (and `"__main__"` for the script): in all others `import torch` finds what it found before. Without it the
    whole process is meant, and sees torch as installed in version "2.13.0+gradcore". While it holds, the class of tensors
    says that its module is "torch", and where the whole process is meant, nn's classes name torch's modules too.

    >>> import gradcore
    >>> with gradcore.as_torch(packages=["my_package"]):  # what my_package imports as torch is gradcore
    ...     type(gradcore.ones(1)).__module__
    'torch'

    Raises RuntimeError when the real torch is loaded already and the whole process is meant.
    """

    def __init__(self, packages: Sequence[str] | None = None) -> None:
        if isinstance(packages, str):
            packages = [packages]
        self.packages = None if packages is None else frozenset(packages)
        self._active = True
        if self.packages is None:
            self._install_for_process()
        else:
            self._install_for_packages(self.packages)
        _scopes.append(self)
        _name_classes()

    def _install_for_process(self) -> None:
        loaded = sys.modules.get("torch")
        if loaded is not None and not isinstance(loaded, _Torch):
            place = getattr(loaded, "__file__", "somewhere")
            raise RuntimeError(
                f"as_torch(): the real torch is loaded already, from {place}. Call as_torch() before anything imports torch, "
                "or name the packages that are meant."
            )
        self._finder = _Finder()
        sys.meta_path.insert(0, self._finder)

    def _install_for_packages(self, packages: frozenset[str]) -> None:
        before = self._import_before = builtins.__import__

        def import_(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
            importer = (globals or {}).get("__name__", "")
            if self._active and not level and _is_torch(name) and importer.partition(".")[0] in packages:
                return _imported(name, fromlist)
            return before(name, globals, locals, fromlist, level)

        self._import = import_
        builtins.__import__ = import_

    def remove(self) -> None:
        """Ends it. What was imported stays with those who imported it."""
        if not self._active:
            return
        self._active = False
        _scopes.remove(self)
        _name_classes()
        if self.packages is not None:
            if builtins.__import__ is self._import:  # else somebody wraps it: it passes everything on from now on
                builtins.__import__ = self._import_before
            return
        sys.meta_path.remove(self._finder)
        if not any(scope.packages is None for scope in _scopes):
            for name in [name for name in sys.modules if _is_torch(name)]:
                del sys.modules[name]

    def __enter__(self) -> as_torch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


_scopes: list[as_torch] = []


def _name_classes() -> None:
    _tensor.set_module("torch" if _scopes else "gradcore")
    # Not for single packages: pickle, which is none of them, would look for the class in the real torch.
    _class_names.set_root("torch" if any(scope.packages is None for scope in _scopes) else "gradcore")


def _imported(name: str, fromlist: Any) -> ModuleType:
    """What the import statement wants: the module for `from name import ...`, else the outermost one."""
    module = _module(name)
    if not fromlist:
        return _module(name.partition(".")[0])
    for item in fromlist:
        if item != "*" and not hasattr(module, item):
            try:
                _module(f"{name}.{item}")
            except ModuleNotFoundError:
                pass  # the import statement says what is missing
    return module
