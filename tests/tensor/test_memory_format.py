"""Memory orders by name: what asks for them, what tells them, and which results keep them."""

import copy
import pickle

import numpy as np
import pytest

from support import both, gradcore, needs_torch, outcome, outcome_difference, torch

pytestmark = needs_torch

FORMATS = ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
SHAPES = ((2, 3, 4, 5), (2, 3, 2, 3, 2), (3, 4), (2, 1, 4, 4), (2, 3, 1, 1), (0, 3, 4, 4), (2, 0, 3, 3))

ASKING = {
    "clone": lambda lib, t, order: t.clone(memory_format=order),
    "contiguous": lambda lib, t, order: t.contiguous(memory_format=order),
    "to": lambda lib, t, order: t.to(memory_format=order),
    "to of a dtype": lambda lib, t, order: t.to(lib.float64, memory_format=order),
    "to with a copy": lambda lib, t, order: t.to(lib.float32, False, True, memory_format=order),
    "to a tensor": lambda lib, t, order: t.to(lib.ones(1).double(), memory_format=order),
    "cpu": lambda lib, t, order: t.cpu(memory_format=order),
    "double": lambda lib, t, order: t.double(memory_format=order),
    "float": lambda lib, t, order: t.float(memory_format=order),
    "zeros_like": lambda lib, t, order: lib.zeros_like(t, memory_format=order),
    "full_like": lambda lib, t, order: lib.full_like(t, 2, memory_format=order),
    "empty_like": lambda lib, t, order: lib.empty_like(t, memory_format=order).fill_(1),
    "empty": lambda lib, t, order: lib.empty(t.shape, memory_format=order).fill_(1),
    "resize_": lambda lib, t, order: t.resize_(t.shape, memory_format=order),
    "resize_ of another": lambda lib, t, order: lib.zeros(1000).resize_(t.shape, memory_format=order),
    "resize_as_": lambda lib, t, order: lib.zeros(1000).resize_as_(t, memory_format=order),
    "is_contiguous": lambda lib, t, order: t.is_contiguous(memory_format=order),
}


def alike(program):
    """Both give the same, or refuse it alike."""
    found = outcome_difference(outcome(program, gradcore), outcome(program, torch))
    assert not found, found


def tensors(lib, shape):
    """One in each order that the shape has."""
    plain = lib.tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))
    yield plain
    yield plain.permute(*reversed(range(len(shape)))).contiguous().permute(*reversed(range(len(shape))))
    if len(shape) > 3:
        last = (0, *range(2, len(shape)), 1)
        back = (0, len(shape) - 1, *range(1, len(shape) - 1))
        yield plain.permute(*last).contiguous().permute(*back)
        yield plain.expand(3, *shape)[1]


@pytest.mark.parametrize("order", FORMATS)
@pytest.mark.parametrize("what", ASKING)
def test_what_asks_for_an_order(what, order):
    for shape in SHAPES:
        for i in range(4 if len(shape) > 3 else 2):

            def program(lib, shape=shape, i=i):
                t = list(tensors(lib, shape))[i]
                return ASKING[what](lib, t, getattr(lib, order))

            alike(program)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_order_that_is_there_copies_nothing(shape):
    def program(lib):
        out = []
        for t in tensors(lib, shape):
            for name in FORMATS:
                if name.startswith("channels") and t.dim() != (5 if name.endswith("3d") else 4):
                    continue
                order = getattr(lib, name)
                out.append(t.to(memory_format=order) is t)
                if name != "preserve_format" or t.is_contiguous():
                    out.append(t.contiguous(memory_format=order) is t)
        return out

    both(program)


def test_gradients_pass_through():
    def program(lib):
        x = lib.arange(24.0).reshape(1, 2, 3, 4).requires_grad_()
        y = x.to(memory_format=lib.channels_last)
        z = x.contiguous(memory_format=lib.channels_last) * x.clone(memory_format=lib.channels_last)
        (y * z).sum().backward()
        return x.grad, y.grad_fn.name(), z.stride()

    both(program)


# What keeps the order of its input: networks as they are written for channels last.
KEEPING = {
    "conv2d": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(4, 3, 3, 3), padding=1),
    "conv2d with stride": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(4, 3, 3, 3), lib.ones(4), stride=2),
    "conv_transpose2d": lambda lib, x: lib.nn.functional.conv_transpose2d(x, lib.ones(3, 2, 3, 3)),
    "grouped": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(3, 1, 3, 3), groups=3),
    "max_pool2d": lambda lib, x: lib.nn.functional.max_pool2d(x, 2),
    "avg_pool2d": lambda lib, x: lib.nn.functional.avg_pool2d(x, 2),
    "adaptive_avg_pool2d": lambda lib, x: lib.nn.functional.adaptive_avg_pool2d(x, 2),
    "adaptive_max_pool2d": lambda lib, x: lib.nn.functional.adaptive_max_pool2d(x, 2),
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True),
    "relu": lambda lib, x: lib.relu(x),
    "add": lambda lib, x: x + lib.ones(3, 1, 1),
    "interpolate": lambda lib, x: lib.nn.functional.interpolate(x, scale_factor=2),
    "softmax": lambda lib, x: lib.softmax(x, 1),
    "lp_pool2d": lambda lib, x: lib.nn.functional.lp_pool2d(x, 2, 2),
    "pixel_shuffle": lambda lib, x: lib.nn.functional.pixel_shuffle(
        x.repeat_interleave(4, 1).to(memory_format=lib.channels_last), 2
    ),
    "pixel_unshuffle": lambda lib, x: lib.nn.functional.pixel_unshuffle(x, 2),
    "channel_shuffle": lambda lib, x: lib.nn.functional.channel_shuffle(
        x.repeat_interleave(2, 1).to(memory_format=lib.channels_last), 2
    ),
    "pad that reflects": lambda lib, x: lib.nn.functional.pad(x, (1, 1, 0, 1), mode="reflect"),
    "pad that replicates": lambda lib, x: lib.nn.functional.pad(x, (1, 1, 0, 1), mode="replicate"),
    "pad that goes around": lambda lib, x: lib.nn.functional.pad(x, (1, 1, 0, 1), mode="circular"),
}


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (1, 3, 6, 6)])
def test_results_keep_channels_last(name, shape):
    def program(lib):
        x = lib.arange(float(np.prod(shape))).reshape(shape) / 100
        out = KEEPING[name](lib, x.to(memory_format=lib.channels_last))
        return out.stride(), out.is_contiguous(memory_format=lib.channels_last)

    both(program)


