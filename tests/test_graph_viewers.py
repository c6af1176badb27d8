"""What programs that draw or inspect graphs read from nodes: metadata, _saved_*, _raw_saved_*, variable.

Every attribute that gradcore shows must be one of torch's, with torch's value; it may show fewer. Dims are counted
from the front here, for torch shows a negative one as 2**64 less that much.
"""

import gc
import weakref

import pytest

from support import Raised, both, difference, facts, gradcore, needs_torch, outcome, torch

OPS = {
    "add": lambda lib, x, y: x + y,
    "add_alpha": lambda lib, x, y: lib.add(x, y, alpha=3),
    "sub_alpha": lambda lib, x, y: lib.sub(x, y, alpha=0.5),
    "rsub": lambda lib, x, y: 2 - x,
    "mul": lambda lib, x, y: x * y,
    "mul_one_input": lambda lib, x, y: x * y.detach(),
    "mul_int": lambda lib, x, y: x * 2,
    "mul_float": lambda lib, x, y: x * 2.5,
    "mul_of_result": lambda lib, x, y: x.exp() * y,
    "div": lambda lib, x, y: x / y,
    "pow_2": lambda lib, x, y: x**2,
    "pow_3": lambda lib, x, y: x**3,
    "pow_half": lambda lib, x, y: x**0.5,
    "pow_number": lambda lib, x, y: x**1.7,
    "pow_tensor": lambda lib, x, y: x**y,
    "pow_of_number": lambda lib, x, y: 2**x,
    "square": lambda lib, x, y: x.square(),
    "exp": lambda lib, x, y: x.exp(),
    "log": lambda lib, x, y: x.log(),
    "sin": lambda lib, x, y: x.sin(),
    "tanh": lambda lib, x, y: x.tanh(),
    "sigmoid": lambda lib, x, y: x.sigmoid(),
    "relu": lambda lib, x, y: x.relu(),
    "sqrt": lambda lib, x, y: x.sqrt(),
    "abs": lambda lib, x, y: x.abs(),
    "erf": lambda lib, x, y: x.erf(),
    "reciprocal": lambda lib, x, y: x.reciprocal(),
    "atan2": lambda lib, x, y: lib.atan2(x, y),
    "maximum": lambda lib, x, y: lib.maximum(x, y),
    "remainder": lambda lib, x, y: lib.remainder(x, y),
    "remainder_number": lambda lib, x, y: lib.remainder(x, 2),
    "clamp": lambda lib, x, y: x.clamp(0.1, 0.7),
    "clamp_min": lambda lib, x, y: x.clamp(min=0.1),
    "clamp_tensors": lambda lib, x, y: x.clamp(y, y + 1),
    "where": lambda lib, x, y: lib.where(x > 0.5, x, y),
    "masked_fill": lambda lib, x, y: x.masked_fill(x > 0.5, 1.0),
    "lerp_number": lambda lib, x, y: x.lerp(y, 0.25),
    "lerp_tensor": lambda lib, x, y: x.lerp(y, x),
    "addcmul": lambda lib, x, y: x.addcmul(x, y, value=2),
    "addcdiv": lambda lib, x, y: x.addcdiv(x, y),
    "in_place": lambda lib, x, y: x.sin().mul_(y),
    "sum": lambda lib, x, y: x.sum(),
    "sum_dim": lambda lib, x, y: x.sum(1, keepdim=True),
    "sum_dims": lambda lib, x, y: x[None].sum((0, 2)),
    "mean_dim": lambda lib, x, y: x.mean(1),
    "prod_dim": lambda lib, x, y: x.prod(1),
    "var_dim": lambda lib, x, y: x.var(1),
    "std_dim": lambda lib, x, y: x.std(1),
    "amax": lambda lib, x, y: x.amax(1),
    "max": lambda lib, x, y: x.max(),
    "max_dim": lambda lib, x, y: x.max(1)[0],
    "norm": lambda lib, x, y: x.norm(),
    "norm_dim": lambda lib, x, y: x.norm(3, 1),
    "logsumexp": lambda lib, x, y: x.logsumexp(1),
    "softmax": lambda lib, x, y: x.softmax(1),
    "log_softmax": lambda lib, x, y: x.log_softmax(0),
    "cumsum": lambda lib, x, y: x.cumsum(0),
    "cumprod": lambda lib, x, y: x.cumprod(1),
    "mm": lambda lib, x, y: x @ y.t(),
    "mm_one_input": lambda lib, x, y: x.detach() @ y.t(),
    "bmm": lambda lib, x, y: lib.bmm(x[None], y.t()[None]),
    "mv": lambda lib, x, y: lib.mv(x, y[0]),
    "dot": lambda lib, x, y: lib.dot(x[0], y[1]),
    "addmm": lambda lib, x, y: lib.addmm(x[:, :2], x, y.t()[:, :2], beta=2, alpha=0.5),
    "select": lambda lib, x, y: x[1],
    "slice": lambda lib, x, y: x[:, 1:],
    "diagonal": lambda lib, x, y: x.diagonal(1),
    "unbind": lambda lib, x, y: x.unbind(1)[2],
    "split": lambda lib, x, y: x.split(2, 1)[0],
    "split_sizes": lambda lib, x, y: x.split([1, 3], 1)[1],
    "view": lambda lib, x, y: x.view(-1),
    "reshape": lambda lib, x, y: x.t().reshape(-1),
    "transpose": lambda lib, x, y: x.transpose(0, 1),
    "unsqueeze": lambda lib, x, y: x.unsqueeze(1),
    "squeeze": lambda lib, x, y: x[None].squeeze(0),
    "expand": lambda lib, x, y: x.expand(2, 3, 4),
    "as_strided": lambda lib, x, y: x.as_strided((2, 2), (1, 2)),
    "permute": lambda lib, x, y: x.permute(1, 0),
    "cat": lambda lib, x, y: lib.cat([x, y], 1),
    "stack": lambda lib, x, y: lib.stack([x, y]),
    "flip": lambda lib, x, y: x.flip(0),
    "roll": lambda lib, x, y: x.roll(1, 0),
    "tril": lambda lib, x, y: x.tril(1),
    "gather": lambda lib, x, y: x.gather(1, lib.tensor([[0], [2], [1]])),
    "scatter_add": lambda lib, x, y: x.scatter_add(1, lib.tensor([[0], [2], [1]]), y[:, :1]),
    "index": lambda lib, x, y: x[lib.tensor([2, 0])],
    "index_dim_1": lambda lib, x, y: x[:, lib.tensor([2, 0])],
    "index_put": lambda lib, x, y: x.index_put((lib.tensor([2, 0]),), y[:2]),
    "index_select": lambda lib, x, y: x.index_select(1, lib.tensor([2, 0])),
    "index_add": lambda lib, x, y: x.index_add(1, lib.tensor([2, 0]), y[:, :2], alpha=2),
    "masked_select": lambda lib, x, y: x.masked_select(x > 0.5),
    "copy": lambda lib, x, y: x.clone().copy_(y),
    "slice_written": lambda lib, x, y: written(x.clone(), y),
}


