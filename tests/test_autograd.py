"""The tape: what requires grad, backward, hooks, modes, in-place writes, views, memory and threads.

Each program runs in gradcore and in torch through `both`; random programs of the same kind are in
test_random_programs.py.
"""

import copy
import gc
import os
import threading
import warnings
import weakref

import pytest

from support import (
    Facts,
    Raised,
    both,
    collected,
    difference,
    gradcore,
    needs_torch,
    outcome,
    outcome_difference,
    torch,
)


def leaf(lib, *values):
    return lib.tensor(list(values), requires_grad=True)


def node_name(node):
    return None if node is None else node.name()


# ------------------------------------------------------------------------------------------------------------
# Attributes of the tape


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


GRAPHS = [
    "x + y", "x - y", "x * y", "x / y", "-x", "x ** 2", "x ** y", "2 ** x", "x.exp()", "x.log()", "x.sqrt()",
    "x.rsqrt()", "x.abs()",
    "x.sin()", "x.cos()", "x.tan()", "x.asin()", "x.atan()", "x.tanh()", "x.sigmoid()", "x.relu()", "x.erf()",
    "x.log1p()", "x.expm1()",
    "x.log2()", "x.log10()", "x.sinh()", "x.cosh()", "x.square()", "x.reciprocal()", "x.sign()", "x.floor()",
    "x.ceil()", "x.round()",
    "x.trunc()", "x.fmod(y)", "x.remainder(y)", "x.atan2(y)", "x.clamp(0, 1)", "x.clamp(min=0.5)",
    "x.clamp(max=0.5)", "x.clamp_min(0.5)",
    "x.clamp_max(0.5)", "x.clamp(x * 0, y)", "lib.where(x > 1, x, y)", "lib.minimum(x, y)",
    "lib.maximum(x, y)", "lib.lerp(x, y, 0.5)",
    "lib.lerp(x, y, x)", "lib.addcmul(x, y, y)", "lib.addcdiv(x, y, y)", "x.sum()", "x.sum(0)", "x.mean()",
    "x.mean(0)", "x.prod()",
    "x.prod(0)", "x.var()", "x.std()", "x.var(0)", "x.max()", "x.min()", "x.max(0)[0]", "x.min(0).values",
    "x.amax()", "x.amin(0)", "x.norm()",
    "x.norm(1, 0)", "x.logsumexp(0)", "x.cumsum(0)", "x.cumprod(0)", "x.softmax(0)", "x.log_softmax(0)",
    "x @ y", "x.dot(y)", "lib.outer(x, y)",
    "m @ m", "m @ x", "m.mm(m)", "m.mv(x)", "b @ b", "b.bmm(b)", "b @ m", "b @ x", "lib.addmm(x, m, m)",
    "m.view(4)", "m.reshape(4)",
    "m.t().reshape(4)", "m.flatten()", "m.t()", "m.T", "m.transpose(0, 1)", "m.permute(1, 0)",
    "x.unsqueeze(0)", "x.unsqueeze(0).squeeze()",
    "x.unsqueeze(0).squeeze(0)", "x.expand(3, 2)", "x.expand_as(m)", "m.narrow(0, 0, 1)", "m.select(0, 1)",
    "m[0]", "m[0, 1]", "m[:, 1]",
    "m[0:1]", "m[None]", "m[...]", "m[m > 0]", "m[[0, 1]]", "m[lib.tensor([0, 1]), 1]", "m.split(1)[1]",
    "m.chunk(2)[0]", "m.unbind()[1]",
    "lib.cat([x, y])", "lib.stack([x, y])", "m.flip(0)", "m.roll(1, 0)", "m.tril()", "m.triu()",
    "m.diagonal()", "m.t().contiguous()",
    "m.contiguous()", "x.clone()", "x.to(lib.float64)", "x.double()", "x.masked_fill(x > 1, 0)",
    "x.index_select(0, lib.tensor([0]))",
    "x.gather(0, lib.tensor([0]))", "x.scatter(0, lib.tensor([0]), y)", "x.scatter(0, lib.tensor([0]), 1.0)",
    "x.scatter_add(0, lib.tensor([0]), y)", "x.repeat(2)", "x.masked_select(x > 1)",
    "x.index_add(0, lib.tensor([0, 1]), y)",
    "lib.tensor(2.0) * x", "x.float()", "x.view_as(y)", "x.reshape(2)", "x.type(lib.float64)",
    "m.unflatten(0, (1, 2))", "m.movedim(0, 1)",
    "m.as_strided((2,), (1,))", "abs(x)", "x // 1", "x % 1", "1 - x", "1 / x",
    "(m * 1).t_()", "(m * 1).transpose_(0, 1)", "(m * 1).unsqueeze_(0)", "(m * 1).unsqueeze(0).squeeze_()",
    "(m * 1).unsqueeze(0).squeeze_(0)", "(m * 1).squeeze_((0, 1))", "b[0].t_()",
]


@needs_torch
def test_graphs_have_the_names_of_torch():
    """Names and edges of the nodes, one graph a line."""
    def describe(node, depth=0):
        if node is None or depth > 4:
            return None
        return [node.name(), type(node).__name__, [(describe(n, depth + 1), i) for n,
                                                   i in node.next_functions]]

    def program(lib, source):
        x, y = leaf(lib, 1.5, 2.5), leaf(lib, 3.5, 1.25)
        m = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        b = lib.ones(3, 2, 2, requires_grad=True)
        return describe(eval(source, {"lib": lib, "x": x, "y": y, "m": m, "b": b}).grad_fn)

    with collected() as failures:
        for source in GRAPHS:
            ours, theirs = outcome(program, gradcore, source), outcome(program, torch, source)
            failures.add(source, outcome_difference(ours, theirs))


