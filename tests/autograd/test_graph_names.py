"""The names of nodes and the edges between them, as torch has them."""

import pytest

from support import (
    both,
    collected,
    gradcore,
    leaf,
    needs_torch,
    node_name,
    outcome,
    outcome_difference,
    torch,
)

# fmt: off
GRAPHS = [
    "x + y", "x - y", "x * y", "x / y", "-x", "x ** 2", "x ** y", "2 ** x", "x.exp()", "x.log()", "x.sqrt()",
    "x.rsqrt()", "x.abs()", "x.sin()", "x.cos()", "x.tan()", "x.asin()", "x.atan()", "x.tanh()", "x.sigmoid()",
    "x.relu()", "x.erf()", "x.log1p()", "x.expm1()", "x.log2()", "x.log10()", "x.sinh()", "x.cosh()", "x.square()",
    "x.reciprocal()", "x.sign()", "x.floor()", "x.ceil()", "x.round()", "x.trunc()", "x.fmod(y)", "x.remainder(y)",
    "x.atan2(y)", "x.clamp(0, 1)", "x.clamp(min=0.5)", "x.clamp(max=0.5)", "x.clamp_min(0.5)", "x.clamp_max(0.5)",
    "x.clamp(x * 0, y)", "lib.where(x > 1, x, y)", "lib.minimum(x, y)", "lib.maximum(x, y)", "lib.lerp(x, y, 0.5)",
    "lib.lerp(x, y, x)", "lib.addcmul(x, y, y)", "lib.addcdiv(x, y, y)", "x.sum()", "x.sum(0)", "x.mean()",
    "x.mean(0)", "x.prod()", "x.prod(0)", "x.var()", "x.std()", "x.var(0)", "x.max()", "x.min()", "x.max(0)[0]",
    "x.min(0).values", "x.amax()", "x.amin(0)", "x.norm()", "x.norm(1, 0)", "x.logsumexp(0)", "x.cumsum(0)",
    "x.cumprod(0)", "x.softmax(0)", "x.log_softmax(0)", "x @ y", "x.dot(y)", "lib.outer(x, y)", "m @ m", "m @ x",
    "m.mm(m)", "m.mv(x)", "b @ b", "b.bmm(b)", "b @ m", "b @ x", "lib.addmm(x, m, m)", "m.view(4)", "m.reshape(4)",
    "m.t().reshape(4)", "m.flatten()", "m.t()", "m.T", "m.transpose(0, 1)", "m.permute(1, 0)", "x.unsqueeze(0)",
    "x.unsqueeze(0).squeeze()", "x.unsqueeze(0).squeeze(0)", "x.expand(3, 2)", "x.expand_as(m)", "m.narrow(0, 0, 1)",
    "m.select(0, 1)", "m[0]", "m[0, 1]", "m[:, 1]", "m[0:1]", "m[None]", "m[...]", "m[m > 0]", "m[[0, 1]]",
    "m[lib.tensor([0, 1]), 1]", "m.split(1)[1]", "m.chunk(2)[0]", "m.unbind()[1]", "lib.cat([x, y])",
    "lib.stack([x, y])", "m.flip(0)", "m.roll(1, 0)", "m.tril()", "m.triu()", "m.diagonal()", "m.t().contiguous()",
    "m.contiguous()", "x.clone()", "x.to(lib.float64)", "x.double()", "x.masked_fill(x > 1, 0)",
    "x.index_select(0, lib.tensor([0]))", "x.gather(0, lib.tensor([0]))", "x.scatter(0, lib.tensor([0]), y)",
    "x.scatter(0, lib.tensor([0]), 1.0)", "x.scatter_add(0, lib.tensor([0]), y)", "x.repeat(2)",
    "x.masked_select(x > 1)", "x.index_add(0, lib.tensor([0, 1]), y)", "lib.tensor(2.0) * x", "x.float()",
    "x.view_as(y)", "x.reshape(2)", "x.type(lib.float64)", "m.unflatten(0, (1, 2))", "m.movedim(0, 1)",
    "m.as_strided((2,), (1,))", "abs(x)", "x // 1", "x % 1", "1 - x", "1 / x", "(m * 1).t_()",
    "(m * 1).transpose_(0, 1)", "(m * 1).unsqueeze_(0)", "(m * 1).unsqueeze(0).squeeze_()",
    "(m * 1).unsqueeze(0).squeeze_(0)", "(m * 1).squeeze_((0, 1))", "b[0].t_()",
    "lib.diag(m)", "lib.diag(x)", "lib.diag_embed(m)", "lib.diagflat(m)", "lib.trace(m)", "lib.block_diag(m, x)",
    "lib.rot90(m)", "lib.flipud(m)", "m.repeat_interleave(2)", "m.repeat_interleave(lib.tensor([1, 2]), 0)",
    "lib.atleast_3d(x)", "lib.cartesian_prod(x, y)", "lib.meshgrid(x, y, indexing='xy')[0]",
    "lib.broadcast_tensors(x, m)[0]", "lib.tensordot(m, m)", "m.adjoint()", "m.angle()",
]
# fmt: on


