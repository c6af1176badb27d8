"""torch's older way to gradcore.profiler: ``with autograd.profiler.profile() as prof: ...``."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent
from ..profiler._events import EventList
from ..profiler._profile import profile as _Profile
from ..profiler._profile import record_function as record_function

__all__ = ["profile", "record_function"]
__getattr__ = absent(__name__, "emit_itt emit_nvtx", "it marks ops for a GPU's or a vendor's profiler")


class profile:
    """Records the ops that run in its block, as gradcore.profiler.profile does; nothing where not ``enabled``.

    The other options are those of gradcore.profiler.profile, which has a schedule beside them.
    Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.profiler.profile

    >>> import gradcore
    >>> with gradcore.autograd.profiler.profile() as prof:
    ...     x = gradcore.ones(3).exp()
    >>> "exp" in prof.key_averages().table()
    True
    """

    def __init__(
        self, enabled: bool = True, *, use_cpu: bool = True, use_device: str | None = None, **options: Any
    ) -> None:
        if use_device not in (None, "cpu"):
            raise NotImplementedError(f"there is no device {use_device!r} to profile, only the CPU")
        options.pop("use_kineto", None)
        self.enabled = enabled
        self._profile = _Profile(**options)

    def __enter__(self) -> profile:
        if self.enabled:
            self._profile.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.enabled:
            self._profile.stop()

    @property
    def function_events(self) -> EventList:
        return self._profile.events()

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The events summed by op."""
        return self._profile.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> Any:
        """All events in one row."""
        return self._profile.events().total_average()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The events as a table."""
        return self._profile.events().table(*args, **kwargs)

    def export_chrome_trace(self, path: str) -> None:
        """Writes the events for chrome://tracing or Perfetto."""
        self._profile.export_chrome_trace(path)

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events, each moment counted once."""
        return self._profile.events().self_cpu_time_total
