"""What programs that draw or inspect graphs read from nodes: metadata, _saved_*, _raw_saved_*, variable.

Every attribute that gradcore shows must be one of torch's, with torch's value; it may show fewer. Dims are counted
from the front here, for torch shows a negative one as 2**64 less that much. The last part compares the graphs of all
ops of the table, and lists what is different.
"""

import gc
import operator
import weakref

import numpy as np
import pytest

import opdb
from support import D, Raised, both, difference, facts, flat_tensors, gradcore, is_float, needs_torch, outcome, torch

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
    ours, theirs = [OPS[name](lib, *inputs(lib)) for lib in (gradcore, torch)]
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
    if name in ("mm", "mm_one_input", "addmm"):  # the sizes are read off the operands, and go with them
        names = [key for key in names if "_sym_" not in key]
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


@pytest.mark.parametrize(
    "phrase", ["hooks have already been set", "after it has been freed", "value None is forbidden"]
)
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
    assert {line[1] for line in shapes} <= {
        "_saved_self_sym_sizes",
        "_saved_self_sym_strides",
        "_saved_mat2_sym_sizes",
        "_saved_mat2_sym_strides",
        "_saved_end",
    }
    common = {line[1] for line in mine}
    names = {(line[0], line[1]) for line in mine}
    assert mine == [line for line in other if line[1] in common and (line[0], line[1]) in names]


# ------------------------------------------------------------------------------------------------------------
# The graphs of all ops, in all their forms

# What torch's nodes show and ours do not.
NOT_KEPT = {
    "AddmmBackward0": "mat1_sym_sizes mat1_sym_strides mat2_sym_sizes mat2_sym_strides",  # of operands not kept
    "AsStridedBackward0": "size stride storage_offset",  # size and stride: where it replays a view after a write
    "AsStridedBackward1": "storage_offset",
    "GatherBackward0": "self",  # its shape is enough
    "IndexAddBackward0": "source",  # the same
    "IndexCopyBackward0": "source",  # the same
    "MaskedSelectBackward0": "self",  # the same
    "MmBackward0": "self_sym_sizes self_sym_strides mat2_sym_sizes mat2_sym_strides",  # of operands not kept
    "ProdBackward0": "result",  # the gradient is made of self alone, which is right for zeros too
    "ProdBackward1": "result",
    "SliceBackward0": "end",  # the length is kept instead
    "StdBackward0": "correction",  # None and 1 are one number by then
    "VarBackward0": "correction",
}

# Why the graphs of some subscripts differ, and that of a value with more dims than its place has.
OTHER_SUBSCRIPTS = dict.fromkeys(["True", "False"], "the bool is kept, not an index made of it")
WIDER = "dims of size one before a value are taken off by select, not by view"


def wanting(lib, data, only=None):
    """`data` with tensors for arrays; those of floats require grad, or only that of this place among them."""
    place = iter(range(100))

    def made(item):
        if isinstance(item, np.ndarray):
            tensor = lib.from_numpy(item.copy())
            return tensor.requires_grad_() if is_float(item) and only in (None, next(place)) else tensor
        if isinstance(item, D):
            return getattr(lib, item)
        if isinstance(item, (list, tuple)):
            return type(item)(made(i) for i in item)
        return {key: made(i) for key, i in item.items()} if isinstance(item, dict) else item

    return made(data)


def in_place(name):
    return lambda x, *args, **kwargs: getattr(x.clone(), name)(*args, **kwargs)


def in_place_on_a_view(name):
    def form(x, *args, **kwargs):
        base = x.clone()
        view = base.view(base.shape)
        getattr(view, name)(*args, **kwargs)
        return view, base

    return form


