"""`python -m benchmarks.layouts`: families of operations over layouts and sizes, the time of torch divided by ours.

A cell is the median of the ratios of neighbouring turns, which both libraries take in one process. Start at sweep().
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)  # elements, about

# Views of about n elements in two dims, of three for "permuted".
LAYOUTS: dict[str, Callable[[Any, int], Any]] = {
    "contiguous": lambda lib, n: square(lib, n),
    "transposed": lambda lib, n: square(lib, n).t(),
    "permuted": lambda lib, n: lib.rand(max(n // 200, 1), 20, 10).permute(2, 0, 1),
    "stepped": lambda lib, n: lib.rand(side(n), 2 * side(n))[:, ::2],
    "sliced": lambda lib, n: lib.rand(side(n), 2 * side(n))[:, 3 : 3 + side(n)],
    "every second row": lambda lib, n: lib.rand(2 * side(n), side(n))[::2],
    "repeated rows": lambda lib, n: lib.rand(1, side(n)).expand(side(n), side(n)),
    "repeated columns": lambda lib, n: lib.rand(side(n), 1).expand(side(n), side(n)),
    "rows of three": lambda lib, n: lib.rand(n // 3, 3),
    "columns of three": lambda lib, n: lib.rand(n // 3, 3).t(),
}

# What is timed of a view x; `extra` is what some need besides, made before.
FAMILIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "unary: relu": lambda lib, x, e: lib.relu(x),
    "unary: exp": lambda lib, x, e: lib.exp(x),
    "binary: x + x": lambda lib, x, e: x + x,
    "binary: x * column": lambda lib, x, e: x * e["column"],
    "binary: x + contiguous": lambda lib, x, e: x + e["dense"],
    "reduction: all": lambda lib, x, e: x.sum(),
    "reduction: first dim": lambda lib, x, e: x.sum(0),
    "reduction: last dim": lambda lib, x, e: x.amax(-1),
    "reduction: std": lambda lib, x, e: x.std(-1),
    "copy": lambda lib, x, e: e["dense"].copy_(x),
    "cat": lambda lib, x, e: lib.cat((x, x)),
    "index": lambda lib, x, e: x[e["rows"]],
    "scan": lambda lib, x, e: x.cumsum(-1),
    "flip": lambda lib, x, e: x.flip(0),
    "product": lambda lib, x, e: x @ e["vector"],
}


def side(n: int) -> int:
    return round(n**0.5)


def square(lib: Any, n: int) -> Any:
    return lib.rand(side(n), side(n))


def extras(lib: Any, x: Any) -> dict[str, Any]:
    return {
        "dense": lib.zeros(tuple(x.shape)),
        "column": lib.rand(*x.shape[:-1], 1),
        "rows": lib.arange(0, x.shape[0], 2),
        "vector": lib.rand(x.shape[-1]),
    }


def seconds(run: Callable[[], Any], budget: float) -> float:
    """Of one call, the shortest of three loops."""
    start = time.perf_counter()
    run()
    count = max(1, int(budget / 3 / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(count):
            run()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def ratio(family: str, layout: str, size: int, turns: int, budget: float) -> float:
    import torch

    import gradcore

    calls = []
    for lib in (torch, gradcore):
        x = LAYOUTS[layout](lib, size)
        e = extras(lib, x)
        calls.append(lambda lib=lib, x=x, e=e: FAMILIES[family](lib, x, e))
    found = []
    for _ in range(turns):
        theirs, ours = (seconds(call, budget) for call in calls)
        found.append(theirs / ours)
    return statistics.median(found)


def sweep(threads: int, turns: int, budget: float, only: str) -> Iterator[tuple[str, str, int, float]]:
    import torch

    import gradcore

    torch.set_num_threads(threads)
    gradcore.set_num_threads(threads)
    for family in FAMILIES:
        for layout in LAYOUTS:
            for size in SIZES:
                if only in f"{family}, {layout}":
                    yield family, layout, size, ratio(family, layout, size, turns, budget)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=5, help="alternations of the two libraries for each cell")
    parser.add_argument("--budget", type=float, default=0.01, help="seconds of a turn")
    parser.add_argument("--only", default="", help="a part of 'family, layout'")
    options = parser.parse_args()
    for threads in options.threads:
        cells = list(sweep(threads, options.turns, options.budget, options.only))
        print(f"\n{threads} threads: time of torch / ours for {', '.join(f'{n:,}' for n in SIZES)} elements")
        for family in FAMILIES:
            for layout in LAYOUTS:
                row = [f"{r:6.2f}" for f, where, _, r in cells if (f, where) == (family, layout)]
                if row:
                    print(f"{family:24} {layout:18}" + "".join(row))
        print("the slowest beside torch:")
        for family, layout, size, r in sorted(cells, key=lambda cell: cell[3])[:15]:
            print(f"  {r:5.2f}  {family}, {layout}, {size:,}")


if __name__ == "__main__":
    main()
