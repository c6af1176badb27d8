"""Special functions in every region of theirs, against mpmath, in both dtypes.

`python benchmarks/special_accuracy.py` measures many more numbers, and torch's error beside ours.
"""

import importlib
import pathlib
import sys
from operator import attrgetter

import pytest

import support
from support import gradcore

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


# ---- degrees for which a recurrence would take too long


@pytest.mark.parametrize("x", [-3.0, -1.0, -0.75, -1e-3, 0.0, 0.3, 0.999, 1.0, 1.0 + 1e-9, 2.0])
@pytest.mark.parametrize("half", [2**19 + 1, 2**19 + 2])  # the recurrence is taken for these, not for twice as much
def test_chebyshev_polynomials_of_high_degree(x, half):
    at = gradcore.tensor([x], dtype=gradcore.float64)
    names = ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w")
    t, u, v, w = (getattr(gradcore.special, name) for name in names)

    def alike(found, expected):
        scale = max(1.0, abs(expected.item())) * 1e-8
        assert found.item() == expected.item() or abs(found.item() - expected.item()) < scale, (found, expected)

    alike(t(at, 2 * half), 2 * t(at, half) ** 2 - 1)
    if gradcore.isfinite(t(at, 2 * half)):
        alike(u(at, 2 * half - 1), 2 * u(at, half - 1) * t(at, half))
        alike(v(at, 2 * half), u(at, 2 * half) - u(at, 2 * half - 1))
        alike(w(at, 2 * half), u(at, 2 * half) + u(at, 2 * half - 1))


@pytest.mark.parametrize("name", [name for name in dir(gradcore.special) if "polynomial" in name])
def test_degrees_without_end_are_answered(name):
    for degree in (2.0**62, 1e300, float("inf")):
        found = getattr(gradcore.special, name)(gradcore.tensor([0.0, 0.25, 1.0, 3.0], dtype=gradcore.float64), degree)
        assert found.shape == (4,)


def test_mvlgamma_refuses_too_many_terms():
    with pytest.raises(RuntimeError, match="at most"):
        gradcore.mvlgamma(gradcore.tensor(2.0**62), 2**62)
