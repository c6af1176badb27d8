"""backward: leaves and results, what it accumulates, keeps, frees and refuses.

Each program runs in gradcore and in torch through `both`; random programs of the same kind are in random_programs/.
"""

import copy
import warnings

import pytest

from support import (
    both,
    gradcore,
    leaf,
    node_name,
)


def test_leaves_and_results():
    def program(lib):
        a, b = leaf(lib, 1.0, 2.0), lib.ones(2)
        c = a * b
        d = c.detach()
        assert a.is_leaf and b.is_leaf and not c.is_leaf and d.is_leaf
        assert a.grad is None and c.requires_grad and not d.requires_grad
        assert a.grad_fn is None and d.grad_fn is None and c.grad_fn is not None
        return [(t.requires_grad, t.is_leaf, node_name(t.grad_fn)) for t in (a, b, c, d, (a > 1), c.sum())]

    both(program)


def test_requires_grad_():
    def program(lib):
        a = lib.ones(2)
        assert a.requires_grad_() is a and a.requires_grad
        a.requires_grad_(False)
        a.requires_grad = True
        return a, lib.ones(2).requires_grad_(False), lib.zeros(2, requires_grad=True)

    both(program)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (lambda lib: lib.tensor([1, 2]).requires_grad_(), "floating point"),
        (lambda lib: lib.tensor([True], requires_grad=True), "floating point"),
        (lambda lib: setattr(leaf(lib, 1.0) * 2, "requires_grad", False), "leaf"),
        (lambda lib: (leaf(lib, 1.0) * 2).numpy(), "detach().numpy()"),
        (lambda lib: leaf(lib, 1.0).numpy(), "detach().numpy()"),
        (lambda lib: copy.deepcopy(leaf(lib, 1.0) * 2), "deepcopy protocol"),
    ],
)
def test_requires_grad_refusals(action, phrase):
    both(action, raises=phrase)


def test_grad_can_be_assigned():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        a.grad = lib.tensor([3.0, 4.0])
        (a * 2).sum().backward()
        kept = a.grad
        a.grad = None
        assert a.grad is None
        (a * 2).sum().backward()
        assert a.grad is a.grad
        return kept, a.grad

    both(program)


@pytest.mark.parametrize(
    "value",
    [
        lambda lib: lib.ones(3),
        lambda lib: lib.ones(2, dtype=lib.float64),
        lambda lib: lib.ones(2, dtype=lib.int64),
        lambda lib: 1.0,
        lambda lib: [1.0, 2.0],
    ],
)
def test_grad_refuses(value):
    both(lambda lib: setattr(leaf(lib, 1.0, 2.0), "grad", value(lib)), raises="")


def test_backward_accumulates():
    def program(lib):
        w = leaf(lib, 1.0, 2.0)
        (w * w).sum().backward()
        first = w.grad
        (w * 3).sum().backward()
        assert w.grad is first, "accumulates in place"
        w.grad.zero_()
        (w * w).sum().backward()
        return w.grad

    both(program)


def test_accumulates_out_of_place_under_create_graph():
    def program(lib):
        w = leaf(lib, 1.0, 2.0)
        (w**3).sum().backward(create_graph=True)
        first = w.grad
        (w**3).sum().backward(create_graph=True)
        return w.grad, w.grad is first, node_name(w.grad.grad_fn), first

    both(program)


def test_gradients_are_not_shared_between_leaves():
    def program(lib):
        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        (a + b).backward(lib.ones(2))
        a.grad.mul_(10)
        seed = lib.ones(2)
        c = leaf(lib, 1.0, 2.0)
        (c * 1.0).backward(seed)
        (c + 0).backward(seed)
        return a.grad, b.grad, c.grad, seed

    both(program)


def test_backward_gradient_argument():
    def program(lib):
        w = lib.ones(2, 3, requires_grad=True)
        (w * 2).backward(lib.arange(6.0).reshape(2, 3))
        (w * 2).backward(gradient=lib.arange(6.0).reshape(3, 2).t())
        w.sum().backward(lib.tensor(5.0))
        return w.grad

    both(program)


def test_retain_graph():
    def program(lib):
        w = leaf(lib, 1.0, 2.0)
        loss = (w.exp() * w).sum()
        loss.backward(retain_graph=True)
        loss.backward(retain_graph=True)
        loss.backward()
        return w.grad

    both(program)


