"""Special functions in every region of theirs, against mpmath: float64 to 16 units in the last place, float32 to one.

`python benchmarks/special_accuracy.py` measures many more numbers, and torch's error beside ours.
"""

import importlib.util
import pathlib

import pytest

pytest.importorskip("mpmath")
path = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "special_accuracy.py"
spec = importlib.util.spec_from_file_location("special_accuracy", path)
accuracy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(accuracy)


@pytest.mark.parametrize("function", accuracy.FUNCTIONS, ids=lambda function: function.name)
def test_values_are_mpmaths(function):
    worst = accuracy.worst_errors(function, 24, accuracy.gradcore)
    assert worst["float32"].ulps <= function.float32, worst["float32"]
    assert worst["float64"].ulps <= function.float64, worst["float64"]
