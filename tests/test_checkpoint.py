"""utils.checkpoint beside torch's."""

import contextlib
import importlib

import numpy as np
import pytest

from support import both, gradcore

X = np.array([0.5, -1.25, 2.0])


def module(lib):
    return importlib.import_module(f"{lib.__name__}.utils.checkpoint")


def leaf(lib, array=X):
    return lib.from_numpy(array.copy()).requires_grad_()


WAYS = pytest.mark.parametrize("reentrant", [True, False])


FUNCTIONS = {
    "one output": lambda lib, x, w: (x * w).exp(),
    "a tuple": lambda lib, x, w: (x * w, (x + w).sin()),
    "one output without a graph": lambda lib, x, w: (x * w, x.detach() * 2),
    "closure": lambda lib, x, w: x * w * lib.ones(3, requires_grad=True).double(),
}


@WAYS
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name, reentrant):
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        outputs = module(lib).checkpoint(lambda *a: FUNCTIONS[name](lib, *a), x, w, use_reentrant=reentrant)
        loss = sum(out.sum() for out in (outputs if isinstance(outputs, tuple) else (outputs,)))
        loss.backward()
        return outputs, x.grad, w.grad

    both(program, ulps=4)


@WAYS
def test_the_function_runs_once_forward_and_once_backward_under_the_right_modes(reentrant):
    def program(lib):
        modes = []

        def function(x):
            modes.append(lib.is_grad_enabled())
            return x * 2

        x = leaf(lib)
        y = module(lib).checkpoint(function, x, use_reentrant=reentrant)
        before = list(modes)
        y.sum().backward()
        return before, modes

    both(program)


@WAYS
@pytest.mark.parametrize("preserve", [True, False])
def test_random_numbers(preserve, reentrant):
    def program(lib):
        lib.manual_seed(3)
        x = leaf(lib)
        y = module(lib).checkpoint(
            lambda x: x * lib.rand(3, dtype=lib.float64), x, use_reentrant=reentrant, preserve_rng_state=preserve
        )
        lib.rand(1)
        y.sum().backward()
        return y, x.grad, lib.rand(2)

    both(program)


@WAYS
def test_arguments_that_are_not_tensors(reentrant):
    def program(lib):
        x = leaf(lib)
        module(lib).checkpoint(
            lambda x, n, s, none: x * n * len(s), x, 3, "ab", None, use_reentrant=reentrant
        ).sum().backward()
        return x.grad

    both(program)


@WAYS
def test_the_parameters_of_a_closure_get_gradients(reentrant):
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        module(lib).checkpoint(lambda x: x * w, x, use_reentrant=reentrant).sum().backward()
        return x.grad, w.grad

    both(program)


@WAYS
def test_checkpoints_inside_checkpoints(reentrant):
    def program(lib):
        checkpoint = module(lib).checkpoint
        x = leaf(lib)
        checkpoint(
            lambda x: checkpoint(lambda x: x.exp(), x * 2, use_reentrant=reentrant).sin(), x, use_reentrant=reentrant
        ).sum().backward()
        return x.grad

    both(program, ulps=4)


@WAYS
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(segments, reentrant):
    def program(lib):
        calls = []

        def step(i):
            def run(x):
                calls.append(i)
                return (x * 0.9).sin() + 0.1 * i

            return run

        x = leaf(lib)
        y = module(lib).checkpoint_sequential([step(i) for i in range(5)], segments, x, use_reentrant=reentrant)
        y.sum().backward()
        return y, x.grad, calls

    both(program, ulps=8)


@WAYS
def test_inputs_that_change_before_backward_are_noticed(reentrant):
    def program(lib):
        x = leaf(lib) * 1
        y = module(lib).checkpoint(lambda x: x**2, x, use_reentrant=reentrant)
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
    "unknown keyword": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, no=1),
        "Unexpected keyword",
    ),
    "context_fn": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, context_fn=lambda: 1),
        "only supported when use_reentrant=False",
    ),
    "debug": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, debug=True),
        "only supported when use_reentrant=False",
    ),
    "sequential, unknown keyword": (
        lambda lib: module(lib).checkpoint_sequential([lambda x: x], 1, leaf(lib), use_reentrant=True, no=1),
        "Unexpected keyword",
    ),
    "no output has a graph": (detached, "none of output has requires_grad=True"),
    "the function raises": (
        lambda lib: module(lib).checkpoint(lambda x: x.no_such(), leaf(lib), use_reentrant=True),
        "no_such",
    ),
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


