"""no_grad, enable_grad, set_grad_enabled and inference_mode around code; test_modes.py has them as decorators."""

import copy
import inspect
import pickle
import threading

import pytest

import gradcore
from support import both, leaf, torch


def test_modes_as_contexts():
    def program(lib):
        a = leaf(lib, 1.0)
        found = []
        with lib.no_grad():
            found.append(((a * 2).requires_grad, lib.is_grad_enabled()))
            with lib.enable_grad():
                found.append(((a * 2).requires_grad, lib.is_grad_enabled()))
            with lib.set_grad_enabled(True):
                found.append((a * 2).requires_grad)
            found.append(lib.zeros(1, requires_grad=True).requires_grad)
        with lib.set_grad_enabled(False):
            found.append((a * 2).requires_grad)
        lib.set_grad_enabled(False)
        found.append((a * 2).requires_grad)
        lib.set_grad_enabled(True)
        found.append((a * 2).requires_grad)
        return found

    both(program)


def test_modes_as_decorators():
    def program(lib):
        a = leaf(lib, 1.0)

        @lib.no_grad()
        def plain(x, *, factor):
            """Doc."""
            return x * factor

        @lib.no_grad
        def bare(x):
            return x * 2

        @lib.no_grad()
        @lib.enable_grad()
        def inner(x):
            return x * 2

        @lib.inference_mode()
        def inferred(x):
            return x * 2

        @lib.no_grad()
        def generator(x):
            yield (x * 2).requires_grad
            yield (x * 3).requires_grad

        assert plain.__name__ == "plain" and plain.__doc__ == "Doc."
        results = [
            plain(a, factor=3).requires_grad,
            bare(a).requires_grad,
            inner(a).requires_grad,
            inferred(a).requires_grad,
        ]
        results += [(flag, lib.is_grad_enabled()) for flag in generator(a)]
        return results, lib.is_grad_enabled()

    both(program)


def test_mode_is_restored_after_an_exception():
    def program(lib):
        with pytest.raises(ValueError, match="out"), lib.no_grad():
            raise ValueError("out")

        @lib.no_grad()
        def fail():
            raise KeyError("in")

        with pytest.raises(KeyError):
            fail()
        return lib.is_grad_enabled(), lib.is_inference_mode_enabled()

    both(program)


def test_inference_mode():
    def program(lib):
        a = leaf(lib, 1.0)
        with lib.inference_mode():
            b = a * 2
            c = lib.ones(1)
            inside = [lib.is_inference_mode_enabled(), lib.is_grad_enabled(), b.is_inference(), b.requires_grad]
            with lib.inference_mode(False):
                inside.append((a * 2).requires_grad)
        outside = [t.is_inference() for t in (a, c, c + 1)]
        return inside, outside, lib.is_inference_mode_enabled()

    both(program)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (lambda lib, a, t: (a * t).sum().backward(), "nference tensors"),
        (lambda lib, a, t: t.add_(1), "nference tensor"),
        (lambda lib, a, t: t.requires_grad_(), "nference"),
        (lambda lib, a, t: t._version, "nference tensors do not track version counter"),
    ],
)
def test_inference_tensors_stay_out_of_the_tape(action, phrase):
    def program(lib):
        with lib.inference_mode():
            t = lib.ones(1)
        action(lib, leaf(lib, 2.0), t)

    both(program, raises=phrase)


def test_grad_mode_belongs_to_a_thread():
    def program(lib):
        found = []
        with lib.no_grad():
            thread = threading.Thread(target=lambda: found.append(lib.is_grad_enabled()))
            thread.start()
            thread.join()
            found.append(lib.is_grad_enabled())
        return found

    both(program)


def test_backward_under_no_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        loss = (a * a).sum()
        with lib.no_grad():
            loss.backward()
        return a.grad

    both(program)


@pytest.mark.parametrize(
    "source",
    [
        "type(lib.no_grad(max)).__name__",
        "type(lib.inference_mode(max)).__name__",
        "[issubclass(lib.enable_grad, lib.no_grad), issubclass(lib.no_grad, lib.enable_grad)]",
        "lib.inference_mode(mode=False).mode",
        "lib.set_grad_enabled(mode=True).mode",
        "type(pickle.loads(pickle.dumps(lib.no_grad()))) is lib.no_grad",
        "copy.deepcopy(lib.inference_mode(False)).mode",
        "lib.no_grad().__exit__(None, None, None)",
    ],
)
def test_modes_as_objects(source):
    both(lambda lib: eval(source, {"lib": lib, "pickle": pickle, "copy": copy}))
    gradcore.set_grad_enabled(True)


@pytest.mark.parametrize("call", ["no_grad(1, 2)", "no_grad(x=1)", "set_grad_enabled(1)", "set_grad_enabled()"])
def test_what_modes_refuse(call):
    for lib in filter(None, (gradcore, torch)):
        with pytest.raises(TypeError):
            eval(call, vars(lib))
        assert lib.is_grad_enabled()


def test_one_object_in_itself():
    """Deeper than a stack's first room; torch forgets what was before, which is listed in README."""
    mode = gradcore.no_grad()

    def descend(depth):
        with mode:
            assert not gradcore.is_grad_enabled()
            if depth:
                descend(depth - 1)
            assert not gradcore.is_grad_enabled()

    descend(50)
    assert gradcore.is_grad_enabled()


def test_modes_of_subclasses():
    class quiet(gradcore.no_grad):
        def __enter__(self):
            super().__enter__()
            return "inside"

    with quiet() as found:
        assert found == "inside" and not gradcore.is_grad_enabled()
    assert gradcore.is_grad_enabled()
    assert quiet()(gradcore.is_grad_enabled)() is False


def test_modes_say_their_arguments_and_make_others():
    def program(lib):
        kinds = [lib.no_grad, lib.enable_grad, lib.set_grad_enabled, lib.inference_mode]
        found = [list(inspect.signature(kind).parameters.items()) for kind in kinds]
        found = [[(name, parameter.default is parameter.empty) for name, parameter in each] for each in found]

        class Own(lib.no_grad):
            def __init__(self, depth):
                super().__init__()

        others = [lib.no_grad().clone(), lib.enable_grad().clone(), lib.inference_mode(False).clone()]
        return found, list(inspect.signature(Own).parameters), [type(each).__name__ for each in others], others[2].mode

    both(program)
