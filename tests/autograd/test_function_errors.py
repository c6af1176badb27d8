"""Wrong gradients from a custom Function's backward, and exceptions in its methods."""

import pytest
from custom_functions import custom, hand_on, square, times_two

from support import both, leaf

RESULTS = {
    "none": lambda lib: None,
    "nones": lambda lib: (None, None),
    "too few": lambda lib: (lib.ones(2),),
    "too few, alone": lambda lib: lib.ones(2),
    "more nones": lambda lib: (lib.ones(2), None, None, None),
    "too many": lambda lib: (lib.ones(2), None, lib.ones(2)),
    "for a number": lambda lib: (lib.ones(2), lib.ones(2)),
    "a number": lambda lib: (5.0, None),
    "text": lambda lib: ("text", None),
    "a list": lambda lib: [lib.ones(2), None],
    "shape": lambda lib: (lib.ones(3), None),
    "too few elements": lambda lib: (lib.ones(1), None),
    "0-d": lambda lib: (lib.tensor(1.0), None),
    "expanded shape": lambda lib: (lib.ones(5, 2), None),
    "float64": lambda lib: (lib.ones(2, dtype=lib.float64), None),
    "int64": lambda lib: (lib.ones(2, dtype=lib.int64), None),
    "bool": lambda lib: (lib.ones(2, dtype=lib.bool), None),
    "empty": lambda lib: (lib.ones(0), None),
    "()": lambda lib: (),
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_what_backward_returns_is_checked(result):
    """Accepted or refused as in torch; refused, it changes nothing and the next backward works."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        wrong = custom(lib, lambda ctx, x, n: x * n, lambda ctx, grad: result(lib))
        try:
            wrong.apply(x, 3).sum().backward()
        except Exception as error:  # noqa: BLE001  its type is compared
            found = type(error).__name__
            assert x.grad is None
        else:
            found = x.grad
        x.grad = None
        square(lib).apply(x).sum().backward()
        return found, x.grad

    both(program)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("too few", "returned an incorrect number of gradients (expected 2, got 1)"),
        ("too many", "returned an incorrect number of gradients (expected 2, got 3)"),
        ("for a number", "returned a gradient different than None at position 2"),
        ("a number", "expected Variable or None (got float)"),
        ("shape", "returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]"),
    ],
)
def test_words_for_wrong_gradients(name, phrase):
    def program(lib):
        wrong = custom(lib, lambda ctx, x, n: x * n, lambda ctx, grad: RESULTS[name](lib))
        wrong.apply(leaf(lib, 1.0, 2.0), 3).sum().backward()

    both(program, raises=phrase)


def test_gradients_that_nobody_needs_are_dropped():
    def program(lib):
        x, y = leaf(lib, 1.0, 2.0), lib.ones(2)
        custom(lib, lambda ctx, x, y: x * y, lambda ctx, grad: (grad, grad)).apply(x, y).sum().backward()
        return x.grad, y.grad

    both(program)


@pytest.mark.parametrize("order", ["second", "first"])
def test_a_gradient_that_nobody_needs_has_any_shape(order):
    """torchdyn's adjoint method returns one for its time span. A hook sees it as it is."""

    def program(lib):
        x, y, seen = leaf(lib, 1.0, 2.0), lib.ones(2), []
        inputs = (x, y) if order == "second" else (y, x)

        def backward(ctx, grad):
            needless = lib.ones(7, dtype=lib.float64)
            return (grad, needless) if order == "second" else (needless, grad)

        out = custom(lib, lambda ctx, x, y: x * y, backward).apply(*inputs)
        out.grad_fn.register_hook(lambda into, come: seen.extend(into))
        out.sum().backward()
        return x.grad, y.grad, seen

    both(program)


def test_no_gradient_stops_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        custom(lib, times_two, lambda ctx, grad: None).apply(x * 1).sum().backward()
        return x.grad

    both(program)


class Stop(Exception):
    pass


def test_exception_in_forward():
    def program(lib):
        def forward(ctx, x, fails):
            ctx.save_for_backward(x)
            if fails:
                raise Stop("forward")
            return x * 2

        function = custom(lib, forward, lambda ctx, grad: (grad * 2, None))
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        with pytest.raises(Stop, match="forward"):
            function.apply(y, True)
        assert lib.is_grad_enabled()
        function.apply(y, False).sum().backward()
        return x.grad, y._version

    both(program)


def test_exception_in_setup_context():
    def program(lib):
        def setup_context(ctx, inputs, output):
            raise Stop("setup")

        function = custom(lib, lambda x: x * 2, hand_on, setup_context=setup_context)
        with pytest.raises(Stop, match="setup"):
            function.apply(leaf(lib, 1.0))
        return lib.is_grad_enabled()

    both(program)


@pytest.mark.parametrize("create_graph", [False, True])
def test_exception_in_backward(create_graph):
    def program(lib):
        def backward(ctx, grad):
            if fails:
                raise Stop("backward")
            return grad * 2

        fails = [True]
        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        loss = (custom(lib, times_two, backward).apply(x.exp()) * y).sum()
        with pytest.raises(Stop, match="backward"):
            lib.autograd.grad(loss, x, retain_graph=True, create_graph=create_graph)
        grads = x.grad, y.grad, lib.is_grad_enabled()
        fails.clear()
        loss.backward()
        return grads, x.grad, y.grad

    both(program)


def test_the_exception_of_backward_keeps_its_traceback():
    def program(lib):
        def the_culprit(ctx, grad):
            raise Stop

        with pytest.raises(Stop) as caught:
            custom(lib, times_two, the_culprit).apply(leaf(lib, 1.0)).backward()
        return "the_culprit" in [entry.name for entry in caught.traceback]

    both(program)