def test_inplace_changes_grad_fn():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        names = [node_name(b.grad_fn)]
        for write in (lambda: b.mul_(3), lambda: b.add_(a), lambda: b[0].exp_(), lambda: b.zero_(),
                      lambda: b.copy_(a),
                      lambda: b.__setitem__(0, 5.0), lambda: b.__setitem__(0, a[1])):
            write()
            names.append((node_name(b.grad_fn), b._version))
        window = (a * 2)[0:1]
        window.mul_(2)
        return [*names, node_name(window.grad_fn), node_name(window._base.grad_fn)]

    both(program)


def test_requires_grad_():
    def program(lib):
        a = lib.ones(2)
        assert a.requires_grad_() is a and a.requires_grad
        a.requires_grad_(False)
        a.requires_grad = True
        return a, lib.ones(2).requires_grad_(False), lib.zeros(2, requires_grad=True)

    both(program)


@pytest.mark.parametrize(("action", "phrase"), [
    (lambda lib: lib.tensor([1, 2]).requires_grad_(), "floating point"),
    (lambda lib: lib.tensor([True], requires_grad=True), "floating point"),
    (lambda lib: setattr(leaf(lib, 1.0) * 2, "requires_grad", False), "leaf"),
    (lambda lib: (leaf(lib, 1.0) * 2).numpy(), "detach().numpy()"),
    (lambda lib: leaf(lib, 1.0).numpy(), "detach().numpy()"),
    (lambda lib: copy.deepcopy(leaf(lib, 1.0) * 2), "deepcopy protocol"),
])
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


@pytest.mark.parametrize("value", [
    lambda lib: lib.ones(3), lambda lib: lib.ones(2, dtype=lib.float64),
    lambda lib: lib.ones(2, dtype=lib.int64),
    lambda lib: 1.0, lambda lib: [1.0, 2.0],
])
def test_grad_refuses(value):
    both(lambda lib: setattr(leaf(lib, 1.0, 2.0), "grad", value(lib)), raises="")


# ------------------------------------------------------------------------------------------------------------
# backward


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
        (w ** 3).sum().backward(create_graph=True)
        first = w.grad
        (w ** 3).sum().backward(create_graph=True)
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


@pytest.mark.parametrize(("action", "phrase"), [
    (lambda lib: (leaf(lib, 1.0, 2.0) * 2).backward(),
     "grad can be implicitly created only for scalar outputs"),
    (lambda lib: lib.ones(1).backward(), "does not require grad and does not have a grad_fn"),
    (lambda lib: lib.ones(2).sum().backward(),
     "element 0 of tensors does not require grad and does not have a grad_fn"),
    (lambda lib: (leaf(lib, 1.0) * 2).backward(lib.ones(3)), "shape"),
    (lambda lib: (leaf(lib, 1.0) * 2).backward("x"), ""),
    (lambda lib: leaf(lib, 1.0).sum().backward(inputs=[]), "empty"),
    (lambda lib: leaf(lib, 1.0).sum().backward(inputs=[3]), "all inputs have to be Tensors or GradientEdges"),
    (lambda lib: lib.tensor(1).backward(), "does not require grad"),
])
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


def test_saved_tensor_modified():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 1
        c = b * b
        b.add_(1)
        c.sum().backward()

    both(program, raises="modified by an inplace operation")


@pytest.mark.parametrize("op", ["exp", "tanh", "sigmoid", "sqrt", "relu", "reciprocal"])
def test_saved_output_modified(op):
    def program(lib):
        c = getattr(leaf(lib, 1.0, 2.0) * 1, op)()
        c.mul_(2)
        c.sum().backward()

    both(program, raises="modified by an inplace operation")


@pytest.mark.parametrize("op", ["sin", "log", "square", "abs"])
def test_saved_input_modified(op):
    def program(lib):
        a = leaf(lib, 1.0, 2.0) * 1
        c = getattr(a, op)()
        a.detach().mul_(2)  # a detached alias shares the version
        c.sum().backward()

    both(program, raises="modified by an inplace operation")


@pytest.mark.parametrize("name", ["index_add", "scatter_add"])
def test_an_index_is_saved_for_the_gradient_of_its_source_alone(name):
    def program(lib, wanted):
        x = lib.ones(3, 2, requires_grad=True)
        index = lib.tensor([[0, 1]]) if name == "scatter_add" else lib.tensor([1])
        y = getattr(x, name)(0, index, lib.ones(1, 2, requires_grad=wanted))
        index.zero_()
        y.sum().backward()
        return x.grad

    both(lambda lib: program(lib, False))
    both(lambda lib: program(lib, True), raises="modified by an inplace operation")


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


def test_a_vector_times_a_matrix_is_no_view():
    def program(lib):
        y = lib.ones(3, requires_grad=True) @ lib.ones(3, 4)
        y.mul_(2)
        return y._base is None, y.grad_fn.name(), y.grad_fn.next_functions[0][0].name()

    both(program)


def test_modification_that_was_not_saved_is_fine():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 1
        c = b + 1
        b.mul_(5)
        d = c.exp()
        b.add_(1)
        (d + b).sum().backward()
        return a.grad

    both(program)


