"""gradcore.autograd.anomaly_mode: finding the operation that a NaN or an error in backward comes from."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._modes import _Switch

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class _AnomalySwitch(_Switch):
    """Sets both switches of anomaly mode for a scope."""

    def __init__(self, mode: bool, check_nan: bool) -> None:
        super().__init__()
        for name, value in (("enabled", mode), ("check_nan", check_nan)):
            if not isinstance(value, bool):
                raise TypeError(f"set_anomaly_enabled(): argument '{name}' must be bool, not {type(value).__name__}")
        self.mode = mode
        self.check_nan = check_nan

    def _now(self) -> Any:
        return _C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled()

    def _set(self) -> None:
        _C.set_anomaly_enabled(self.mode, self.check_nan)

    def _restore(self, before: Any) -> None:
        _C.set_anomaly_enabled(*before)

    def clone(self) -> _Switch:
        return _AnomalySwitch(self.mode, self.check_nan)


class detect_anomaly(_AnomalySwitch):
    """Watches backwards inside this context, or inside the decorated function: for debugging, it costs time.

    Operations recorded inside remember the whole Python stack (`grad_fn.metadata["traceback_"]`), and a backward that fails
    shows it in a warning, with that of the node whose own backward recorded it. With `check_nan`, a gradient that
    holds a NaN makes backward raise RuntimeError. The mode is the process's: other threads are watched too. Operations recorded
    outside are shown with the line that made them.

    >>> import gradcore, warnings
    >>> warnings.simplefilter("ignore")
    >>> x = gradcore.tensor(0.0, requires_grad=True)
    >>> with gradcore.autograd.detect_anomaly():
    ...     gradcore.sqrt(x * 0).backward()
    Traceback (most recent call last):
    RuntimeError: Function 'MulBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        from warnings import warn

        super().__init__(True, check_nan)
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )


class set_detect_anomaly(_AnomalySwitch):
    """Sets anomaly mode on or off at once; as a context manager it is undone at the end of the block.

    mode: on or off; check_nan: whether backward raises RuntimeError for a NaN. Raises TypeError for what is no bool.

    >>> import gradcore
    >>> with gradcore.autograd.set_detect_anomaly(True):
    ...     gradcore.is_anomaly_enabled()
    True
    >>> gradcore.is_anomaly_enabled()
    False
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode, check_nan)
        self._pending = [super()._now()]
        self._set()

    def __call__(self, function):  # type: ignore[no-untyped-def]
        if self._pending:
            self._restore(self._pending.pop())  # as a decorator it must not act now
        return super().__call__(function)

    def _now(self) -> Any:
        return self._pending.pop() if self._pending else super()._now()
