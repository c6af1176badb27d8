"""torch's global switches. Most name a choice that a CPU library with one kernel per op does not have."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .. import _C

__all__ = [
    "AcceleratorError",
    "OutOfMemoryError",
    "are_deterministic_algorithms_enabled",
    "compile",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "typename",
    "use_deterministic_algorithms",
]


class OutOfMemoryError(RuntimeError):
    """What torch raises when a GPU is out of memory. gradcore never raises it; programs name it in `except`.

    >>> import gradcore
    >>> issubclass(gradcore.OutOfMemoryError, RuntimeError)
    True
    """


class AcceleratorError(RuntimeError):
    """What torch raises for a failure of a GPU. gradcore never raises it; programs name it in `except`.

    >>> import gradcore
    >>> issubclass(gradcore.AcceleratorError, RuntimeError)
    True
    """


class _State:
    deterministic = False
    warn_only = False
    precision = "highest"
    warn_always = False
    interop_threads = 1


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remembered, and no more: every operation gives the same bits each time and for any number of threads.

    >>> import gradcore
    >>> gradcore.use_deterministic_algorithms(True)
    >>> gradcore.are_deterministic_algorithms_enabled()
    True
    >>> gradcore.use_deterministic_algorithms(False)

    Raises TypeError for a mode or a warn_only that is no bool.
    """
    if not isinstance(mode, bool):
        raise TypeError(
            f"_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not {type(mode).__name__}"
        )
    if not isinstance(warn_only, bool):
        raise TypeError(
            f"_set_deterministic_algorithms(): argument 'warn_only' must be bool, not {type(warn_only).__name__}"
        )
    _State.deterministic, _State.warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """What use_deterministic_algorithms() was told last.

    >>> import gradcore
    >>> gradcore.are_deterministic_algorithms_enabled()
    False
    """
    return _State.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What use_deterministic_algorithms() was told last as warn_only.

    >>> import gradcore
    >>> gradcore.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return _State.warn_only


def get_deterministic_debug_mode() -> int:
    """0, 1 ("warn") or 2 ("error"): the same switch as use_deterministic_algorithms().

    >>> import gradcore
    >>> gradcore.get_deterministic_debug_mode()
    0
    """
    return (1 if _State.warn_only else 2) if _State.deterministic else 0


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Sets the switch of use_deterministic_algorithms() by "default", "warn", "error" or 0, 1, 2.

    Raises RuntimeError for another value.

    >>> import gradcore
    >>> gradcore.set_deterministic_debug_mode("warn")
    >>> gradcore.get_deterministic_debug_mode()
    1
    >>> gradcore.set_deterministic_debug_mode("default")
    """
    modes = {"default": 0, "warn": 1, "error": 2}
    mode = modes.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    if mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    use_deterministic_algorithms(mode != 0, warn_only=mode == 1)


def get_float32_matmul_precision() -> str:
    """What set_float32_matmul_precision() was told last; "highest" at first.

    >>> import gradcore
    >>> gradcore.get_float32_matmul_precision()
    'highest'
    """
    return _State.precision


def set_float32_matmul_precision(precision: str) -> None:
    """Remembered, and no more: float32 products are computed in float32. An unknown word warns, as in torch.

    >>> import gradcore
    >>> gradcore.set_float32_matmul_precision("high")
    >>> gradcore.get_float32_matmul_precision()
    'high'
    >>> gradcore.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the call has no effect.", stacklevel=2
        )
        return
    _State.precision = precision


def set_warn_always(b: bool, /) -> None:
    """Whether warnings that are given once in a process are given each time that they are due. Python's filters see them
    all the same.

    >>> import gradcore
    >>> gradcore.set_warn_always(False)
    """
    _State.warn_always = b
    _C._set_warn_always(b)


def is_warn_always_enabled() -> bool:
    """What set_warn_always() was told last.

    >>> import gradcore
    >>> gradcore.is_warn_always_enabled()
    False
    """
    return _State.warn_always


def set_flush_denormal(mode: bool) -> bool:
    """Returns False: the mode cannot be set, denormal numbers are computed as they are.

    >>> import gradcore
    >>> gradcore.set_flush_denormal(True)
    False
    """
    return False


def get_num_interop_threads() -> int:
    """What set_num_interop_threads() was told last; operations run one after another in any case.

    >>> import gradcore
    >>> gradcore.get_num_interop_threads() >= 1
    True
    """
    return _State.interop_threads


def set_num_interop_threads(n: int) -> None:
    """Remembered, and no more. Raises RuntimeError for a number below 1.

    >>> import gradcore
    >>> gradcore.set_num_interop_threads(gradcore.get_num_interop_threads())
    """
    if n < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _State.interop_threads = n


def typename(obj: Any, /) -> str:
    """The name of a tensor's legacy type, or of an object's class with its module.

    >>> import gradcore
    >>> gradcore.typename(gradcore.zeros(1))
    'torch.FloatTensor'
    >>> gradcore.typename(3)
    'int'
    """
    if isinstance(obj, _C.Tensor):
        name: str = obj.type()
        return name
    of = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(of, "__module__", None) or ""
    return of.__qualname__ if module in ("", "builtins") else f"{module}.{of.__qualname__}"


def compile(model: Callable[..., Any] | None = None, *, disable: bool = False, **options: Any) -> Any:
    """Returns the function as it is: there is no compiler. All of torch's options are accepted.

    A module comes in a torch._dynamo.OptimizedModule, which runs it as it is and has it as `_orig_mod`, if not disabled.

    >>> import gradcore
    >>> @gradcore.compile
    ... def double(x):
    ...     return x * 2
    >>> double(gradcore.ones(1))
    tensor([2.])
    """
    if model is None:
        return lambda given: compile(given, disable=disable)
    from ..nn.modules.module import Module

    if disable or not isinstance(model, Module):
        return model
    from .._dynamo.eval_frame import OptimizedModule

    return OptimizedModule(model)