def written(t, value):
    t[0] = value[0]
    return t


def inputs(lib):
    x = (lib.arange(12, dtype=lib.float64).reshape(3, 4) * 0.07 + 0.1).requires_grad_()
    y = (lib.arange(12, dtype=lib.float64).reshape(3, 4).flip(0) * 0.05 + 0.2).requires_grad_()
    return x, y


def shown(node, prefix="_saved_"):
    return {name: getattr(node, name) for name in dir(node) if name.startswith(prefix)}


def same_value(ours, theirs):
    """Numbers are the same by value: torch hands an exponent back as the int that it was given."""
    if isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
        return ours == theirs
    return not difference(ours, theirs, ulps=4)


def history(value):
    """The names of the nodes behind a saved tensor or a tuple of them."""
    if isinstance(value, tuple):
        return [history(v) for v in value]
    fn = getattr(value, "grad_fn", None)
    return getattr(value, "requires_grad", None), fn and fn.name()


@needs_torch
@pytest.mark.parametrize("name", OPS)
def test_saved_attributes(name):
    ours, theirs = ([OPS[name](lib, *inputs(lib)) for lib in (gradcore, torch)])
    mine, other = shown(ours.grad_fn), shown(theirs.grad_fn)
    assert ours.grad_fn.name() == theirs.grad_fn.name()
    assert set(mine) <= set(other)
    tensors = {key for key, value in other.items() if isinstance(value, torch.Tensor) and not value.dim() == 0}
    assert tensors & set(mine) or not tensors
    for key, value in mine.items():
        assert history(value) == history(other[key]), key
        assert type(value).__name__ == type(other[key]).__name__ or not hasattr(value, "shape"), key
        assert same_value(facts(value), facts(other[key])), key