def test_second_backward_without_saved_tensors_is_fine():
    def program(lib):
        w = leaf(lib, 1.0, 2.0)
        loss = (w + 1).sum()
        loss.backward()
        loss.backward()
        return w.grad

    both(program)


def test_backward_inputs():
    def program(lib):
        a, b = leaf(lib, 1.0), leaf(lib, 2.0)
        c = a * b
        (c * b).sum().backward(inputs=[a], retain_graph=True)
        only_a = (a.grad.clone(), b.grad)
        d = c * 2
        d.sum().backward(inputs=b)
        return only_a, a.grad, b.grad

    both(program)


def test_backward_to_an_intermediate_input():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        (b * b).sum().backward(inputs=[b])
        return a.grad, b.grad

    both(program)


def test_autograd_backward_function():
    def program(lib):
        a, b = leaf(lib, 1.0), leaf(lib, 2.0)
        lib.autograd.backward([a * b, a * 3], [lib.ones(1), lib.tensor([2.0])])
        lib.autograd.backward((a * b).sum())
        return a.grad, b.grad

    both(program)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (lambda lib: (leaf(lib, 1.0, 2.0) * 2).backward(), "grad can be implicitly created only for scalar outputs"),
        (lambda lib: lib.ones(1).backward(), "does not require grad and does not have a grad_fn"),
        (
            lambda lib: lib.ones(2).sum().backward(),
            "element 0 of tensors does not require grad and does not have a grad_fn",
        ),
        (lambda lib: (leaf(lib, 1.0) * 2).backward(lib.ones(3)), "shape"),
        (lambda lib: (leaf(lib, 1.0) * 2).backward("x"), ""),
        (lambda lib: leaf(lib, 1.0).sum().backward(inputs=[]), "empty"),
        (lambda lib: leaf(lib, 1.0).sum().backward(inputs=[3]), "all inputs have to be Tensors or GradientEdges"),
        (lambda lib: lib.tensor(1).backward(), "does not require grad"),
    ],
)
def test_backward_refusals(action, phrase):
    both(action, raises=phrase)


def test_second_backward_is_refused():
    def program(lib):
        loss = (leaf(lib, 1.0).exp() * 2).sum()
        loss.backward()
        loss.backward()

    both(program, raises="backward through the graph a second time")


def test_second_backward_through_a_shared_part_is_refused():
    def program(lib):
        shared = leaf(lib, 1.0).exp()
        (shared * 2).sum().backward()
        (shared * 3).sum().backward()

    both(program, raises="backward through the graph a second time")


@pytest.mark.parametrize("wanted", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("by_columns", [(True, False), (False, True), (True, True)])
def test_gradients_of_products_lie_in_memory_as_the_operands_do(wanted, by_columns):
    def program(lib):
        a, b = (lib.ones(4, 3), lib.ones(3, 5))
        a, b = (t.t().contiguous().t() if columns else t for t, columns in zip((a, b), by_columns))
        inputs = [t.requires_grad_() for t, on in zip((a, b), wanted) if on]
        grad = lib.arange(20.0).reshape(4, 5)
        return [lib.autograd.grad(y, inputs, grad) for y in (a @ b, lib.addmm(lib.ones(5), a, b))]

    both(program)


@pytest.mark.parametrize("use", ["sigmoid", "exp", "square", "halved"])
def test_a_node_that_no_gradient_leaves_is_used_up_all_the_same(use):
    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        with lib.no_grad():
            view = x.view(2)  # requires grad as its base does, and leads nowhere
        y = (view / 2).sum() if use == "halved" else getattr(view, use)().sum()
        y.backward()
        y.backward()

    both(program, raises="second time")


def test_wide_fan():
    a = leaf(gradcore, 2.0)
    total = sum(a * i for i in range(5000))
    total.backward()
    assert a.grad.tolist() == [5000 * 4999 / 2]


def test_thermometer():
    """The program of the README, against the published answer."""

    def program(lib):
        t_c = lib.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
        t_u = lib.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]) * 0.1
        params = lib.tensor([1.0, 0.0], requires_grad=True)
        for _ in range(500):
            if params.grad is not None:
                params.grad.zero_()
            w, b = params
            loss = ((w * t_u + b - t_c) ** 2).mean()
            loss.backward()
            params = (params - 1e-2 * params.grad).detach().requires_grad_()
        return params, loss

    both(program, ulps=512)