def test_results_are_new():
    """However many passes made a result, nobody has written to it."""
    def program(lib):
        lib.manual_seed(0)
        x, ints = lib.arange(6.0).reshape(2, 3), lib.zeros(1, dtype=lib.int64)
        results = [x.mean(), x.mean(0), x.var(), x.std(0), x.norm(), x.norm(3, 0), x.norm(0), x.logsumexp(0), x.softmax(1),
                   x.prod(), lib.addmm(x, lib.ones(2, 2), x), lib.addmm(x, lib.ones(2, 2), x, beta=2, alpha=3), x @ x.t(),
                   lib.cat([x, x]), lib.stack([x, x]), x.index_add(0, ints, x[:1]), x.scatter(0, ints[None], 1.0),
                   x.masked_fill(x > 2, 0), x.cumsum(0), x.repeat(2, 2), x.roll(1), x.flip(0), x.tril(), x[ints], x.clone(),
                   lib.rand(3), lib.randn(20), lib.randint(5, (3,)), lib.randperm(4), lib.rand_like(x), lib.randn_like(x),
                   lib.full((2,), 3.0), lib.arange(3), lib.eye(2), lib.linspace(0, 1, 3), x.new_full((2,), 1.0)]
        return [t._version for t in results]

    both(program)


def test_version_counts_under_no_grad_but_not_through_data():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        versions = [b._version]
        with lib.no_grad():
            b.add_(1)
            versions.append(b._version)
        b.data.add_(1)
        versions.append(b._version)
        b.detach().add_(1)
        versions.append(b._version)
        b[0].zero_()
        versions.append(b._version)
        b[0] = 3.0
        versions += [b._version, b[1]._version]
        return versions, b

    both(program)


# ------------------------------------------------------------------------------------------------------------
# autograd.grad


def test_grad_function():
    def program(lib):
        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        single = lib.autograd.grad((a * b).sum(), a)
        several = lib.autograd.grad([(a * b), a.exp()], (a, b),
                                    grad_outputs=[lib.ones(2), lib.tensor([2.0, 3.0])])
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


@pytest.mark.parametrize(("action", "phrase"), [
    (lambda lib, a, b: lib.autograd.grad(a.sum(), [a, b]), "appears to not have been used in the graph"),
    (lambda lib, a, b: lib.autograd.grad(a.sum(), lib.ones(1)), "does not require grad"),
    (lambda lib, a, b: lib.autograd.grad(lib.ones(1), a), "does not require grad"),
    (lambda lib, a, b: lib.autograd.grad(a * b, a, lib.ones(2)), "shape"),
    (lambda lib, a, b: lib.autograd.grad(a.expand(2), a),
     "grad can be implicitly created only for scalar outputs"),
    (lambda lib, a, b: lib.autograd.grad(a.sum(), [a, b], materialize_grads=True, allow_unused=False),
     "materialize_grads"),
])
def test_grad_refusals(action, phrase):
    both(lambda lib: action(lib, leaf(lib, 1.0), leaf(lib, 2.0)), raises=phrase)


def test_grad_leaves_grad_alone_and_frees():
    def program(lib):
        a = leaf(lib, 1.0)
        loss = a.exp().sum()
        lib.autograd.grad(loss, a)
        lib.autograd.grad(loss, a)

    both(program, raises="backward through the graph a second time")


BINARY = ["mul", "div", "add", "sub", "pow", "atan2", "minimum", "maximum", "remainder", "fmod", "where"]
TERNARY = ["lerp", "addcmul", "addcdiv"]


@pytest.mark.parametrize("name", BINARY + TERNARY)
def test_what_a_write_to_an_operand_spoils(name):
    """For each operand that alone requires grad: the operands, and the result, whose change backward refuses."""
    count = 3 if name in [*TERNARY, "where"] else 2

    def refused(lib, wanted, written):
        leaves = [lib.tensor([0.5, 1.5, 2.5]) for _ in range(count)]
        leaves[wanted].requires_grad_()
        operands = [x * 1 for x in leaves]
        if name == "where":
            operands[0] = operands[0].detach() > 1
        result = getattr(lib, name)(*operands)
        loss = (result * 1).sum()
        [*operands, result][written].detach().zero_()
        try:
            loss.backward()
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)
            return True
        return False

    def program(lib):
        return [refused(lib, wanted, written) for wanted in range(name == "where", count) for written in range(count + 1)]

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


@pytest.mark.parametrize("ask", [lambda view: view.requires_grad_(), lambda view: view.requires_grad_(False),
                                 lambda view: view.retain_grad()])
def test_a_view_is_not_asked_for_a_history_that_it_never_had(ask):
    """The write to its base forbids it one, which is said when the view is used."""
    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        with lib.no_grad():
            view = x.view(2)
        x.mul_(2)
        ask(view)
        before = view.requires_grad, view.retains_grad
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
            view.grad_fn  # noqa: B018
        return before

    both(program)


def test_a_view_made_under_no_grad_may_be_written_where_only_a_tangent_comes_along():
    def program(lib):
        forward_ad = lib.autograd.forward_ad
        x = lib.tensor([1.0, 2.0])
        with forward_ad.dual_level():
            with lib.no_grad():
                dual = forward_ad.make_dual(x * 1, lib.ones(2))
            dual.mul_(3)
            dual.unsqueeze_(0)
            return [*forward_ad.unpack_dual(dual)]

    both(program)


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
        (x ** 2 * y).sum().backward(create_graph=True)
        penalty = (x.grad ** 2).sum()
        x.grad, y.grad = None, None
        penalty.backward()
        return x.grad, y.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# detach, data and copies


def test_detach_shares_memory():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a.detach()
        b.mul_(2)
        c = (a * 3)
        c.detach_()
        assert c.is_leaf and c.grad_fn is None and not c.requires_grad
        assert b.data_ptr() == a.data_ptr()
        return a, b, c, a._version, b._version

    both(program)


def test_detach_of_a_view_is_refused():
    both(lambda lib: (leaf(lib, 1.0, 2.0) * 1)[0:1].detach_(), raises="view")


def test_data():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        loss = (a * a).sum()
        a.data.sub_(1)
        a.data = a.data * 3
        versions = a._version, a.data._version
        a.data = lib.tensor([5.0])
        return a, versions, a.data.requires_grad, loss

    both(program)


