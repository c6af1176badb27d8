"""Every module beside torch's: forward, gradients, state, initial values, text, copies, layouts, hooks, errors."""

import copy
import io
import pickle

import numpy as np
import pytest
from moduledb import NO_ROW, ROWS
from nn_data import Spec, drawn

from support import (
    both,
    build,
    collected,
    contiguous,
    facts,
    flat_tensors,
    gradcore,
    needs_torch,
    outcome,
    outcome_difference,
    torch,
    transposed,
)

DOUBLE = 200  # ulps
ROUGH = 1e9  # as many are 2e-7


def tolerance(row, ulps=DOUBLE, order="first"):
    return {"ulps": ROUGH if row.rough in (True, order) else ulps, "scale": 1.0, "strides": None}


by_row = pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])


def made(lib, row, dtype="float64"):
    lib.manual_seed(0)
    module = getattr(lib.nn, row.name)(*row.args, **row.kwargs)
    return module.double() if dtype == "float64" else module


def leaves(lib, specs, dtype="float64", layout=contiguous):
    """The row's inputs as tensors; those of floats require grad."""
    found = build(lib, drawn(specs, dtype), layout)
    for spec, tensor in zip(flat_specs(specs), flat_tensors(found), strict=True):
        tensor.requires_grad_(spec.differentiable and tensor.is_floating_point())
    return found


def flat_specs(specs):
    if isinstance(specs, Spec):
        return [specs]
    return [spec for item in specs for spec in flat_specs(item)] if isinstance(specs, tuple) else []


def float_outputs(value):
    return [tensor for tensor in flat_tensors(value) if tensor.requires_grad]


def weights_for(lib, tensors):
    """Fixed cotangents, others for every element."""
    return [
        lib.from_numpy(np.asarray(np.cos(np.arange(t.numel()) + k), t.detach().numpy().dtype).reshape(tuple(t.shape)))
        for k, t in enumerate(tensors)
    ]


def gradients(lib, outputs, inputs, create_graph=False):
    outputs = float_outputs(outputs)
    if not outputs:
        return []
    return lib.autograd.grad(outputs, inputs, weights_for(lib, outputs), create_graph=create_graph, allow_unused=True)


def run(lib, row, inputs, module):
    """Output, gradients of inputs and parameters, and buffers after a call."""
    lib.manual_seed(1)
    result = module(*inputs)
    wanted = [t for t in flat_tensors(inputs) if t.requires_grad] + list(module.parameters())
    return result, list(gradients(lib, result, wanted)) if wanted and row.grad else [], dict(module.named_buffers())


@needs_torch
@by_row
def test_values_and_gradients(row):
    def program(lib):
        module = made(lib, row)
        inputs = leaves(lib, row.inputs)
        return run(lib, row, inputs, module), run(lib, row, inputs, module.eval())

    both(program, **tolerance(row))


@needs_torch
@by_row
def test_single_precision(row):
    def program(lib):
        return run(lib, row, leaves(lib, row.inputs, "float32"), made(lib, row, "float32"))

    both(program, ulps=64, scale=1.0, strides=None)


@needs_torch
@by_row
def test_second_derivatives(row):
    if not row.gradgrad:
        pytest.skip("torch has none, or the row says why not")

    def program(lib):
        module = made(lib, row).eval()
        inputs = leaves(lib, mapped(row.inputs, lambda spec: spec.nudged()))
        wanted = [t for t in flat_tensors(inputs) if t.requires_grad] + list(module.parameters())
        first = [g for g in gradients(lib, module(*inputs), wanted, create_graph=True) if g is not None]
        second = gradients(lib, first, wanted) if float_outputs(first) else []
        # A gradient that does not depend on an input may be None there and zero here.
        return [lib.zeros_like(w) if g is None else g for g, w in zip(second or [None] * len(wanted), wanted)]

    both(program, **tolerance(row, 1000, "second"))


@needs_torch
@by_row
def test_initial_state_and_text(row):
    def program(lib):
        module = made(lib, row, "float32")
        text = repr(module)
        module(*leaves(lib, row.inputs, "float32"))  # lazy modules get their parameters
        state = module.state_dict()
        plain = {name: value for name, value in vars(module).items() if isinstance(value, (int, float, str, bool))}
        return text, repr(module), list(state), dict(state._metadata), plain, module.extra_repr()

    def values(lib):
        module = made(lib, row, "float32")
        if "Lazy" in row.name:
            module(*leaves(lib, row.inputs, "float32"))
            return dict(module.named_parameters())
        return dict(module.state_dict())

    both(program)
    both(values, strides="exact")


