"""torch.utils.benchmark: timing of statements with Python's timeit."""

from __future__ import annotations

import contextlib
import enum
import math
import statistics
import textwrap
import timeit
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..._compat.absent import absent

__all__ = [
    "Compare", "Language", "Measurement", "TaskSpec", "Timer", "ordered_unique", "select_unit", "set_torch_threads",
    "timer", "trim_sigfig", "unit_to_english",
]  # fmt: skip
__getattr__ = absent(
    __name__,
    "CallgrindStats FunctionCount FunctionCounts Fuzzer FuzzedParameter FuzzedSparseTensor FuzzedTensor ParameterAlias",
    "utils.benchmark times statements that the program gives, and counts no instructions",
)

timer = timeit.default_timer
_UNITS: dict[str, tuple[float, str]] = {
    "s": (1, "second"),
    "ms": (1e-3, "millisecond"),
    "us": (1e-6, "microsecond"),
    "ns": (1e-9, "nanosecond"),
}


class Language(enum.Enum):
    """The language of a statement. Only Python's are timed."""

    PYTHON = 0
    CPP = 1


def select_unit(t: float) -> tuple[str, float]:
    """A unit in which so many seconds are a number of few digits, and its size in seconds.

    >>> select_unit(2.5e-5)
    ('us', 1e-06)
    """
    unit = next((unit for unit, (size, _) in _UNITS.items() if t >= size), "ns")
    return unit, _UNITS[unit][0]


def unit_to_english(u: str) -> str:
    """The unit's name.

    >>> unit_to_english("us")
    'microsecond'
    """
    return _UNITS[u][1]


def trim_sigfig(x: float, n: int) -> float:
    """x rounded to n significant figures.

    >>> trim_sigfig(3.14159, 2)
    3.1
    """
    return float(f"{x:.{n - 1}e}")


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """Each element once, in the order in which they came first.

    >>> ordered_unique([2, 1, 2])
    [2, 1]
    """
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """So many threads for an op, for the time of a context.

    >>> import gradcore
    >>> with set_torch_threads(1):
    ...     gradcore.get_num_threads()
    1
    """
    import gradcore

    before = gradcore.get_num_threads()
    gradcore.set_num_threads(n)
    try:
        yield
    finally:
        gradcore.set_num_threads(before)


@dataclass(frozen=True)
class TaskSpec:
    """What a Timer was told, but for the names that the statement sees."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or the statement, with the label below it."""
        if self.label is None and "\n" in self.stmt:
            head = f"stmt: ({self.sub_label})" if self.sub_label else "stmt:"
            return f"{head}\n{textwrap.indent(self.stmt, '  ')}"
        return (self.stmt if self.label is None else self.label) + (f": {self.sub_label}" if self.sub_label else "")

    def setup_str(self) -> str:
        """The setup, if there is one."""
        if self.setup in ("", "pass"):
            return ""
        return "setup:\n" + textwrap.indent(self.setup, "  ") if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """Title, description and setup, a line each."""
        return "\n".join(part for part in (self.title, self.description, self.setup_str()) if part)