def test_zero_():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.zero_()
        b.sum().backward()
        return a.grad, node_name(b.grad_fn)

    both(program)


# ------------------------------------------------------------------------------------------------------------
# retain_grad and hooks


def test_retain_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.retain_grad()
        b.retain_grad()
        a.retain_grad()
        (b * b).sum().backward()
        assert b.retains_grad and not a.retains_grad
        return a.grad, b.grad

    both(program)


def test_retain_grad_after_an_inplace_op():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.retain_grad()
        b.mul_(5)
        (b * b).sum().backward()
        return a.grad, b.grad

    both(program)


def test_retain_grad_needs_a_gradient():
    both(lambda lib: lib.ones(1).retain_grad(), raises="requires_grad=False")


def test_hooks():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 3
        b.register_hook(lambda g: seen.append(("b", g.clone())))
        b.register_hook(lambda g: g * 10)
        b.register_hook(lambda g: seen.append(("b again", g.clone())))
        a.register_hook(lambda g: g + 1)
        b.retain_grad()
        (b * b).sum().backward()
        return seen, a.grad, b.grad

    both(program)


def test_hook_runs_once_on_the_whole_gradient():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 1
        b.register_hook(lambda g: seen.append(g.tolist()))
        a.register_hook(lambda g: seen.append(g.tolist()))
        (b * 2 + b * 3 + b.exp() * 0).sum().backward()
        return seen

    both(program)


def test_hook_removal():
    def program(lib):
        a = leaf(lib, 1.0)
        handle = a.register_hook(lambda g: g * 100)
        a.sum().backward()
        handle.remove()
        handle.remove()
        a.sum().backward()
        with a.register_hook(lambda g: g * 7):
            a.sum().backward()
        a.sum().backward()
        return a.grad

    both(program)


def test_hook_in_autograd_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(lambda g: g * 2)
        a.register_hook(lambda g: g * 5)
        return lib.autograd.grad((b * b).sum(), [a, b])

    both(program)


def test_hook_follows_an_inplace_write():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(lambda g: seen.append(("before", g.tolist())))
        b.mul_(3)
        b.register_hook(lambda g: seen.append(("after", g.tolist())))
        b.sum().backward()
        return seen, a.grad

    both(program)


@pytest.mark.parametrize(("hook", "phrase"), [
    (lambda lib: lambda g: g.expand(3, 2), ""), (lambda lib: lambda g: "text", ""),
])
def test_hook_results_are_checked(hook, phrase):
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(hook(lib))
        b.sum().backward()

    both(program, raises=phrase)


def test_hook_on_a_tensor_without_grad_is_refused():
    both(lambda lib: lib.ones(1).register_hook(print), raises="require")


def test_exception_in_a_hook_leaves_everything_usable():
    def program(lib):
        class Stop(Exception):
            pass

        def stop(gradient):
            raise Stop("here")

        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        middle = a * b
        handle = middle.register_hook(stop)
        loss = (middle * middle).sum()
        with pytest.raises(Stop, match="here"):
            loss.backward(retain_graph=True)
        grads = (a.grad, b.grad)
        handle.remove()
        loss.backward()
        assert lib.is_grad_enabled()
        return grads, a.grad, b.grad

    both(program)


def test_backward_inside_a_hook():
    def program(lib):
        a, c = leaf(lib, 1.0, 2.0), leaf(lib, 3.0)
        b = a * 2
        def other_backward(gradient):
            assert not lib.is_grad_enabled()
            with lib.enable_grad():
                (c * c).sum().backward()

        b.register_hook(other_backward)
        (b * b).sum().backward()
        return a.grad, c.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Modes


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
        results = [plain(a, factor=3).requires_grad, bare(a).requires_grad, inner(a).requires_grad,
                   inferred(a).requires_grad]
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
            inside = [lib.is_inference_mode_enabled(), lib.is_grad_enabled(), b.is_inference(),
                      b.requires_grad]
            with lib.inference_mode(False):
                inside.append((a * 2).requires_grad)
        outside = [t.is_inference() for t in (a, c, c + 1)]
        return inside, outside, lib.is_inference_mode_enabled()

    both(program)


@pytest.mark.parametrize(("action", "phrase"), [
    (lambda lib, a, t: (a * t).sum().backward(), "nference tensors"),
    (lambda lib, a, t: t.add_(1), "nference tensor"),
    (lambda lib, a, t: t.requires_grad_(), "nference"),
    (lambda lib, a, t: t._version, "nference tensors do not track version counter"),
])
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


# ------------------------------------------------------------------------------------------------------------
# In-place writes and views


@pytest.mark.parametrize(("action", "phrase"), [
    (lambda lib, a: a.add_(1), "a leaf Variable that requires grad is being used in an in-place operation"),
    (lambda lib, a: a.__setitem__(0, 1.0), "leaf Variable that requires grad"),
    (lambda lib, a: a[0].mul_(2),
     "view of a leaf Variable that requires grad is being used in an in-place operation"),
    (lambda lib, a: a.t().zero_(), "view of a leaf Variable"),
    (lambda lib, a: (a * 1).unbind()[0].add_(1), "view"),
    (lambda lib, a: (a * 1).split(1)[0].add_(1), "view"),
    (lambda lib, a: (a * 1).chunk(2)[0].add_(1), "view"),
    (lambda lib, a: next(iter(a * 1)).add_(1), "view"),
    (lambda lib, a: no_grad_view(lib, a * 1).add_(a[0]), "no_grad"),
    (lambda lib, a: (a * 1).expand(2, 2, 2).add_(1), "single memory location"),
])
def test_inplace_refusals(action, phrase):
    both(lambda lib: action(lib, lib.ones(2, 2, requires_grad=True)), raises=phrase)


