"""Runs programs that use public packages for torch, once with torch and once with gradcore, and writes docs/programs.md.

    python tools/try_programs.py                    all of tools/programs
    python tools/try_programs.py with_einops         some of them; the table is printed, not written
    python tools/try_programs.py --update with_einops       their rows are written as well, the others stay

Each program is a file that knows nothing of gradcore. Its first line says what it needs from PyPI; that is fetched, without
dependencies, into a folder (`--packages`), because most would bring a torch of their own. Torch itself must be installed.
Results are compared as text, their numbers to one part in a thousand. Times are of whole processes, the median of three.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "tools" / "programs"
TABLE = ROOT / "docs" / "programs.md"
NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")


class Run(NamedTuple):
    """How one process went."""

    seconds: float
    output: str
    error: str | None  # the last line, of a process that failed


class Result(NamedTuple):
    """One row of the table."""

    name: str
    what: str
    verdict: str
    times: str


def needs(program: pathlib.Path) -> list[str]:
    """The names on PyPI that its first line lists."""
    return program.read_text().splitlines()[0].removeprefix("# pip: ").split()


def fetch(programs: list[pathlib.Path], folder: pathlib.Path) -> None:
    """Installs what the programs need and the folder does not have yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted({package for program in programs for package in needs(program)}):
        mark = folder / f".{package}"
        if mark.exists():
            continue
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--upgrade",
            "--target",
            str(folder),
            package,
        ]
        if subprocess.run(pip, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            print(f"{package}: could not be fetched")
            continue
        mark.touch()


def run(command: list[str], folder: pathlib.Path) -> Run:
    """One process, its output and the last line of its error."""
    path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(folder)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "2"}
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, env=environment, timeout=300, cwd=folder
        )
    except subprocess.TimeoutExpired:
        return Run(300.0, "", "it took more than five minutes")
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    error = re.sub(r" \([^()]*\.py\)$", "", last) if done.returncode else None  # not where gradcore lies
    return Run(time.perf_counter() - begin, done.stdout, error)


def same(ours: str, theirs: str) -> bool:
    """Whether two outputs are the same text with nearly the same numbers."""
    if NUMBER.sub("#", ours) != NUMBER.sub("#", theirs):
        return False
    pairs = zip(map(float, NUMBER.findall(ours)), map(float, NUMBER.findall(theirs)))
    return all(abs(a - b) <= 1e-3 * max(abs(a), abs(b)) + 1e-5 for a, b in pairs)


def try_one(program: pathlib.Path, folder: pathlib.Path, rounds: int) -> Result:
    """Both libraries, in turn."""
    ours_command, theirs_command = ["-m", "gradcore", "run", str(program)], [str(program)]
    what = program.read_text().split('"""')[1]
    ours, theirs = run(ours_command, folder), run(theirs_command, folder)
    if theirs.error:
        return Result(program.stem.removeprefix("with_"), what, f"torch itself: {theirs.error}", "")
    if ours.error:
        return Result(program.stem.removeprefix("with_"), what, f"fails: {ours.error}", "")
    verdict = "same results" if same(ours.output, theirs.output) else "runs; other numbers"
    mine, other = [ours.seconds], [theirs.seconds]
    for _ in range(rounds - 1):
        mine.append(run(ours_command, folder).seconds)
        other.append(run(theirs_command, folder).seconds)
    return Result(
        program.stem.removeprefix("with_"), what, verdict, f"{statistics.median(other) / statistics.median(mine):.1f}x"
    )


def table(results: list[Result]) -> str:
    """The rows as Markdown."""
    rows = [f"| {name} | {what} | {verdict.replace('|', '/')} | {times} |" for name, what, verdict, times in results]
    return "\n".join(
        ["| program | what it does | with gradcore | torch's time over ours |", "|---|---|---|---|", *rows, ""]
    )


def kept_rows(but: list[Result]) -> list[Result]:
    """The rows that stand in the page already, of other programs."""
    new = {result.name for result in but}
    rows = [line.strip("| ").split(" | ") for line in TABLE.read_text().splitlines() if line.startswith("| ")][1:]
    return [Result(*[*row, ""][:4]) for row in rows if row[0] not in new]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Programs for torch, run with gradcore.")
    parser.add_argument("names", nargs="*", help="names of files in tools/programs")
    parser.add_argument(
        "--packages", type=pathlib.Path, default=ROOT / "build" / "packages", help="where to put packages"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--update", action="store_true", help="write the rows of the programs named into the page")
    arguments = parser.parse_args()
    programs = [p for p in sorted(PROGRAMS.glob("*.py")) if not arguments.names or p.stem in arguments.names]
    fetch(programs, arguments.packages)
    results = []
    for program in programs:
        results.append(try_one(program, arguments.packages, arguments.rounds))
        print(*results[-1], sep=" | ", flush=True)
    if arguments.names and not arguments.update:
        return
    if arguments.names:
        results = sorted([*results, *kept_rows(results)])
    good = sum(result.verdict.startswith(("same", "runs")) for result in results)
    TABLE.write_text(
        "# Programs\n\n"
        "Public packages for torch, unmodified, under `python -m gradcore run`. `tools/try_programs.py` makes this page: it\n"
        "fetches the packages from PyPI, runs each program of `tools/programs` with torch and with gradcore, compares what\n"
        "they print, and takes the time of whole processes.\n\n"
        f"{good} of {len(results)} run.\n\n{table(results)}"
    )


if __name__ == "__main__":
    main()
