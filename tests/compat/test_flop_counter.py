"""utils.flop_counter.FlopCounterMode beside torch's: counts of products, convolutions and attention."""

import importlib

import pytest

from support import both, gradcore


def counter(lib, **options):
    module = importlib.import_module(f"{lib.__name__}.utils.flop_counter")
    return module.FlopCounterMode(display=False, **options)


def counts(counted):
    return {
        name: {str(op): count for op, count in sorted(found.items(), key=str)}
        for name, found in sorted(counted.get_flop_counts().items())
    }


def leaf(lib, *shape):
    return lib.ones(shape, requires_grad=True)


CALLS = {
    "linear": lambda lib, x: lib.nn.functional.linear(x, leaf(lib, 6, 5), leaf(lib, 6)),
    "linear without a bias": lambda lib, x: lib.nn.functional.linear(x, leaf(lib, 6, 5)),
    "matrices": lambda lib, x: x[0] @ leaf(lib, 5, 3),
    "batches of matrices": lambda lib, x: x @ x.mT,
    "a batch and a matrix": lambda lib, x: x @ leaf(lib, 5, 3),
    "a vector and a matrix": lambda lib, x: x[0, 0] @ leaf(lib, 5, 3),
    "a matrix and a vector": lambda lib, x: x[0] @ leaf(lib, 5),
    "broadcast batches": lambda lib, x: leaf(lib, 3, 1, 4, 5) @ x.mT,
    "bmm": lambda lib, x: lib.bmm(x, x.mT),
    "addmm": lambda lib, x: lib.addmm(leaf(lib, 3), x[0], leaf(lib, 5, 3)),
    "baddbmm": lambda lib, x: lib.baddbmm(leaf(lib, 2, 4, 4), x, x.mT),
    "einsum of batches": lambda lib, x: lib.einsum("bij,bkj->bik", x, x),
    "tensordot": lambda lib, x: lib.tensordot(x, leaf(lib, 6, 5), ([2], [1])),
    "conv1d": lambda lib, x: lib.nn.functional.conv1d(x, leaf(lib, 3, 4, 2), leaf(lib, 3)),
    "conv2d": lambda lib, x: lib.nn.functional.conv2d(leaf(lib, 2, 3, 8, 8), leaf(lib, 4, 3, 3, 3), stride=2),
    "conv2d of one image": lambda lib, x: lib.nn.functional.conv2d(leaf(lib, 3, 8, 8), leaf(lib, 4, 3, 3, 3)),
    "conv2d in groups": lambda lib, x: lib.nn.functional.conv2d(leaf(lib, 2, 4, 8, 8), leaf(lib, 8, 1, 3, 3), groups=4),
    "conv2d of data": lambda lib, x: lib.nn.functional.conv2d(lib.ones(2, 3, 8, 8), leaf(lib, 4, 3, 3, 3), padding="same"),
    "transposed": lambda lib, x: lib.nn.functional.conv_transpose2d(leaf(lib, 2, 4, 5, 5), leaf(lib, 4, 3, 3, 3), stride=2),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls_and_their_backward(name):
    def program(lib):
        with counter(lib) as counted:
            CALLS[name](lib, leaf(lib, 2, 4, 5)).sum().backward()
        return counts(counted), counted.get_total_flops()

    both(program)


def mlp(lib):
    return lib.nn.Sequential(lib.nn.Linear(5, 7), lib.nn.ReLU(), lib.nn.Linear(7, 3)), lib.ones(4, 5)


def convolutions(lib):
    nn = lib.nn
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10)
    return nn.Sequential(*layers), lib.rand(2, 3, 8, 8)


