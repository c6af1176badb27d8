"""utils.checkpoint beside torch's."""

import importlib

import numpy as np
import pytest
from support import both, gradcore

X = np.array([0.5, -1.25, 2.0])


def module(lib):
    return importlib.import_module(f"{lib.__name__}.utils.checkpoint")


def leaf(lib, array=X):
    return lib.from_numpy(array.copy()).requires_grad_()


FUNCTIONS = {
    "one output": lambda lib, x, w: (x * w).exp(),
    "a tuple": lambda lib, x, w: (x * w, (x + w).sin()),
    "one output without a graph": lambda lib, x, w: (x * w, x.detach() * 2),
    "closure": lambda lib, x, w: x * w * lib.ones(3, requires_grad=True).double(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        outputs = module(lib).checkpoint(lambda *a: FUNCTIONS[name](lib, *a), x, w, use_reentrant=True)
        loss = sum(out.sum() for out in (outputs if isinstance(outputs, tuple) else (outputs,)))
        loss.backward()
        return outputs, x.grad, w.grad

    both(program, ulps=4)


def test_the_function_runs_once_forward_and_once_backward_under_the_right_modes():
    def program(lib):
        modes = []

        def function(x):
            modes.append(lib.is_grad_enabled())
            return x * 2

        x = leaf(lib)
        y = module(lib).checkpoint(function, x, use_reentrant=True)
        before = list(modes)
        y.sum().backward()
        return before, modes

    both(program)


@pytest.mark.parametrize("preserve", [True, False])
def test_random_numbers(preserve):
    def program(lib):
        lib.manual_seed(3)
        x = leaf(lib)
        y = module(lib).checkpoint(lambda x: x * lib.rand(3, dtype=lib.float64), x, use_reentrant=True,
                                   preserve_rng_state=preserve)
        lib.rand(1)
        y.sum().backward()
        return y, x.grad, lib.rand(2)

    both(program)


def test_arguments_that_are_not_tensors():
    def program(lib):
        x = leaf(lib)
        module(lib).checkpoint(lambda x, n, s, none: x * n * len(s), x, 3, "ab", None, use_reentrant=True).sum().backward()
        return x.grad

    both(program)


def test_the_parameters_of_a_closure_get_gradients():
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        module(lib).checkpoint(lambda x: x * w, x, use_reentrant=True).sum().backward()
        return x.grad, w.grad

    both(program)


def test_checkpoints_inside_checkpoints():
    def program(lib):
        checkpoint = module(lib).checkpoint
        x = leaf(lib)
        checkpoint(lambda x: checkpoint(lambda x: x.exp(), x * 2, use_reentrant=True).sin(), x,
                   use_reentrant=True).sum().backward()
        return x.grad

    both(program, ulps=4)


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(segments):
    def program(lib):
        calls = []

        def step(i):
            def run(x):
                calls.append(i)
                return (x * 0.9).sin() + 0.1 * i

            return run

        x = leaf(lib)
        y = module(lib).checkpoint_sequential([step(i) for i in range(5)], segments, x, use_reentrant=True)
        y.sum().backward()
        return y, x.grad, calls

    both(program, ulps=8)


def test_inputs_that_change_before_backward_are_noticed():
    def program(lib):
        x = leaf(lib) * 1
        y = module(lib).checkpoint(lambda x: x**2, x, use_reentrant=True)
        x.add_(1)
        y.sum().backward()

    both(program, raises="has been modified by an inplace operation")


def detached(lib):
    module(lib).checkpoint(lambda x: x.detach(), leaf(lib), use_reentrant=True).sum().backward()


def through_grad(lib):
    x = leaf(lib)
    return lib.autograd.grad(module(lib).checkpoint(lambda x: x * 2, x, use_reentrant=True).sum(), x)


REFUSED = {
    "autograd.grad": (through_grad, "is incompatible with .grad() or passing an `inputs`"),
    "unknown keyword": (lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, no=1), "Unexpected keyword"),
    "context_fn": (lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, context_fn=lambda: 1),
                   "only supported when use_reentrant=False"),
    "debug": (lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, debug=True),
              "only supported when use_reentrant=False"),
    "sequential, unknown keyword": (
        lambda lib: module(lib).checkpoint_sequential([lambda x: x], 1, leaf(lib), use_reentrant=True, no=1), "Unexpected keyword"),
    "no output has a graph": (detached, "none of output has requires_grad=True"),
    "the function raises": (lambda lib: module(lib).checkpoint(lambda x: x.no_such(), leaf(lib), use_reentrant=True), "no_such"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    program, phrase = REFUSED[name]
    both(program, raises=phrase)


def test_warnings():
    checkpoint = module(gradcore).checkpoint
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(lambda x: x * 2, leaf(gradcore))
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(lambda x: x * 2, gradcore.ones(2), use_reentrant=True)
