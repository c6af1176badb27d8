"""Switches for recording and backward, as context managers and decorators: no_grad, enable_grad, inference_mode and others."""

from __future__ import annotations

from _thread import _local

from . import _C
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_GENERATOR = 0x20  # inspect.CO_GENERATOR; importing inspect would double our own import time


def _is_generator_function(function: Any) -> bool:
    while type(function).__name__ == "partial" and hasattr(function, "func"):
        function = function.func
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & _GENERATOR)


class _Switch:
    """A mode for a `with` block, or for every call of a decorated function or generator.

    A decorated `async` function makes its coroutine under the mode, but the coroutine runs under its awaiter's, as in torch.
    """

    def __init__(self) -> None:
        # A stack, as (top, rest): the same object may be entered again inside itself. To take one off needs no memory.
        self._before: Any = None

    def _now(self) -> Any:
        """How the mode stands, for _restore()."""
        return _C.is_grad_enabled()

    def _set(self) -> None:
        raise NotImplementedError

    def _restore(self, before: Any) -> None:
        _C._set_grad_enabled(before)

    def _clone(self) -> _Switch:
        return type(self)()

    def __enter__(self) -> None:
        before, outer = self._now(), self._before
        try:
            self._before = before, outer
            self._set()
        except BaseException:  # even for want of memory: no mode stays set
            self._before = outer
            self._restore(before)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        before, self._before = self._before
        try:
            self._restore(before)
        except MemoryError:  # a call takes some; the first to fail has often made room
            self._restore(before)
            raise

    def __call__(self, function: F) -> F:
        if isinstance(function, type):
            return self._wrap_class(function)  # type: ignore[return-value]
        if _is_generator_function(function):
            return self._wrap_generator(function)  # type: ignore[return-value]

        from functools import wraps  # not at the top: its import takes as long as all of ours

        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._clone():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    # torch's old habit: what comes out is no class any more, but a function that makes instances under the mode.
    def _wrap_class(self, cls: type) -> Callable[..., Any]:
        from warnings import warn

        warn(
            "Decorating classes is deprecated and will be disabled in future versions. What results is a function that "
            "makes instances: decorate the methods that need the mode, or __init__ alone for what this does.",
            FutureWarning,
            stacklevel=3,
        )

        def make(*args: Any, **kwargs: Any) -> Any:
            with self._clone():
                return cls(*args, **kwargs)

        return make

    def _wrap_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        # The mode holds while the generator runs, never while its consumer does.
        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            try:
                with self._clone():
                    item = generator.send(None)
                while True:
                    try:
                        request = yield item
                    except GeneratorExit:
                        with self._clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self._clone():
                            item = generator.throw(error)
                    else:
                        with self._clone():
                            item = generator.send(request)
            except StopIteration as stop:
                return stop.value

        return wrapped


class no_grad(_Switch):
    """Nothing is recorded inside.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)  # @no_grad without parentheses

    def _set(self) -> None:
        _C._set_grad_enabled(False)


class enable_grad(no_grad):
    """Ops are recorded inside, also within a no_grad block.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.no_grad(), gradcore.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    def _set(self) -> None:
        _C._set_grad_enabled(True)


class set_grad_enabled(_Switch):
    """Sets recording on or off at once; as a context manager it is undone at the end of the block.

    Raises TypeError for a mode that is no bool.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'enabled' must be bool, not {type(mode).__name__}")
        self.mode = mode
        self._pending = [_C.is_grad_enabled()]
        _C._set_grad_enabled(mode)

    def __call__(self, function: F) -> F:
        if self._pending:
            self._restore(self._pending.pop())  # as a decorator it must not act now
        return super().__call__(function)

    def _now(self) -> Any:
        return self._pending.pop() if self._pending else super()._now()

    def _set(self) -> None:
        _C._set_grad_enabled(self.mode)

    def _clone(self) -> _Switch:
        return set_grad_enabled(self.mode)


class inference_mode(_Switch):
    """Like no_grad; what is made inside never takes part in autograd, not even later.

    >>> import gradcore
    >>> with gradcore.inference_mode():
    ...     x = gradcore.ones(1)
    >>> x.is_inference()
    True
    """

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        self.__init__()  # type: ignore[misc]
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.mode = mode

    def _now(self) -> Any:
        return _C.is_inference_mode_enabled(), _C.is_grad_enabled()

    def _set(self) -> None:
        _C._set_inference_mode(self.mode)
        _C._set_grad_enabled(not self.mode)  # inference_mode(False) turns recording on

    def _restore(self, before: Any) -> None:
        inference, grad = before
        _C._set_inference_mode(inference)
        _C._set_grad_enabled(grad)

    def _clone(self) -> _Switch:
        copy: _Switch = inference_mode(self.mode)
        return copy


class _Switches(_local):
    multithreading = True


_switches = _Switches()


def is_multithreading_enabled() -> bool:
    """What set_multithreading_enabled() was told last in this thread.

    >>> import gradcore
    >>> gradcore.autograd.is_multithreading_enabled()
    True
    """
    return _switches.multithreading


class set_multithreading_enabled(_Switch):
    """Remembered at once for is_multithreading_enabled(), and no more: backward always runs on the thread that called it.

    What torch switches here is whether backward may use worker threads of its own. The loops inside a single operation are
    governed by set_num_threads(). The end of a `with` block brings back what was before the object was made. Raises
    TypeError for a mode that is no bool.

    >>> import gradcore
    >>> with gradcore.autograd.set_multithreading_enabled(False):
    ...     gradcore.autograd.is_multithreading_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_multithreading_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.prev = _switches.multithreading
        self.mode = _switches.multithreading = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _switches.multithreading = self.prev

    def _clone(self) -> _Switch:
        return set_multithreading_enabled(self.mode)
