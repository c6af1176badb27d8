"""no_grad, enable_grad, set_grad_enabled, inference_mode and set_multithreading_enabled as decorators.

Functions, generators (the mode holds while the generator runs, never while its consumer does), coroutines and
classes. Each program runs in gradcore and in torch.
"""

import functools
import threading
import warnings

import pytest

from support import both, gradcore, libraries

MODES = {
    "no_grad": lambda lib: lib.no_grad(),
    "no_grad_bare": lambda lib: lib.no_grad,
    "enable_grad": lambda lib: lib.enable_grad(),
    "enable_grad_bare": lambda lib: lib.enable_grad,
    "set_grad_enabled": lambda lib: lib.set_grad_enabled(False),
    "inference_mode": lambda lib: lib.inference_mode(),
    "inference_mode_bare": lambda lib: lib.inference_mode,
    "inference_mode_off": lambda lib: lib.inference_mode(False),
    "multithreading": lambda lib: lib.autograd.set_multithreading_enabled(False),
}
parametrized = pytest.mark.parametrize("mode", MODES)
outside = pytest.mark.parametrize("grad", [True, False], ids=["in_grad", "in_no_grad"])


def state(lib):
    return lib.is_grad_enabled(), lib.is_inference_mode_enabled()


def test_set_grad_enabled_says_what_it_set():
    """Notebooks show it behind a cell that ends with the call."""

    def program(lib):
        shown = [repr(lib.set_grad_enabled(mode)) for mode in (False, True)]
        return [text.replace("gradcore", "torch") for text in shown]

    both(program)


@parametrized
@outside
def test_functions(mode, grad):
    def program(lib):
        decorate = MODES[mode](lib)

        @decorate
        def recursive(n, *, tag):
            """What it does."""
            return [tag, state(lib)] if n == 0 else [state(lib), *recursive(n - 1, tag=tag)]

        with lib.set_grad_enabled(grad):
            return recursive(2, tag="end"), state(lib), recursive.__name__, recursive.__doc__

    both(program)


@parametrized
@outside
def test_functions_that_raise(mode, grad):
    def program(lib):
        @MODES[mode](lib)
        def failing():
            raise ValueError("inside")

        with lib.set_grad_enabled(grad):
            with pytest.raises(ValueError, match="inside"):
                failing()
            return state(lib)

    both(program)


@parametrized
def test_methods(mode):
    def program(lib):
        class Model:
            @MODES[mode](lib)
            def method(self):
                return type(self).__name__, state(lib)

            @classmethod
            @MODES[mode](lib)
            def made(cls):
                return cls.__name__, state(lib)

            @staticmethod
            @MODES[mode](lib)
            def static():
                return state(lib)

        return Model().method(), Model.made(), Model.static(), MODES[mode](lib)(Model().method)(), state(lib)

    both(program)


@parametrized
@outside
def test_generators(mode, grad):
    def program(lib):
        seen = []

        @MODES[mode](lib)
        def generator():
            seen.append(("first", state(lib)))
            got = yield 1
            seen.append((got, state(lib)))
            try:
                yield 2
            except KeyError as error:
                seen.append((type(error).__name__, state(lib)))
            yield 3
            seen.append(("last", state(lib)))
            return "returned"

        with lib.set_grad_enabled(grad):
            g = generator()
            seen.append(("made", state(lib)))
            yielded = [next(g)]
            seen.append(("between", state(lib)))
            yielded.append(g.send("sent"))
            yielded.append(g.throw(KeyError("thrown")))
            seen.append(("after throw", state(lib)))
            with pytest.raises(StopIteration) as stop:
                next(g)
            return seen, yielded, stop.value.value, state(lib)

    both(program)


@parametrized
def test_generators_that_are_closed(mode):
    def program(lib):
        seen = []

        @MODES[mode](lib)
        def generator():
            try:
                yield 1
                yield 2
            finally:
                seen.append(state(lib))

        g = generator()
        next(g)
        g.close()
        dropped = generator()
        next(dropped)
        del dropped
        return seen, state(lib)

    both(program)


@parametrized
def test_generators_that_raise(mode):
    def program(lib):
        seen = []

        @MODES[mode](lib)
        def generator():
            yield state(lib)
            raise ValueError("inside")

        g = generator()
        seen.append(next(g))
        with pytest.raises(ValueError, match="inside"):
            next(g)
        unhandled = generator()
        next(unhandled)
        with pytest.raises(KeyError):
            unhandled.throw(KeyError("thrown"))
        return seen, state(lib), list(generator.__name__)

    both(program)


@parametrized
def test_a_generator_that_switches_modes_itself(mode):
    """What it leaves set is gone with its turn, in both libraries."""

    def program(lib):
        seen = []

        @MODES[mode](lib)
        def generator():
            with lib.enable_grad():
                seen.append(state(lib))
            yield 1
            seen.append(state(lib))

        for _ in generator():
            seen.append(state(lib))
        return seen, state(lib)

    both(program)


