"""A hook that is shown a gradient may give it other data, at once or when it waits elsewhere: nothing may crash.

For every row of opdb each gradient that a node is given is replaced so. What comes out is not looked at: an exception or a
result, never memory that is not there. (Run under the address sanitizer it says so; see CONTRIBUTING.) A row without a
gradient is skipped.
"""

import itertools

import pytest
from row_programs import Operands, calls, recorded_outputs

from opdb import ROWS
from support import gradcore, libraries

REPLACEMENTS = (
    gradcore.zeros(0),
    gradcore.zeros(()),
    gradcore.zeros(2, 300),
    gradcore.zeros(1, dtype=gradcore.bool).expand(5000),
    gradcore.full((40, 1), 7, dtype=gradcore.int64),
)


def replaced(tensors, data):
    for tensor in tensors:
        if tensor is not None:
            tensor.data = data.clone()
    gradcore.release_unused_memory()


def before_the_node(outputs, data):
    for output in outputs:
        output.grad_fn.register_prehook(lambda gradients: replaced(gradients, data))


def on_the_tensor(outputs, data):
    for output in outputs:
        output.register_hook(lambda gradient: replaced([gradient], data))


def while_the_node_unpacks(outputs, data):
    kept = []

    def unpack(tensor):
        replaced(kept, data)
        return tensor

    for output in outputs:
        output.register_hook(kept.append)
        for name in dir(output.grad_fn):
            saved = getattr(output.grad_fn, name) if name.startswith("_raw_saved_") else ()
            for one in saved if isinstance(saved, tuple) else (saved,):
                one.register_hooks(lambda tensor: tensor, unpack)


MOMENTS = (before_the_node, on_the_tensor, while_the_node_unpacks)


def backward(call, moment, data, twice):
    """Whether there is one. An error that Python itself finds wrong is none."""
    form, sample = call
    operands = Operands(sample)
    try:
        outputs = recorded_outputs(form(*operands.args, **operands.kwargs))
        moment(outputs, data)
        operands.gradients(outputs, twice)
    except SystemError:
        raise
    except Exception:
        return True
    return bool(outputs)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_gradient_is_replaced(row):
    several = itertools.product(calls(row), MOMENTS, REPLACEMENTS, (False, True))
    if not any([backward(*one) for one in several]):
        pytest.skip(f"{row.name}: has no gradient")


def test_a_gradient_of_another_shape_is_refused():
    x = gradcore.ones(3, 4, requires_grad=True)
    y = x.exp()
    y.register_hook(lambda gradient: replaced([gradient], gradcore.zeros(2, 300)))
    with pytest.raises(RuntimeError, match="gradient of output 0 of ExpBackward0 has been given other data meanwhile"):
        y.sum().backward()


def test_a_gradient_that_waits_for_another_one():
    """It was shown where it came from, and is replaced before the second one is added."""
    x, shown = gradcore.ones(3, 4, requires_grad=True), []
    y = x * 1
    second, first = y.sin(), y * 2  # by their turns in backward
    first.grad_fn.register_hook(lambda gradients, _: shown.extend(gradients))
    second.grad_fn.register_prehook(lambda _: replaced(shown, gradcore.zeros(5, 3, 4)))
    with pytest.raises(RuntimeError, match="gradient of output 0 of MulBackward0 has been given other data meanwhile"):
        (second + first).sum().backward()


@pytest.mark.parametrize("lib", libraries())
@pytest.mark.parametrize("create_graph", [False, True])
def test_other_data_of_the_same_shape_counts(lib, create_graph):
    x = lib.arange(1.0, 4.0, requires_grad=True)
    y = x.exp() * x
    y.grad_fn.register_prehook(lambda gradients: setattr(gradients[0], "data", gradients[0] * 3))
    (first,) = lib.autograd.grad(y.sum(), x, create_graph=create_graph)
    assert first.tolist() == pytest.approx((3 * x.exp() * (1 + x)).tolist())
