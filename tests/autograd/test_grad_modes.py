"""no_grad, enable_grad, set_grad_enabled and inference_mode around code; test_modes.py has them as decorators."""

import threading

import pytest

from support import (
    both,
    leaf,
)


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