def no_grad_view(lib, tensor):
    with lib.no_grad():
        return tensor[0]


def test_leaf_may_change_under_no_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        with lib.no_grad():
            a -= 0.5
            a[0] = 7
            a.t().mul_(2)
        return a, a.is_leaf, a._version

    both(program)


VIEW_WRITES = {
    "slice": lambda lib, b, x: b[0].mul_(x),
    "slice of slice": lambda lib, b, x: b[1:][0].mul_(x),
    "column": lambda lib, b, x: b[:, 1:].mul_(2),
    "transpose": lambda lib, b, x: b.t()[1].mul_(3),
    "diagonal": lambda lib, b, x: b.diagonal().exp_(),
    "reshape": lambda lib, b, x: b.view(-1)[2:5].mul_(x),
    "expand of a row": lambda lib, b, x: b[0].add_(x.sum()),
    "unsqueeze": lambda lib, b, x: b.unsqueeze(0).transpose(0, 2)[0].mul_(2),
    "two windows": lambda lib, b, x: (b[0].mul_(x), b[1].add_(b[0])),
    "overlapping windows": lambda lib, b, x: (b[0:2].mul_(2), b[1:3].mul_(3), b[:, 0].exp_()),
    "copy_": lambda lib, b, x: b[1].copy_(x),
    "copy_ from another dtype": lambda lib, b, x: b[1].copy_(x.double()),
    "zero_": lambda lib, b, x: b[1].zero_(),
    "fill_": lambda lib, b, x: b[1].fill_(x[0]),
    "setitem": lambda lib, b, x: b.__setitem__((slice(None), 0), x),
    "setitem broadcast": lambda lib, b, x: b.__setitem__(slice(1, None), x),
    "setitem advanced": lambda lib, b, x: b.__setitem__(([0, 2], [1, 1]), x[:2]),
    "setitem mask": lambda lib, b, x: b.__setitem__(b.detach() > 4, 0.0),
    "setitem chain": lambda lib, b, x: b[1].__setitem__(0, x[2]),
    "masked_fill_": lambda lib, b, x: b[0].masked_fill_(x > 1, 5),
    "clamp_": lambda lib, b, x: b[0].clamp_(0, 2),
    "write base, read view": lambda lib, b, x: (b[0], b.mul_(2))[0].mul_(x),
    "as_strided": lambda lib, b, x: b.as_strided((2,), (4,), 0).mul_(2),
    "narrow select": lambda lib, b, x: b.narrow(1, 1, 2).select(0, 2).mul_(4),
    "augmented": lambda lib, b, x: b[0].__iadd__(x),
    "addcmul_": lambda lib, b, x: b[2].addcmul_(x, x, value=2),
    "no effect": lambda lib, b, x: b[0:0].mul_(2),
    "scatter_": lambda lib, b, x: b[0].scatter_(0, lib.tensor([2, 0]), x[:2]),
    "scatter_add_": lambda lib, b, x: b[:, 0].scatter_add_(0, lib.tensor([2, 2, 0]), x),
    "index_put_ accumulate": lambda lib, b, x: b.index_put_((lib.tensor([0, 0, 2]),), x, accumulate=True),
}


@pytest.mark.parametrize("name", VIEW_WRITES)
def test_inplace_on_views(name):
    """Gradients of the base and of what was written, and what earlier and later views see."""
    def program(lib):
        a = lib.arange(1.0, 10.0).reshape(3, 3).requires_grad_()
        x = leaf(lib, 0.5, 1.5, 2.5)
        base = a * 1
        earlier = base[0:2]
        VIEW_WRITES[name](lib, base, x)
        later = base[1:]
        loss = (base * lib.arange(9.0).reshape(3, 3)).sum() + earlier.sin().sum() + (later ** 2).sum()
        loss.backward()
        return a.grad, x.grad, base, earlier, later, base._version, [node_name(t.grad_fn)
            for t in (base, earlier, later)]

    both(program, ulps=8, scale=1000)


def test_view_of_a_plain_base_starts_to_require_grad():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = lib.zeros(2, 2)
        view, other = base[0], base.t()
        view.add_(x)
        assert base.requires_grad and view.requires_grad and other.requires_grad
        (base * 3 + other).sum().backward()
        return x.grad, [node_name(t.grad_fn) for t in (base, view, other)]

    both(program)


def test_detached_alias_is_not_recorded():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 2
        base.detach().zero_()
        base.sum().backward()
        return x.grad, base

    both(program)


def test_loop_that_fills_rows():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        rows = lib.zeros(5, 2)
        for i in range(5):
            rows[i] = x * i if i == 0 else rows[i - 1] * 1.0 + x
        rows.sum().backward()
        return x.grad, rows

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Deep graphs, memory and threads


DEPTH = int(os.environ.get("GRADCORE_DEPTH", "100_000"))


def deep_chain(lib, depth):
    a = leaf(lib, 1.0)
    y = a
    for _ in range(depth):
        y = y * 1.0
    return a, y


def repeated(step):
    """A graph in which each of many nodes holds the one before."""
    def grow(x):
        y = x * 1
        for i in range(DEPTH):
            y = step(y, x, i)
        return y

    return grow


class Keeping(gradcore.autograd.Function):
    """Holds its second argument by what it saves alone."""

    @staticmethod
    def forward(ctx, x, kept):
        ctx.save_for_backward(kept)
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def written(y, x, i):
    y[i % 2].mul_(1.0)
    return y


def written_beside_its_view(x):
    y = x * 1
    view = y[:1]
    for _ in range(DEPTH):
        view.mul_(1.0)
        y.mul_(1.0)
    return y + 0 * view


