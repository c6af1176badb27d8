"""spawn: one function in several processes; the first failure ends the others and is raised with its traceback."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any


class ProcessException(Exception):
    """A process failed: `error_index` says which, `error_pid` its id."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, pid


class ProcessRaisedException(ProcessException):
    """The function raised in one of the processes; the message holds its traceback."""


class ProcessExitedException(ProcessException):
    """A process ended without an exception of Python: by a signal or an exit code."""

    def __init__(self, msg: str, index: int, pid: int, exit_code: int, signal_name: str | None = None) -> None:
        super().__init__(msg, index, pid)
        self.exit_code, self.signal_name = exit_code, signal_name


def _run(fn: Callable[..., Any], index: int, args: tuple[Any, ...], errors: Any) -> None:
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put(traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """What spawn(join=False) returns."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes, self._errors = processes, errors

    def pids(self) -> list[int | None]:
        """The ids of the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """True when all have ended well, False after `timeout` seconds. Raises for the first that failed."""
        end = None if timeout is None else time.monotonic() + timeout
        while running := [p for p in self.processes if p.exitcode is None]:
            self._raise_failure()
            rest = None if end is None else max(0.0, end - time.monotonic())
            if not multiprocessing.connection.wait([p.sentinel for p in running], timeout=rest):
                return False
            for process in running:
                process.join(0)
        self._raise_failure()
        return True

    def _raise_failure(self) -> None:
        for index, process in enumerate(self.processes):
            if not process.exitcode:
                continue
            for other in self.processes:
                if other.exitcode is None:
                    other.terminate()
                other.join()
            if process.exitcode == 1 and not self._errors[index].empty():
                text = f"\n\n-- Process {index} terminated with the following error:\n{self._errors[index].get()}"
                raise ProcessRaisedException(text, index, process.pid)
            if process.exitcode < 0:
                name = signal.Signals(-process.exitcode).name
                text = f"process {index} terminated with signal {name}"
                raise ProcessExitedException(text, index, process.pid, process.exitcode, name)
            text = f"process {index} terminated with exit code {process.exitcode}"
            raise ProcessExitedException(text, index, process.pid, process.exitcode)


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Calls `fn(i, *args)` in `nprocs` processes. Returns None after they ended, or with join=False their context."""
    context: Any = multiprocessing.get_context(start_method)
    errors = [context.SimpleQueue() for _ in range(nprocs)]
    processes = [
        context.Process(target=_run, args=(fn, index, args, errors[index]), daemon=daemon) for index in range(nprocs)
    ]
    for process in processes:
        process.start()
    running = ProcessContext(processes, errors)
    if not join:
        return running
    while not running.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False
) -> ProcessContext | None:
    """Calls `fn(i, *args)` in `nprocs` new processes. Returns None after they ended, or with join=False their context.

    Raises ProcessRaisedException with the traceback of the first that failed, after it ended the others.
    """
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
