"""`python -m benchmarks`: one table, gradcore beside torch. Start at main; what is timed stands in cases.py.

Each library runs in a process of its own. On each case they take short turns, A B A B, and there are several
rounds with fresh processes, so that a phase in which the machine is slow falls on both. A time is the median
of all turns, a ratio the median of the ratios of neighbouring turns.
"""

import argparse
import importlib.util
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, Case

ROOT = Path(__file__).resolve().parent.parent
PAUSE = 0.02  # seconds between turns: the other process's OpenMP threads spin for a while before they sleep
IMPORT_GOAL_MS = 10.0
SIZE_GOAL_MB = 5.0
MEMORY_GOAL_MB = 20.0

UNSTEADY = 2.0  # turns of one library that differ by more than this say that the machine was disturbed

Row = dict[str, Any]  # name, unit, goal or at_most; of each library its figure or "<library> error"; ratio


class Worker:
    """A child process that times cases with one library."""

    def __init__(self, library: str, threads: int, **environment: str):
        self.library = library
        self.threads = threads
        self.environment = os.environ | {"OMP_NUM_THREADS": str(threads)} | environment
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", self.library]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout
        self.process.stdout.readline()  # it has imported the library: nobody is timed beside an import

    def time(self, case: Case, budget: float) -> float:
        """Seconds; RuntimeError says why not."""
        assert self.process.stdin
        assert self.process.stdout
        request = {"case": CASES.index(case), "threads": case.threads or self.threads, "budget": budget}
        time.sleep(PAUSE)
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.start()
            raise RuntimeError(f"the process ended with code {code}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return float(answer["seconds"])

    def close(self) -> None:
        self.process.communicate()


def time_cases(cases: list[Case], libraries: list[str], options: argparse.Namespace) -> list[Row]:
    """One row for each case: name, goal, for each library the seconds of its turns or an error."""
    rows: list[Row] = [
        {"name": case.name, "goal": case.goal, "unit": "s", "traffic": case.traffic, "turns": {}} for case in cases
    ]
    for turn in range(options.rounds):
        workers = [Worker(library, options.threads) for library in libraries]
        for case, row in zip(cases, rows, strict=True):
            progress(f"round {turn + 1} of {options.rounds}: {case.name}")
            for worker in workers * options.turns:
                if worker.library + " error" in row:
                    continue
                try:
                    row["turns"].setdefault(worker.library, []).append(worker.time(case, options.budget))
                except (RuntimeError, BrokenPipeError) as error:
                    row[worker.library + " error"] = str(error)
        for worker in workers:
            worker.close()
    progress("")
    for row in rows:
        row |= {library: statistics.median(turns) for library, turns in row["turns"].items() if turns}
        if len(row["turns"]) == 2:
            pairs = zip(row["turns"]["gradcore"], row["turns"]["torch"], strict=False)
            row["ratio"] = statistics.median(theirs / ours for ours, theirs in pairs)
        row["unsteady"] = any(max(turns) > UNSTEADY * min(turns) for turns in row["turns"].values())
    return rows


def run_python(code: str) -> tuple[float, str]:
    """Seconds and output of a Python process that runs the code. Its modules are compiled once, as an installer has them."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return time.perf_counter() - start, done.stdout


def footprint(libraries: list[str], rounds: int) -> list[Row]:
    """Rows of import time, memory and installed size; their goals are amounts, not ratios."""
    proxy = "import gradcore; gradcore.as_torch(); import torch"
    programs = ["pass", *(f"import {name}" for name in libraries), *([proxy] if "gradcore" in libraries else [])]
    seconds: dict[str, list[float]] = {code: [] for code in programs}
    for _ in range(3 * rounds):
        for code, times in seconds.items():
            times.append(run_python(code)[0])
    bare = statistics.median(seconds["pass"])
    imports: Row = {"name": "import, over bare Python", "unit": "s", "at_most": IMPORT_GOAL_MS / 1e3}
    memory: Row = {"name": "peak memory of a process that imports", "unit": "MB", "at_most": MEMORY_GOAL_MB}
    size: Row = {"name": "installed size", "unit": "MB", "at_most": SIZE_GOAL_MB}
    peak = "\nprint([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    for library in libraries:
        imports[library] = statistics.median(seconds[f"import {library}"]) - bare
        if Path("/proc/self/status").exists():
            memory[library] = int(run_python(f"import {library}" + peak)[1]) / 1e3
        size[library] = installed_bytes(library) / 1e6
    rows = [imports, memory, size]
    if {"gradcore", "torch"} <= set(libraries):
        through: Row = {"name": "import torch, which the proxy gives", "unit": "s", "goal": 0.0}
        through["gradcore"], through["torch"] = statistics.median(seconds[proxy]) - bare, imports["torch"]
        rows.append(through)
    for row in rows:
        if "gradcore" in row and "torch" in row:
            row["ratio"] = row["torch"] / row["gradcore"]
    return rows


def installed_bytes(library: str) -> int:
    spec = importlib.util.find_spec(library)
    folders = spec.submodule_search_locations if spec else None
    files = (file for folder in folders or () for file in Path(folder).rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file() and "__pycache__" not in file.parts)


def amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit != "s":
        return f"{value:.1f} {unit}"
    for name, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if abs(value) * scale >= 1:
            return f"{value * scale:.3g} {name}" if value * scale < 1000 else f"{value * scale:.0f} {name}"
    return f"{value * 1e9:.3g} ns"


def judge(row: Row) -> tuple[str, str]:
    """The columns 'goal' and 'met or missed'."""
    if "gradcore error" in row:
        return "", "FAILED: " + row["gradcore error"]
    if "at_most" in row:
        met = row.get("gradcore", math.inf) <= row["at_most"]
        return f"<= {amount(row['at_most'], row['unit'])}", "met" if met else "MISSED"
    if not row["goal"]:
        return "", ""
    if "torch" not in row:
        return f"{row['goal']:g}x", row.get("torch error", "torch is not installed")
    return f"{row['goal']:g}x", "met" if round(row["ratio"], 2) >= row["goal"] else "MISSED"


def print_table(rows: list[Row]) -> None:
    width = max(len(row["name"]) for row in rows)
    print(f"{'':{width}}  {'gradcore':>9}  {'torch':>9}  {'torch/gradcore':>14}  {'goal':>8}")
    for row in rows:
        times = [f"{amount(row.get(library), row['unit']):>9}" for library in ("gradcore", "torch")]
        ratio = f"{row['ratio']:.2f}x" if "ratio" in row else ""
        goal, verdict = judge(row)
        speed = f"{row['traffic'] / row['gradcore'] / 1e9:.1f} GB/s" if row.get("traffic") and "gradcore" in row else ""
        note = "  ".join(filter(None, (speed, "unsteady" if row.get("unsteady") else "")))
        line = f"{row['name']:{width}}  {'  '.join(times)}  {ratio:>14}  {goal:>8}  {verdict:6}  {note}"
        print(line.rstrip())


def print_summary(rows: list[Row]) -> None:
    verdicts = [judge(row)[1] for row in rows]
    unsteady = sum(row.get("unsteady", False) for row in rows)
    print(f"\n{verdicts.count('met')} goals met, {verdicts.count('MISSED')} missed")
    if unsteady:
        print(
            f"{unsteady} rows are unsteady: turns of one library differ by more than {UNSTEADY:g}x. "
            "Repeat these on an idle machine."
        )
    ratios = [row["ratio"] for row in rows if row["name"].startswith("matmul") and "ratio" in row]
    if ratios:
        mean = statistics.geometric_mean(ratios)
        print(
            f"matmul: geometric mean {mean:.2f}x (goal 1.1x, {'met' if mean >= 1.1 else 'MISSED'}), "
            f"{sum(ratio < 1 for ratio in ratios)} of {len(ratios)} shapes slower than torch"
        )


def versions(libraries: list[str], threads: int) -> str:
    known = (run_python(f"import {name}; print({name}.__version__)")[1].strip() for name in libraries)
    names = " against ".join(f"{name} {version}" for name, version in zip(libraries, known, strict=True))
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return (
        f"{names}, {threads} threads, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}"
    )


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--filter", metavar="REGEX", default="", help="only rows whose name matches")
    parser.add_argument("--quick", action="store_true", help="one short round without the largest sizes")
    parser.add_argument("--threads", type=int, default=2, help="threads of both libraries (default 2)")
    parser.add_argument("--rounds", type=int, help="rounds of fresh processes (default 3, or 1 with --quick)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.turns, options.budget = (3, 0.01) if options.quick else (5, 0.03)

    libraries = [name for name in ("gradcore", "torch") if importlib.util.find_spec(name)]
    wanted = re.compile(options.filter, re.IGNORECASE)
    cases = [case for case in CASES if wanted.search(case.name) and not (options.quick and case.large)]
    rows = time_cases(cases, libraries, options)
    rows += [row for row in footprint(libraries, options.rounds) if wanted.search(row["name"])]
    if not rows:
        sys.exit(f"no row's name matches {options.filter!r}")

    about = versions(libraries, options.threads)
    print(about)
    print_table(rows)
    print_summary(rows)
    if options.json:
        options.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