@parametrized
def test_generators_inside_generators(mode):
    def program(lib):
        @MODES[mode](lib)
        def inner():
            got = yield state(lib)
            yield got, state(lib)

        @lib.enable_grad()
        def outer():
            yield from inner()
            yield state(lib)

        g = outer()
        return next(g), g.send("sent"), next(g), state(lib)

    both(program)


def test_partial_generators():
    def program(lib):
        def generator(n):
            for _ in range(n):
                yield state(lib)

        g = lib.no_grad()(functools.partial(generator, 2))
        return [(inside, state(lib)) for inside in g()]

    both(program)


@parametrized
def test_coroutines(mode):
    """The coroutine is made under the mode and runs outside of it: torch's behaviour."""

    def program(lib):
        @MODES[mode](lib)
        async def coroutine():
            return state(lib)

        running = coroutine()
        with pytest.raises(StopIteration) as stop:
            running.send(None)
        return stop.value.value, state(lib)

    both(program)


@pytest.mark.parametrize(
    "mode", ["no_grad", "no_grad_bare", "enable_grad", "set_grad_enabled", "inference_mode", "multithreading"]
)
def test_classes(mode):
    def program(lib):
        class Model:
            """A model."""

            def __init__(self, size):
                self.made_in = state(lib)
                self.size = size

            def forward(self):
                return state(lib)

        with pytest.warns(
            FutureWarning, match="Decorating classes is deprecated and will be disabled in future versions"
        ):
            decorated = MODES[mode](lib)(Model)
        model = decorated(3)
        return isinstance(decorated, type), type(model) is Model, model.made_in, model.forward(), model.size, state(lib)

    both(program)


def test_one_decorator_for_several_functions():
    def program(lib):
        decorate = lib.set_grad_enabled(False)
        first = decorate(lambda: state(lib))
        after = state(lib)
        second = decorate(lambda: state(lib))
        return after, first(), second(), state(lib)

    both(program)


def test_a_switch_is_entered_inside_itself():
    switch = gradcore.no_grad()
    with switch, switch:
        assert state(gradcore) == (False, False)
    assert state(gradcore) == (True, False)


def test_modes_belong_to_their_thread():
    def program(lib):
        seen = []

        def worker():
            seen.append(state(lib))
            with lib.no_grad():
                entered.set()
                left.wait()
            seen.append(state(lib))

        entered, left = threading.Event(), threading.Event()
        thread = threading.Thread(target=worker)
        with lib.no_grad():
            thread.start()
            entered.wait()
        seen.append(state(lib))
        left.set()
        thread.join()
        return seen

    both(program)


@pytest.mark.parametrize("value", [1, None, "on"])
def test_multithreading_takes_a_bool(value):
    both(lambda lib: lib.autograd.set_multithreading_enabled(value), raises="must be bool")


def test_multithreading_changes_no_gradient():
    def program(lib):
        grads = []
        for mode in (True, False):
            x = lib.arange(6.0).requires_grad_()
            with lib.autograd.set_multithreading_enabled(mode):
                (x * x).sum().backward()
            grads.append(x.grad)
        return grads

    both(program)


@pytest.fixture(autouse=True)
def multithreading_is_on_afterwards():
    yield
    for lib in libraries():
        lib.autograd.set_multithreading_enabled(True)


def test_multithreading_is_remembered():
    def program(lib):
        switch, asked, seen = lib.autograd.set_multithreading_enabled, lib.autograd.is_multithreading_enabled, []
        with switch(False):
            seen.append(asked())
            with switch(True):
                seen.append(asked())
            seen.append(asked())
            switch(True)
            seen.append(asked())
        seen.append(asked())
        off = switch(False)
        seen.append(asked())
        with off:
            seen.append(asked())
        return *seen, asked(), off.mode, off.prev

    both(program)


def test_multithreading_as_a_decorator_acts_at_once():
    def program(lib):
        asked = lib.autograd.is_multithreading_enabled

        @lib.autograd.set_multithreading_enabled(False)
        def function():
            return asked()

        before = asked()
        lib.autograd.set_multithreading_enabled(True)
        return before, function(), asked()

    both(program)


def test_multithreading_is_each_threads_own():
    def program(lib):
        seen = []
        with lib.autograd.set_multithreading_enabled(False):
            thread = threading.Thread(target=lambda: seen.append(lib.autograd.is_multithreading_enabled()))
            thread.start()
            thread.join()
        return seen

    both(program)


def test_module_names():
    def program(lib):
        import importlib

        module = importlib.import_module(f"{lib.__name__}.autograd.grad_mode")
        names = ["no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "set_multithreading_enabled"]
        return [getattr(module, n).__name__ for n in names], module.no_grad is lib.no_grad

    both(program)


def test_no_warning_for_functions():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcore.no_grad()(lambda: state(gradcore))() == (False, False)
