"""The programs a newcomer runs first: `python -m gradcore`, each example, and one row of the benchmarks."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def run(*arguments, cwd):
    """What a Python process prints; a failure shows both of its streams."""
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_main_job(tmp_path):
    output = run("-m", "gradcore", cwd=tmp_path)
    assert "tensor([  5.3671, -17.3012], requires_grad=True)" in output
    assert "5000 epochs" in output
    assert "Fahrenheit" in output


@pytest.mark.parametrize(("name", "slope", "intercept"), [
    ("thermometer", 5.3671, -17.3012),
    ("thermometer_sgd", 5.4164, -17.4319),  # on the nine readings that randperm picks
    ("thermometer_adam", 0.5367, -17.3021),
])
def test_thermometer(name, slope, intercept, tmp_path):
    last = run(ROOT / "examples" / f"{name}.py", cwd=tmp_path).splitlines()[-1]
    found = re.fullmatch(r"tensor\(\[ *(\S+), *(\S+)\], requires_grad=True\)", last)
    assert found, last
    assert [float(found[1]), float(found[2])] == pytest.approx([slope, intercept], rel=1e-4)


def test_digits(tmp_path):
    missing = [name for name in ("sklearn", "matplotlib", "tqdm") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install '.[examples]'")
    output = run(ROOT / "examples" / "digits.py", cwd=tmp_path)
    found = re.search(r"accuracy on 360 held-out digits: ([\d.]+)%", output)
    assert found, output
    assert float(found[1]) >= 95
    assert (tmp_path / "digits_loss.png").read_bytes().startswith(PNG_SIGNATURE)


def test_every_example_is_tested():
    tested = {"thermometer", "thermometer_sgd", "thermometer_adam", "digits"}
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == tested


def test_benchmarks_report(tmp_path):
    """One row, for its form: how long it took is nobody's concern here."""
    file = tmp_path / "rows.json"
    output = run("-m", "benchmarks", "--quick", "--filter", "^a . b, 1 element", "--json", file, cwd=ROOT)
    assert "a + b, 1 element, no grad" in output
    for row in json.loads(file.read_text())["rows"]:
        assert "gradcore error" not in row
        assert row["gradcore"] > 0
