"""Special functions in every region of theirs, against mpmath, in both dtypes.

`python benchmarks/special_accuracy.py` measures many more numbers, and torch's error beside ours.
"""

import importlib
import pathlib
import sys
from operator import attrgetter

import pytest

import support

pytest.importorskip("mpmath")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2]))
accuracy = importlib.import_module("benchmarks.special_accuracy")


@pytest.mark.parametrize("function", accuracy.FUNCTIONS, ids=lambda function: function.name)
def test_values_are_mpmaths(function):
    worst = accuracy.worst_errors(function, 24, accuracy.gradcore)
    assert worst["float32"].ulps <= function.float32, worst["float32"]
    assert worst["float64"].ulps <= function.float64, worst["float64"]


@support.needs_torch
def test_the_package_has_the_names_of_torch():
    assert set(support.torch.special.__all__) <= set(dir(accuracy.gradcore.special))


@support.needs_torch
@pytest.mark.parametrize(
    "name", "expit gammaln psi multigammaln gammainc gammaincc log_softmax softmax logsumexp".split()
)
def test_other_names_are_the_same_functions(name):
    more = {"multigammaln": (2,), "log_softmax": (0,), "softmax": (0,), "logsumexp": (0,)}.get(name, ())
    operands = 2 if name.startswith("gammainc") else 1

    def program(lib):
        x = lib.tensor([1.5, 2.5, 4.0])
        return getattr(lib.special, name)(*[x] * operands, *more)

    support.both(program, ulps=64)  # torch's digamma has lost some near its zero


@support.needs_torch
@pytest.mark.parametrize("name", ["igamma", "igammac", "special.zeta"])
def test_the_first_operand_has_no_derivative(name):
    def program(lib):
        x, y = support.leaf(lib, 1.5, 2.0), support.leaf(lib, 0.5, 3.0)
        attrgetter(name)(lib)(x, y).sum().backward()

    support.both(program, raises="is not implemented")


@support.needs_torch
def test_nodes_tell_which_operand_was_a_number():
    def program(lib):
        x = support.leaf(lib, 1.5, 2.0)
        results = [f(x, x) for f in (lib.xlogy, lib.special.zeta, lib.special.xlog1py, lib.copysign)]
        results += [f(x, 2.0) for f in (lib.xlogy, lib.special.zeta, lib.special.xlog1py, lib.copysign)]
        results += [f(2.0, x) for f in (lib.xlogy, lib.special.zeta, lib.special.xlog1py)]
        return [support.node_name(result.grad_fn) for result in results]

    support.both(program)