def forms(row):
    """(name, function of the library that gives the form) of all ways of calling a row's op."""
    name, variant = row.attribute, row.name.partition(".")[1:]
    if row.kind == "writer":
        yield name, lambda lib: in_place(name)
        yield name, lambda lib: in_place_on_a_view(name)
        return
    yield row.name, row.form
    if row.inplace:
        yield "_".join([name, "".join(variant)]), lambda lib: in_place(name + "_")
        yield "_".join([name, "".join(variant)]), lambda lib: in_place_on_a_view(name + "_")
    if row.operator:
        yield name, lambda lib: getattr(operator, row.operator)
    if row.operator and row.kind == "binary":
        yield f"number {name}", lambda lib: lambda x, y: getattr(operator, row.operator)(2.5, x)
        yield name, lambda lib: lambda x, y: getattr(operator, "i" + row.operator.strip("_"))(x.clone(), y)


def calls(row):
    """(label, program) of a row's ops, with gradients for all operands and for each alone."""
    for sample in row.calls("float64"):
        arrays = [a for a in (*sample.args, *sample.kwargs.values()) if is_float(a)]
        for only in (None, *range(len(arrays))) if len(arrays) > 1 else (None,):
            for form, function in forms(row):
                if form != row.name and not isinstance(sample.args[0], np.ndarray):
                    continue

                def program(lib, sample=sample, only=only, function=function):
                    args, kwargs = wanting(lib, (sample.args, sample.kwargs), only)
                    return function(lib)(*args, **kwargs)

                yield f"{form}{sample}, gradient of {only}", program


def saved(node):
    return {
        name.removeprefix("_saved_"): outcome(getattr, node, name) for name in dir(node) if name.startswith("_saved_")
    }


def same_saved(ours, theirs):
    def counted_from_the_end(number):
        return type(number) is int and number >= 2**63

    if counted_from_the_end(theirs) or (isinstance(theirs, list) and any(map(counted_from_the_end, theirs))):
        return isinstance(ours, type(theirs))
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        return type(ours) is type(theirs)
    number = isinstance(theirs, (int, float))
    return same_value(ours, theirs) if number else not difference(ours, theirs, ulps=64, scale=1)


def node_differences(ours, theirs, levels):
    """In sentences, with those of the nodes behind, so many levels deep."""
    if ours is None or theirs is None:
        if ours is not theirs:
            yield f"{ours} instead of {theirs}"
        return
    name = theirs.name()
    if ours.name() != name or type(ours).__name__ != type(theirs).__name__:
        yield f"{ours.name()} instead of {name}"
        return
    mine, other = saved(ours), saved(theirs)
    missing = {key for key in other.keys() - mine.keys() if other[key] is not None} - {*NOT_KEPT.get(name, "").split()}
    yield from (f"{name} shows {key}" for key in mine.keys() - other.keys())
    yield from (f"{name} does not show {key}" for key in missing)
    for key in mine.keys() & other.keys():
        empty = key.endswith("_strides") and 0 in other[key.replace("_strides", "_sizes")]  # strides say nothing
        if not empty and not same_saved(mine[key], other[key]):
            yield f"{name} shows {key} as {mine[key]!r}, not {other[key]!r}"
    if levels == 0:
        return
    after, wanted = ours.next_functions, theirs.next_functions
    if [nr for _, nr in after] != [nr for _, nr in wanted]:
        yield f"{name} goes on to {after} instead of {wanted}"
        return
    for (a, _), (b, _) in zip(after, wanted):
        yield from node_differences(a, b, levels - 1)


def graph_differences(program):
    theirs = outcome(lambda: flat_tensors(program(torch)))
    if isinstance(theirs, Raised):
        return
    try:
        found = flat_tensors(program(gradcore))
    except RuntimeError as error:
        yield f"raises {error}"
        return
    for ours, theirs in zip(found, flat_tensors(program(torch)), strict=True):
        if ours.output_nr != theirs.output_nr:
            yield f"output {ours.output_nr} instead of {theirs.output_nr}"
        yield from node_differences(ours.grad_fn, theirs.grad_fn, levels=2)


