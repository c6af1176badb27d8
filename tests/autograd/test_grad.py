"""autograd.grad, and derivatives of derivatives."""

import pytest

from support import (
    both,
    gradcore,
    leaf,
)


def test_grad_function():
    def program(lib):
        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        single = lib.autograd.grad((a * b).sum(), a)
        several = lib.autograd.grad([(a * b), a.exp()], (a, b), grad_outputs=[lib.ones(2), lib.tensor([2.0, 3.0])])
        assert isinstance(single, tuple) and a.grad is None and b.grad is None
        return single, several

    both(program)


def test_grad_of_intermediates():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a.exp()
        c = b * b
        return lib.autograd.grad(c.sum(), [b, a, c])

    both(program)


def test_grad_same_input_twice():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        return lib.autograd.grad((a * a).sum(), [a, a])

    both(program)


def test_grad_unused():
    def program(lib):
        a, b = leaf(lib, 1.0), leaf(lib, 2.0)
        kept = lib.autograd.grad(a.sum(), [a, b], allow_unused=True)
        zeros = lib.autograd.grad(a.sum(), [a, b], materialize_grads=True)
        return kept, zeros

    both(program)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (lambda lib, a, b: lib.autograd.grad(a.sum(), [a, b]), "appears to not have been used in the graph"),
        (lambda lib, a, b: lib.autograd.grad(a.sum(), lib.ones(1)), "does not require grad"),
        (lambda lib, a, b: lib.autograd.grad(lib.ones(1), a), "does not require grad"),
        (lambda lib, a, b: lib.autograd.grad(a * b, a, lib.ones(2)), "shape"),
        (lambda lib, a, b: lib.autograd.grad(a.expand(2), a), "grad can be implicitly created only for scalar outputs"),
        (
            lambda lib, a, b: lib.autograd.grad(a.sum(), [a, b], materialize_grads=True, allow_unused=False),
            "materialize_grads",
        ),
    ],
)
def test_grad_refusals(action, phrase):
    both(lambda lib: action(lib, leaf(lib, 1.0), leaf(lib, 2.0)), raises=phrase)


def test_grad_leaves_grad_alone_and_frees():
    def program(lib):
        a = leaf(lib, 1.0)
        loss = a.exp().sum()
        lib.autograd.grad(loss, a)
        lib.autograd.grad(loss, a)

    both(program, raises="backward through the graph a second time")


def test_hessian_of_rosenbrock():
    def program(lib):
        x = lib.tensor([-1.2, 1.0, 0.7, 1.3], dtype=lib.float64, requires_grad=True)
        value = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        (gradient,) = lib.autograd.grad(value, x, create_graph=True)
        rows = [lib.autograd.grad(g, x, retain_graph=True)[0] for g in gradient]
        hessian = lib.stack(rows)
        assert lib.equal(hessian, hessian.t())
        u, v = x.tolist()[:2]
        assert abs(hessian[0, 0].item() - (1200 * u * u - 400 * v + 2)) < 1e-9
        return value, gradient, hessian

    both(program, ulps=16, scale=1000)


def test_triple_derivative():
    def program(lib):
        x = lib.tensor([0.3, 1.7], dtype=lib.float64, requires_grad=True)
        derivative = (x.sin() * x.exp() / x).sum()
        found = []
        for _ in range(4):
            (gradient,) = lib.autograd.grad(derivative, x, create_graph=True)
            found.append(gradient.detach())
            derivative = gradient.sum()
        return found

    both(program, ulps=512, scale=10)


def test_double_backward_through_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = leaf(lib, 0.5, -0.5)
        (x**2 * y).sum().backward(create_graph=True)
        penalty = (x.grad**2).sum()
        x.grad, y.grad = None, None
        penalty.backward()
        return x.grad, y.grad

    both(program)


def deep_chain(lib, depth):
    a = leaf(lib, 1.0)
    y = a
    for _ in range(depth):
        y = y * 1.0
    return a, y


def test_deep_chain_with_create_graph():
    a, y = deep_chain(gradcore, 20_000)
    (gradient,) = gradcore.autograd.grad(y.sum(), a, create_graph=True)
    assert gradient.tolist() == [1.0]


@pytest.mark.parametrize("create", [True, False])
def test_materialized_zeros_require_grad_when_the_graph_is_recorded(create):
    def program(lib):
        x, unused = lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)
        of_x, zeros = lib.autograd.grad((x * x).sum(), [x, unused], create_graph=create, materialize_grads=True)
        return of_x.requires_grad, zeros.requires_grad, zeros.detach()

    both(program)


def test_an_edge_has_no_zeros():
    def program(lib):
        import importlib

        edge_of = importlib.import_module(f"{lib.__name__}.autograd.graph").get_gradient_edge
        x, unused = lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)
        lib.autograd.grad((x * x).sum(), [x, edge_of(unused)], materialize_grads=True)

    both(program, raises="materialize_grads cannot be used when the given input is a GradientEdge")


@pytest.mark.parametrize(
    "source", ["x**0", "x**1", "x**2", "x**3", "x**4", "x.square()", "x.pow(2.0).mean()", "x.clone().pow_(3)", "x**4 - 2 * x**3",
               "lib.float_power(x, 2)", "lib._foreach_pow([x], 2)[0]", "x**2.5", "x**-1"]
)  # fmt: skip
def test_as_many_derivatives_of_powers_as_in_torch(source):
    """One that is 0 is among them; who asks for the one behind it is told that nothing depends on x."""

    def program(lib):
        x = lib.tensor(2.0, requires_grad=True)
        derivative, found = eval(source, {"lib": lib, "x": x}), []
        for _ in range(7):
            try:
                (derivative,) = lib.autograd.grad(derivative, x, create_graph=True)
            except RuntimeError:
                break
            found.append((derivative.detach(), derivative.requires_grad))
        return found

    both(program, ulps=8)
