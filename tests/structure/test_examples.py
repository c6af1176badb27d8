"""The programs a newcomer runs first: `python -m gradcore`, each example, and one row of the benchmarks."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gradcore
from support import needs_torch

ROOT = Path(__file__).resolve().parents[2]
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def run(*arguments, cwd):
    """What a Python process prints; a failure shows both of its streams."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_main_job(tmp_path):
    output = run("-m", "gradcore", cwd=tmp_path)
    assert "tensor([  5.3671, -17.3012], requires_grad=True)" in output
    assert "5000 epochs" in output
    assert "Fahrenheit" in output


@pytest.mark.parametrize(
    ("name", "slope", "intercept"),
    [
        ("thermometer", 5.3671, -17.3012),
        ("thermometer_sgd", 5.4164, -17.4319),  # on the nine readings that randperm picks
        ("thermometer_adam", 0.5367, -17.3021),
    ],
)
def test_thermometer(name, slope, intercept, tmp_path):
    last = run(ROOT / "examples" / f"{name}.py", cwd=tmp_path).splitlines()[-1]
    found = re.fullmatch(r"tensor\(\[ *(\S+), *(\S+)\], requires_grad=True\)", last)
    assert found, last
    assert [float(found[1]), float(found[2])] == pytest.approx([slope, intercept], rel=1e-4)


def example(name, tmp_path, *arguments, needs=()):
    """What an example prints, where all that it needs is installed; its picture must be one."""
    missing = [module for module in ("sklearn", "matplotlib", "tqdm", *needs) if not importlib.util.find_spec(module)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: see the extras in pyproject.toml")
    output = run(ROOT / "examples" / f"{name}.py", "picture.png", *arguments, cwd=tmp_path)
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG_SIGNATURE)
    return output


def number_after(phrase, output):
    found = re.search(re.escape(phrase) + r" ([\d.]+(?:e-?\d+)?)", output)
    assert found, output
    return float(found[1])


def test_digits(tmp_path):
    assert number_after("accuracy on 360 held-out digits:", example("digits", tmp_path)) >= 95


# The others are cut short; their whole runs do what their first lines say.


def test_digits_conv(tmp_path):
    output = example("digits_conv", tmp_path, "--epochs", 5)
    assert number_after("accuracy on 360 held-out digits:", output) >= 95


def test_characters(tmp_path):
    output = example("characters", tmp_path, "--steps", 60)
    assert number_after("held-out loss:", output) < 3.2  # the frequencies of single characters give 3.3


def test_autoencoder(tmp_path):
    assert (
        number_after("a held-out digit costs", example("autoencoder", tmp_path, "--epochs", 15)) < 26.5
    )  # the mean image: 27.1


def test_sine_waves(tmp_path):
    output = example("sine_waves", tmp_path, "--steps", 3)
    assert number_after("training loss:", output) < 0.1  # saying 0 would cost 0.5


def test_cartpole(tmp_path):
    output = example("cartpole", tmp_path, "--episodes", 150, needs=("gymnasium",))
    assert number_after("mean reward of the last 100 of 150 episodes:", output) > 30  # random pushes give 22


def test_every_example_is_tested():
    tested = {"thermometer", "thermometer_sgd", "thermometer_adam"}
    tested |= {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} <= tested


@pytest.fixture
def make_optimizers(monkeypatch):
    """The script that writes docs/optimizers.md."""
    monkeypatch.syspath_prepend(ROOT)
    spec = importlib.util.spec_from_file_location("make_optimizers", ROOT / "tools" / "make_optimizers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table_rows(page):
    """The cells of each row of optimizers.md, by optimizer."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    return {cells[0]: cells for cells in rows[1:]}


def test_the_page_on_optimizers_says_what_they_do(make_optimizers):
    rows = table_rows((ROOT / "docs" / "optimizers.md").read_text())
    others = {"Optimizer", "SparseAdam", "lr_scheduler", "swa_utils", "swap_in_optimizer_params_and_state"}
    assert set(rows) == set(gradcore.optim.__all__) - others
    least = make_optimizers.least_squares(gradcore)[2]
    for name, cells in rows.items():
        assert cells[1] == f"`{make_optimizers.THERMOMETER_OPTIONS[name]}`"
        params, converged = make_optimizers.train(gradcore, name, make_optimizers.NEAR * least)
        # RMSprop steps to and fro across the minimum; the last bits decide on which side it ends.
        step = 1.1e-2 if name == "RMSprop" else 1e-3
        if float(cells[3]) < 1e-3:  # beyond it rounding decides where the parameters are, and machines may differ
            assert [float(value) for value in cells[2].split(",")] == pytest.approx(params, abs=step), name
        assert (converged is None) == (cells[4][0] == "-"), name


@needs_torch
def test_the_page_on_optimizers_is_what_its_script_writes(make_optimizers, monkeypatch):
    """But for the figures, for which a few epochs would not do."""
    written = (ROOT / "docs" / "optimizers.md").read_text()
    monkeypatch.setattr(make_optimizers, "EPOCHS", 2)
    made = make_optimizers.make_page(rounds=1, turns=1, budget=1e-4)
    assert [cells[:2] for cells in table_rows(made).values()] == [cells[:2] for cells in table_rows(written).values()]
    prose = [
        re.sub(r"\d+ epochs", "N epochs", re.sub(r"of \d+ turns", "of N turns", line))
        for page in (made, written)
        for line in page.splitlines()
        if line.startswith(("- *", "- The", "- S", "  ", "#", "<!"))
    ]
    assert prose[: len(prose) // 2] == prose[len(prose) // 2 :]


def test_benchmarks_report(tmp_path):
    """One row, for its form: how long it took is nobody's concern here."""
    file = tmp_path / "rows.json"
    output = run("-m", "benchmarks", "--quick", "--filter", "^a . b, 1 element", "--json", file, cwd=ROOT)
    assert "a + b, 1 element, no grad" in output
    for row in json.loads(file.read_text())["rows"]:
        assert "gradcore error" not in row
        assert row["gradcore"] > 0