# ---- use_reentrant=False ---------------------------------------------------------------------------------------------


def test_grad_keywords_and_second_derivatives():
    def program(lib):
        x = leaf(lib)
        y = module(lib).checkpoint(lambda x, *, n: x**n, x, use_reentrant=False, n=3)
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(first.sum(), x)
        return y, first, second

    both(program, ulps=4)


def test_backward_twice_runs_the_function_twice():
    def program(lib):
        calls = []

        def function(x):
            calls.append(1)
            return x.exp()

        x = leaf(lib)
        y = module(lib).checkpoint(function, x, use_reentrant=False).sum()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad, len(calls)

    both(program, ulps=4)


@pytest.mark.parametrize("options", [{}, {"early_stop": False}], ids=str)
@pytest.mark.parametrize("forced", [None, True, False])
def test_early_stop(options, forced):
    def program(lib):
        ends = []

        def function(x):
            y = x.exp() * x
            ends.append(1)
            return y + 1

        x = leaf(lib)

        def run():
            return module(lib).checkpoint(function, x, use_reentrant=False, **options)

        if forced is None:
            y = run()
        else:
            with module(lib).set_checkpoint_early_stop(forced):
                y = run()
        y.sum().backward()
        return x.grad, len(ends)

    both(program, ulps=4)


def test_contexts_around_both_runs():
    def program(lib):
        entered = []

        @contextlib.contextmanager
        def note(name):
            entered.append(name)
            yield
            entered.append(f"end of {name}")

        x = leaf(lib)
        y = module(lib).checkpoint(
            lambda x: x.exp(), x, use_reentrant=False, context_fn=lambda: (note("first"), note("second"))
        )
        entered.append("between")
        y.sum().backward()
        return entered

    both(program)


def test_without_recording_it_is_a_call():
    def program(lib):
        with lib.no_grad():
            return module(lib).checkpoint(lambda x: x.exp(), leaf(lib), use_reentrant=False)

    both(program, ulps=4)


def changing(lib, first, second, **options):
    """Backward through a checkpoint whose function does something else the second time."""
    runs = iter([first, second])
    x = leaf(lib)
    module(lib).checkpoint(lambda x: next(runs)(x), x, use_reentrant=False, **options).sum().backward()
    return x.grad


DIFFERENT = {
    "fewer": (lambda x: x.exp().exp(), lambda x: x.exp(), "A different number of tensors was saved"),
    "shape": (lambda x: x.exp(), lambda x: x[:2].exp(), "have different metadata"),
    "dtype": (lambda x: x.exp(), lambda x: x.float().exp(), "have different metadata"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_runs_that_differ_are_refused(name):
    first, second, phrase = DIFFERENT[name]
    both(lambda lib: changing(lib, first, second), raises=phrase)


def test_more_tensors_than_the_first_time():
    both(
        lambda lib: changing(lib, lambda x: x.exp(), lambda x: x.exp().exp(), early_stop=False),
        raises="trying to save more tensors",
    )


def test_the_memory_of_the_graph_is_free_in_between():
    x = gradcore.ones(100_000, requires_grad=True)
    before = gradcore.memory_stats()["in_use"]
    y = module(gradcore).checkpoint(lambda x: x.exp().exp().exp().sum(), x, use_reentrant=False)
    assert gradcore.memory_stats()["in_use"] - before < 100_000
    y.backward()
    assert x.grad is not None


REFUSED_TOO = {
    "check": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=False, determinism_check="no"),
        "determinism_check should be one of",
    ),
    "the function raises": (
        lambda lib: module(lib).checkpoint(lambda x: x.no_such(), leaf(lib), use_reentrant=False),
        "no_such",
    ),
}


@pytest.mark.parametrize("name", REFUSED_TOO)
def test_refused_without_reentrance(name):
    program, phrase = REFUSED_TOO[name]
    both(program, raises=phrase)
