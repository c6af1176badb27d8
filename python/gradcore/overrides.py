"""torch.overrides: classes that take over calls by __torch_function__.

Protocol: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-python-api
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from . import _C
from ._C import Tensor
from ._compat.absent import absent

__all__ = [
    "get_default_nowrap_functions", "handle_torch_function", "has_torch_function", "has_torch_function_unary",
    "has_torch_function_variadic", "is_tensor_like", "wrap_torch_function",
]  # fmt: skip


__getattr__ = absent(__name__, "BaseTorchFunctionMode TorchFunctionMode", "calls are seen by classes of tensors alone")


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether a call with these arguments belongs to the __torch_function__ of one of them.

    >>> import gradcore
    >>> class Mine(gradcore.Tensor):
    ...     pass
    >>> gradcore.overrides.has_torch_function([gradcore.ones(1)]), gradcore.overrides.has_torch_function([Mine([1.0])])
    (False, True)
    """
    return not _C._overrides_are_off() and any(_C._overrides(arg) for arg in relevant_args)


def has_torch_function_unary(obj: Any) -> bool:
    """has_torch_function() of one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args: Any) -> bool:
    """has_torch_function() of arguments one by one."""
    return has_torch_function(args)


def is_tensor_like(inp: Any) -> bool:
    """Whether `inp` is a tensor or its class has a __torch_function__."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Lets the classes of `relevant_args` answer the call public_api(*args, **kwargs). TypeError where all decline."""
    return _C._call_torch_function(public_api, tuple(relevant_args), args, kwargs)


def get_default_nowrap_functions() -> set[Any]:
    """Getters whose results the default __torch_function__ leaves as they are."""
    return {vars(Tensor)[name].__get__ for name in ("grad", "_base")}


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """A decorator: the function is first offered to the classes of the arguments that `dispatcher` returns."""

    def wrap(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return wrap