@by_row
def test_copies_give_the_same(row):
    module = made(gradcore, row)
    inputs = leaves(gradcore, row.inputs)
    module(*inputs)
    results = []
    for twin in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module)), copy.copy(module)):
        gradcore.manual_seed(2)
        results.append(facts(twin.eval()(*inputs)))
    for other in results[1:]:
        assert outcome_difference(other, results[0]) is None
    twin = copy.deepcopy(module)
    assert not {p.data_ptr() for p in twin.parameters() if p.numel()} & {p.data_ptr() for p in module.parameters()}


@needs_torch
@pytest.mark.parametrize("writer", ["gradcore", "torch"])
@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("Lazy")], ids=lambda row: row.id)
def test_files_of_whole_modules(row, writer):
    """What one library saved, the other one loads as its own."""
    writer, reader = (gradcore, torch) if writer == "gradcore" else (torch, gradcore)
    file = io.BytesIO()
    writer.save(made(writer, row).eval(), file)
    file.seek(0)
    loaded = reader.load(file, weights_only=False)
    assert type(loaded) is getattr(reader.nn, row.name)
    inputs = leaves(reader, row.inputs)
    assert outcome_difference(facts(loaded(*inputs)), facts(made(reader, row).eval()(*inputs))) is None


def mapped(specs, function):
    """The specs in a nest of tuples, changed."""
    if isinstance(specs, Spec):
        return function(specs)
    return tuple(mapped(s, function) for s in specs) if isinstance(specs, tuple) else specs


def compare(program, **tolerances):
    """As both(), where either may raise; what torch cannot do for the layout of an input we may."""
    ours, theirs = (outcome(program, lib) for lib in (gradcore, torch))
    if "must be contiguous" in repr(theirs) or "is not compatible with input tensor's size and stride" in repr(theirs):
        return
    assert outcome_difference(ours, theirs, **tolerances) is None


@needs_torch
@by_row
def test_layouts_and_no_samples(row):
    def program(lib, specs, layout):
        return run(lib, row, leaves(lib, specs, layout=layout), made(lib, row))

    compare(lambda lib: program(lib, row.inputs, transposed), **tolerance(row))
    if row.batch:
        empty = mapped(row.inputs, lambda spec: spec.with_batch(0))
        compare(lambda lib: program(lib, empty, contiguous), **tolerance(row))


@by_row
def test_hooks_see_the_call(row):
    module = made(gradcore, row).eval()
    inputs = leaves(gradcore, row.inputs)
    module(*inputs)
    seen = []
    handles = [
        module.register_forward_pre_hook(lambda m, args: seen.append(("pre", len(args)))),
        module.register_forward_hook(lambda m, args, out: seen.append(("post", out))),
        module.register_full_backward_hook(lambda m, gin, gout: seen.append(("back", len(gin)))),
    ]
    result = module(*inputs)
    assert seen[0] == ("pre", len(inputs)) and seen[1][0] == "post"
    outputs = float_outputs(result if isinstance(result, tuple) else (result,))
    wanted = [t for t in flat_tensors(inputs) if t.requires_grad] or list(module.parameters())
    gradcore.autograd.grad(outputs, wanted[0], weights_for(gradcore, outputs))
    assert ("back", len(inputs)) in seen[2:]
    for handle in handles:
        handle.remove()
    module(*inputs)
    assert len(seen) == 3


@needs_torch
@pytest.mark.parametrize("row", [row for row in ROWS if row.bad], ids=lambda row: row.id)
def test_what_is_refused(row):
    with collected() as failures:
        for bad in row.bad:
            ours, theirs = (
                outcome(lambda lib, bad=bad: made(lib, row)(*leaves(lib, bad)), lib) for lib in (gradcore, torch)
            )
            shapes = [s.shape for s in bad if isinstance(s, Spec)]
            failures.add(
                shapes,
                outcome_difference(ours, theirs) or (None if "Raised" in type(theirs).__name__ else "torch takes it"),
            )


def classes(lib):
    return {
        name
        for name, value in ((n, getattr(lib.nn, n)) for n in dir(lib.nn))
        if isinstance(value, type) and issubclass(value, lib.nn.Module)
    }


def test_every_module_has_a_row():
    assert classes(gradcore) - {row.name for row in ROWS} - NO_ROW == set()


def test_adaptive_softmax_over_all_classes():
    def program(lib):
        lib.manual_seed(0)
        module = lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], 2.0, head_bias=True).double()
        x = lib.tensor(np.random.default_rng(2).normal(size=(40, 8)) * 5)
        few = lib.nn.AdaptiveLogSoftmaxWithLoss(8, 9, [8]).double()
        return module.log_prob(x), module.predict(x), few.predict(x[:1] * 0)

    both(program, ulps=64, scale=10.0)


@pytest.mark.parametrize("cutoffs", [[], [5, 5], [7, 3], [0, 4], [20], [2.5]])
def test_adaptive_softmax_refuses_cutoffs(cutoffs):
    both(lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs), raises="cutoffs should be a sequence")
