"""Makes docs/optimizers.md: the tutorial's thermometer with every optimizer. Start at main.

Run: python tools/make_optimizers.py   (gradcore and torch must be importable; about two minutes)
The optimizers' arguments stand in benchmarks/cases.py; times come from the benchmarks' own runner.
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import UNSTEADY, time_cases, versions  # noqa: E402  (found by the line above)
from benchmarks.cases import THERMOMETER_OPTIONS, Case, thermometer_epoch, thermometer_setup  # noqa: E402

EPOCHS = 5000
NEAR = 1.01  # a loss of this many times the least one counts as converged
LIBRARIES = ["gradcore", "torch"]

PAGE = """\
# Optimizers on the thermometer

<!-- Written by tools/make_optimizers.py: change that file, then run it. -->

The program of `examples/thermometer_sgd.py` without its validation set: eleven readings, `t_c = w * (0.1 * t_u) + b`, mean squared
error, `w = 1` and `b = 0` to begin with, float32, {epochs} epochs. Least squares in float64 gives w = {w:.4f}, b = {b:.4f} and
the least possible loss, {least:.4f}.

{table}

- *converged*: the first epoch whose loss is within {percent:.0f}% of the least; beside it, where it is another, torch's.
- *off torch*: the largest difference between the parameters here and torch's after {epochs} epochs. Once an optimizer has arrived its
  gradients are rounding errors. Those that divide by a gradient's size take steps of ordinary length along them, and two correct
  programs part.
- *us per epoch*: medians of {turns} turns, of processes that alternate; the ratio is the median of the ratios of neighbouring turns.
  LBFGS is timed in its first two epochs of at most four iterations each, the others in their first fifty.
- `-`: {never}
- The learning rates are round numbers that suit this problem, not the best ones: the table compares libraries, not optimizers.
- SparseAdam is left out: it takes sparse gradients only, which gradcore does not have.

Timed with {about}. Goal for each ratio: {goal:g}.
{verdict} {steadiness}

Made by `python tools/make_optimizers.py`.
"""
HEADER = """\
| optimizer | arguments | w, b | off torch | converged | us per epoch | torch's | ratio |
|---|---|---|---|---|---|---|---|
"""


def least_squares(torch: Any) -> tuple[float, float, float]:
    """w, b and the mean squared error of the line through the readings, in float64."""
    names: dict[str, Any] = {"torch": torch}
    exec(thermometer_setup("SGD"), names)  # noqa: S102  our own text
    x, y = names["t_u"].double(), names["t_c"].double()
    dx = x - x.mean()
    w = (dx * (y - y.mean())).sum() / (dx * dx).sum()
    b = y.mean() - w * x.mean()
    return w.item(), b.item(), ((w * x + b - y) ** 2).mean().item()


def train(torch: Any, name: str, good_loss: float) -> tuple[list[float], int | None]:
    """The parameters after all epochs, and the epoch in which the loss was good for the first time."""
    names: dict[str, Any] = {"torch": torch}
    exec(thermometer_setup(name), names)  # noqa: S102
    params, optimizer = names["start"]()
    converged = None
    for epoch in range(1, EPOCHS + 1):
        names["epochs"](1, params, optimizer)
        if converged is None:
            with torch.no_grad():
                if names["loss_of"](*params.flatten()).item() <= good_loss:
                    converged = epoch
    return params.flatten().tolist(), converged


def table_row(name: str, results: list[tuple[list[float], int | None]], times: dict[str, Any]) -> str:
    (ours, converged), (theirs, torch_converged) = results
    off = max(abs(a - b) for a, b in zip(ours, theirs))
    when = str(converged or "-")
    if torch_converged != converged:
        when += f" ({torch_converged or '-'})"
    micro = [f"{times[library] * 1e6:.1f}" for library in LIBRARIES]
    return (
        f"| {name} | `{THERMOMETER_OPTIONS[name]}` | {ours[0]:.4f}, {ours[1]:.4f} | {off:.0e} | {when} | "
        f"{micro[0]} | {micro[1]} | {times['ratio']:.1f}x |\n"
    )


def make_page(rounds: int, turns: int, budget: float) -> str:
    cases: list[Case] = [thermometer_epoch(name) for name in THERMOMETER_OPTIONS]
    options = argparse.Namespace(rounds=rounds, turns=turns, budget=budget, threads=2)
    rows = time_cases(cases, LIBRARIES, options)
    for row in rows:
        for library in LIBRARIES:
            if f"{library} error" in row:
                sys.exit(f"{row['name']}: {library}: {row[f'{library} error']}")
    libraries = [importlib.import_module(library) for library in LIBRARIES]
    w, b, least = least_squares(libraries[0])
    table, late = HEADER, []
    for name, times in zip(THERMOMETER_OPTIONS, rows):
        results = [train(library, name, NEAR * least) for library in libraries]
        table += table_row(name, results, times)
        if results[0][1] is None:
            late.append(name)
    goal = cases[0].goal
    missed = [name for name, row in zip(THERMOMETER_OPTIONS, rows) if row["ratio"] < goal]
    unsteady = sum(row["unsteady"] for row in rows)
    never = f"{', '.join(late)} did not come that near in {EPOCHS} epochs." if late else "not in any row."
    return PAGE.format(
        epochs=EPOCHS, w=w, b=b, least=least, table=table.rstrip(), percent=100 * (NEAR - 1), turns=rounds * turns,
        never=never, about=versions(LIBRARIES, options.threads), goal=goal,
        verdict=f"Missed by {', '.join(missed)}." if missed else "All meet it.",
        steadiness=f"Other work shared the machine: in {unsteady} rows turns of one library differ by more than {UNSTEADY:g}x."
        if unsteady else "",
    )  # fmt: skip


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    if missing := [name for name in LIBRARIES if not importlib.util.find_spec(name)]:
        sys.exit(f"cannot compare without {' and '.join(missing)}")
    page = make_page(rounds=3, turns=5, budget=0.03)
    (ROOT / "docs" / "optimizers.md").write_text(page)


if __name__ == "__main__":
    main()
