"""What a profile recorded, as events, averages, tables and traces. Start at EventList."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO, Any

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]


@dataclass(eq=False)
class FunctionEvent:
    """One span of a profile: an op, one of its launches, or a range of the program's own. Times are in microseconds.

    name; kind ("op", "launch" or "user"); thread, a small number; time_range, its begin and end since the profile began;
    line, "file:line, in function" of the program, of the forward op for a node of backward; input_shapes;
    bytes_read and bytes_written by the launches inside of it, those of nested ops included; cpu_parent, cpu_children.
    """

    name: str
    kind: str
    thread: int
    time_range: tuple[float, float]
    line: str
    self_bytes_read: int
    self_bytes_written: int
    input_shapes: list[list[int]]
    cpu_parent: FunctionEvent | None = None
    cpu_children: list[FunctionEvent] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.name

    @property
    def stack(self) -> list[str]:
        return [self.line] if self.line else []

    @property
    def cpu_time_total(self) -> float:
        return self.time_range[1] - self.time_range[0]

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """Without nested ops and ranges; launches are the op's own time."""
        return self.cpu_time_total - sum(c.cpu_time_total for c in self.cpu_children if c.kind != "launch")

    @property
    def bytes_read(self) -> int:
        return self.self_bytes_read + sum(c.bytes_read for c in self.cpu_children)

    @property
    def bytes_written(self) -> int:
        return self.self_bytes_written + sum(c.bytes_written for c in self.cpu_children)

    @property
    def bytes(self) -> int:
        """Bytes moved: read and written."""
        return self.bytes_read + self.bytes_written

    @property
    def self_bytes(self) -> int:
        """Without nested ops and ranges."""
        launches = [c for c in self.cpu_children if c.kind == "launch"]
        return self.self_bytes_read + self.self_bytes_written + sum(c.bytes for c in launches)


