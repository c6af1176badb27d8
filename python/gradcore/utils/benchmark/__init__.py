"""torch.utils.benchmark: timing of statements with Python's timeit."""

from __future__ import annotations

import itertools
import statistics
import timeit
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Compare", "Measurement", "Timer"]

_UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))


def _shown(seconds: float) -> str:
    unit, size = next(((u, s) for u, s in _UNITS if seconds >= s), _UNITS[-1])
    return f"{seconds / size:.2f} {unit}"


class Measurement:
    """Times of a statement: `times` in seconds per run, their `median`, `mean`, `iqr`."""

    def __init__(self, number_per_run: int, raw_times: list[float], title: str, threads: int) -> None:
        self.number_per_run = number_per_run
        self.raw_times = raw_times
        self.title = title
        self.num_threads = threads

    @property
    def times(self) -> list[float]:
        """Seconds of one execution, for each run."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def median(self) -> float:
        """The median of `times`."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean of `times`."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles of `times`; 0 for a single run."""
        if len(self.raw_times) < 2:
            return 0.0
        quartiles = statistics.quantiles(self.times, n=4, method="inclusive")
        return quartiles[2] - quartiles[0]

    def __repr__(self) -> str:
        runs = f"{len(self.raw_times)} runs of {self.number_per_run}"
        return f"{self.title}\n  Median: {_shown(self.median)}\n  IQR:    {_shown(self.iqr)}\n  {runs}, {self.num_threads} threads"


class Timer:
    """Times a statement with `num_threads` threads per operation.

    >>> from gradcore.utils.benchmark import Timer
    >>> Timer("x + x", globals={"x": 1}).timeit(10).number_per_run
    10
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ) -> None:
        if str(language).lower() not in ("python", "py", "language.python"):
            raise NotImplementedError("utils.benchmark.Timer: gradcore times Python statements alone")
        import gradcore

        names = dict(globals or {})
        names.setdefault("torch", gradcore)
        names.setdefault("gradcore", gradcore)
        self._timer = timeit.Timer(stmt, setup, timer, names)
        self._threads = num_threads
        self._title = " ".join(part for part in (label, sub_label, description) if part) or stmt

    def _run(self, number: int) -> float:
        import gradcore

        before = gradcore.get_num_threads()
        gradcore.set_num_threads(self._threads)
        try:
            return self._timer.timeit(number)
        finally:
            gradcore.set_num_threads(before)

    def timeit(self, number: int = 1000000) -> Measurement:
        """One run of `number` executions."""
        self._run(min(number, 3))
        return Measurement(number, [self._run(number)], self._title, self._threads)

    def _per_run(self, seconds: float) -> int:
        number = 1
        while self._run(number) < seconds and number < 10**8:
            number *= 4
        return number

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Runs of a hundredth of `min_run_time` each, for that many seconds."""
        number = self._per_run(min_run_time / 100)
        times: list[float] = []
        while sum(times) < min_run_time:
            times.append(self._run(number))
        return Measurement(number, times, self._title, self._threads)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0, callback: Any = None
    ) -> Measurement:
        """Runs until the distance of the quartiles is below `threshold` of the median."""
        number = self._per_run(min_run_time / 10)
        times: list[float] = []
        while sum(times) < max_run_time:
            times.append(self._run(number))
            found = Measurement(number, times, self._title, self._threads)
            if len(times) >= 5 and sum(times) >= min_run_time and found.iqr <= threshold * found.median:
                break
        return Measurement(number, times, self._title, self._threads)


class Compare:
    """A table of measurements, one a line."""

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results = list(itertools.chain(results))

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds lines."""
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Accepted; the table has three figures in any case."""

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted; the table has no colours."""

    def print(self) -> None:
        """Prints the table."""
        print(self)

    def __str__(self) -> str:
        width = max((len(result.title) for result in self._results), default=0)
        return "\n".join(f"{result.title:<{width}}  {_shown(result.median):>12}" for result in self._results)
