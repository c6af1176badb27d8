"""Special functions in every region of theirs, against mpmath, in both dtypes.

`python benchmarks/special_accuracy.py` measures many more numbers, and torch's error beside ours.
"""

import importlib
import pathlib
import sys

import pytest

pytest.importorskip("mpmath")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2]))
accuracy = importlib.import_module("benchmarks.special_accuracy")


@pytest.mark.parametrize("function", accuracy.FUNCTIONS, ids=lambda function: function.name)
def test_values_are_mpmaths(function):
    worst = accuracy.worst_errors(function, 24, accuracy.gradcore)
    assert worst["float32"].ulps <= function.float32, worst["float32"]
    assert worst["float64"].ulps <= function.float64, worst["float64"]
