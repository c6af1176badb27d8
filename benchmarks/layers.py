"""`python -m benchmarks.layers`: gradcore's two threading layers beside each other, and torch if asked. Start at main.

Each has a process of its own, and they take short turns. A time is the median of all turns; the last column is the
median of the ratios of neighbouring turns, above 1 where "openmp" takes longer than "team".

With `--load N` another N processes spin meanwhile: a team that waits for threads that the system has not scheduled
falls behind then. How the system spreads threads over processors decides by a factor of two or three how fast a
process is, for as long as it lives. So each turn is a new process then, and times are means of all turns.
"""

import argparse
import re
import statistics
import subprocess
import sys

from benchmarks.__main__ import Worker, amount, versions
from benchmarks.cases import CASES, Case

SLOWER = 1.1  # what the table marks
LOADED = r"^(a \+ b, (64K|1M)|matmul 256 NN, 2 threads)$"  # rows of docs/adr/0003


def start(name: str, threads: int) -> Worker:
    if name == "torch":
        return Worker("torch", threads)
    return Worker("gradcore", threads, GRADCORE_THREADING_LAYER=name)


def time_case(case: Case, workers: dict[str, Worker], turns: int, budget: float, renew: bool) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(turns):
        for name, worker in workers.items():
            if renew:
                worker.close()
                worker.start()
            seconds[name].append(worker.time(case, budget))
    return seconds


def openmp_over_team(seconds: dict[str, list[float]], loaded: bool) -> float:
    if loaded:
        return statistics.mean(seconds["openmp"]) / statistics.mean(seconds["team"])
    return statistics.median(o / t for o, t in zip(seconds["openmp"], seconds["team"], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--filter", metavar="REGEX", help="only rows whose name matches; those of 1 thread never do")
    parser.add_argument("--load", metavar="N", type=int, default=0, help="processes that spin meanwhile")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--budget", type=float, default=0.03, help="seconds of a turn")
    parser.add_argument("--torch", action="store_true", help="torch's times as well")
    options = parser.parse_args()
    wanted = re.compile(options.filter or (LOADED if options.load else ""), re.IGNORECASE)
    cases = [case for case in CASES if case.threads != 1 and wanted.search(case.name)]
    if not cases:
        sys.exit(f"no row's name matches {wanted.pattern!r}")

    names = ("team", "openmp", *(["torch"] if options.torch else []))
    print(f"{versions(['gradcore'], options.threads)}, {options.load} other processes spin")
    print(f"{'':50}  " + "  ".join(f"{name:>9}" for name in names) + "  openmp/team")
    spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.load)]
    slower, loaded = 0, options.load > 0
    average = statistics.mean if loaded else statistics.median
    try:
        workers = {name: start(name, options.threads) for name in names}
        for case in cases:
            try:
                seconds = time_case(case, workers, options.turns, options.budget, renew=loaded)
            except RuntimeError as error:
                print(f"{case.name:50}  {error}")
                continue
            ratio = openmp_over_team(seconds, loaded)
            slower += ratio > SLOWER
            times = "  ".join(f"{amount(average(seconds[name]), 's'):>9}" for name in names)
            print(f"{case.name:50}  {times}  {ratio:11.2f}{'  SLOWER' if ratio > SLOWER else ''}", flush=True)
        for worker in workers.values():
            worker.close()
    finally:
        for spinner in spinners:
            spinner.kill()
    print(f"{slower} of {len(cases)} rows take more than {SLOWER - 1:.0%} longer with openmp")


if __name__ == "__main__":
    main()
