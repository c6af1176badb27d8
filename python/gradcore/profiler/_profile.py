"""profile and what belongs to it: ranges of the program's own, schedules, handlers of finished traces."""

from __future__ import annotations

import enum
import functools
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import _C
from ._events import EventList, events_of

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What may be profiled. There is the CPU alone; the others exist so that programs can name them.

    >>> import gradcore
    >>> gradcore.profiler.ProfilerActivity.CPU
    <ProfilerActivity.CPU: 0>
    """

    CPU = 0
    XPU = 1
    CUDA = 2


class ProfilerAction(enum.Enum):
    """What a schedule asks for in one step.

    >>> import gradcore
    >>> gradcore.profiler.schedule(wait=1, warmup=1, active=1)(0)
    <ProfilerAction.NONE: 0>
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """The activities that this library profiles.

    >>> from gradcore.profiler import supported_activities
    >>> supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """True: profile() has what torch's has with its library Kineto.

    >>> import gradcore
    >>> gradcore.profiler.kineto_available()
    True
    """
    return True


class record_function:
    """Names a range of the program in the profile: a context manager, or a decorator of a function.

    >>> import gradcore
    >>> from gradcore.profiler import profile, record_function
    >>> with profile() as prof:
    ...     with record_function("double"):
    ...         x = gradcore.ones(3) * 2
    >>> [e.name for e in prof.events() if e.kind == "user"]
    ['double']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args

    def __enter__(self) -> record_function:
        _C._profiler_begin_range(self.name)
        return self

    def __exit__(self, *exc: object) -> None:
        _C._profiler_end_range()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return wrapped


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """A schedule for profile(): after ``skip_first`` steps, cycles of ``wait`` idle steps, ``warmup`` steps whose record is
    thrown away and ``active`` recorded ones; ``repeat`` cycles, without end where it is 0. Where ``skip_first_wait`` is not
    0 the first cycle does not wait.

    >>> from gradcore.profiler import schedule
    >>> [schedule(wait=1, warmup=1, active=2)(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError("Invalid profiler schedule arguments")
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle, at = divmod(step, wait + warmup + active)
        if repeat and cycle >= repeat or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == wait + warmup + active - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """A handler for profile(on_trace_ready=): writes each trace as a file into ``dir_name``, which it makes; compressed
    with ``use_gzip``.

    >>> import gradcore
    >>> handler = gradcore.profiler.tensorboard_trace_handler("traces")
    """

    def handle(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json{'.gz' * use_gzip}"))

    return handle


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Records the ops of all threads while its block runs: forward, backward and optimizer steps.

    activities: of them CPU counts. record_shapes: the shapes of each op's input tensors. with_stack: kept for torch's sake;
    the line of the program is always recorded. schedule: a function of the step number that says what to record, with step()
    called at the end of each step; on_trace_ready is called with the profile after each recorded cycle.
    There is one profiler for the process: a second one that starts meanwhile raises RuntimeError.
    profile_memory, with_flops and with_modules are accepted: of memory the bytes that each op moves are told in any case, as
    `bytes`; operations are not counted. An execution trace raises NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/profiler.html

    >>> import gradcore
    >>> from gradcore.profiler import profile
    >>> x = gradcore.ones(100, requires_grad=True)
    >>> with profile() as prof:
    ...     (x * x).sum().backward()
    >>> {"mul", "sum", "MulBackward0"} <= {e.key for e in prof.key_averages()}
    True
    >>> print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=3))  # doctest: +ELLIPSIS
    ----...
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: object = None,
        execution_trace_observer: object = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Callable[[], str] | None = None,
    ) -> None:
        for name, value, instead in (
            ("experimental_config", experimental_config, "there is no other profiler beneath this one"),
            ("execution_trace_observer", execution_trace_observer, "export_chrome_trace() writes what was recorded"),
        ):
            if value:
                raise NotImplementedError(f"profile({name}=...) is not implemented: {instead}")
        chosen = supported_activities() if activities is None else set(activities)
        if not chosen & supported_activities():
            raise AssertionError("No valid profiler activities found")
        self.activities = chosen
        self.record_shapes = record_shapes
        self.with_stack = with_stack
        self.profile_memory, self.with_flops, self.with_modules = profile_memory, with_flops, with_modules
        self.acc_events = acc_events
        self.schedule = schedule or _always
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = ProfilerAction.NONE
        self._events: EventList | None = None
        self._metadata: dict[str, Any] = {}

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins as the schedule says for step 0."""
        self.step_num = 0
        self.current_action = ProfilerAction.NONE
        self._turn_to(self.schedule(0))

    def stop(self) -> None:
        """Ends the recording, and hands it to on_trace_ready."""
        before, self.current_action = self.current_action, ProfilerAction.NONE
        if before is ProfilerAction.NONE:
            return
        threads = _C._profiler_stop()
        if before in _RECORDING:
            self._finish(threads)

    def step(self) -> None:
        """Ends one step of the program and begins the next, as the schedule says."""
        self.step_num += 1
        self._turn_to(self.schedule(self.step_num))

    def _turn_to(self, action: ProfilerAction) -> None:
        before, self.current_action = self.current_action, action
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._finish(_C._profiler_stop())
            before = ProfilerAction.NONE
        elif before is ProfilerAction.WARMUP and action in _RECORDING:
            _C._profiler_stop()  # what was recorded to warm up is thrown away
            before = ProfilerAction.NONE
        elif before is not ProfilerAction.NONE and action is ProfilerAction.NONE:
            threads = _C._profiler_stop()
            if before is ProfilerAction.RECORD:
                self._finish(threads)
            return
        if before is ProfilerAction.NONE and action is not ProfilerAction.NONE:
            _C._profiler_start(self.record_shapes)

    def _finish(self, threads: list[Any]) -> None:
        dropped = sum(count for count, _ in threads)
        if dropped:
            warnings.warn(f"{dropped} spans were left out of the profile for want of memory", stacklevel=3)
        self._events = events_of(threads)
        if self.on_trace_ready:
            self.on_trace_ready(self)

    def events(self) -> EventList:
        """The recorded events. Raises AssertionError before there are any."""
        if self._events is None:
            raise AssertionError("Profiler didn't finish running")
        return self._events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """The events summed by op, and by input shapes or by line of the program where asked."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the recorded events for chrome://tracing or Perfetto, compressed if the path ends in ".gz"."""
        self.events().export_chrome_trace(path, self._metadata)

    def export_stacks(self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total") -> None:
        """Writes one line for each line of the program, with its microseconds: what flame graphs are drawn from.

        Raises ValueError for a metric other than self_cpu_time_total.
        """
        if metric != "self_cpu_time_total":
            raise ValueError("metric should be self_cpu_time_total")
        sums: dict[str, float] = {}
        for event in self.events():
            if event.line and event.kind != "launch":
                where = event.line.replace(" ", "_") + ";" + event.name
                sums[where] = sums.get(where, 0.0) + event.self_cpu_time_total
        with open(path, "w", encoding="utf-8") as file:
            for where, us in sums.items():
                file.write(f"{where} {round(us)}\n")

    def add_metadata(self, key: str, value: str) -> None:
        """Adds a string that export_chrome_trace() writes beside the events."""
        self._metadata[key] = str(value)

    def add_metadata_json(self, key: str, value: str) -> None:
        """Adds a value, given as JSON, that export_chrome_trace() writes beside the events. Raises ValueError for what is
        no JSON."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json
