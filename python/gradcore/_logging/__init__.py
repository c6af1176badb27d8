"""torch._logging: loggers of Python's logging, and the logs of a compiler that is not there."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

_once: set[Any] = set()


def getArtifactLogger(module_qname: str, artifact_name: str) -> logging.Logger:
    """The logger of a part of a module.

    >>> getArtifactLogger("mine", "graphs").name
    'mine.__graphs'
    """
    return logging.getLogger(f"{module_qname}.__{artifact_name}")


def set_logs(**levels: Any) -> None:
    """Sets the levels of `modules`, a dict of names of loggers; the logs of torch's compiler are accepted and change nothing."""
    for name, level in (levels.get("modules") or {}).items():
        logging.getLogger(name).setLevel(level)


def warning_once(logger_obj: logging.Logger, *args: Any, **kwargs: Any) -> None:
    """logger_obj.warning(), once for each text in this process."""
    key = (logger_obj, args, tuple(sorted(kwargs.items())))
    if key not in _once:
        _once.add(key)
        logger_obj.warning(*args, **kwargs)


warning_once.cache_clear = _once.clear  # type: ignore[attr-defined]  # torch's has a cache


def trace_structured(name: str, metadata_fn: Callable[[], Any] = dict, **options: Any) -> None:
    """Does nothing: no log of a compiler is written."""


dtrace_structured = trace_structured


def get_structured_logging_overhead() -> None:
    """None: there is none."""


class LazyString:
    """A text that is made when it is asked for.

    >>> str(LazyString("{} of {}".format, 1, 2))
    '1 of 2'
    """

    def __init__(self, func: Callable[..., str], *args: Any, **kwargs: Any) -> None:
        self._make = functools.partial(func, *args, **kwargs)

    def __str__(self) -> str:
        return self._make()
