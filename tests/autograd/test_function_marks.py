"""mark_dirty, mark_non_differentiable and set_materialize_grads of custom Functions."""

import importlib
import warnings

import pytest
from custom_functions import custom, hand_on

from support import both, leaf, refused


def double_inplace(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def doubler(lib):
    return custom(lib, double_inplace, lambda ctx, grad: grad * 2, name="Doubler")


def test_mark_dirty():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        before = y._version
        result = doubler(lib).apply(y)
        assert result is y
        y.sum().backward()
        return x.grad, y, y._version - before, y.grad_fn.name()

    both(program)


def test_mark_dirty_notices_saved_tensors():
    def program(lib):
        y = leaf(lib, 1.0, 2.0) * 3
        z = y.square()
        doubler(lib).apply(y)
        z.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_a_leaf_may_not_be_dirty():
    def program(lib):
        doubler(lib).apply(leaf(lib, 1.0))

    both(program, raises="a leaf Variable that requires grad has been used in an in-place operation")


def test_a_leaf_without_grad_may_be_dirty():
    def program(lib):
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.mul_(y)

        x, y = lib.ones(2), leaf(lib, 2.0, 3.0)
        result = custom(lib, forward, lambda ctx, grad: (None, grad * 5)).apply(x, y)
        assert result is x
        x.sum().backward()
        return x, y.grad

    both(program)


def test_a_dirty_view_writes_its_base():
    def program(lib):
        x = leaf(lib, 1.0, 2.0, 3.0)
        y = x * 1
        view = y[1:]
        result = doubler(lib).apply(view)
        assert result is view
        (y * y).sum().backward()
        return x.grad, y, view, y.grad_fn.name()

    both(program)


def test_a_dirty_view_of_a_leaf():
    both(lambda lib: doubler(lib).apply(leaf(lib, 1.0, 2.0)[0:1]), raises="leaf")


def test_dirty_one_of_several_views():
    both(lambda lib: refused(lambda: doubler(lib).apply((leaf(lib, 1.0, 2.0) * 1).unbind()[0])))


def test_dirty_and_another_output():
    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.add_(1)
            return x, x * 10

        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        a, b = custom(lib, forward, lambda ctx, ga, gb: ga + 10 * gb).apply(y)
        (a * b).sum().backward()
        return a is y, a, b, x.grad

    both(program)


def test_two_dirty_inputs():
    def program(lib):
        def forward(ctx, x, y):
            ctx.mark_dirty(x, y)
            return x.mul_(2), y.mul_(3)

        a, b = leaf(lib, 1.0), leaf(lib, 1.0)
        x, y = a * 1, b * 1
        p, q = custom(lib, forward, lambda ctx, gx, gy: (gx * 2, gy * 3)).apply(x, y)
        (x * y).sum().backward()
        return p is x, q is y, a.grad, b.grad

    both(program)


def test_a_dirty_input_after_another_output():
    """Each output's gradient arrives at its own place."""

    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.add_(1)
            return x * 10, x

        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        a, b = custom(lib, forward, lambda ctx, ga, gb: 10 * ga + gb).apply(y)
        assert b is y
        edge = importlib.import_module(f"{lib.__name__}.autograd.graph").get_gradient_edge(y)
        (a * 3 + b * 5).sum().backward()
        return edge.output_nr, x.grad

    both(program)


def test_a_dirty_view_must_be_the_only_output():
    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2), x * 1

        y = leaf(lib, 1.0, 2.0) * 1
        custom(lib, forward, lambda ctx, ga, gb: ga * 2 + gb).apply(y[0:1])

    both(program, raises="cannot return more than one Tensor")


def test_dirty_inputs_must_be_returned():
    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2) * 1

        custom(lib, forward, hand_on).apply(leaf(lib, 1.0) * 1)

    both(program, raises="marked as dirty during the forward method were not returned as output")


