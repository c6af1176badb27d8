"""What programs take from torch's private module of this name: marks for a compiler, which change nothing here."""

from __future__ import annotations

from typing import Final as Final

from .jit import _overload as _overload
from .jit import _overload_method as _overload_method
from .jit import export as export
from .jit import ignore as ignore
from .jit import unused as unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F")
else:
    from ._lazy import Any, Callable


def _copy_to_script_wrapper(fn: F) -> F:
    return fn


def boolean_dispatch(
    arg_name: str,
    arg_index: int,
    default: bool,
    if_true: Callable[..., Any],
    if_false: Callable[..., Any],
    module_name: str,
    func_name: str,
) -> Callable[..., Any]:
    """A function that calls one of two, as the argument of this name or place says.

    >>> from gradcore._jit_internal import boolean_dispatch
    >>> boolean_dispatch("largest", 1, True, max, min, "", "")([1, 2])
    2
    """

    def fn(*args: Any, **kwargs: Any) -> Any:
        flag = kwargs.get(arg_name, args[arg_index] if arg_index < len(args) else default)
        return (if_true if flag else if_false)(*args, **kwargs)

    fn.__name__ = func_name
    fn.__module__ = module_name
    return fn
