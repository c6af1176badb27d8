"""How a part of torch that gradcore does not have refuses: with a sentence, when it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn


def refusal(module: str, name: str, why: str) -> Any:
    """A class of that name, so that programs may derive from it or name it in isinstance(); making one is refused."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{module}.{name}: {why}")

    members = {
        "__init__": refuse,
        "__doc__": f"Raises NotImplementedError: {why}.",
        "__module__": module,
        "_refuses": why,
    }
    return type(name, (), members)


def absent(module: str, names: str, why: str) -> Callable[[str], Any]:
    """A module's __getattr__ that answers these names with refusals, the same object each time."""
    known = names.split()
    made: dict[str, Any] = {}

    def __getattr__(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if name not in made:
            made[name] = refusal(module, name, why)
        return made[name]

    return __getattr__


def absent_modules(package: str, modules: dict[str, str], why: str) -> None:
    """Modules below `package` that answer each of the names given for them with a refusal. They are in place at once:
    programs import such names for isinstance() and for type hints."""
    for name, names in modules.items():
        full = f"{package}.{name}"
        module = ModuleType(full, f"Every use raises NotImplementedError: {why}.")
        module.__spec__ = ModuleSpec(full, None, is_package=True)
        module.__path__ = []
        module.__getattr__ = absent(full, names, why)  # type: ignore[method-assign]
        sys.modules[full] = module
        parent, _, last = full.rpartition(".")
        setattr(sys.modules[parent], last, module)
