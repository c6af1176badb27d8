"""Switches for recording and backward, as context managers and decorators: no_grad, enable_grad, inference_mode and others."""

from __future__ import annotations

from _thread import _local

from . import _C
from ._class_names import belongs_to
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
else:
    from ._lazy import Any, Callable

_GENERATOR = 0x20  # inspect.CO_GENERATOR; importing inspect would double our own import time


def _is_generator_function(function: Any) -> bool:
    while type(function).__name__ == "partial" and hasattr(function, "func"):
        function = function.func
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & _GENERATOR)


class _Decorator:
    """What is a mode for a `with` block is one for every call of a decorated function or generator, too.

    A decorated `async` function makes its coroutine under the mode, but the coroutine runs under its awaiter's, as in torch.
    """

    __slots__ = ()

    def clone(self) -> Any:
        """Another mode like this one, which has not begun."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if isinstance(function, type):
            return self._wrap_class(function)  # type: ignore[return-value]
        if _is_generator_function(function):
            return self._wrap_generator(function)  # type: ignore[return-value]

        from functools import wraps  # not at the top: its import takes as long as all of ours

        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
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
            with self.clone():
                return cls(*args, **kwargs)

        return make

    def _wrap_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        # The mode holds while the generator runs, never while its consumer does.
        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            try:
                with self.clone():
                    item = generator.send(None)
                while True:
                    try:
                        request = yield item
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            item = generator.throw(error)
                    else:
                        with self.clone():
                            item = generator.send(request)
            except StopIteration as stop:
                return stop.value

        return wrapped


class _Signature:
    """What inspect.signature() says of a class whose arguments the core reads: those of the function given here."""

    def __init__(self, like: Callable[..., None]) -> None:
        self.like = like

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner = owner

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is not None or owner is not self.owner:
            raise AttributeError("__signature__")
        from inspect import signature

        return signature(self.like)


@belongs_to("gradcore.autograd.grad_mode")
class no_grad(_C._RecordingMode, _Decorator):
    """Nothing is recorded inside.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    __slots__ = ()
    _kind = 0
    __signature__ = _Signature(lambda: None)


@belongs_to("gradcore.autograd.grad_mode")
class enable_grad(_C._RecordingMode, _Decorator):
    """Ops are recorded inside, also within a no_grad block.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.no_grad(), gradcore.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    __slots__ = ()
    _kind = 1
    __signature__ = _Signature(lambda orig_func=None: None)


@belongs_to("gradcore.autograd.grad_mode")
class inference_mode(_C._RecordingMode, _Decorator):
    """Like no_grad; what is made inside never takes part in autograd, not even later. False turns both off for a block.

    >>> import gradcore
    >>> with gradcore.inference_mode():
    ...     x = gradcore.ones(1)
    >>> x.is_inference()
    True
    """

    __slots__ = ()
    _kind = 2
    __signature__ = _Signature(lambda mode=True: None)

    @property
    def mode(self) -> bool:
        """Whether the mode is turned on or off."""
        return self._on

    def clone(self) -> Any:
        """Another mode like this one, which has not begun."""
        return inference_mode(self.mode)


@belongs_to("gradcore.autograd.grad_mode")
class set_grad_enabled(_C._RecordingMode, _Decorator):
    """Sets recording on or off at once; as a context manager it is undone at the end of the block.

    Raises TypeError for a mode that is no bool.

    >>> import gradcore
    >>> x = gradcore.ones(1, requires_grad=True)
    >>> with gradcore.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    __slots__ = ()
    _kind = 3
    __signature__ = _Signature(lambda mode: None)

    @property
    def mode(self) -> bool:
        """Whether recording is turned on or off."""
        return self._on

    def __call__(self, function: F) -> F:
        with self:  # as a decorator it must not act now: the end of a block undoes it
            pass
        return super().__call__(function)

    def clone(self) -> Any:
        """Sets recording as this one did; undone at the end of a `with` block."""
        return set_grad_enabled(self.mode)

    def __repr__(self) -> str:  # what a notebook shows behind a cell that ends with the call
        return f"{type(self).__module__}.set_grad_enabled(mode={self.mode})"


class _Switch(_Decorator):
    """A mode whose subclasses say how it is set and what it was."""

    def __init__(self) -> None:
        # A stack, as (top, rest): the same object may be entered again inside itself. To take one off needs no memory.
        self._before: Any = None

    def _now(self) -> Any:
        """How the mode stands, for _restore()."""
        raise NotImplementedError

    def _set(self) -> None:
        raise NotImplementedError

    def _restore(self, before: Any) -> None:
        raise NotImplementedError

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


@belongs_to("gradcore.autograd.grad_mode")
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

    def clone(self) -> _Switch:
        return set_multithreading_enabled(self.mode)