def test_volumes_keep_channels_last():
    def program(lib):
        x = lib.arange(2.0 * 3 * 4**3).reshape(2, 3, 4, 4, 4).to(memory_format=lib.channels_last_3d)
        functional = lib.nn.functional
        outs = functional.conv3d(x, lib.ones(2, 3, 2, 2, 2)), functional.max_pool3d(x, 2)
        outs += functional.pad(x, (1,) * 6, mode="reflect"), functional.pad(x, (1,) * 6, mode="replicate")
        return [out.stride() for out in outs]

    both(program)


@pytest.mark.parametrize("order", FORMATS)
def test_modules_are_ordered(order):
    def program(lib):
        layers = [lib.nn.Conv1d(3, 4, 3), lib.nn.Linear(2, 2)]
        layers.append(lib.nn.Conv3d(3, 4, 3) if order.endswith("3d") else lib.nn.Conv2d(3, 4, 3))
        model = lib.nn.Sequential(*layers)
        assert model.to(lib.float64, memory_format=getattr(lib, order)) is model
        return [(p.stride(), p.dtype) for p in model.parameters()]

    both(program)


def test_a_module_of_other_dims_is_refused_whole():
    model = gradcore.nn.Sequential(gradcore.nn.Conv2d(3, 4, 3), gradcore.nn.Conv3d(3, 4, 3))
    before = [p.stride() for p in model.parameters()]
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        model.to(memory_format=gradcore.channels_last)
    assert [p.stride() for p in model.parameters()] == before


def test_names_are_constants():
    for name in FORMATS:
        order = getattr(gradcore, name)
        assert repr(order) == f"torch.{name}" and isinstance(order, gradcore.memory_format)
        assert pickle.loads(pickle.dumps(order)) is order and copy.deepcopy(order) is order


@pytest.mark.parametrize("given", [1, None, "channels_last", gradcore.memory_format("torch.other")])
def test_other_objects_are_refused(given):
    with pytest.raises(TypeError):
        gradcore.ones(2).is_contiguous(memory_format=given)
    if given is not None:
        with pytest.raises(TypeError):
            gradcore.ones(2).clone(memory_format=given)


def test_each_sample_of_a_map_is_ordered():
    x = gradcore.rand(2, 3, 4, 5, 6)
    for ask in ("clone", "contiguous", "to"):
        out = gradcore.func.vmap(lambda t, ask=ask: getattr(t, ask)(memory_format=gradcore.channels_last))(x)
        assert gradcore.equal(out, x) and out[0].is_contiguous(memory_format=gradcore.channels_last)


@pytest.mark.parametrize("size, layout", [((2, 3, 4), (0, 2, 1)), ((2, 0, 4), (2, 0, 1)), ((), ()), ((2, 3), (0,)),
                                          ((2, 3), (0, 0)), ((2, 3), (0, 2)), ((2, 3), (0, -1))])  # fmt: skip
def test_empty_permuted(size, layout):
    alike(lambda lib: lib.empty_permuted(size, layout, dtype=lib.float64).fill_(1))


@pytest.mark.parametrize("size, stride", [((2, 3), (1, 2)), ((), ()), ((2, 3), (1,)), ((2,), (-1,))])
def test_new_empty_strided(size, stride):
    alike(lambda lib: lib.ones(1, dtype=lib.int32).new_empty_strided(size, stride).fill_(1))


@pytest.mark.parametrize("dim", range(4))
@pytest.mark.parametrize("parts", ["ll", "lc", "cl", "l", "ld", "le", "ls"])
def test_cat_keeps_the_order_that_all_have(parts, dim):
    """l: channels last, c: contiguous, d: another dtype, e: of no elements, s: with holes."""

    def program(lib):
        image = lib.arange(48.0).view(2, 3, 2, 4)
        last = image.to(memory_format=lib.channels_last)
        made = {"l": last, "c": image, "d": last.double(), "e": lib.zeros(0)}
        made["s"] = lib.arange(96.0).view(2, 3, 2, 8).to(memory_format=lib.channels_last)[..., ::2]
        return lib.cat([made[part] for part in parts], dim)

    alike(program)


def test_cat_keeps_the_order_of_volumes():
    def program(lib):
        return lib.arange(48.0).view(2, 3, 2, 2, 2).to(memory_format=lib.channels_last_3d)

    alike(lambda lib: lib.cat([program(lib), program(lib)], 1))
    alike(lambda lib: lib.hstack([program(lib), program(lib)]))
