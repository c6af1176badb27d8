"""The child process: times cases with one library. Started by __main__.py as
`python -m benchmarks.worker LIBRARY`.

Says ready, then answers each line `{"case": index, "threads": n, "budget": seconds}` with a line
`{"seconds": median}` or `{"error": text}`. Start reading at main.
"""

import gc
import importlib
import json
import statistics
import sys
import textwrap
import time
from itertools import repeat
from typing import Any

from benchmarks.cases import CASES, Case

SAMPLE = 2e-3  # a sample lasts at least this long, so that the clock's own cost does not show

# A generator, because names are then fast local variables and the setup runs once for all samples.
TEMPLATE = """
def timer(torch, _clock, _repeat):
{setup}
    _seconds = 0.0
    while True:
        _times = _repeat(None, (yield _seconds))
        _start = _clock()
        for _ in _times:
{statement}
        _seconds = _clock() - _start
"""


class Stopwatch:
    """Runs the setup of a case, then times its statement as often as asked, in the same state and memory."""

    def __init__(self, library: Any, case: Case):
        setup, statement = textwrap.indent(case.setup, " " * 4), textwrap.indent(case.statement, " " * 12)
        namespace: dict[str, Any] = {}
        exec(TEMPLATE.format(setup=setup, statement=statement), namespace)  # noqa: S102, it is our own text
        self.timer = namespace["timer"](library, time.perf_counter, repeat)
        self.repeats = case.repeats
        self.count = 1
        next(self.timer)
        self.timer.send(1)  # the first call warms up and is not counted
        while (seconds := self.timer.send(self.count)) < SAMPLE:
            self.count = max(2 * self.count, min(10 * self.count, int(1.2 * self.count * SAMPLE / seconds)))

    def median(self, budget: float) -> float:
        """Median seconds of the case, from as many samples as fit into the budget."""
        samples: list[float] = []
        while sum(samples) < budget:
            samples.append(self.timer.send(self.count))
        return statistics.median(samples) / self.count / self.repeats


def main() -> None:
    library = importlib.import_module(sys.argv[1])
    gc.disable()
    print("ready", flush=True)
    current, stopwatch = -1, None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if stopwatch is None or request["case"] != current:
                current, stopwatch = request["case"], None  # frees the last case's tensors
                gc.collect()
                library.set_num_threads(request["threads"])
                library.manual_seed(1)
                library.set_grad_enabled(True)  # the setup of the case before may have turned it off
                stopwatch = Stopwatch(library, CASES[current])
            answer: dict[str, Any] = {"seconds": stopwatch.median(request["budget"])}
        except Exception as error:  # noqa: BLE001, a row that fails must not take the table with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
