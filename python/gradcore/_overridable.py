"""Functions written in Python that a class with __torch_function__ takes over as it does those of the core. Start at
`offer_calls`.

Until there is such a class they are left as they are (Note [Overrides cost nothing until there is one] in
bindings/torch_function.h). Then each gets other code, which asks the arguments first. It stays the same object, because
programs keep tables of the functions that they answer for.
"""

from __future__ import annotations

import sys

from . import _C
from ._C import Tensor
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any
else:
    from ._lazy import Any

_Function: Any = type(lambda: None)  # the module types would take longer to import than this one
_PACKAGE = __file__.removesuffix("_overridable.py")
_waiting: list[Any] = []
_PLAIN = {Tensor, type(None), bool, int, float, str, tuple, list}  # nothing to ask of these


def offer_calls(namespace: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    """Lets overriding classes answer calls of the public functions that the module with this namespace defines.

    but: those that ask a method of their argument, as torch's do.
    """
    for name, value in namespace.items():
        public = not name.startswith("_") and name not in but
        if public and isinstance(value, _Function) and value.__module__ == namespace["__name__"]:
            _waiting.append(value)
    if _C._overrides_exist():
        offer_waiting()


def offer_methods(cls: type, *names: str) -> None:
    """Lets overriding classes answer for methods that `cls` has in Python."""
    _waiting.extend(vars(cls)[name] for name in names)


def offer_waiting() -> None:
    """For the first class that overrides: from now on the functions ask their arguments."""
    while _waiting:
        _offer(_waiting.pop())


def is_offered(function: Any) -> bool:
    """Whether classes that override are asked, now or once there are some."""
    return function in _waiting or "_answer" in (getattr(function, "__kwdefaults__", None) or {})


def is_taken_over(value: Any) -> bool:
    """Whether a call with this argument belongs to a mode or to the argument's class."""
    return (_C._has_mode() or _C._overrides(value)) and not _C._overrides_are_off()


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """warnings.warn() at the program's line: decorators and modules that lie between, and this module, do not count."""
    import warnings

    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, level)


def _entry(*args: Any, _answer: Any, **kwargs: Any) -> Any:
    return _answer(args, kwargs)


def _entry_code(free: tuple[str, ...]) -> Any:
    """Code of an entry for a function that has these free variables.

    The compiler has to make it: an instruction puts the cells of free variables into the frame, where debuggers and
    printers of tracebacks look for them. Code that only has their names crashes these.
    """
    if not free:
        return _entry.__code__
    body = "        return _answer(args, kwargs)\n        " + ", ".join(free)
    source = f"def outer({', '.join(free)}):\n    def entry(*args, _answer, **kwargs):\n{body}\n    return entry"
    made: dict[str, Any] = {}
    exec(compile(source, __file__, "exec"), made)
    return made["outer"](*free).__code__.replace(co_firstlineno=_entry.__code__.co_firstlineno)


def _offer(function: Any) -> None:
    code = function.__code__
    plain = _Function(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    plain.__kwdefaults__ = function.__kwdefaults__
    plain.__annotations__ = function.__annotations__
    plain.__qualname__ = function.__qualname__
    plain.__module__ = function.__module__
    plain.__doc__ = function.__doc__

    def answer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = (*args, *kwargs.values()) if kwargs else args
        overriding = [value for value in given if type(value) not in _PLAIN and _C._overrides(value)]
        if (overriding or _C._has_mode()) and not _C._overrides_are_off():
            return _C._call_torch_function(function, tuple(overriding), args, kwargs)
        return plain(*args, **kwargs)

    function.__wrapped__ = plain  # inspect shows its signature
    function.__defaults__, function.__kwdefaults__ = None, {"_answer": answer}
    function.__code__ = _entry_code(code.co_freevars).replace(co_name=code.co_name, co_qualname=code.co_qualname)