def test_recurrent_network():
    def program(lib):
        lib.manual_seed(3)
        w, u, h0 = (lib.rand(4, 4, dtype=lib.float64, requires_grad=True) for _ in range(3))
        h = h0
        for _ in range(10):
            h = lib.tanh(h @ w + u)
        loss = -(h.softmax(-1)[:, 0] + 1e-3).log().mean()
        loss.backward()
        return loss, w.grad, u.grad, h0.grad

    both(program, ulps=256, scale=1)


def test_a_frozen_leaf_gets_no_gradient():
    def program(lib):
        w = lib.ones(2, requires_grad=True)
        y = (w * 3).sum()
        w.requires_grad_(False)
        y.backward()
        assert w.grad is None

    both(program)


def test_a_view_made_outside_of_the_graph_gets_no_gradient():
    def program(lib):
        x = lib.ones(2, requires_grad=True) * 2
        with lib.no_grad():
            v = x[0]
        assert v.requires_grad and v.grad_fn is None
        (v * 3).backward()
        assert v.grad is None

    both(program)


def test_backward_into_a_computed_tensor_uses_its_node_up():
    def program(lib):
        a = lib.ones(2, requires_grad=True)
        b = a * a
        (b * 2).sum().backward(inputs=[b])
        assert b.grad.tolist() == [2.0, 2.0] and a.grad is None
        with pytest.raises(RuntimeError, match="second time"):
            b.sum().backward()

    both(program)


def test_a_refused_backward_retains_nothing():
    def program(lib):
        b = lib.ones(2, requires_grad=True) * 2
        with pytest.raises(RuntimeError, match="does not require grad"):
            lib.ones(1).sum().backward(inputs=[b])
        assert not b.retains_grad

    both(program)


def test_a_write_through_a_view_is_used_up_by_backward():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = lib.zeros(2, 2)
        y[0] = x.sum()
        y.sum().backward()
        y.sum().backward()

    both(program, raises="second time")


def warnings_of(action):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    return [(w.category.__name__, str(w.message)[:70]) for w in found]


def test_the_gradient_of_a_result_is_warned_of():
    def program(lib):
        x = leaf(lib, 1.0)
        y, kept = x * 2, x * 3
        kept.retain_grad()
        (y + kept).backward()
        return [warnings_of(lambda t=t: t.grad) for t in (x, y, kept, y.detach())]

    both(program)


def nodes_before_the_sum(lib):
    """A node that saved many elements, got at from behind it."""
    x = lib.ones(1000, requires_grad=True)
    return x, x.exp().sum().grad_fn.next_functions[0][0]


@pytest.mark.parametrize("shape", [(2,), (), (1007,), (10, 100)])
def test_gradients_given_to_inner_nodes_must_fit(shape):
    def program(lib):
        x, node = nodes_before_the_sum(lib)
        lib.autograd.grad(lib.autograd.graph.GradientEdge(node, 0, None), x, lib.ones(shape))

    both(program, raises="Mismatch in shape")


def test_called_nodes_check_their_gradients():
    x, node = nodes_before_the_sum(gradcore)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        node(gradcore.ones(2))
    assert node(gradcore.ones(1000).double()).dtype == gradcore.float32


@pytest.mark.parametrize("size", [2, 1007])
def test_a_result_with_other_data_gets_no_gradient_of_another_shape(size):
    def program(lib):
        x = lib.ones(1000, requires_grad=True)
        y = x.exp()
        y.data = lib.ones(size)
        (y * 2).sum().backward()

    both(program, raises="returned an invalid gradient at index 0")


def test_a_gradient_has_the_leafs_dtype_under_autocast():
    """Backward's own products are cast there, too."""

    def program(lib):
        x = lib.eye(3).add(0.1).requires_grad_()
        y = (x @ x).sum()
        with lib.autocast("cpu", dtype=lib.float16):
            y.backward(retain_graph=True)
            (found,) = lib.autograd.grad(y, x)
        return x.grad, found

    both(program)