@needs_torch
def test_graphs_have_the_names_of_torch():
    """Names and edges of the nodes, one graph a line."""

    def describe(node, depth=0):
        if node is None or depth > 4:
            return None
        return [node.name(), type(node).__name__, [(describe(n, depth + 1), i) for n, i in node.next_functions]]

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
        for write in (
            lambda: b.mul_(3),
            lambda: b.add_(a),
            lambda: b[0].exp_(),
            lambda: b.zero_(),
            lambda: b.copy_(a),
            lambda: b.__setitem__(0, 5.0),
            lambda: b.__setitem__(0, a[1]),
        ):
            write()
            names.append((node_name(b.grad_fn), b._version))
        window = (a * 2)[0:1]
        window.mul_(2)
        return [*names, node_name(window.grad_fn), node_name(window._base.grad_fn)]

    both(program)


def test_a_vector_times_a_matrix_is_no_view():
    def program(lib):
        y = lib.ones(3, requires_grad=True) @ lib.ones(3, 4)
        y.mul_(2)
        return y._base is None, y.grad_fn.name(), y.grad_fn.next_functions[0][0].name()

    both(program)


LOSSES = [
    "f.mse_loss(x, y)", "f.mse_loss(x, y, reduction='sum')", "f.mse_loss(x, y, reduction='none')", "f.smooth_l1_loss(x, y, beta=0.5)",
    "f.huber_loss(x, y, reduction='sum')", "f.binary_cross_entropy(p, q)", "f.binary_cross_entropy_with_logits(x, q)",
    "f.binary_cross_entropy_with_logits(x, q, reduction='sum')", "f.l1_loss(x, y)", "f.mse_loss(x.half(), y.half()).float()",
    "f.mse_loss(x, f.mse_loss(x, y).expand(3))",
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_and_its_mean_are_one_node(loss):
    """With the first derivatives, the second ones, and what the node saved."""

    def program(lib):
        x, y = (lib.tensor(values, requires_grad=True) for values in ([0.5, -1.25, 3.0], [1.0, 0.25, -1.0]))
        p, q = (lib.tensor(values, requires_grad=True) for values in ([0.25, 0.5, 0.9], [0.0, 1.0, 0.3]))
        found = eval(loss, {"f": lib.nn.functional, "x": x, "y": y, "p": p, "q": q})
        node = found.grad_fn
        saved = [getattr(node, name, None) is None for name in ("_saved_self", "_saved_target")]
        names = [found.requires_grad, repr(node)[:20], [n and n.name() for n, _ in node.next_functions], saved]
        first = lib.autograd.grad(found.sum() * 3, (x, y, p, q), create_graph=True, allow_unused=True)
        second = lib.autograd.grad(
            sum((g * g).sum() for g in first if g is not None), (x, y, p, q), allow_unused=True, materialize_grads=True
        )
        for _ in range(2):
            try:
                found.sum().backward()
            except RuntimeError as error:
                return names, first, second, str(error)[:40]
        return names, first, second

    both(program, ulps=64)


def test_tangents_and_batches_of_a_mean_loss():
    x, y, tangent = (
        gradcore.tensor([[0.5, -1.25], [3.0, 1.0]]),
        gradcore.zeros(2),
        gradcore.tensor([[1.0, 2.0], [0.0, 1.0]]),
    )
    loss = gradcore.nn.functional.mse_loss
    for row, direction in zip(x, tangent):
        value, slope = gradcore.func.jvp(lambda row: loss(row, y), (row,), (direction,))
        assert (value, slope) == (loss(row, y), (row * direction).sum())
    gradients = gradcore.vmap(gradcore.func.grad(loss), (0, None))(x, y)
    assert gradients.equal(x)
