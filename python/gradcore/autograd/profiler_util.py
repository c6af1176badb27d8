"""Where torch keeps the events of a profile."""

from __future__ import annotations

from ..profiler._events import EventList as EventList
from ..profiler._events import FunctionEvent as FunctionEvent
from ..profiler._events import FunctionEventAvg as FunctionEventAvg

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]
