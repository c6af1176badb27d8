"""Anomaly mode: which backward failed, and where its operation was recorded. Each program runs in gradcore and in torch."""

import gc
import importlib
import traceback
import warnings
import weakref

import pytest

from support import both, gradcore


def anomaly_of(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.anomaly_mode")


@pytest.fixture(autouse=True)
def quiet():
    """The announcement of the mode is tested once; and no test leaves the mode on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Anomaly Detection has been enabled")
        yield
    gradcore.set_anomaly_enabled(False)


def warned(action):
    """The warnings of an action that raises, and what it raised."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "Anomaly Detection has been enabled")
        with pytest.raises(Exception) as caught:  # noqa: PT011  both are compared
            action()
    return [str(w.message) for w in seen], caught.value


def flags(lib):
    return lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()


def record_nan_source(x):
    return (x * 0).sqrt()  # this line must be shown


def failing(lib):
    def double(lib, broken):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                if broken:
                    raise ValueError("broken backward")
                return Double.apply(g)

        return Double

    return double(lib, True)


def test_nan_is_refused_with_the_function_and_the_output():
    def program(lib):
        x = lib.zeros(2, requires_grad=True)
        with lib.autograd.detect_anomaly():
            (x * 0).sqrt().sum().backward()

    both(program, raises="Function 'MulBackward0' returned nan values in its 0th output.")


def test_nan_in_the_second_output():
    def program(lib):
        x, y = (lib.ones(2, requires_grad=True) for _ in "xy")
        with lib.autograd.detect_anomaly():
            lib.mul(x * float("nan"), y).sum().backward()

    both(program, raises="returned nan values in its 1th output.")


def test_what_is_not_refused():
    def program(lib):
        x = lib.zeros(2, requires_grad=True)
        with lib.autograd.detect_anomaly(check_nan=False):
            (x * 0).sqrt().sum().backward()
        y = lib.ones(2, requires_grad=True)
        with lib.autograd.detect_anomaly():
            (y * float("inf")).sum().backward()
        z = lib.zeros(2, requires_grad=True)
        (z * 0).sqrt().sum().backward()
        return x.grad, y.grad, z.grad

    both(program)


def test_the_forward_line_is_shown():
    def program(lib):
        x = lib.zeros(2, requires_grad=True)

        def run():
            with lib.autograd.detect_anomaly():
                record_nan_source(x).sum().backward()

        texts, error = warned(run)
        return len(texts), [
            "Error detected in MulBackward0. Traceback of forward call that caused the error:" in texts[0],
            "record_nan_source" in texts[0],
            "this line must be shown" in texts[0],
            type(error).__name__,
        ]

    both(program)


def test_the_line_is_known_without_the_mode_in_forward():
    x = gradcore.zeros(2, requires_grad=True)
    y = record_nan_source(x).sum()

    def run():
        with gradcore.autograd.detect_anomaly():
            y.backward()

    texts, error = warned(run)
    assert len(texts) == 1
    assert "Error detected in MulBackward0. No forward pass information available." in texts[0]
    line = record_nan_source.__code__.co_firstlineno + 1
    assert f"test_anomaly.py:{line}, in record_nan_source" in texts[0]
    assert "nan values" in str(error)


def test_an_exception_is_explained_once_and_passed_on():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        function = failing(lib)

        def run():
            with lib.autograd.detect_anomaly():
                (function.apply(x) * 2).sum().backward()

        texts, error = warned(run)
        return len(texts), "Error detected in DoubleBackward" in texts[0], str(error), type(error).__name__, flags(lib)

    both(program)


def test_an_exception_in_a_leaf_hook_is_explained_by_its_accumulator():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        x.register_hook(lambda g: 1 / 0)

        def run():
            with lib.autograd.detect_anomaly():
                (x * 2).sum().backward()

        texts, error = warned(run)
        return len(texts), "AccumulateGrad" in texts[0], type(error).__name__

    both(program)


def test_the_node_that_induced_the_failing_one():
    def program(lib):
        class Outer(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return (g * 0).sqrt()

        x = lib.ones(2, requires_grad=True)

        def run():
            with lib.autograd.detect_anomaly():
                w = lib.ones(2, requires_grad=True)
                (g,) = lib.autograd.grad((Outer.apply(x) * w).sum(), x, create_graph=True)
                g.sum().backward()

        texts, error = warned(run)
        return (
            len(texts),
            ["Previous calculation was induced by OuterBackward" in t for t in texts],
            ["Error detected in" in t for t in texts],
            type(error).__name__,
        )

    both(program)


def test_metadata_of_the_mode():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        with lib.autograd.detect_anomaly():
            y = (x**3).sum()
            (g,) = lib.autograd.grad(y, x, create_graph=True)
        trace = y.grad_fn.metadata["traceback_"]
        parent = g.grad_fn.metadata["parent_"]
        return (
            sorted(y.grad_fn.metadata),
            sorted(g.grad_fn.metadata),
            type(trace).__name__,
            "metadata_of_the_mode" in trace[-1],
            parent.name(),
            (x * 2).grad_fn.metadata,
        )

    both(program)


def test_switches():
    def program(lib):
        seen = [flags(lib)]
        with lib.autograd.detect_anomaly():
            seen.append(flags(lib))
            with lib.autograd.detect_anomaly(check_nan=False):
                seen.append(flags(lib))
                with lib.autograd.set_detect_anomaly(False):
                    seen.append(flags(lib))
                seen.append(flags(lib))
            seen.append(flags(lib))
        switch = lib.autograd.set_detect_anomaly(True, check_nan=False)
        seen.append(flags(lib))
        with switch:
            seen.append(flags(lib))
        seen.append(flags(lib))
        lib.set_anomaly_enabled(True, False)
        seen.append(flags(lib))
        lib.set_anomaly_enabled(False)
        return [*seen, flags(lib)]

    both(program)


def test_the_module_and_the_announcement():
    def program(lib):
        module = anomaly_of(lib)
        with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
            switch = module.detect_anomaly()
        return (
            module.detect_anomaly is lib.autograd.detect_anomaly,
            module.set_detect_anomaly is lib.autograd.set_detect_anomaly,
            flags(lib),
            type(switch).__name__,
        )

    both(program)


@pytest.mark.parametrize("arguments", [("yes",), (1,), (True, 2)])
def test_what_is_no_bool(arguments):
    both(lambda lib: lib.autograd.set_detect_anomaly(*arguments), raises="must be bool")
    assert not gradcore.is_anomaly_enabled()


def test_as_decorator():
    """gradcore's own: torch's detect_anomaly is a context manager alone."""

    @gradcore.autograd.detect_anomaly(check_nan=False)
    def decorated():
        return flags(gradcore)

    @gradcore.autograd.set_detect_anomaly(True)
    def also_decorated():
        return flags(gradcore)

    assert flags(gradcore) == (False, True)
    assert decorated() == (True, False)
    assert also_decorated() == (True, True)
    assert flags(gradcore) == (False, True)


def test_a_graph_can_be_used_after_a_refused_nan():
    def program(lib):
        x = lib.zeros(2, requires_grad=True)
        y = (x * 0).sqrt().sum()
        texts, _ = warned(lambda: in_mode(lib, lambda: y.backward(retain_graph=True)))
        first = x.grad
        y.backward()
        return len(texts), first, x.grad

    both(program)


def in_mode(lib, action):
    with lib.autograd.detect_anomaly():
        action()


def test_warnings_that_are_errors_are_printed_beside_the_first_error(capsys):
    def program(lib):
        x = lib.zeros(2, requires_grad=True)
        y = record_nan_source(x).sum()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "Anomaly Detection has been enabled")
            in_mode(lib, y.backward)

    both(program, raises="returned nan values in its 0th output")
    assert "Error detected in MulBackward0" in capsys.readouterr().err


def test_a_stack_that_cannot_be_taken(monkeypatch):
    def broken():
        raise MemoryError("no stack")

    monkeypatch.setattr(traceback, "format_stack", broken)
    x = gradcore.ones(2, requires_grad=True)
    with pytest.raises(MemoryError, match="no stack"):
        in_mode(gradcore, lambda: x * 2)
    assert (x * 2).requires_grad


def test_nothing_is_kept_alive():
    class Kept:
        pass

    kept = Kept()
    alive = weakref.ref(kept)
    with gradcore.autograd.detect_anomaly():
        x = gradcore.ones(2, requires_grad=True)
        x.register_hook(lambda g, kept=kept: None)
        (g,) = gradcore.autograd.grad((x**3).sum(), x, create_graph=True)
        g.sum().backward()
    del x, g, kept
    gc.collect()
    assert alive() is None
