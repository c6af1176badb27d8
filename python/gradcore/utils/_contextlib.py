"""Context managers that are decorators too, under torch's names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, Self


def context_decorator(ctx: Any, func: Any) -> Any:
    """The function, every call of which runs in a context: a context manager, or what makes one. Generators run each of
    their parts in it, and a class makes its instances in it.

    >>> import contextlib
    >>> context_decorator(contextlib.nullcontext, len)([1, 2])
    2
    """
    if callable(ctx) and hasattr(ctx, "__enter__") and not isinstance(ctx, type):
        raise AssertionError(f"{ctx} is both a context manager and callable: give a function that makes it instead")
    make = ctx if not hasattr(ctx, "__enter__") or isinstance(ctx, type) else lambda: ctx
    if inspect.isclass(func):
        func.__init__ = context_decorator(ctx, func.__init__)  # type: ignore[method-assign]
        return func
    if inspect.isgeneratorfunction(func):
        return _wrap_generator(make, func)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with make():
            return func(*args, **kwargs)

    return wrapped


def _wrap_generator(ctx_factory: Callable[[], Any], func: Callable[..., Any]) -> Callable[..., Any]:
    """Between two parts the program is outside of the context."""

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = func(*args, **kwargs)
        step, given = generator.send, None
        try:
            while True:
                with ctx_factory():
                    part = step(given)
                try:
                    given = yield part
                    step = generator.send
                except GeneratorExit:
                    with ctx_factory():
                        generator.close()
                    raise
                except BaseException as error:
                    step, given = generator.throw, error
        except StopIteration as end:
            return end.value

    return wrapped


class _DecoratorContextManager:
    """Base class of context managers whose instances decorate functions: each call enters a clone()."""

    def __call__(self, orig_func: Any) -> Any:
        return context_decorator(self.clone, orig_func)

    def __enter__(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not define __enter__()")

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not define __exit__()")

    def clone(self) -> Self:
        """A new one: override it where the constructor takes arguments."""
        return type(self)()


class _NoParamDecoratorContextManager(_DecoratorContextManager):
    """One without arguments: the class itself decorates a function."""

    def __new__(cls, orig_func: Any = None) -> Any:
        if orig_func is None:
            return super().__new__(cls)
        return cls()(orig_func)
