"""gradcore.nn.functional: layers and losses as functions, one file for each family."""

import sys

from ... import _lazy


class _Functional(type(sys)):  # type: ignore[misc]  # the class of modules
    """Where a program puts another function for one of these, all that would call the old one call the new one.

    Linear and attention call functions that they imported by name, which is faster than to ask this module each time.
    """

    def __setattr__(self, name: str, value: object) -> None:
        replaces = not name.startswith("_") and hasattr(self, name)
        before = getattr(self, name) if replaces else None
        super().__setattr__(name, value)
        if not replaces:
            return
        for path, module in list(sys.modules.items()):
            if path.startswith((_MODULES, _ATTENTION)) and vars(module).get(name) is before:
                setattr(module, name, value)


_MODULES = __name__.removesuffix("functional") + "modules."
_ATTENTION = __name__ + "._attention"
__getattr__, __dir__ = _lazy.attach(__name__)
sys.modules[__name__].__class__ = _Functional
