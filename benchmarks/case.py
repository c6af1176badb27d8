"""Case: one row of what is timed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    statement: str
    setup: str = ""
    goal: float = 0.0
    repeats: int = 1  # how many times the statement does the named thing; its time is divided by this
    threads: int = 0  # 0: as many as --threads says
    large: bool = False  # --quick leaves it out
    traffic: int = 0  # bytes that the statement reads and writes, where memory is what it waits for
