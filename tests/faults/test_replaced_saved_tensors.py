"""What an unpack hook gives back may be any tensor: nothing may crash.

For every row of opdb and every moment at which a backward unpacks a saved tensor, the hook gives another one in its place:
of other sizes, of another dtype, or with other elements, which as indices point anywhere. What comes out is not looked at: an
exception or a result, never memory that is not there. (Run under the address sanitizer it says so; see CONTRIBUTING.) A row that
saves nothing is skipped and says so: `pytest -rs` lists them.

What has the same elements in another place, with other strides, gives the same gradients.
"""

import numpy as np
import pytest
from row_programs import Operands, Turn, calls, recorded_outputs

from opdb import ROWS
from support import gradcore


def filled(tensor, number):
    """With a number, or the one nearest to it that its dtype has."""
    if tensor.dtype == gradcore.bool:
        return gradcore.full_like(tensor, number > 0)
    info = (gradcore.finfo if tensor.dtype.is_floating_point else gradcore.iinfo)(tensor.dtype)
    return gradcore.full_like(tensor, type(number)(min(max(number, info.min), info.max)))


REPLACED = {
    "nothing": lambda t: t.new_zeros(0),
    "one element": lambda t: t.new_zeros(1),
    "no dims": lambda t: t.new_zeros(()),
    "a row less": lambda t: t[:-1] if t.dim() else t,
    "a row more": lambda t: gradcore.cat([t, t[:1]]) if t.dim() else t,
    "a shorter last dim": lambda t: t[..., :-1] if t.dim() else t,
    "a longer last dim": lambda t: gradcore.cat([t, t], -1) if t.dim() else t,
    "a longer second dim": lambda t: gradcore.cat([t, t], 1) if t.dim() > 1 else t,
    "reversed dims": lambda t: t.permute(tuple(range(t.dim()))[::-1]),
    "one dim": lambda t: t.reshape(-1),
    "one dim more": lambda t: t.unsqueeze(0),
    "halves": lambda t: t.bfloat16(),
    "float32": lambda t: t.float(),
    "int64": lambda t: t.long(),
    "bool": lambda t: t.bool(),
    "large elements": lambda t: filled(t, 10**12),
    "negative elements": lambda t: filled(t, -7),
}


def backward(call, unpack, twice):
    """The gradients of a call of a row's sample, or those of its gradients too."""
    form, sample = call
    operands = Operands(sample)
    gradcore.manual_seed(0)
    with gradcore.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
        return operands.gradients(recorded_outputs(form(*operands.args, **operands.kwargs)), twice)


def quietly(call, unpack, twice):
    """An error that Python itself finds wrong is none."""
    try:
        backward(call, unpack, twice)
    except SystemError:
        raise
    except Exception:
        return


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_saved_tensor_is_replaced(row):
    found = 0
    for call in calls(row):
        for twice in (False, True):
            unpack = Turn()
            quietly(call, unpack, twice)
            found += unpack.count
            for at in range(unpack.count):
                for replaced in REPLACED.values():
                    quietly(call, Turn(at, replaced), twice)
    if not found:
        pytest.skip(f"{row.name}: saves nothing")


def apart(tensor):
    """The same elements, each two places behind the last."""
    with gradcore.no_grad():
        wide = tensor.new_zeros((*tensor.shape, 2))
        wide[..., 0] = tensor
        return wide[..., 0]


def same_place(tensor):
    """A tensor of equal elements as one element that is seen many times."""
    with gradcore.no_grad():
        first = tensor.reshape(-1)[:1]
        return first.reshape(()).expand(tensor.shape) if tensor.numel() and bool((tensor == first).all()) else tensor


@pytest.mark.parametrize("moved", [apart, same_place])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_saved_tensors_may_come_back_with_other_strides(row, moved):
    compared = 0
    for call in calls(row):
        for twice in (False, True):
            try:
                expected = backward(call, lambda tensor: tensor, twice)
            except Exception:  # noqa: BLE001  what the op refuses is no matter of strides
                continue
            found = backward(call, moved, twice)
            assert len(found) == len(expected)
            for ours, plain in zip(found, expected, strict=True):
                assert (ours is None) == (plain is None)
                if plain is not None:
                    np.testing.assert_allclose(ours.detach().numpy(), plain.detach().numpy(), rtol=1e-9, atol=1e-12)
                    compared += 1
    if not compared:
        pytest.skip(f"{row.name}: has no gradient")


SAMPLES, CHANNELS = 300, 40  # so many that a read behind one element leaves its memory


def normalised(x, lib):
    ones = lib.full((CHANNELS,), 1.5)
    return lib.nn.functional.batch_norm(x, ones.clone(), ones.clone(), ones, ones)


def grouped(x, lib):
    return lib.nn.functional.group_norm(x * 0 + 2, 4, lib.ones(CHANNELS))


def losses(x, lib):
    target = lib.full((SAMPLES,), 7)
    return lib.nn.functional.cross_entropy(x, target) * x + lib.nn.functional.nll_loss(x, target) * x


@pytest.mark.parametrize("compute", [normalised, grouped, losses])
@pytest.mark.parametrize("moved", [apart, same_place])
def test_statistics_and_targets_may_come_back_with_other_strides(compute, moved):
    def gradient(lib, hook):
        x = lib.linspace(0.0, 1.0, SAMPLES * CHANNELS).reshape(SAMPLES, CHANNELS).requires_grad_()
        with lib.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, hook):
            compute(x, lib).square().sum().backward()
        return x.grad

    expected = gradient(gradcore, lambda tensor: tensor)
    np.testing.assert_allclose(gradient(gradcore, moved).numpy(), expected.numpy(), rtol=1e-5, atol=1e-7)


WEIGHTED = {
    "layer_norm": lambda f, x, w: f.layer_norm(x, (6,), w, w),
    "rms_norm": lambda f, x, w: f.rms_norm(x, (6,), w),
    "group_norm": lambda f, x, w: f.group_norm(x, 2, w, w),
    "batch_norm": lambda f, x, w: f.batch_norm(x, None, None, w, w, True),
    "batch_norm in evaluation": lambda f, x, w: f.batch_norm(x, w.detach() * 0, w.detach() * 0 + 1, w, w),
    "instance_norm": lambda f, x, w: f.instance_norm(x[None], None, None, w[:4], w[:4]),
}


@pytest.mark.parametrize("size", [0, 1, 100000])
@pytest.mark.parametrize("moment", [1, 2, 3, 4])
@pytest.mark.parametrize("name", WEIGHTED)
def test_a_weight_is_replaced_while_others_are_packed(name, moment, size):
    """What is saved, or looked at, after a hook ran is not what the op was called with: no kernel may rely on it."""
    x, w = gradcore.arange(24.0).reshape(4, 6).requires_grad_(), gradcore.ones(6, requires_grad=True)
    moments = []

    def pack(tensor):
        moments.append(tensor)
        if len(moments) == moment:
            w.data = gradcore.zeros(size)
        return tensor

    hooks = gradcore.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    # The weight of instance_norm is a view, which keeps the data that it had.
    if moment == 1 and name != "instance_norm":
        with hooks, pytest.raises(RuntimeError, match="has been given other data meanwhile"):
            WEIGHTED[name](gradcore.nn.functional, x, w)
        return
    with hooks:
        y = WEIGHTED[name](gradcore.nn.functional, x, w)
    try:  # a saved weight of one element is expanded to the size that it had
        y.sum().backward()
    except RuntimeError:
        return
    assert x.grad.shape == x.shape and (w.grad is None or w.grad.shape in ((6,), (1,)))