class Measurement:
    """Times of a statement: `times` in seconds per run, their `median`, `mean`, `iqr`; what a Timer was told is `task_spec`,
    and `label`, `num_threads` and the rest of it are found here too."""

    def __init__(
        self, number_per_run: int, raw_times: list[float], task_spec: TaskSpec, metadata: dict[Any, Any] | None = None
    ) -> None:
        self.number_per_run, self.raw_times = number_per_run, raw_times
        self.task_spec, self.metadata = task_spec, metadata

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "task_spec":
            raise AttributeError(name)
        return getattr(self.task_spec, name)

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

    @property
    def significant_figures(self) -> int:
        """How many figures of the median the spread of the middle half of the times leaves: from 1 to 4."""
        count = len(self.times)
        middle = sorted(self.times)[count // 4 : math.ceil(3 * count / 4)]
        error = max(1.645 * statistics.pstdev(middle) / math.sqrt(len(middle)), 25e-9)
        return min(max(math.floor(math.log10(self.median / error)), 1), 4)

    @property
    def has_warnings(self) -> bool:
        """Whether the quartiles lie further apart than a tenth of the median."""
        return not self.meets_confidence(0.1)

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Whether the quartiles lie closer together than this part of the median."""
        return self.iqr / self.median < threshold

    @property
    def title(self) -> str:
        """What was measured."""
        return self.task_spec.title

    @property
    def env(self) -> str | None:
        """In which environment, as the program named it."""
        return self.task_spec.env

    @property
    def as_row_name(self) -> str:
        """The name of its row in a table."""
        return self.task_spec.sub_label or self.task_spec.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement for each task, with all times that there are of it."""
        found: dict[TaskSpec, list[float]] = {}
        for measurement in measurements:
            found.setdefault(measurement.task_spec, []).extend(measurement.times)
        return [Measurement(1, times, task) for task, times in found.items()]

    def __repr__(self) -> str:
        count, threads = len(self.raw_times), self.task_spec.num_threads
        unit, size = select_unit(self.median)
        lines = [self.task_spec.summarize()]
        if count > 1:
            lines += [f"  Median: {self.median / size:.2f} {unit}", f"  IQR:    {self.iqr / size:.2f} {unit}"]
        else:
            lines.append(f"  {self.median / size:.2f} {unit}")
        runs = f"{self.number_per_run} runs" + (" per measurement" if count > 1 else " ")
        lines.append(f"  {count} measurement{'s' * (count > 1)}, {runs}, {threads} thread{'s' * (threads > 1)}")
        return "\n".join(lines)


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
        if language not in (Language.PYTHON, "python", "Python", "py"):
            raise NotImplementedError("utils.benchmark.Timer: gradcore times Python statements alone")
        import gradcore

        names = dict(globals or {})
        names.setdefault("torch", gradcore)
        names.setdefault("gradcore", gradcore)
        self._timer = timeit.Timer(stmt, setup, timer, names)
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip()
        self._task_spec = TaskSpec(
            stmt, setup, global_setup, label, sub_label, description, env, num_threads=num_threads
        )

    def _run(self, number: int) -> float:
        with set_torch_threads(self._task_spec.num_threads):
            return self._timer.timeit(number)

    def timeit(self, number: int = 1000000) -> Measurement:
        """One run of `number` executions."""
        self._run(min(number, 3))
        return Measurement(number, [self._run(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Raises NotImplementedError, as in torch: blocked_autorange() chooses both numbers."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Any = None) -> None:
        """Raises NotImplementedError, as in torch: blocked_autorange() chooses both numbers."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

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
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0, callback: Any = None
    ) -> Measurement:
        """Runs until the distance of the quartiles is below `threshold` of the median."""
        number = self._per_run(min_run_time / 10)
        times: list[float] = []
        while sum(times) < max_run_time:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
            found = Measurement(number, times, self._task_spec)
            if len(times) >= 5 and sum(times) >= min_run_time and found.iqr <= threshold * found.median:
                break
        return Measurement(number, times, self._task_spec)


class Compare:
    """A table of measurements for each label: a line for each label below it, number of threads and environment, a column
    for each description.

    >>> from gradcore.utils.benchmark import Compare, Timer
    >>> print(Compare([Timer("1 + 1", label="sums", description="ints").timeit(10)]))  # doctest: +ELLIPSIS
    [--...sums...]
    ...
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trims = False

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds measurements. Raises ValueError for anything else."""
        found = list(results)
        for result in found:
            if not isinstance(result, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(result)} instead.")
        self._results.extend(found)

    def trim_significant_figures(self) -> None:
        """Shows no more figures than the spread of the times leaves."""
        self._trims = True

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted; the table has no colours."""

    def print(self) -> None:
        """Prints the table."""
        print(self)

    def __str__(self) -> str:
        merged = Measurement.merge(self._results)
        labels = ordered_unique(result.label for result in merged)
        return "\n".join(self._table([result for result in merged if result.label == label]) for label in labels)

    def _table(self, results: list[Measurement]) -> str:
        unit, size = select_unit(min(result.median for result in results))
        columns = ordered_unique(result.description for result in results)
        rows = ordered_unique((result.num_threads, result.task_spec.env, result.as_row_name) for result in results)
        several = len({row[1] for row in rows}) > 1
        cells = [["", *(column or "" for column in columns)]]
        for row in sorted(rows, key=lambda row: row[0]):
            found = {r.description: self._shown(r, size) for r in results if self._row_of(r) == row}
            name = f"({row[1]}) {row[2]}" if several and row[1] else row[2]
            cells.append([f"  {name}", *(found.get(column, "") for column in columns)])
        return "\n".join([*_lines(results[0].label or "", cells, sorted(row[0] for row in rows)), "",
                          f"Times are in {unit_to_english(unit)}s ({unit})."])  # fmt: skip

    @staticmethod
    def _row_of(result: Measurement) -> tuple[int, str | None, str]:
        return result.num_threads, result.task_spec.env, result.as_row_name

    def _shown(self, result: Measurement, size: float) -> str:
        if not self._trims:
            return f"{result.median / size:.1f}"
        return f"{trim_sigfig(result.median / size, result.significant_figures):g}"


def _lines(label: str, cells: list[list[str]], threads: list[int]) -> list[str]:
    """The rows, with a heading where the number of threads changes."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    rows = [
        "  |  ".join(cell.center(n) if i else cell.ljust(n) for i, (cell, n) in enumerate(zip(row, widths)))
        for row in cells
    ]
    width = max(map(len, rows))
    lines = [f"[{f' {label} '.center(width - 2, '-')}]", rows[0]]
    before = None
    for count, row in zip(threads, rows[1:]):
        if count != before:
            lines.append(f"{count} threads: ".ljust(width, "-"))
        before = count
        lines.append(row)
    return lines