def attention(lib):
    class SelfAttention(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = lib.nn.MultiheadAttention(8, 2)
            self.out = lib.nn.Linear(8, 3)

        def forward(self, x):
            return self.out(self.inner(x, x, x)[0])

    return SelfAttention(), lib.rand(4, 2, 8)


@pytest.mark.parametrize("needs_grad", [False, True])
@pytest.mark.parametrize("model", [mlp, convolutions, attention])
def test_models_by_their_modules(model, needs_grad):
    def program(lib):
        module, data = model(lib)
        with counter(lib) as counted:
            module(data.requires_grad_(needs_grad)).sum().backward()
        both_ways = counts(counted)
        with counter(lib) as counted, lib.no_grad():
            module(data)
        return both_ways, counts(counted)

    both(program)


def test_inside_of_transforms_and_checkpoints():
    def program(lib):
        weight = lib.ones(6, 5)
        linear = lib.nn.functional.linear
        with counter(lib) as mapped:
            lib.vmap(lambda row: linear(row, weight, lib.ones(6)))(lib.ones(4, 5))
        with counter(lib) as jacobian:
            lib.func.jacrev(lambda x: linear(x, weight))(lib.ones(4, 5))
        checkpoint = importlib.import_module(f"{lib.__name__}.utils.checkpoint").checkpoint
        module, data = mlp(lib)
        with counter(lib) as again:
            checkpoint(module, data.requires_grad_(), use_reentrant=False).sum().backward()
        return [counted.get_total_flops() for counted in (mapped, jacobian, again)]

    both(program)


def test_backward_of_backward():
    """torch leaves out the gradient that nobody asked for: all are asked for here."""

    def program(lib):
        x, w = leaf(lib, 4, 5), leaf(lib, 5, 3)
        with counter(lib) as counted:
            gradients = lib.autograd.grad((x @ w).pow(2).sum(), (x, w), create_graph=True)
            lib.autograd.grad(sum(g.sum() for g in gradients), (x, w))
        return counts(counted)

    both(program)


def test_fused_attention_has_the_count_of_torchs_other_kernels():
    q = leaf(gradcore, 2, 2, 4, 8)
    with counter(gradcore) as counted:
        gradcore.nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()
    product = 2 * (2 * 2) * 4 * 4 * 8
    assert list(counted.get_flop_counts()["Global"].values()) == [2 * product, 5 * product]


def test_what_backward_cannot_count_is_refused():
    x = gradcore.ones(1, 1, 2, 4)
    with counter(gradcore), pytest.raises(NotImplementedError, match="query, key and value require grad"):
        gradcore.nn.functional.scaled_dot_product_attention(leaf(gradcore, 1, 1, 2, 4), x, x).sum().backward()


def test_formulas_of_the_program():
    def program(lib):
        flops = importlib.import_module(f"{lib.__name__}.utils.flop_counter")
        mapping = {lib.ops.aten.sin: lambda shape, out_shape, **options: 3 * shape.numel() + len(out_shape)}
        with counter(lib, custom_mapping=mapping) as counted:
            lib.ones(2, 3).sin()
        with pytest.raises(RuntimeError, match="duplicate registrations for aten.mm"):
            flops.register_flop_formula(lib.ops.aten.mm)(lambda *shapes: 1)
        with pytest.raises(ValueError, match="OpOverloadPacket"):
            flops.register_flop_formula(len)(lambda *shapes: 1)
        return counts(counted)

    both(program)


def test_table(capsys):
    module, data = mlp(gradcore)
    with counter(gradcore) as counted:
        counted.display = True
        module(data)
    assert capsys.readouterr().out.splitlines() == [
        "Module            FLOP    % Total",
        "--------------  ------  ---------",
        "Sequential         448    100.00%",
        " - aten.addmm      448    100.00%",
        " Sequential.0      280     62.50%",
        "  - aten.addmm     280     62.50%",
        " Sequential.2      168     37.50%",
        "  - aten.addmm     168     37.50%",
    ]
    with counter(gradcore) as counted:
        gradcore.ones(300, 300) @ gradcore.ones(300, 300)
    assert counted.get_table().splitlines()[2] == "Global      54.000M    100.00%"
