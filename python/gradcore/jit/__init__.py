"""torch.jit without a compiler: script and trace return the callable, with one warning; saving scripts is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from .._compat.absent import absent
from .._compat.core import ScriptModule as ScriptModule

__getattr__ = absent(
    __name__,
    "Attribute CompilationUnit Future RecursiveScriptModule ScriptFunction TopLevelTracedModule _get_trace_graph",
    "gradcore does not compile programs",
)

T = TypeVar("T")
_warned = False


class Error(RuntimeError):
    """What torch raises inside of a script."""


class TracerWarning(Warning):
    """What torch warns with while it traces."""


def _warn_once(name: str) -> None:
    global _warned
    if _warned:
        return
    _warned = True
    warnings.warn(f"torch.jit.{name}: gradcore compiles nothing, the program runs as Python", stacklevel=3)


def script(obj: T, *args: Any, **kwargs: Any) -> T:
    """Returns `obj` as it is; the first call of script or trace warns.

    >>> import gradcore, warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     gradcore.jit.script(abs)(-1)
    1
    """
    _warn_once("script")
    return obj


def trace(func: T, example_inputs: Any = None, *args: Any, **kwargs: Any) -> T:
    """Returns `func` as it is; the first call of script or trace warns."""
    _warn_once("trace")
    return func


def trace_module(mod: T, inputs: Any, *args: Any, **kwargs: Any) -> T:
    """Returns `mod` as it is; the first call of script or trace warns."""
    _warn_once("trace_module")
    return mod


def script_if_tracing(fn: T) -> T:
    """Returns `fn` as it is: nothing is traced."""
    return fn


_script_if_tracing = script_if_tracing


def save(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: there are no scripts."""
    raise NotImplementedError(
        "torch.jit.save: gradcore has no scripts. Save the module's state_dict() with gradcore.save()."
    )


def load(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: a script is a program of another kind."""
    raise NotImplementedError("torch.jit.load: gradcore runs no scripts. It loads state dicts with gradcore.load().")


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator that changes nothing."""
    return drop if callable(drop) else lambda function: function


def unused(fn: T) -> T:
    """A decorator that changes nothing."""
    return fn


def export(fn: T) -> T:
    """A decorator that changes nothing."""
    return fn


def interface(obj: T) -> T:
    """A decorator that changes nothing."""
    return obj


def _overload(fn: T) -> T:
    """A decorator that changes nothing. Packages use it, private though it is."""
    return fn


_overload_method = _overload


def annotate(the_type: Any, the_value: T) -> T:
    """Returns the value."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's isinstance(), which also looks into containers: list[int], dict[str, Tensor], tuple[int, str], Optional[int].

    >>> import gradcore
    >>> gradcore.jit.isinstance([1, 2], list[int]), gradcore.jit.isinstance([1, "a"], list[int])
    (True, False)
    """
    import builtins
    import types
    import typing

    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, one) for one in target_type)
    origin, parts = typing.get_origin(target_type), typing.get_args(target_type)
    if origin is None:
        return obj is None if target_type is None else builtins.isinstance(obj, target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, one) for one in parts)
    if not parts:
        raise RuntimeError(f"Attempted to use {target_type} without a contained type")
    if not builtins.isinstance(obj, origin):
        return False
    if origin is tuple:
        return len(obj) == len(parts) and all(map(isinstance, obj, parts))
    if origin is dict:
        return all(isinstance(key, parts[0]) and isinstance(value, parts[1]) for key, value in obj.items())
    return all(isinstance(item, parts[0]) for item in obj)


def freeze(mod: T, *args: Any, **kwargs: Any) -> T:
    """Returns `mod` as it is."""
    return mod


optimize_for_inference = freeze


def fork(func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Calls `func` at once; wait() gives its result."""
    return func(*args, **kwargs)


def wait(future: T) -> T:
    """What fork() gave."""
    return future


def onednn_fusion_enabled() -> bool:
    """False."""
    return False


__all__ = ["Error", "Final", "TracerWarning", "script", "trace"]
