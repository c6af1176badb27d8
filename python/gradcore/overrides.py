"""torch.overrides: classes that take over calls by __torch_function__.

Protocol: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-python-api
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Self

from . import _C
from ._C import Tensor

__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "get_default_nowrap_functions", "get_ignored_functions",
    "get_overridable_functions", "get_testing_overrides", "handle_torch_function", "has_torch_function",
    "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like", "is_tensor_method_or_property",
    "resolve_name", "wrap_torch_function",
]  # fmt: skip


class TorchFunctionMode:
    """A block in which every call of a public function goes to this object's __torch_function__(func, types, args, kwargs).

    Derive from it. What the method returns is the call's result; while it runs, the mode is away, so that it may call
    `func` itself. Modes inside of each other are asked from the last one; one that returns NotImplemented leaves the call
    to the classes of its arguments. A mode holds for the thread that enters it.

    >>> import gradcore
    >>> class Count(gradcore.overrides.TorchFunctionMode):
    ...     calls = 0
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         self.calls += 1
    ...         return func(*args, **(kwargs or {}))
    >>> with Count() as count:
    ...     x = gradcore.ones(2) * 3
    >>> count.calls
    2
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Answers a call. Raises NotImplementedError where a class does not say how."""
        raise NotImplementedError(f"{type(self).__name__} has no __torch_function__")

    def __enter__(self) -> Self:
        from ._overridable import offer_waiting

        _C._enter_mode(self)
        offer_waiting()
        return self

    def __exit__(self, *error: object) -> None:
        _C._leave_mode()


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(
        self, func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """The call's own result."""
        return func(*args, **(kwargs or {}))


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether a call with these arguments belongs to the __torch_function__ of one of them.

    >>> import gradcore
    >>> class Mine(gradcore.Tensor):
    ...     pass
    >>> gradcore.overrides.has_torch_function([gradcore.ones(1)]), gradcore.overrides.has_torch_function([Mine([1.0])])
    (False, True)
    """
    return not _C._overrides_are_off() and (_C._has_mode() or any(_C._overrides(arg) for arg in relevant_args))


def has_torch_function_unary(obj: Any) -> bool:
    """has_torch_function() of one argument.

    >>> import gradcore
    >>> gradcore.overrides.has_torch_function_unary(gradcore.ones(1))
    False
    """
    return has_torch_function((obj,))


def has_torch_function_variadic(*args: Any) -> bool:
    """has_torch_function() of arguments one by one.

    >>> import gradcore
    >>> gradcore.overrides.has_torch_function_variadic(gradcore.ones(1), 2)
    False
    """
    return has_torch_function(args)


def is_tensor_like(inp: Any) -> bool:
    """Whether `inp` is a tensor or its class has a __torch_function__."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Lets the classes of `relevant_args` answer the call public_api(*args, **kwargs). TypeError where all decline.

    >>> import gradcore
    >>> class Name(gradcore.Tensor):
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return func.__name__
    >>> x = gradcore.ones(1).as_subclass(Name)
    >>> gradcore.overrides.handle_torch_function(gradcore.exp, (x,), x)
    'exp'
    """
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


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The functions that a __torch_function__ may answer for, by the module, class or attribute that has them.

    >>> import gradcore
    >>> gradcore.add in gradcore.overrides.get_overridable_functions()[gradcore]
    True
    """
    from ._override_lists import lists

    return {owner: list(functions) for owner, functions in lists().offered.items()}


def get_ignored_functions() -> set[Callable[..., Any]]:
    """Public functions that no __torch_function__ is asked for, such as those that take no tensor.

    >>> import gradcore
    >>> gradcore.zeros in gradcore.overrides.get_ignored_functions()
    True
    """
    from ._override_lists import lists

    return set(lists().ignored)


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., int]]:
    """For each function that a __torch_function__ may answer for, one that takes the same arguments and gives -1.

    Functions that are called in several forms take any arguments.

    >>> import gradcore
    >>> gradcore.overrides.get_testing_overrides()[gradcore.exp](gradcore.ones(1))
    -1
    """
    from ._override_lists import dummy, lists

    return {function: dummy(function) for functions in lists().offered.values() for function in functions}


def resolve_name(f: Any) -> str | None:
    """The name of a function as __torch_function__ gets it, None for one that is not public.

    >>> import gradcore
    >>> gradcore.overrides.resolve_name(gradcore.Tensor.add), gradcore.overrides.resolve_name(print)
    ('torch.Tensor.add', None)
    """
    from ._ops import OpOverload
    from ._override_lists import lists

    return str(f) if isinstance(f, OpOverload) else lists().names.get(f)


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether __torch_function__ gets this for a method of Tensor, or for a getter.

    >>> import gradcore
    >>> test = gradcore.overrides.is_tensor_method_or_property
    >>> test(gradcore.Tensor.add), test(gradcore.add)
    (True, False)
    """
    from ._override_lists import lists

    return func in lists().offered.get(Tensor, []) or func.__name__ == "__get__"