@dataclass(eq=False)
class FunctionEventAvg:
    """All events of one key: sums of their times in microseconds and of their bytes, and how many there were."""

    key: str
    input_shapes: list[list[int]]
    stack: list[str]
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    bytes: int = 0
    self_bytes: int = 0
    is_user_annotation: bool = False

    @property
    def cpu_time(self) -> float:
        """The average of one call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def add(self, event: FunctionEvent) -> None:
        self.count += 1
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.bytes += event.bytes
        self.self_bytes += event.self_bytes


def _time(us: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if us >= size:
            return f"{us / size:.3f}{unit}"
    return f"{us:.3f}us"


def _amount(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return f"{int(count)} B"


def _shortened(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else text[: most - 3] + "..."


# What table() sorts by.
_SORT_KEYS = ("cpu_time", "cpu_time_total", "self_cpu_time_total", "count", "bytes", "self_bytes", "key")


class EventList(list[Any]):
    """Events, or their averages, with torch's ways to show them."""

    def __init__(self, events: Iterable[Any] = (), *, total_us: float = 0.0) -> None:
        super().__init__(events)
        self._total_us = total_us

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of all times that are not counted twice."""
        return float(sum(e.self_cpu_time_total for e in self))

    def key_averages(self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One row for each op: by name, and by input shapes or by line where asked."""
        rows: dict[Any, FunctionEventAvg] = {}
        for event in self:
            if event.kind == "launch" and event.cpu_parent is not None:
                continue  # part of its op
            shapes = event.input_shapes if group_by_input_shapes else []
            stack = event.stack[:group_by_stack_n]
            row = rows.setdefault((event.key, str(shapes), tuple(stack)), FunctionEventAvg(event.key, shapes, stack))
            row.is_user_annotation = event.kind == "user"
            row.add(event)
        return EventList(rows.values(), total_us=self._total_us)

    def total_average(self) -> FunctionEventAvg:
        """All events in one row, each moment counted once."""
        total = FunctionEventAvg("Total", [], [])
        for event in self:
            total.count += getattr(event, "count", 1)
            total.cpu_time_total += event.self_cpu_time_total
            total.self_cpu_time_total += event.self_cpu_time_total
            total.bytes += event.self_bytes
            total.self_bytes += event.self_bytes
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """The events as a table.

        sort_by: None keeps their order; else a field, largest first: cpu_time, cpu_time_total, self_cpu_time_total, count,
        bytes, self_bytes. Raises AttributeError for another name.
        """
        events = [e for e in self if not top_level_events_only or getattr(e, "cpu_parent", None) is None]
        if sort_by is not None:
            if sort_by not in _SORT_KEYS:
                raise AttributeError(f"a profile cannot be sorted by {sort_by!r}; choose of {', '.join(_SORT_KEYS)}")
            events.sort(key=lambda e: getattr(e, sort_by), reverse=sort_by != "key")
        total = sum(e.self_cpu_time_total for e in events)

        def share(us: float) -> str:
            return f"{100 * us / total:.2f}%" if total else "0.00%"

        columns: list[tuple[str, Callable[[Any], str]]] = [
            ("Name", lambda e: _shortened(e.key, max_name_column_width)),
            ("Self CPU %", lambda e: share(e.self_cpu_time_total)),
            ("Self CPU", lambda e: _time(e.self_cpu_time_total)),
            ("CPU total %", lambda e: share(e.cpu_time_total)),
            ("CPU total", lambda e: _time(e.cpu_time_total)),
            ("CPU time avg", lambda e: _time(e.cpu_time)),
            ("# of Calls", lambda e: str(getattr(e, "count", 1))),
            ("Bytes moved", lambda e: _amount(e.self_bytes)),
        ]
        if any(e.input_shapes for e in events):
            columns.append(("Input Shapes", lambda e: _shortened(str(e.input_shapes), max_shapes_column_width)))
        if any(e.stack for e in events):
            columns.append(
                ("Source Location", lambda e: _shortened(e.stack[0] if e.stack else "", max_src_column_width))
            )
        shown = events if row_limit < 0 else events[:row_limit]
        cells = [[name for name, _ in columns], *([show(e) for _, show in columns] for e in shown)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        rule = "  ".join("-" * width for width in widths)
        right_aligned = [
            i > 0 and columns[i][0] not in ("Input Shapes", "Source Location") for i in range(len(columns))
        ]
        lines = [header] if header else []
        lines.append(rule)
        for i, row in enumerate(cells):
            line = "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right_aligned))
            lines.append(line.rstrip())
            if i == 0:
                lines.append(rule)
        lines.append(rule)
        lines.append(f"Self CPU time total: {_time(total)}")
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str | os.PathLike[str], metadata: dict[str, Any] | None = None) -> None:
        """Writes the events in the trace format that chrome://tracing and Perfetto load, compressed if the path ends in ".gz"."""
        pid = os.getpid()
        trace = []
        for event in self:
            args: dict[str, Any] = {"Bytes read": event.bytes_read, "Bytes written": event.bytes_written}
            if event.line:
                args["Line"] = event.line
            if event.input_shapes:
                args["Input Dims"] = event.input_shapes
            begin, end = event.time_range
            trace.append(
                {
                    "ph": "X",
                    "cat": {"op": "cpu_op", "launch": "kernel", "user": "user_annotation"}[event.kind],
                    "name": event.name,
                    "pid": pid,
                    "tid": event.thread,
                    "ts": begin,
                    "dur": end - begin,
                    "args": args,
                }
            )
        with _open_trace(os.fspath(path)) as file:
            json.dump({**(metadata or {}), "displayTimeUnit": "ns", "traceEvents": trace}, file)


def _open_trace(path: str) -> IO[str]:
    if not path.endswith(".gz"):
        return open(path, "w", encoding="utf-8")
    import gzip

    return gzip.open(path, "wt", encoding="utf-8")


def events_of(threads: list[Any]) -> EventList:
    """The events of what the core recorded, in the order of their begin."""
    begins = [span[3] for _, spans in threads for span in spans]
    first, last = min(begins, default=0), max((span[4] for _, spans in threads for span in spans), default=0)
    events: list[FunctionEvent] = []
    for thread, (_, spans) in enumerate(threads):
        own: list[FunctionEvent] = []
        for name, kind, parent, begin, end, line, read, written, shapes in spans:
            event = FunctionEvent(
                name, kind, thread, ((begin - first) / 1e3, (end - first) / 1e3), line, read, written, shapes
            )
            if parent >= 0:
                event.cpu_parent = own[parent]
                own[parent].cpu_children.append(event)
            own.append(event)
        events += own
    events.sort(key=lambda e: e.time_range[0])
    return EventList(events, total_us=(last - first) / 1e3)
