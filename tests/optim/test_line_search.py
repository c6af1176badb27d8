"""The private line search that packages import from torch.optim.lbfgs."""

import importlib
import math
import subprocess
import sys
import textwrap

import pytest

from support import gradcore, needs_torch, torch


def module(lib):
    return importlib.import_module(f"{lib.__name__}.optim.lbfgs")


FUNCTIONS = {
    "quadratic": lambda x: ((x - 3) ** 2).sum(),
    "rosenbrock": lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
    "waves": lambda x: (x.cos() + 0.1 * x**2).sum(),
    "falls for ever": lambda x: (-x).exp().sum(),
}


def search(lib, function, t, **options):
    """Value, gradient, length and count of evaluations, and the points that were looked at."""
    x = lib.tensor([-1.2, 1.0, 0.3], dtype=lib.float64)
    seen = []

    def look(x, t, d):
        seen.append(float(t))
        y = (x + t * d).detach().requires_grad_()
        loss = FUNCTIONS[function](y)
        loss.backward()
        return loss.item(), y.grad

    loss, gradient = look(x, 0, x)
    d = -gradient
    found = module(lib)._strong_wolfe(look, x, t, d, loss, gradient, gradient.dot(d), **options)
    return float(found[0]), found[1].tolist(), float(found[2]), found[3], seen


@needs_torch
@pytest.mark.parametrize("t", [1.0, 1e-3, 50.0])
@pytest.mark.parametrize("options", [{}, {"c2": 0.1}, {"max_ls": 3}, {"tolerance_change": 0.1}])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_strong_wolfe(function, options, t):
    loss, gradient, length, evaluations, seen = search(gradcore, function, t, **options)
    expected = search(torch, function, t, **options)
    assert evaluations == expected[3] == len(seen) - 1
    assert seen == pytest.approx(expected[4])
    assert (loss, length) == pytest.approx((expected[0], expected[2]))
    assert gradient == pytest.approx(expected[1])


def test_an_error_in_the_function_reaches_the_caller():
    g = gradcore.ones(2)

    def look(x, t, d):
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        module(gradcore)._strong_wolfe(look, None, 1.0, -g, 0.0, g, -2.0)


@needs_torch
@pytest.mark.parametrize("bounds", [None, (0.2, 0.4)])
@pytest.mark.parametrize(
    "points", [(0.0, 1.0, -1.0, 1.0, 2.0, 3.0), (1.0, 2.0, 3.0, 0.0, 1.0, -1.0), (0, 0, 1, 1, 0, 1)]
)
def test_cubic_interpolate(points, bounds):
    found = module(gradcore)._cubic_interpolate(*points, bounds)
    expected = module(torch)._cubic_interpolate(*map(torch.tensor, points), bounds)  # it takes the root of a tensor
    assert math.isclose(found, expected, rel_tol=1e-6)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_step_gives_no_warning(search):
    """What it takes of a loss is a number, whose history it has no use for. (The warning comes once in a process.)"""
    program = f"""
        import warnings
        import gradcore
        warnings.simplefilter("error")
        p = gradcore.ones(2, requires_grad=True)
        optimizer = gradcore.optim.LBFGS([p], line_search_fn={search!r})
        def closure():
            optimizer.zero_grad()
            loss = (p**4 - p).sum()
            loss.backward()
            return loss
        print(optimizer.step(closure).requires_grad, gradcore.is_grad_enabled())
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert run.stdout == "True True\n", run.stderr
