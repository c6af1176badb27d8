"""Custom Functions that hand their input back, or return a view of it or of something else."""

import pytest
from custom_functions import custom, hand_on, square

from support import both, leaf, refused


def test_an_input_handed_back():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, lambda ctx, x: x, lambda ctx, grad: grad * 10, name="Same").apply(x)
        y.sum().backward()
        return y is x, y.data_ptr() == x.data_ptr(), y, y.grad_fn.name(), x.grad, x.is_leaf

    both(program)


def test_an_input_handed_back_twice():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        a, b = custom(lib, lambda ctx, x: (x, x), lambda ctx, ga, gb: ga * 10 + gb).apply(x)
        (a * b).sum().backward()
        return a is b, x.grad

    both(program)


def test_an_input_without_grad_handed_back():
    def program(lib):
        x, y = leaf(lib, 1.0, 2.0), lib.ones(2)
        a, b = custom(lib, lambda ctx, x, y: (x * 1, y), lambda ctx, gx, gy: (gx, gy)).apply(x, y)
        return b is y, a, b, y.requires_grad

    both(program)


def test_an_input_handed_back_outside_of_the_tape():
    def program(lib):
        function, x = custom(lib, lambda ctx, x: x, hand_on), lib.ones(2)
        with lib.no_grad():
            y = leaf(lib, 1.0)
            recorded = function.apply(y)
        return function.apply(x) is x, recorded is y, recorded

    both(program)


def test_writing_an_input_handed_back():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, lambda ctx, x: x, lambda ctx, grad: grad * 10).apply(x * 1)
        return refused(lambda: y.add_(1))

    both(program)


def a_slice(lib):
    def backward(ctx, grad):
        return lib.cat([grad, grad * 2])

    return custom(lib, lambda ctx, x: x[0:1], backward, name="Slice")


def test_a_view_as_output():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        view = a_slice(lib).apply(y)
        view.sum().backward()
        return view, view.data_ptr() == y.data_ptr(), view._is_view(), view.grad_fn.name(), x.grad

    both(program)


@pytest.mark.parametrize(
    "write",
    [
        lambda view: view.add_(1),
        lambda view: view.mul_(2),
        lambda view: view[0:1].zero_(),
        lambda view: view.detach().zero_(),
    ],
)
def test_writing_a_view_that_is_an_output(write):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        view = a_slice(lib).apply(y)
        try:
            write(view)
            (y.sum() + view.sum()).backward()
        except RuntimeError as error:
            return "is a view" in str(error), y.detach(), x.grad
        return x.grad, y, view

    both(program)


def test_writing_the_base_of_a_view_that_is_an_output():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        view = a_slice(lib).apply(y)
        y.mul_(3)
        found = refused_or(lambda: view.grad_fn.name())
        return found, view.tolist()

    both(program)


def refused_or(action):
    """What it returns, or the exception's name."""
    try:
        return action()
    except RuntimeError as error:
        return type(error).__name__


def test_views_among_several_outputs():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        a, b = custom(lib, lambda ctx, x: (x[0:1], x[1:2]), lambda ctx, ga, gb: lib.cat([ga, gb * 5])).apply(y)
        found = refused_or(lambda: a.add_(1).tolist())
        (a + b).sum().backward()
        return found, x.grad

    both(program)


def test_writing_an_output_that_is_no_view():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x)
        y.mul_(3)
        y[0:1].add_(1)
        (y * y).sum().backward()
        return x.grad, y

    both(program)


def test_detached_outputs_are_recorded():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, lambda ctx, x: x.detach(), lambda ctx, grad: grad * 10).apply(x)
        y.sum().backward()
        return y, x.grad

    both(program)


def test_a_tensor_from_elsewhere_as_output():
    def program(lib):
        other = lib.ones(2)
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, lambda ctx, x: other, lambda ctx, grad: grad * 10).apply(x)
        y.sum().backward()
        return y is other, y, x.grad

    both(program)


@pytest.mark.parametrize("grad_mode", [True, False])
@pytest.mark.parametrize("require", [True, False])
def test_writes_to_views_made_in_functions_are_refused(grad_mode, require):
    def program(lib):
        base = lib.ones(2, 2).requires_grad_(require).clone()
        with lib.set_grad_enabled(grad_mode):
            view = custom(lib, lambda ctx, x: x.view_as(x), hand_on).apply(base)
        view.mul_(lib.ones(1, requires_grad=True))

    both(program, raises="This view was created inside a custom Function")