def hooked(y, x, i):
    y = y * 1.0
    y.register_hook(lambda grad: None)
    return y


def contexts_linked(x):
    y, last = x * 1, None
    for _ in range(DEPTH // 4):
        y = Keeping.apply(y, None)
        y.grad_fn.before = last
        last = y.grad_fn
    return y


def gradients_of_gradients(x):
    for _ in range(DEPTH):
        (x * x).sum().backward(create_graph=True)
    found, x.grad = x.grad, None
    return found / (2 * DEPTH)


def retained(x):
    kept = [x * 1]
    for _ in range(DEPTH // 4):
        kept.append(kept[-1] * 1.0)
        kept[-1].retain_grad()
    return kept[-1] + 0 * kept[1]


def with_tangents(x):
    fw = gradcore.autograd.forward_ad
    with fw.dual_level():
        return fw.unpack_dual(repeated(lambda y, x, i: y * 1.0)(fw.make_dual(x, gradcore.ones(2)))).primal


def packed(x):
    with gradcore.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        return repeated(lambda y, x, i: y * x)(x)


OWNERS = {
    "edges": repeated(lambda y, x, i: y * 1.0),
    "saved inputs": repeated(lambda y, x, i: Keeping.apply(x, y)),
    "saved by both": repeated(lambda y, x, i: y * x),
    "saved outputs": repeated(lambda y, x, i: y.sqrt()),
    "views": repeated(lambda y, x, i: y.view(2)),
    "writes": repeated(lambda y, x, i: y.mul_(1.0)),
    "writes to views": repeated(written),
    "writes to a view and its base": written_beside_its_view,
    "hooks": repeated(hooked),
    "contexts": contexts_linked,
    "gradients with create_graph": gradients_of_gradients,
    "retained gradients": retained,
    "tangents": with_tangents,
    "packed": packed,
}


@pytest.mark.parametrize("use", ["dropped", "run"])
@pytest.mark.parametrize("owner", OWNERS)
def test_deep_graphs_on_a_small_stack(owner, use):
    """Nothing recurses over the graph: not building, not backward, not the destructors. GRADCORE_DEPTH=1000000 for more."""
    failures, found = [], []

    def work():
        try:
            x = leaf(gradcore, 1.0, 1.0)
            y = OWNERS[owner](x)
            if use == "run":
                y.sum().backward()
                found.append(bool(x.grad.isfinite().all()))
            del y
            x.grad = None
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert not failures
    assert found == ([True] if use == "run" else [])


def test_contexts_that_outlive_a_deep_graph():
    y, kept = leaf(gradcore, 1.0) * 1, []
    for _ in range(DEPTH // 4):
        y = Keeping.apply(y, None)
        kept.append(y.grad_fn)
    del y, kept[:-1]
    assert kept[0].next_functions[0][0].name() == "KeepingBackward"
    del kept[0]


def test_deep_chain_with_create_graph():
    a, y = deep_chain(gradcore, 20_000)
    (gradient,) = gradcore.autograd.grad(y.sum(), a, create_graph=True)
    assert gradient.tolist() == [1.0]


def test_wide_fan():
    a = leaf(gradcore, 2.0)
    total = sum(a * i for i in range(5000))
    total.backward()
    assert a.grad.tolist() == [5000 * 4999 / 2]


def test_graph_frees_its_tensors():
    """Without the cycle collector: a result owns its graph, and nothing in the graph owns the result."""
    def alive_after(make):
        gc.disable()
        try:
            return weakref_of(make)() is not None
        finally:
            gc.enable()

    def weakref_of(make):
        result = make(leaf(gradcore, 1.0, 2.0))
        return weakref.ref(result)

    def hooked(a):
        b = a * 2
        b.register_hook(lambda g: g)
        return b

    def written(a):
        b = a.exp()
        b[0].mul_(2)
        return b

    makers = {"result": lambda a: a * 2, "saved output": lambda a: a.exp(), "hook": hooked,
              "written view": written,
              "view": lambda a: (a * 2)[0:1], "gradient": lambda a: gradcore.autograd.grad((a ** 3).sum(), a,
                  create_graph=True)[0]}
    assert not [name for name, make in makers.items() if alive_after(make)]


def bytes_in_use():
    if not hasattr(gradcore, "memory_stats"):
        pytest.skip("no memory statistics")
    return gradcore.memory_stats()["in_use"]


@pytest.mark.parametrize("step", [
    lambda a: (a.exp() * a).sum().backward(),
    lambda a: (a.exp() * a).sum(),
    lambda a: gradcore.autograd.grad((a ** 3).sum(), a, create_graph=True)[0].sum().backward(),
    lambda a: (a * 1)[2:5].exp_().sum().backward(),
    lambda a: (a * 1).register_hook(lambda g: g * 2),
    lambda a: (a.tanh() @ a).retain_grad(),
    lambda a: a.softmax(0)[a.detach() > 0].sum().backward(),
    lambda a: failing(lambda: a.exp().backward()),
    lambda a: failing(lambda: (a * gradcore.ones(3))),
])
def test_steps_do_not_leak(step):
    a = gradcore.linspace(-1, 1, 1000).requires_grad_()
    step(a)
    a.grad = gradcore.zeros(1000)
    before = bytes_in_use()
    for _ in range(5):
        step(a)
    assert bytes_in_use() == before


def failing(action):
    with pytest.raises(RuntimeError):
        action()


def test_graph_is_freed_by_backward():
    """Saved tensors go when backward is done, though the loss is alive; retain_graph keeps them."""
    a = gradcore.ones(100_000, requires_grad=True)
    a.grad = gradcore.zeros(100_000)
    before = bytes_in_use()
    loss = a.exp().sin().exp().sum()
    held = bytes_in_use() - before
    loss.backward(retain_graph=True)
    assert bytes_in_use() - before >= held
    loss.backward()
    assert bytes_in_use() - before < 10_000


def test_threads_run_backward_at_the_same_time():
    def program(lib):
        results = {}

        def work(seed):
            w = lib.full((50,), float(seed), requires_grad=True)
            for _ in range(50):
                ((w * 0.01).sin() * w).sum().backward()
            results[seed] = w.grad

        threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[seed] for seed in (1, 2, 3)]

    both(program, ulps=64, scale=1)


def test_threads_share_a_leaf():
    """Two backwards accumulate into one leaf: no update may be lost."""
    def program(lib):
        w = lib.ones(1000, requires_grad=True)

        def work():
            for _ in range(100):
                (w * 2).sum().backward()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return w.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Whole programs


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


def test_difference_sees_differences():
    """The comparison itself: a suite that cannot fail shows nothing."""
    one = Facts(gradcore.tensor([1.0, 2.0]))
    for other in (gradcore.tensor([1.0, 2.5]), gradcore.tensor([[1.0, 2.0]]), gradcore.tensor([1, 2]),
                  gradcore.tensor([1.0, float("nan")]),
                  gradcore.tensor([1.0, 2.0], requires_grad=True),
                  gradcore.tensor([[1.0, 0.0], [2.0, 0.0]])[:, 0]):
        assert difference(one, Facts(other))
    assert difference([one, 1], [one, 2])
    assert difference(Facts(gradcore.tensor([0.0])), Facts(gradcore.tensor([-0.0])))
    assert not difference(one, Facts(gradcore.tensor([1.0, 2.0])))


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


def test_a_dim_inserted_under_no_grad_is_found_on_the_way_back():
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 2
        with lib.no_grad():
            y.unsqueeze_(0)
        (y * lib.tensor([[1.0, 2.0, 3.0]])).sum().backward()
        assert x.grad.tolist() == [2.0, 4.0, 6.0]

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


def test_a_write_through_a_view_is_used_up_by_backward():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = lib.zeros(2, 2)
        y[0] = x.sum()
        y.sum().backward()
        y.sum().backward()

    both(program, raises="second time")


def test_a_retained_gradient_is_contiguous():
    def program(lib):
        x = lib.ones(2, 3, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.t().sin().sum().backward()
        return y.grad.stride()

    both(program)


def test_a_recorded_backward_through_a_write_outlives_the_write():
    """The op that wrote through a view saved its result, and the gradient's graph leads through that op itself."""

    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 0.3
        part = y.view(-1)
        part.tanh_()
        (g,) = lib.autograd.grad(y.sin().sum(), x, create_graph=True)
        (y.sum() + (g * 2).sum()).backward()
        return g.detach(), x.grad

    both(program, ulps=8)


@pytest.mark.parametrize("window", [slice(None), slice(0, 2)])
def test_a_leaf_that_was_detached_and_written_takes_no_gradient(window):
    """Its accumulator belongs to a graph in which it was a leaf; now it has a history of its own."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        x.detach_()
        x[window].mul_(leaf(lib, 2.0, 2.0))
        y.sum().backward()

    both(program, raises="leaf variable has been moved into the graph interior")


def test_views_of_what_was_detached_and_written():
    """A view whose base has another content and no history any more passes no gradient on."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view, other = base.view(-1), base[:1]
        base.detach_()
        before = other.grad_fn.name()
        base.neg_()
        view.sum().backward()
        return before, view.requires_grad, view.grad_fn.name(), view.grad_fn.next_functions[0][0], x.grad

    both(program)


@pytest.mark.parametrize("saves", ["exp", "sin", "mul"])
def test_a_saved_tensor_detached_since_is_refused(saves):
    """What an op saved of its inputs; its own result it can use."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        z = y * y if saves == "mul" else getattr(y, saves)()
        y.detach_()
        z.sum().backward()
        return x.grad

    both(program, raises=None if saves == "exp" else "has been detached in-place")


def test_a_view_with_another_window_follows_a_base_that_asks_for_gradients_later():
    def program(lib):
        base = lib.tensor([1.0, 2.0])
        view = base[:]
        view.unsqueeze_(0)
        base.requires_grad_()
        (view * 3).sum().backward()
        return view.requires_grad, view.grad_fn.name(), base.grad

    both(program)


def test_a_written_view_keeps_its_history_when_its_base_is_detached():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view = base.view(-1)
        view.mul_(3)
        base.detach_()
        view.sum().backward()
        return view.grad_fn.name(), x.grad

    both(program)


def test_a_written_view_retains_the_gradient_of_its_new_value_alone():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view, other = base.view(-1), base.view(-1)
        view.retain_grad()
        other.retain_grad()
        before = view * 2 + other * 7
        view.neg_()
        (view.sum() * 4 + before.sum() * 5 + other.sum() * 3).backward()
        return view.grad, other.grad, x.grad

    both(program)


@needs_torch
@pytest.mark.parametrize("op", ["eq_", "ne_", "lt_", "le_", "gt_", "ge_", "floor_divide_", "logical_and_"])
@pytest.mark.parametrize("number", [True, False])
def test_what_has_no_derivative_written_in_place(op, number):
    """A comparison has a gradient of zero, floor_divide none; leaves are refused by both, but not by logical ops."""
    def program(lib):
        w, v = (lib.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
        other = 2.0 if number and op != "logical_and_" else v * 1
        x = w * 2
        getattr(x, op)(other)
        refused = [outcome(lambda t=t: getattr(t, op)(other)) for t in (w, w[:2])]
        gradients = outcome(lambda: lib.autograd.grad((x * x).sum(), [w, v], allow_unused=True))
        return (x, x.grad_fn.name(), [isinstance(r, Raised) for r in refused],
                str(gradients.error) if isinstance(gradients, Raised) else gradients)

    both(program)


@pytest.mark.parametrize("spoil", ["v.mul_(v)", "v.add_(1)", "pass"])
def test_a_node_that_no_gradient_reaches_is_refused_what_was_written_to(spoil):
    """The Function gives its first input no gradient, so that what v's product saved is not needed; torch looks all the same."""
    def program(lib):
        class Half(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * 1, b * 1

            @staticmethod
            def backward(ctx, ga, gb):
                return None, gb

        w = lib.tensor([1.0, 2.0], requires_grad=True)
        v = w * 1
        p = v * v
        exec(spoil, {"v": v})  # noqa: S102
        _, b = Half.apply(p, w)
        b.sum().backward()
        return w.grad

    both(program, raises=None if spoil == "pass" else "modified by an inplace operation")


# ------------------------------------------------------------------------------------------------------------
# Warnings, and views that may not be written


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


def test_numpy_under_no_grad():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with pytest.raises(RuntimeError, match="Can't call numpy"):
            x.numpy()
        with lib.no_grad():
            return x.numpy().tolist()

    both(program)


VIEWS = {
    "unbind": lambda lib, base: base.unbind()[0],
    "view": lambda lib, base: base.view_as(base),
    "select of unbind": lambda lib, base: base.unbind()[0][0],
}
WRITES = {
    "the view": lambda lib, base, view: view.mul_(2),
    "the base": lambda lib, base, view: (base.mul_(2), view.grad_fn),
    "with a gradient": lambda lib, base, view: view.mul_(lib.ones((), requires_grad=True)),
    "its window": lambda lib, base, view: (view.unsqueeze_(0), view.mul_(2)),
    "its window, unrecorded": lambda lib, base, view: (in_no_grad(lib, lambda: view.unsqueeze_(0)), view.mul_(2)),
}


def in_no_grad(lib, action):
    with lib.no_grad():
        return action()


@needs_torch
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("made_in", ["grad", "no_grad", "inference_mode", "no_grad, then viewed"])
@pytest.mark.parametrize("require", [True, False])
def test_messages_about_views_begin_as_torchs(view, write, made_in, require):
    def program(lib):
        base = lib.ones(2, 2).requires_grad_(require).clone()
        mode = {"grad": lib.enable_grad, "inference_mode": lib.inference_mode}.get(made_in, lib.no_grad)
        with mode():
            made = VIEWS[view](lib, base)
        if made_in == "no_grad, then viewed":
            made = made.view_as(made)
        try:
            WRITES[write](lib, base, made)
        except RuntimeError as error:
            return str(error)[:100]
        return "allowed"

    assert program(gradcore) == program(torch)


SETS = {
    "another's memory": lambda lib, a, b: a.set_(b),
    "a window": lambda lib, a, b: a.set_(b, 1, (2, 2), (2, 1)),
    "a dense window": lambda lib, a, b: a.set_(b, 2, (2, 2)),
    "nothing": lambda lib, a, b: a.set_(),
    "itself": lambda lib, a, b: a.set_(a),
    "another dtype": lambda lib, a, b: a.set_(lib.ones(3, dtype=lib.float64)),
    "a leaf": lambda lib, a, b: lib.ones(3, requires_grad=True).set_(b),
}


@pytest.mark.parametrize("how", SETS)
def test_set_gives_a_tensor_another_memory(how):
    def program(lib):
        a, b = lib.ones(3), lib.arange(6.0)
        view = a[:2]
        result = SETS[how](lib, a, b)
        b[1] = 9.0
        a.mul_(2)
        return result is a, a, a._version, b, view

    refused = {"another dtype": "Could not set tensor of type", "a leaf": "a leaf Variable that requires grad"}
    both(program, raises=refused.get(how))


def test_set_is_a_write():
    def program(lib):
        a, w = lib.ones(3), leaf(lib, 1.0, 2.0, 3.0)
        y = a * w
        a.set_(lib.arange(3.0))
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_set_under_no_grad_keeps_the_leaf():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        with lib.no_grad():
            a.set_(lib.arange(3.0))
        (a * a).sum().backward()
        return a, a.grad, a.is_leaf

    both(program)


def test_set_has_no_derivative():
    x = gradcore.ones(3, requires_grad=True)
    a = gradcore.ones(3)
    with pytest.raises(NotImplementedError, match="derivative for set_ is not implemented"):
        a.set_(x * 2)
    assert not a.requires_grad and a.tolist() == [1.0] * 3


# ------------------------------------------------------------------------------------------------------------
# Gradients that do not fit


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


@pytest.mark.parametrize("other", [(2,), (2000,), ()], ids=str)
def test_saved_inputs_with_other_data_of_another_size_are_refused(other):
    x, w = gradcore.ones(1000, requires_grad=True), gradcore.ones(1000)
    y = x * w
    w.data = gradcore.ones(other)
    with pytest.raises(RuntimeError, match="(?s)given other data meanwhile.*shape .* saved for MulBackward0 at .*test_autograd.py"):
        y.sum().backward()


def test_saved_inputs_with_other_data_of_the_same_kind_are_used():
    def program(lib):
        x, w = lib.ones(4, requires_grad=True), lib.ones(4)
        y = x * w
        w.data = lib.arange(4.0)
        y.sum().backward()
        return x.grad

    both(program)


def test_saved_indices_with_other_data_are_looked_at_again():
    x, index = gradcore.ones(10, requires_grad=True), gradcore.arange(10)
    y = x.gather(0, index)
    index.data.fill_(10**9)
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        y.sum().backward()
