"""What a node saved and was changed since: versions, writes, detached tensors and other data."""

import pytest

from support import (
    both,
    gradcore,
    leaf,
)


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
        results = [
            x.mean(),
            x.mean(0),
            x.var(),
            x.std(0),
            x.norm(),
            x.norm(3, 0),
            x.norm(0),
            x.logsumexp(0),
            x.softmax(1),
            x.prod(),
            lib.addmm(x, lib.ones(2, 2), x),
            lib.addmm(x, lib.ones(2, 2), x, beta=2, alpha=3),
            x @ x.t(),
            lib.cat([x, x]),
            lib.stack([x, x]),
            x.index_add(0, ints, x[:1]),
            x.scatter(0, ints[None], 1.0),
            x.masked_fill(x > 2, 0),
            x.cumsum(0),
            x.repeat(2, 2),
            x.roll(1),
            x.flip(0),
            x.tril(),
            x[ints],
            x.clone(),
            lib.rand(3),
            lib.randn(20),
            lib.randint(5, (3,)),
            lib.randperm(4),
            lib.rand_like(x),
            lib.randn_like(x),
            lib.full((2,), 3.0),
            lib.arange(3),
            lib.eye(2),
            lib.linspace(0, 1, 3),
            x.new_full((2,), 1.0),
        ]
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
        return [
            refused(lib, wanted, written) for wanted in range(name == "where", count) for written in range(count + 1)
        ]

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


@pytest.mark.parametrize("other", [(2,), (2000,), (), (10, 100), (1000, 1)], ids=str)
def test_saved_inputs_with_other_data_of_another_shape_are_refused(other):
    x, w = gradcore.ones(1000, requires_grad=True), gradcore.ones(1000)
    y = x * w
    w.data = gradcore.ones(other)
    with pytest.raises(
        RuntimeError, match="(?s)given other data meanwhile.*shape .* saved for MulBackward0 at .*test_saved_tensors.py"
    ):
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