def assert_same_graphs(programs, others=""):
    """`others`: a reason why any call may have another graph, or such reasons by how calls begin. Each must be needed."""
    reasons = {"": others} if isinstance(others, str) else others
    needed, found = set(), []
    for label, program in programs:
        excuse = next(
            (beginning for beginning, reason in reasons.items() if reason and label.startswith(beginning)), None
        )
        differences = list(graph_differences(program))
        if differences and excuse is not None:
            needed.add(excuse)
        elif differences:
            found += [f"{label}: {text}" for text in differences]
    assert not found, "\n".join(found)
    idle = [beginning for beginning, reason in reasons.items() if reason and beginning not in needed]
    assert not idle, f"the graphs are torch's: {idle}"


@needs_torch
@pytest.mark.parametrize("row", [r for r in opdb.ROWS if r.kind != "creation"], ids=lambda r: r.name)
def test_graphs_of_ops(row):
    assert_same_graphs(calls(row), row.other_graphs)


# fmt: off
SUBSCRIPTS = [
    "0", "-1", "1:", ":-1", "::2", "...", "None", ":", "()", "..., 0", "..., -1", ":, 1", "0, 1:, -1", "0, None, 1:",
    "..., None", "True", "False", "1, 2, 3", "[1, 0]", "t([1, 0])", ":, t([2, -1])", "t([1, 0]), t([2, 2])",
    "t([1, 0]), :, t([2, 2])", "0, t([1, 0])", "t([1, 0]), 0", "1:, t([1, 0])", "..., t([1, 0])",
    ":, None, t([1, 0])", "t(1)", "x > 0.5", "t([True, False, True])", ":, t([True, False, True])",
    "0, t([True, False, True])",
]
# fmt: on


def assigned(lib, x, index, value):
    x[index] = value(lib, x.detach()[index])
    return x


def subscript_calls(subscript):
    values = {
        "number": lambda lib, like: 1.5,
        "scalar": lambda lib, like: lib.tensor(2.0, dtype=lib.float64, requires_grad=True),
        "alike": lambda lib, like: (like * 2).requires_grad_(),
        "wider": lambda lib, like: (like * 2)[None].requires_grad_(),
    }

    def on(f, copy):
        def program(lib):
            x = lib.linspace(0, 1, 36, dtype=lib.float64).reshape(3, 3, 4).requires_grad_()
            index = eval(f"Subscript[{subscript}]", {"Subscript": np.s_, "t": lib.tensor, "x": x.detach()})
            return f(lib, copy(x), index)

        return program

    yield f"x[{subscript}]", on(lambda lib, x, index: x[index], lambda x: x)
    for name, value in values.items():
        label = f"x[{subscript}] = {name}"
        for copy in (lambda x: x.clone(), lambda x: x.detach().clone()):
            yield label, on(lambda lib, x, index, value=value: assigned(lib, x, index, value), copy)


@needs_torch
@pytest.mark.parametrize("subscript", SUBSCRIPTS)
def test_graphs_of_subscripts(subscript):
    others = OTHER_SUBSCRIPTS.get(subscript, {f"x[{subscript}] = wider": WIDER})
    assert_same_graphs(subscript_calls(subscript), others)


FACTORS = [(3,), (2, 3), (3, 2), (3, 3), (4, 2, 3), (4, 3, 2), (2, 4, 2, 3), (1, 3, 3), (5, 1, 2, 3), (1, 4, 3, 5)]


@needs_torch
@pytest.mark.parametrize("left", FACTORS)
def test_graphs_of_products(left):
    def product(shapes, only, turned):
        def program(lib):
            a, b = wanting(lib, [np.arange(np.prod(shape), dtype=float).reshape(shape) for shape in shapes], only)
            return (a.transpose(0, -1) if turned else a) @ (b.transpose(-2, -1) if turned and b.dim() > 1 else b)

        return program

    assert_same_graphs(
        (f"{left} @ {right}, gradient of {only}, turned: {turned}", product((left, right), only, turned))
        for right in FACTORS
        for only in (None, 0, 1)
        for turned in (False, True)
    )