@needs_torch
@pytest.mark.parametrize("name", OPS)
def test_saved_attributes_after_backward(name):
    """Tensors are gone, with torch's error; the rest can still be read."""

    def program(lib, names):
        out = OPS[name](lib, *inputs(lib))
        node = out.grad_fn
        out.sum().backward()
        return {key: outcome(getattr, node, key) for key in names}

    names = list(shown(OPS[name](gradcore, *inputs(gradcore)).grad_fn))
    ours, theirs = program(gradcore, names), program(torch, names)
    for key in names:
        if isinstance(theirs[key], Raised):
            assert isinstance(ours[key], Raised), key
            assert type(ours[key].error) is type(theirs[key].error)
            assert "Trying to backward through the graph a second time" in str(ours[key].error)
        else:
            assert same_value(ours[key], theirs[key]), key


def test_a_saved_result_has_its_history():
    def program(lib):
        x, _ = inputs(lib)
        y = x.exp()
        saved = y.grad_fn._saved_result
        with lib.no_grad():
            same = y.grad_fn._saved_result.grad_fn is y.grad_fn
        return saved.grad_fn is y.grad_fn, same, (x * x).grad_fn._saved_self is x

    both(program)


def test_a_saved_tensor_that_was_written_to():
    def program(lib):
        x, _ = inputs(lib)
        y = x * 1
        z = y * y
        y.zero_()
        return z.grad_fn._saved_self

    both(program, raises="modified by an inplace operation")


def test_attributes_that_are_not_there():
    def program(lib):
        x, y = inputs(lib)
        node = (x * y).grad_fn
        return [outcome(getattr, node, name) for name in ("_saved_exponent", "_saved_", "_raw_saved_dim", "exponent")]

    for found in (*program(gradcore), outcome(setattr, (inputs(gradcore)[0] * 2).grad_fn, "_saved_self", 1)):
        assert isinstance(found, Raised)
        assert type(found.error) is AttributeError


def test_hooks_on_one_saved_tensor():
    def program(lib):
        x, y = inputs(lib)
        z = x * y
        packed = []
        z.grad_fn._raw_saved_self.register_hooks(lambda t: packed.append(t.requires_grad) or t * 2, lambda t: t * 3)
        seen = z.grad_fn._saved_self.detach()
        z.sum().backward()
        return seen, x.grad, y.grad, len(packed)

    both(program)


@pytest.mark.parametrize("phrase", ["hooks have already been set", "after it has been freed", "value None is forbidden"])
def test_hooks_on_a_saved_tensor_that_takes_none(phrase):
    def program(lib):
        x, y = inputs(lib)
        z = x * (y.detach() if "None" in phrase else y)
        raw = z.grad_fn._raw_saved_self
        if "already" in phrase:
            raw.register_hooks(lambda t: t, lambda t: t)
        if "freed" in phrase:
            z.sum().backward()
        raw.register_hooks(lambda t: t, lambda t: t)

    both(program, raises=phrase)


def test_hooks_that_are_no_functions():
    def program(lib):
        x, y = inputs(lib)
        (x * y).grad_fn._raw_saved_self.register_hooks(1, 2)

    both(program, raises="")


def test_raw_saved_lists():
    def program(lib):
        x, _ = inputs(lib)
        z = x[:, lib.tensor([0, 1])]
        raw = z.grad_fn._raw_saved_indices
        raw[1].register_hooks(lambda t: t, lambda t: t * 0)
        z.sum().backward()
        return len(raw), x.grad

    both(program)


def alive_nodes():
    gc.collect()
    return sum(isinstance(o, gradcore.autograd.Node) for o in gc.get_objects())


