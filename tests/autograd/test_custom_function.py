"""autograd.Function: ops whose forward and backward are Python. Each program runs in gradcore and in torch.

`custom` makes a Function of its methods. Other files have the context, the marks, views, errors, threads and jvp.
"""

import warnings

import pytest
from custom_functions import custom, hand_on, once, square, times_two

from support import both, leaf


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
