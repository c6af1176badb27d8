"""autograd.Function: ops whose forward and backward are Python. Each program runs in gradcore and in torch.

`custom` makes a Function of its methods; what each program returns is compared by `both`.
"""

import copy
import gc
import importlib
import pickle
import threading
import warnings
import weakref

import pytest

from support import both, gradcore, leaf


def custom(lib, forward=None, backward=None, *, name="Custom", **methods):
    """A Function class of these methods; those that are None it does not have."""
    methods = {"forward": forward, "backward": backward, **methods}
    members = {key: staticmethod(method) for key, method in methods.items() if method is not None}
    return type(name, (lib.autograd.Function,), members)


def hand_on(ctx, grad):
    return grad


def times_two(ctx, x):
    return x * 2


def square(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad

    return custom(lib, forward, backward, name="Square")


def once(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.function").once_differentiable


def refused(action):
    """The name of the exception's type, for programs that go on."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the name is compared
        action()
    return caught.type.__name__


# ------------------------------------------------------------------------------------------------------------
# forward and backward


def test_forward_and_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x)
        y.sum().backward()
        return y, x.grad, y.is_leaf

    both(program)


def test_forward_is_not_recorded_and_backward_follows_create_graph():
    def program(lib):
        modes = []

        def forward(ctx, x):
            modes.append(lib.is_grad_enabled())
            return x.exp()

        def backward(ctx, grad):
            modes.append(lib.is_grad_enabled())
            return grad

        x = leaf(lib, 1.0)
        y = custom(lib, forward, backward).apply(x)
        y.backward(retain_graph=True)
        lib.autograd.grad(y, x, create_graph=True)
        return modes

    both(program)


def test_several_inputs_and_outputs():
    def program(lib):
        def forward(ctx, x, factor, y):
            ctx.factor = factor
            ctx.save_for_backward(x, y)
            return x * y * factor, x + y

        def backward(ctx, product, total):
            x, y = ctx.saved_tensors
            return product * y * ctx.factor + total, None, product * x * ctx.factor + total

        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        results = custom(lib, forward, backward).apply(x, 3, y)
        assert type(results) is tuple
        (results[0] * results[1]).sum().backward()
        return results, x.grad, y.grad

    both(program)


def test_setup_context():
    def program(lib):
        def forward(x, y):
            return x * y

        def setup_context(ctx, inputs, output):
            assert type(inputs) is tuple
            ctx.save_for_backward(*inputs, output)

        def backward(ctx, grad):
            x, y, output = ctx.saved_tensors
            return grad * y + output, grad * x

        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        custom(lib, forward, backward, setup_context=setup_context).apply(x, y).sum().backward()
        return x.grad, y.grad

    both(program)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f(x),
        lambda f, x: f(x, 5),
        lambda f, x: f(x, scale=5),
        lambda f, x: f(x, 5, 7),
        lambda f, x: f(x, shift=7),
        lambda f, x: f(shift=7, x=x),
        lambda f, x: f(x, shift=7, scale=5),
    ],
)
def test_keywords_and_defaults(call):
    def program(lib):
        seen = []

        def setup_context(ctx, inputs, output):
            seen.append(inputs[1:])
            ctx.scale = inputs[1]

        function = custom(
            lib,
            lambda x, scale=2, shift=3: x * scale + shift,
            lambda ctx, grad: (grad * ctx.scale, None, None),
            setup_context=setup_context,
        )
        x = leaf(lib, 1.0, 2.0)
        y = call(function.apply, x)
        y.sum().backward()
        return seen, y, x.grad

    both(program)


def test_defaults_of_a_forward_with_ctx():
    def program(lib):
        function = custom(lib, lambda ctx, x, scale=2: x * scale, lambda ctx, grad: grad * 2)
        x = leaf(lib, 1.0, 2.0)
        function.apply(x).sum().backward()
        return x.grad

    both(program)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f(),
        lambda f, x: f(x, 1, 2, 3),
        lambda f, x: f(x, unknown=1),
        lambda f, x: f(x, x=x),
    ],
)
def test_wrong_arguments(call):
    def program(lib):
        function = custom(lib, lambda x, scale=2: x * scale, hand_on, setup_context=lambda ctx, inputs, output: None)
        call(function.apply, leaf(lib, 1.0))

    both(program, raises="argument")


def test_keywords_with_a_forward_that_takes_ctx():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, times_two, lambda ctx, grad: grad * 2).apply(x=x)
        y.sum().backward()
        return y, x.grad

    both(program)


@pytest.mark.parametrize(
    ("methods", "phrase"),
    [
        ({}, "must implement the forward"),
        ({"forward": times_two}, "must implement either the backward or vjp"),
        ({"forward": times_two, "backward": hand_on, "vjp": hand_on}, "Implementing both 'backward' and 'vjp'"),
    ],
)
def test_missing_methods(methods, phrase):
    both(lambda lib: custom(lib, **methods).apply(leaf(lib, 1.0)).backward(), raises=phrase)


def test_vjp_is_another_name_of_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        custom(lib, times_two, vjp=lambda ctx, grad: grad * 2).apply(x).sum().backward()
        return x.grad

    both(program)


def test_functions_are_inherited():
    def program(lib):
        class Double(square(lib)):
            @staticmethod
            def backward(ctx, grad):
                return super(Double, Double).backward(ctx, grad) * 100

        x = leaf(lib, 1.0, 2.0)
        y = Double.apply(x)
        y.sum().backward()
        return x.grad, y.grad_fn.name()

    both(program)


def test_functions_call_functions():
    def program(lib):
        inner = square(lib)

        def forward(ctx, x):
            with lib.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = inner.apply(ctx.x)
            return ctx.y.detach()

        def backward(ctx, grad):
            return lib.autograd.grad(ctx.y, ctx.x, grad)

        x = leaf(lib, 1.0, 2.0)
        custom(lib, forward, backward).apply(x * 3).sum().backward()
        return x.grad

    both(program)


def test_outside_of_the_tape():
    def program(lib):
        function, found = square(lib), []
        with lib.no_grad():
            y = function.apply(leaf(lib, 1.0))
            found.append((y.requires_grad, y.grad_fn is None))
        y = function.apply(lib.ones(2))
        return found, y, y.grad_fn is None

    both(program)


def test_gradient_is_summed_over_uses():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        function = custom(lib, lambda ctx, a, b: a * 2 + b * 3, lambda ctx, grad: (grad * 2, grad * 3))
        function.apply(x, x).sum().backward()
        return x.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# The context


def test_needs_input_grad():
    def program(lib):
        seen = []

        def forward(ctx, *inputs):
            seen.append(ctx.needs_input_grad)
            return inputs[0] * inputs[2]

        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            return tuple(grad if needed else None for needed in ctx.needs_input_grad)

        x, y = leaf(lib, 1.0), lib.ones(1)
        function = custom(lib, forward, backward)
        for inputs in [(x, 3, y), (y, "text", x), (x * 1, None, x)]:
            function.apply(*inputs).sum().backward()
        function.apply(y, y, y)
        with lib.no_grad():
            function.apply(x, x, y)
        return [list(flags) for flags in seen], x.grad

    both(program)


def test_needs_input_grad_when_only_some_gradients_are_asked_for():
    def program(lib):
        def backward(ctx, grad):
            seen.append(list(ctx.needs_input_grad))
            return grad, grad * 2

        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        result = custom(lib, lambda ctx, a, b: a + b, backward).apply(x, y)
        return lib.autograd.grad(result, y), seen, list(result.grad_fn.needs_input_grad)

    both(program)


def test_attributes_of_ctx_are_those_of_grad_fn():
    def program(lib):
        def forward(ctx, x):
            ctx.note = "kept"
            ctx.save_for_backward(x)
            return x * 1

        y = custom(lib, forward, hand_on).apply(leaf(lib, 1.0, 2.0))
        y.grad_fn.more = 5
        assert y.grad_fn is y.grad_fn
        return y.grad_fn.note, y.grad_fn.more, y.grad_fn.saved_tensors

    both(program)


@pytest.mark.parametrize("kept", [5, "text", [1.0]])
def test_only_tensors_are_saved(kept):
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x, kept)
            return x * 1

        custom(lib, forward, hand_on).apply(leaf(lib, 1.0))

    both(program, raises="save_for_backward can only save variables, but argument 1 is of type")


def test_kinds_of_saved_tensors():
    """Inputs, outputs, what lies between them, and None; the last call of save_for_backward counts."""

    def program(lib):
        def forward(ctx, x, y):
            between = x.exp()
            output = between * y
            ctx.save_for_backward(y)
            ctx.save_for_backward(x, None, between, output)
            return output

        def backward(ctx, grad):
            x, nothing, between, output = ctx.saved_tensors
            seen.extend([x, nothing, between, output])
            return grad * output, grad * between

        seen = []
        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        custom(lib, forward, backward).apply(x, y).sum().backward()
        return [s if s is None else s.detach() for s in seen], x.grad, y.grad

    both(program)


def test_saved_tensors_are_the_inputs():
    def program(lib):
        x = leaf(lib, 1.0)
        y = square(lib).apply(x)
        z = square(lib).apply(y)
        return y.grad_fn.saved_tensors[0] is x, z.grad_fn.saved_tensors[0].grad_fn is y.grad_fn

    both(program)


@pytest.mark.parametrize("write", [lambda x: x.add_(1), lambda x: x[0:1].mul_(2), lambda x: x.detach().zero_()])
def test_modified_saved_tensors_are_noticed(write):
    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        y = square(lib).apply(x)
        write(x)
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_a_modified_saved_output_is_noticed():
    def program(lib):
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        y = custom(lib, forward, lambda ctx, grad: grad * ctx.saved_tensors[0]).apply(leaf(lib, 1.0, 2.0))
        y.add_(1)
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_saved_tensors_go_with_the_first_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x)
        y.sum().backward(retain_graph=True)
        y.sum().backward()
        again = refused(lambda: y.grad_fn.saved_tensors)
        return x.grad, again, refused(lambda: y.sum().backward())

    both(program)


def test_backward_twice():
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0, 2.0)).sum()
        y.backward()
        y.backward()

    both(program, raises="backward through the graph a second time")


# ------------------------------------------------------------------------------------------------------------
# Non-tensors


def test_inputs_of_any_kind():
    def program(lib):
        def forward(ctx, *inputs):
            seen.append([type(i).__name__ for i in inputs])
            return inputs[1]["x"] + inputs[3]

        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        inputs = ([x], {"x": x}, None, y, 2.5, "text", lib.float64)
        # A tensor inside a container is an object like any other: it gets no gradient.
        custom(lib, forward, lambda ctx, grad: (None, None, None, grad, None, None, None)).apply(*inputs).backward()
        return seen, x.grad, y.grad

    both(program)


def test_outputs_of_any_kind():
    def program(lib):
        def backward(ctx, *grads):
            seen.append([None if grad is None else grad.tolist() for grad in grads])
            return grads[1]

        seen = []
        x = leaf(lib, 1.0, 2.0)
        results = custom(lib, lambda ctx, x: (None, x * 2, "text", 5), backward).apply(x)
        results[1].sum().backward()
        return results, x.grad, [grad for grads in seen for grad in grads[1:2]]

    both(program)


def test_gradients_of_outputs_that_are_no_tensors():
    def program(lib):
        def backward(ctx, *grads):
            seen.append([grad is None for grad in grads])
            return grads[1]

        seen = []
        custom(lib, lambda ctx, x: (None, x * 2, "text"), backward).apply(leaf(lib, 1.0, 2.0))[1].sum().backward()
        return seen

    both(program)


@pytest.mark.parametrize("make", [lambda x: None, lambda x: "text", lambda x: [x * 2]])
def test_a_single_output_that_is_no_tensor(make):
    def program(lib):
        result = custom(lib, lambda ctx, x: make(x), hand_on).apply(leaf(lib, 1.0))
        return type(result).__name__

    both(program)


def test_an_empty_tuple_as_output():
    both(lambda lib: custom(lib, lambda ctx, x: (), hand_on).apply(leaf(lib, 1.0)))


# ------------------------------------------------------------------------------------------------------------
# Marks


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


# ------------------------------------------------------------------------------------------------------------
# Inputs handed back and views


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


# ------------------------------------------------------------------------------------------------------------
# Derivatives of derivatives


def test_double_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(square(lib).apply(x))
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(first.sum(), x, create_graph=True)
        (third,) = lib.autograd.grad(second.sum(), x)
        return first, second, third

    both(program)


def test_double_backward_through_a_saved_output():
    def program(lib):
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, forward, lambda ctx, grad: grad * ctx.saved_tensors[0]).apply(x)
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return first, lib.autograd.grad(first.sum(), x)

    both(program, ulps=2)


def test_backward_of_a_function_in_backward():
    def program(lib):
        cube = custom(
            lib,
            lambda ctx, x: (ctx.save_for_backward(x), x**3)[1],
            lambda ctx, grad: 3 * square(lib).apply(ctx.saved_tensors[0]) * grad,
        )
        x = leaf(lib, 1.0, 2.0)
        (first,) = lib.autograd.grad(cube.apply(x).sum(), x, create_graph=True)
        return first, lib.autograd.grad(first.sum(), x)

    both(program)


def once_square(lib):
    @once(lib)
    def backward(ctx, grad):
        assert not lib.is_grad_enabled()
        (x,) = ctx.saved_tensors
        return 2 * x * grad

    return custom(lib, lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], backward)


def test_once_differentiable():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        once_square(lib).apply(x).sum().backward()
        (first,) = lib.autograd.grad(once_square(lib).apply(x).sum(), x, create_graph=True)
        return x.grad, first

    both(program)


def test_once_differentiable_refuses_the_second_time():
    def program(lib):
        x, weight = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        (first,) = lib.autograd.grad((once_square(lib).apply(x) * weight).sum(), x, create_graph=True)
        first.sum().backward()

    both(program, raises="differentiate twice")


def test_once_differentiable_in_a_larger_derivative():
    """Without the refusal, what comes through the Function would be missing from the second derivative."""

    def program(lib):
        x, weight = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        (first,) = lib.autograd.grad((once_square(lib).apply(x) * weight).sum(), x, create_graph=True)
        (first * x).sum().backward()

    both(program, raises="differentiate twice")


# ------------------------------------------------------------------------------------------------------------
# Wrong gradients and exceptions


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


# ------------------------------------------------------------------------------------------------------------
# grad_fn


def test_names():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x * 1)
        node = y.grad_fn
        edges = [(n.name(), nr) for n, nr in node.next_functions]
        return node.name(), type(node).__name__, repr(y).rpartition("=")[2], edges

    both(program)


def test_edges_leave_out_what_is_no_tensor():
    def program(lib):
        x = leaf(lib, 1.0)
        function = custom(lib, lambda ctx, *a: a[1] * a[3], lambda ctx, grad: (None, grad, None, grad, None))
        y = function.apply(3, x, None, lib.ones(1), "text")
        node = y.grad_fn
        return [(n if n is None else n.name(), nr) for n, nr in node.next_functions]

    both(program)


def test_classes_of_contexts():
    def program(lib):
        node = square(lib).apply(leaf(lib, 1.0)).grad_fn
        module = importlib.import_module(f"{lib.__name__}.autograd.function")
        return (
            isinstance(node, module.BackwardCFunction),
            isinstance(node, module.FunctionCtx),
            isinstance(node, importlib.import_module(f"{lib.__name__}.autograd.graph").Node),
        )

    both(program)


@pytest.mark.parametrize("action", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_contexts_are_not_pickled(action):
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0))
        action(y.grad_fn)

    both(program, raises="cannot pickle 'SquareBackward' object")


# ------------------------------------------------------------------------------------------------------------
# Memory


def kept(keep):
    """A forward that keeps what it is given by `keep(ctx, input, output)`."""

    def forward(ctx, x):
        y = x * 1
        keep(ctx, x, y)
        return y

    return forward


@pytest.mark.parametrize(
    "keep",
    [
        lambda ctx, x, y: ctx.save_for_backward(x),
        lambda ctx, x, y: ctx.save_for_backward(y),
        lambda ctx, x, y: ctx.save_for_backward(x, y, x * 2),
        lambda ctx, x, y: setattr(ctx, "x", x),
    ],
    ids=["input", "output", "all", "attribute"],
)
@pytest.mark.parametrize("run", [False, True], ids=["dropped", "after backward"])
def test_dropped_graphs_are_freed(keep, run):
    """Without the cycle collector."""

    def program(lib):
        gc.disable()
        try:
            x = leaf(lib, 1.0, 2.0)
            y = custom(lib, kept(keep), hand_on).apply(x)
            if run:
                y.sum().backward()
            tensor, node = weakref.ref(y), weakref.ref(y.grad_fn)
            del y
            return tensor() is None, node() is None
        finally:
            gc.enable()

    both(program)


def test_the_context_lives_as_long_as_the_graph():
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0))
        y.grad_fn.note = "kept"
        z = y * 2
        del y
        return z.grad_fn.next_functions[0][0].note

    both(program)


def test_a_context_that_outlives_its_graph_keeps_what_it_had():
    def program(lib):
        x = leaf(lib, 1.5)
        y = square(lib).apply(x)
        node = y.grad_fn
        calls = []
        node.register_hook(lambda returned, incoming: calls.append(len(returned)))
        node.metadata["note"] = 1
        del y
        seen = node.name(), node.metadata, node.saved_tensors[0] is x, node.next_functions[0][0].variable is x
        edge = lib.autograd.graph.GradientEdge(node, 0, None)
        grads = lib.autograd.grad((edge,), x, lib.ones(1))
        with pytest.raises(RuntimeError, match="second time"):
            getattr(node, "saved_tensors")  # noqa: B009  an attribute that raises
        return seen, grads, calls

    both(program)


def test_a_saved_output_gives_the_context_back_to_the_graph():
    def program(lib):
        def forward(ctx, x):
            y = x * 2
            ctx.save_for_backward(y)
            return y

        y = custom(lib, forward, lambda ctx, grad: grad * 3).apply(leaf(lib, 1.0))
        node = y.grad_fn
        del y
        (y,) = node.saved_tensors
        first = y.grad_fn is node
        note = weakref.ref(node)
        del node
        again = y.grad_fn.saved_tensors[0].item(), y.grad_fn is note()
        del y
        return first, again, note() is None

    both(program)


@pytest.mark.parametrize("how", ["alone", "itself", "a hook", "an output"])
def test_a_context_that_outlives_its_graph_is_collected(how):
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0) * 1)
        node, note = y.grad_fn, type("Note", (), {})()
        node.note = note
        if how == "itself":
            node.me = node
        elif how == "a hook":
            node.register_hook(lambda returned, incoming, node=node: None)
        elif how == "an output":
            node.y = y
        del y
        gone = weakref.ref(note)
        del node, note
        gc.collect()
        return gone() is None

    both(program)


@pytest.mark.parametrize(
    "keep",
    [
        lambda ctx, x, y: setattr(ctx, "y", y),
        lambda ctx, x, y: setattr(ctx, "all", [y, {"y": (y,)}]),
        lambda ctx, x, y: setattr(ctx, "self", ctx),
    ],
    ids=["output", "container", "ctx"],
)
def test_cycles_are_collected(keep):
    def program(lib):
        y = custom(lib, kept(keep), hand_on).apply(leaf(lib, 1.0, 2.0))
        node = weakref.ref(y.grad_fn)
        del y
        gc.collect()
        return node() is None

    both(program)


def test_a_cycle_that_is_reachable_stays():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, kept(lambda ctx, x, y: setattr(ctx, "y", y)), lambda ctx, grad: grad * 3).apply(x)
        z = y * 2
        del y
        gc.collect()
        z.sum().backward()
        return x.grad

    both(program)


def test_a_long_chain_is_freed():
    def program(lib):
        function = custom(lib, lambda ctx, x: (ctx.save_for_backward(x), x * 1)[1], hand_on)
        x = leaf(lib, 1.0)
        y = x
        for _ in range(20_000):
            y = function.apply(y)
        y.backward()
        del y
        return x.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Backward inside backward, threads


def test_backward_inside_backward():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        def backward(ctx, grad):
            with lib.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                (square(lib).apply(x)).backward(grad)
            return x.grad

        x = leaf(lib, 1.0, 2.0)
        custom(lib, forward, backward).apply(x.exp()).sum().backward()
        return x.grad

    both(program, ulps=2)


def test_backward_inside_backward_many_deep():
    def program(lib):
        def backward(ctx, grad):
            if ctx.depth == 0:
                return grad, None
            with lib.enable_grad():
                x = lib.ones(2, requires_grad=True)
                function.apply(x, ctx.depth - 1).sum().backward()
            return grad + x.grad, None

        def forward(ctx, x, depth):
            ctx.depth = depth
            return x * 1

        function = custom(lib, forward, backward)
        x = leaf(lib, 1.0, 2.0)
        function.apply(x, 80).sum().backward()
        return x.grad

    both(program)


def test_exception_inside_an_inner_backward():
    def program(lib):
        def fail(ctx, grad):
            raise Stop("inner")

        def backward(ctx, grad):
            with lib.enable_grad():
                custom(lib, times_two, fail).apply(leaf(lib, 1.0)).backward()

        x = leaf(lib, 1.0, 2.0)
        with pytest.raises(Stop, match="inner"):
            custom(lib, times_two, backward).apply(x).sum().backward()
        square(lib).apply(x).sum().backward()
        return x.grad

    both(program)


def run_in_threads(count, work):
    """Raises what a thread raised."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # noqa: BLE001  raised again below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_with_graphs_of_their_own():
    def program(lib):
        function, results = square(lib), [None] * 4

        def work(number):
            x = lib.full((20,), float(number + 1), requires_grad=True)
            for _ in range(30):
                function.apply(function.apply(x * 0.5)).sum().backward()
            results[number] = x.grad

        run_in_threads(4, work)
        return results

    both(program)


def test_threads_share_a_graph():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(square(lib).apply(x)).sum()
        results = [None] * 4

        def work(number):
            for _ in range(20):
                results[number] = lib.autograd.grad(y, x, retain_graph=True)

        run_in_threads(4, work)
        return results

    both(program)


def test_a_graph_dropped_by_another_thread():
    def program(lib):
        held = [square(lib).apply(leaf(lib, 1.0, 2.0))]
        node = weakref.ref(held[0].grad_fn)
        run_in_threads(1, lambda number: held.clear())
        return node() is None

    both(program)


@pytest.mark.parametrize("grad", [True, False], ids=["recorded", "not_recorded"])
def test_the_version_of_what_is_marked_dirty(grad):
    """The mark counts as a write of its own, whether or not the call is recorded."""

    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                return x.mul_(2)

            @staticmethod
            def backward(ctx, g):
                return g * 2

        x = lib.ones(2, requires_grad=grad) * 1
        before = x._version
        Double.apply(x)
        return x._version - before, x.detach()

    both(program)


def test_a_retained_gradient_goes_with_the_old_value():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                return x.mul_(2)

            @staticmethod
            def backward(ctx, g):
                return g * 2

        x = lib.ones(2, requires_grad=True)
        y = x * 3
        y.retain_grad()
        y.sum().backward(retain_graph=True)
        before = y.grad.tolist()
        Double.apply(y)
        between = y.grad
        (y * 5).sum().backward()
        return before, between, y.grad, x.grad

    both(program)


def test_saved_variables_is_the_old_name_of_saved_tensors():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * 2

            @staticmethod
            def backward(ctx, g):
                with pytest.warns(DeprecationWarning, match="'saved_variables' is deprecated; use 'saved_tensors'"):
                    (x,) = ctx.saved_variables
                return g * x

        x = lib.tensor([1.0, 3.0], requires_grad=True)
        Double.apply(x).sum().backward()
        return x.grad

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


@pytest.mark.parametrize("materialize", [True, False])
def test_gradients_of_outputs_that_have_none(materialize):
    def program(lib):
        def forward(ctx, x):
            if not materialize:
                ctx._materialize_non_diff_grads = False
            y = x.clone()
            ctx.mark_non_differentiable(y)
            return x * 2, y, x.long(), x + 1

        seen = []

        def backward(ctx, *grads):
            seen.extend(grads[1:])
            return grads[0]

        custom(lib, forward, backward).apply(leaf(lib, 1.0, 2.0))[0].sum().backward()
        return seen

    both(program)


@pytest.mark.parametrize("integer", [True, False])
def test_jvp_must_give_none_for_what_has_no_tangent(integer):
    def program(lib):
        def forward(ctx, x):
            y = x.long() if integer else x.clone()
            if not integer:
                ctx.mark_non_differentiable(y)
            return x * 2, y

        function = custom(lib, forward, hand_on, jvp=lambda ctx, t: (t * 2, t.clone()))
        with lib.autograd.forward_ad.dual_level():
            function.apply(lib.autograd.forward_ad.make_dual(lib.ones(2), lib.ones(2)))

    both(program, raises="the corresponding forward output is not a differentiable Tensor")


def test_jvp_sees_what_was_saved_for_it_alone():
    def program(lib):
        seen = []

        def forward(ctx, x, y):
            ctx.save_for_backward(x)
            if y is not None:
                ctx.save_for_forward(y)
            return x * 2

        def jvp(ctx, tx, ty):
            seen.append(len(ctx.saved_tensors))
            return tx * 2

        fw = lib.autograd.forward_ad
        function = custom(lib, forward, lambda ctx, g: (g, None), jvp=jvp)
        with fw.dual_level():
            for y in (None, lib.ones(1)):
                out = function.apply(fw.make_dual(leaf(lib, 1.0, 2.0), lib.ones(2)), y)
                seen.append(len(out.grad_fn.saved_tensors))
        return seen

    both(program)


JVPS_OF_A_VIEW = {
    "the same view": lambda t: t.narrow(0, 0, 2),
    "no view": lambda t: t.narrow(0, 0, 2).clone(),
    "a view of something else": lambda t: t.narrow(0, 0, 2).clone().view(2),
}


@pytest.mark.parametrize("of_a_view", [False, True])
@pytest.mark.parametrize("kind", JVPS_OF_A_VIEW)
def test_jvp_of_a_view_is_a_view(kind, of_a_view):
    def program(lib):
        fw = lib.autograd.forward_ad
        function = custom(lib, lambda ctx, x: x.narrow(0, 0, 2), hand_on, jvp=lambda ctx, t: JVPS_OF_A_VIEW[kind](t))
        with fw.dual_level():
            x = fw.make_dual(lib.arange(3.0), lib.arange(3.0) + 1)
            return fw.unpack_dual(function.apply(x.view(3) if of_a_view else x)).tangent.clone()

    of = "the same base as the given grad input" if of_a_view else "the given grad input"
    errors = {
        "no view": "but the jvp is not returning a view",
        "a view of something else": f"not returning a view of {of}",
    }
    both(program, raises=errors.get(kind))


def test_jvp_of_an_input_that_is_handed_back():
    def program(lib):
        fw = lib.autograd.forward_ad
        function = custom(lib, lambda ctx, x, y: (x + y, x), hand_on, jvp=lambda ctx, tx, ty: (tx + ty, tx.view_as(tx)))
        tangent = lib.ones(2) * 3
        with fw.dual_level():
            _, out = function.apply(fw.make_dual(lib.ones(2), tangent), lib.ones(2))
            found = fw.unpack_dual(out).tangent
            return found._base is tangent, found.clone()

    both(program)


@pytest.mark.parametrize("writes", [True, False])
def test_jvp_of_a_write_writes(writes):
    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        fw = lib.autograd.forward_ad
        function = custom(lib, forward, hand_on, jvp=lambda ctx, t: t.mul_(2) if writes else t)
        with fw.dual_level():
            return fw.unpack_dual(function.apply(fw.make_dual(lib.ones(2), lib.ones(2)))).tangent.clone()

    both(program, raises=None if writes else "the jvp function must modify the corresponding gradient inplace")


def test_errors_of_jvp_name_its_line():
    class Wrong(gradcore.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def jvp(ctx, tangent):
            return tangent, tangent

    line = Wrong.jvp.__code__.co_firstlineno
    with gradcore.autograd.forward_ad.dual_level():
        x = gradcore.autograd.forward_ad.make_dual(gradcore.ones(1), gradcore.ones(1))
        with pytest.raises(
            RuntimeError, match=rf"invalid number of forward gradients .*test_custom_function.py:{line}\)"
        ):
            Wrong.apply(x)


@pytest.mark.parametrize("grad_mode", [True, False])
@pytest.mark.parametrize("require", [True, False])
def test_writes_to_views_made_in_functions_are_refused(grad_mode, require):
    def program(lib):
        base = lib.ones(2, 2).requires_grad_(require).clone()
        with lib.set_grad_enabled(grad_mode):
            view = custom(lib, lambda ctx, x: x.view_as(x), hand_on).apply(base)
        view.mul_(lib.ones(1, requires_grad=True))

    both(program, raises="This view was created inside a custom Function")


def test_functions_are_no_objects():
    def program(lib):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            function = square(lib)()
        kinds = [w.category.__name__ for w in found]
        with pytest.raises(RuntimeError, match="Legacy autograd function with non-static forward method is deprecated"):
            function(lib.ones(1))
        return kinds

    both(program)


def test_raw_saved_tensors():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * 2

        y = custom(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(leaf(lib, 1.0, 2.0))
        first, second = y.grad_fn._raw_saved_tensors
        with pytest.raises(RuntimeError, match="None is forbidden"):
            second.register_hooks(lambda t: t, lambda t: t)
        first.register_hooks(lambda t: t * 2, lambda t: t)
        del first, second
        (grad,) = lib.autograd.grad(y.sum(), y.grad_fn.saved_tensors[0], allow_unused=True)
        with pytest.raises(RuntimeError, match="freed"):
            getattr(y.grad_fn, "_raw_saved_tensors")  # noqa: B009
        return grad

    both(program)