# ------------------------------------------------------------------------------------------------------------
# metadata


def test_metadata_lives_with_the_node():
    def program(lib):
        x, y = inputs(lib)
        z = x * y
        z.grad_fn.metadata["by"] = "me"
        return z.grad_fn.metadata, z.grad_fn.metadata is z.grad_fn.metadata, (x * y).grad_fn.metadata

    both(program)


def test_metadata_of_accumulators_and_functions():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.metadata["forward"] = 1
                return x * 2

            @staticmethod
            def backward(ctx, g):
                ctx.metadata["backward"] = 2
                return g * 2

        x, _ = inputs(lib)
        z = Double.apply(x)
        node = z.grad_fn
        leaf = node.next_functions[0][0]
        leaf.metadata["leaf"] = 3
        z.sum().backward()
        return node.metadata, leaf.metadata, leaf.variable is x

    both(program)


def test_metadata_cannot_be_replaced():
    def program(lib):
        x, y = inputs(lib)
        (x * y).grad_fn.metadata = {}

    both(program, raises="")


def test_metadata_goes_with_the_node():
    class Kept:
        pass

    x, y = inputs(gradcore)
    z = x * y
    kept = Kept()
    z.grad_fn.metadata["kept"] = kept
    alive = weakref.ref(kept)
    del kept
    assert alive() is not None
    del z
    assert alive() is None


@pytest.mark.parametrize("what", ["node", "tensor", "hook"])
def test_cycles_through_metadata_are_found(what):
    class Kept:
        pass

    x, y = inputs(gradcore)
    z = x * y
    node = z.grad_fn
    kept = Kept()
    alive = weakref.ref(kept)
    if what == "hook":
        node.register_hook(lambda *grads, node=node, kept=kept: None)
    else:
        node.metadata["cycle"] = [kept, node if what == "node" else z]
    del kept, node, z
    gc.collect()
    assert alive() is None


def test_reading_attributes_leaves_nothing_behind():
    def program():
        x, y = inputs(gradcore)
        for op in OPS.values():
            node = op(gradcore, x, y).grad_fn
            shown(node)
            shown(node, "_raw_saved_")
            node.metadata["a"] = 1

    program()
    before = alive_nodes()
    program()
    assert alive_nodes() == before


# ------------------------------------------------------------------------------------------------------------
# A viewer


def drawn(root):
    """The lines of a drawing of the graph above `root`, as viewers such as torchviz make it."""
    numbers, lines = {}, []

    def number(key):
        return numbers.setdefault(id(key), len(numbers))

    def text(value):
        return tuple(value.shape) if hasattr(value, "shape") else value

    stack, seen, keep = [root], set(), []
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        keep.append(node)
        lines.append((number(node), node.name(), type(node).__name__))
        if hasattr(node, "variable"):
            lines.append((number(node), "leaf", tuple(node.variable.shape)))
        for name in sorted(dir(node)):
            if name.startswith("_saved_"):
                value = getattr(node, name)
                keep.append(value)
                lines.append((number(node), name, text(value)))
        for after, nr in node.next_functions:
            if after is not None:
                lines.append((number(node), "->", number(after), nr))
                stack.append(after)
    return lines


def test_a_viewer_draws_the_same_graph():
    def program(lib):
        x, w = inputs(lib)
        hidden = (x @ w.t()).tanh()
        loss = ((hidden * 2 - x[:, :3]) ** 2).sum() + hidden.exp().log().sum(1)[0]
        return loss

    mine = drawn(program(gradcore).grad_fn)
    assert len(mine) > 40
    if torch is None:
        return
    other = drawn(program(torch).grad_fn)
    shapes = [line for line in other if line[1] not in {m[1] for m in mine}]
    assert {line[1] for line in shapes} <= {"_saved_self_sym_sizes", "_saved_self_sym_strides", "_saved_mat2_sym_sizes",
                                            "_saved_mat2_sym_strides", "_saved_end"}
    common = {line[1] for line in mine}
    names = {(line[0], line[1]) for line in mine}
    assert mine == [line for line in other if line[1] in common and (line[0], line[1]) in names]