def test_dirty_must_be_an_input():
    def program(lib):
        def forward(ctx, x):
            y = x * 2
            ctx.mark_dirty(y)
            return y

        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, forward, lambda ctx, grad: grad * 2).apply(x)
        y.sum().backward()
        return y, x.grad

    both(program)


@pytest.mark.parametrize("method", ["mark_dirty", "mark_non_differentiable"])
def test_marks_are_for_tensors(method):
    def program(lib):
        def forward(ctx, x):
            getattr(ctx, method)(5)
            return x * 1

        return refused(lambda: custom(lib, forward, hand_on).apply(leaf(lib, 1.0)))

    both(program)


def test_mark_non_differentiable():
    def program(lib):
        def forward(ctx, x):
            order = x > 1
            top = x * 2
            ctx.mark_non_differentiable(top)
            return x * 3, top, order

        def backward(ctx, *grads):
            seen.append([None if grad is None else grad.tolist() for grad in grads])
            return grads[0] * 3

        seen = []
        x = leaf(lib, 2.0, 1.0)
        a, b, c = custom(lib, forward, backward).apply(x)
        a.sum().backward()
        return a, b, c, b.grad_fn is None, b.is_leaf, x.grad, seen

    both(program)


def test_everything_non_differentiable():
    def program(lib):
        def forward(ctx, x):
            y = x * 2
            ctx.mark_non_differentiable(y)
            return y

        y = custom(lib, forward, hand_on).apply(leaf(lib, 1.0))
        return y, y.grad_fn is None

    both(program)


def test_a_non_differentiable_input_handed_back():
    def program(lib):
        def forward(ctx, x):
            ctx.mark_non_differentiable(x)
            return x, x * 2

        x = leaf(lib, 1.0, 2.0)
        a, b = custom(lib, forward, lambda ctx, ga, gb: gb * 2).apply(x)
        b.sum().backward()
        return a is x, a, b, x.requires_grad, x.grad

    both(program)


def test_integer_outputs_have_no_gradient():
    def program(lib):
        x = leaf(lib, 1.5, 2.5)
        whole, rest = custom(lib, lambda ctx, x: (x.long(), x - x.long()), lambda ctx, gw, gr: gr).apply(x)
        rest.sum().backward()
        return whole, rest, x.grad

    both(program)


@pytest.mark.parametrize("materialize", [True, False])
@pytest.mark.parametrize("used", [0, 1])
def test_set_materialize_grads(materialize, used):
    def program(lib):
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x.double().sum() * 3

        def backward(ctx, *grads):
            seen.extend(grads)
            return grads[0]

        seen = []
        x = leaf(lib, 1.0, 2.0)
        custom(lib, forward, backward).apply(x)[used].sum().backward()
        return seen, x.grad

    both(program)


@pytest.mark.parametrize("grad", [True, False], ids=["recorded", "not_recorded"])
def test_the_version_of_what_is_marked_dirty(grad):
    """The mark counts as a write of its own, whether or not the call is recorded."""

    def program(lib):
        x = lib.ones(2, requires_grad=grad) * 1
        before = x._version
        doubler(lib).apply(x)
        return x._version - before, x.detach()

    both(program)


def test_a_retained_gradient_goes_with_the_old_value():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = x * 3
        y.retain_grad()
        y.sum().backward(retain_graph=True)
        before = y.grad.tolist()
        doubler(lib).apply(y)
        between = y.grad
        (y * 5).sum().backward()
        return before, between, y.grad, x.grad

    both(program)


def test_a_tensor_marked_dirty_that_is_no_input_is_warned_of():
    def program(lib):
        def forward(ctx, x):
            y = x * 3
            ctx.mark_dirty(y)
            return y

        function = custom(lib, forward, hand_on)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            y = function.apply(leaf(lib, 1.0) * 1)
            function.apply(lib.ones(1))
        return [str(w.message)[:60] for w in found], y

    both(program)
