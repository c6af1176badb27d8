"""torch.futures: values that are there later, over those of Python's concurrent.futures."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Future(Generic[T]):
    """A value that one thread waits for and another sets.

    devices: taken as in torch; CPU tensors need none.

    >>> from gradcore.futures import Future
    >>> later = Future()
    >>> doubled = later.then(lambda done: 2 * done.value())
    >>> later.set_result(21)
    >>> doubled.wait()
    42
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def done(self) -> bool:
        """Whether the value, or an exception, is there."""
        return self._future.done()

    def wait(self) -> T:
        """The value; waits for it. Raises the exception that was set instead."""
        return self._future.result()

    def value(self) -> T:
        """The value of a Future that is done. Raises RuntimeError where it is not, or the exception that was set."""
        if not self.done():
            raise RuntimeError("Future.value() asks for a completed Future; wait() waits for it")
        return self._future.result()

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """A Future of what callback returns when it is called with this one, once this one is done."""
        result: Future[Any] = Future()

        def run(_: Any) -> None:
            try:
                result.set_result(callback(self))
            except Exception as error:
                result.set_exception(error)

        self._future.add_done_callback(run)
        return result

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Calls callback with this Future once it is done; what callback returns or raises is dropped."""
        self._future.add_done_callback(lambda _: callback(self))

    def set_result(self, result: T) -> None:
        """Sets the value. Raises RuntimeError where it is set already."""
        self._once(lambda: self._future.set_result(result))

    def set_exception(self, result: BaseException) -> None:
        """Sets an exception, which wait() and value() raise."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._once(lambda: self._future.set_exception(result))

    def _once(self, set_it: Callable[[], None]) -> None:
        try:
            set_it()
        except concurrent.futures.InvalidStateError:
            raise RuntimeError(
                "A completed Future was set again. Note that a Future can only be marked completed once."
            ) from None


def collect_all(futures: Iterable[Future[Any]]) -> Future[list[Future[Any]]]:
    """A Future of the list of all these, once each of them is done; of the first exception, as soon as one raises.

    >>> from gradcore.futures import Future, collect_all
    >>> a, b = Future(), Future()
    >>> both = collect_all([a, b])
    >>> a.set_result(1), b.set_result(2)
    (None, None)
    >>> [done.value() for done in both.wait()]
    [1, 2]
    """
    waited = list(futures)
    result: Future[list[Future[Any]]] = Future()
    left = len(waited)
    if not left:
        result.set_result([])

    lock = threading.Lock()

    def count(one: Future[Any]) -> None:
        nonlocal left
        error = one._future.exception()
        with lock:
            left -= 1
            last = not left
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif last:
            result.set_result(waited)

    for future in waited:
        future.add_done_callback(count)
    return result


def wait_all(futures: Iterable[Future[Any]]) -> list[Any]:
    """The values of all these; waits for them. Raises the first exception among them.

    >>> from gradcore.futures import Future, wait_all
    >>> later = Future()
    >>> later.set_result(3)
    >>> wait_all([later])
    [3]
    """
    return [future.wait() for future in futures]
