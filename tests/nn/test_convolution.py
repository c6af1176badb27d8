"""Convolutions: the same bits for any number of threads and any layout, rounding errors, memory formats, messages."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import gradcore
from support import needs_torch, torch

# input, weight, and keywords: every way of computing it, and parts that threads share.
CASES = {
    "tiny": ((1, 1, 8, 8), (4, 1, 3, 3), {}),
    "stem": ((8, 3, 40, 40), (24, 3, 5, 5), {"stride": 2, "padding": 2}),
    "few outputs": ((6, 20, 30, 33), (3, 20, 3, 3), {"padding": 1}),
    "winograd": ((3, 20, 29, 31), (35, 20, 3, 3), {"padding": 1}),
    "winograd of small images": ((9, 33, 6, 7), (17, 33, 3, 3), {"padding": (0, 1)}),
    "many channels": ((4, 40, 10, 9), (50, 40, 3, 3), {"stride": 2, "padding": 1}),
    "depthwise": ((4, 12, 40, 41), (12, 1, 3, 3), {"padding": 1, "groups": 12}),
    "depthwise of many": ((6, 35, 21, 20), (35, 1, 3, 4), {"padding": 1, "groups": 35, "stride": (1, 2)}),
    "depthwise, far apart": (
        (4, 12, 40, 41),
        (12, 1, 5, 3),
        {"padding": 1, "groups": 12, "stride": (2, 1), "dilation": (1, 2)},
    ),
    "depthwise, vectors of channels": ((3, 35, 17, 19), (35, 1, 3, 3), {"padding": 1, "groups": 35, "stride": 2}),
    "depthwise of 5": ((2, 33, 19, 40), (33, 1, 5, 5), {"padding": 2, "groups": 33}),
    "depthwise, narrow": ((3, 40, 9, 5), (40, 1, 3, 3), {"padding": 1, "groups": 40}),
    "depthwise, most of it padding": (
        (2, 20, 11, 30),
        (20, 1, 3, 3),
        {"padding": (5, 14), "dilation": (1, 5), "groups": 20},
    ),
    "depthwise in strips": ((1, 2, 200, 90), (2, 1, 5, 5), {"padding": 2, "stride": 2, "groups": 2}),
    "depthwise of slices": (
        (2, 17, 5, 10, 11),
        (17, 1, 1, 3, 3),
        {"padding": 1, "stride": (2, 1, 1), "groups": 17},
    ),
    "groups": ((4, 40, 20, 21), (60, 20, 3, 3), {"groups": 2, "dilation": 2, "padding": 2}),
    "product": ((4, 70, 20, 21), (30, 70, 1, 1), {}),
    "product in steps": ((3, 24, 13, 21), (40, 24, 1, 1), {"stride": (2, 3)}),
    "product of groups": ((4, 36, 9, 8), (27, 12, 1, 1), {"groups": 3}),
    "product in one dim": ((2, 20, 100), (9, 20, 1), {"stride": 2}),
    "product of volumes": ((2, 16, 4, 5, 6), (16, 16, 1, 1, 1), {"stride": (2, 1, 1)}),
    "product with padding": ((2, 16, 5, 6), (16, 16, 1, 1), {"padding": 1}),
    "winograd of 5 taps": ((3, 20, 21, 23), (35, 20, 5, 5), {"padding": 2}),
    "winograd of 5 taps, small images": ((9, 33, 6, 7), (17, 33, 5, 5), {"padding": (1, 2)}),
    "one dim": ((4, 24, 300), (30, 24, 5), {"padding": 2}),
    "three dims": ((2, 10, 9, 12, 13), (20, 10, 3, 3, 3), {"padding": 1}),
    "wide": ((1, 2, 3, 5000), (4, 2, 2, 9), {"padding": (0, 4)}),
}


def data(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def function(lib, weight):
    return (lib.conv1d, lib.conv2d, lib.conv3d)[weight.ndim - 3]


def results(case, dtype="float32", lib=gradcore, change=lambda t: t):
    """The convolution and its three gradients, as arrays."""
    shape, kernel, kwargs = CASES[case]
    x, w, b = (change(lib.from_numpy(data(s, dtype, i))) for i, s in enumerate((shape, kernel, kernel[:1])))
    for t in (x, w, b):
        t.requires_grad_()
    y = function(lib, w)(x, w, b, **kwargs)
    g = lib.from_numpy(data(tuple(y.shape), dtype, 3))
    grads = lib.autograd.grad(y, (x, w, b), g)
    return [t.detach().numpy() for t in (y, *grads)]


@pytest.fixture
def threads_restored():
    before = gradcore.get_num_threads()
    yield
    gradcore.set_num_threads(before)


def plain(case):
    """The same in float64, as sums over taps of products of matrices, by NumPy; and the sums of absolute values."""
    shape, kernel, kwargs = CASES[case]
    x, w, b = (data(s, "float32", i).astype("float64") for i, s in enumerate((shape, kernel, kernel[:1])))
    dims, groups = len(kernel) - 2, kwargs.get("groups", 1)
    stride, padding, dilation = (
        np.broadcast_to(kwargs.get(name, default), dims)
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    sizes = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(padded.shape[2:], dilation, kernel[2:], stride)]
    y = np.zeros((shape[0], kernel[0], *sizes))
    g = data(y.shape, "float32", 3).astype("float64")
    dx, dw = np.zeros_like(padded), np.zeros_like(w)
    for group in range(groups):
        ins = slice(group * kernel[1], (group + 1) * kernel[1])
        outs = slice(group * (kernel[0] // groups), (group + 1) * (kernel[0] // groups))
        for tap in itertools.product(*map(range, kernel[2:])):
            places = (
                slice(None),
                ins,
                *(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, sizes, stride)),
            )
            taken = (outs, slice(None), *tap)
            y[:, outs] += np.einsum("nc...,oc->no...", padded[places], w[taken])
            dx[places] += np.einsum("no...,oc->nc...", g[:, outs], w[taken])
            over = (0, *range(2, 2 + dims))
            dw[taken] += np.tensordot(g[:, outs], padded[places], (over, over))
    y += b.reshape(-1, *[1] * dims)
    inside = (slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, shape[2:])))
    return y, dx[inside], dw, g.sum((0, *range(2, 2 + dims)))


@pytest.mark.parametrize("case", CASES)
def test_beside_the_plain_sum(case):
    for name, found, right in zip(("y", "dx", "dw", "db"), results(case), plain(case)):
        assert found.shape == right.shape, name
        assert np.abs(found - right).max() <= 2e-6 * np.abs(right).max() + 2e-5, name


@pytest.mark.parametrize("isa", gradcore.available_isas())
def test_every_instruction_set(isa):
    """The cases above in a process of its own, which chooses its kernels when it starts."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_convolution as t\nfor case in t.CASES: t.test_beside_the_plain_sum(case)"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "GRADCORE_ISA": isa}
    done = subprocess.run(
        [sys.executable, "-c", code, os.path.dirname(__file__)], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def swapped(t):
    """The same values with channels side by side, where there are places."""
    if t.dim() < 3:
        return t
    order = (0, *range(2, t.dim()), 1)
    back = (0, t.dim() - 1, *range(1, t.dim() - 1))
    return t.permute(order).contiguous().permute(back)


def spread(t):
    """The same values, with room between all of them."""
    wide = t.new_zeros([2 * n for n in t.shape])
    every = tuple(slice(None, None, 2) for _ in t.shape)
    wide[every] = t
    return wide[every].detach()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("change", [lambda t: t, swapped], ids=["rows", "channels last"])
@pytest.mark.parametrize("case", CASES)
def test_any_number_of_threads_gives_the_same_bits(case, change, dtype, threads_restored):
    gradcore.set_num_threads(1)
    alone = results(case, dtype, change=change)
    for threads in (2, 3, 8):
        gradcore.set_num_threads(threads)
        for one, several in zip(alone, results(case, dtype, change=change)):
            assert np.array_equal(one, several), threads


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("change", [lambda t: t, swapped, spread], ids=["rows", "channels last", "spread"])
@pytest.mark.parametrize("case", CASES)
def test_transposed_beside_torch(case, change, dtype):
    """From the places of y to those of x, with a bias."""
    shape, kernel, kwargs = CASES[case]
    g = results(case, dtype)[0].shape
    extra = {name: kwargs[name] for name in ("padding", "stride", "dilation", "groups") if name in kwargs}

    def program(lib):
        y, w, b = (change(lib.from_numpy(data(s, dtype, i))) for i, s in enumerate((g, kernel, shape[1:2])))
        names = (lib.conv_transpose1d, lib.conv_transpose2d, lib.conv_transpose3d)
        return names[len(kernel) - 3](y, w, b, **extra).numpy()

    found, right = program(gradcore), program(torch)
    assert found.shape == right.shape and found.dtype == right.dtype
    assert np.abs(found - right).max() <= (1e-12 if dtype == "float64" else 6e-6) * np.abs(right).max()


@pytest.mark.parametrize("change", [swapped, spread])
@pytest.mark.parametrize("case", CASES)
def test_layouts_agree(case, change):
    for one, other in zip(results(case), results(case, change=change)):
        assert np.allclose(one, other, rtol=1e-5, atol=1e-4)


def error_of_winograd(channels, taps, positive, exact):
    x, w = data((2, channels, 24, 24), seed=1), data((32, channels, taps, taps), seed=2) / np.sqrt(taps**2 * channels)
    if positive:
        x = np.abs(x)
    gradcore.backends.cpu.enable_winograd(not exact)
    try:
        found = gradcore.conv2d(gradcore.from_numpy(x), gradcore.from_numpy(w.astype("float32")), padding=1)
    finally:
        gradcore.backends.cpu.enable_winograd(True)
    wide = [gradcore.from_numpy(a.astype("float32").astype("float64")) for a in (x, w)]
    right = gradcore.conv2d(*wide, padding=1)
    return np.abs(found.numpy() - right.numpy())


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("channels", [16, 64, 200])
def test_winograd_is_nearly_as_exact_as_the_plain_sum(channels, taps, positive):
    fast, exact = (error_of_winograd(channels, taps, positive, exact) for exact in (False, True))
    assert not np.array_equal(fast, exact)  # the switch chooses
    assert fast.max() <= 4 * exact.max()
    assert np.sqrt((fast**2).mean()) <= 4 * np.sqrt((exact**2).mean())


def error_of_gradient(images, taps, positive, exact):
    x, g = data((images, 16, 24, 24), seed=1), data((images, 17, 24, 24), seed=2)
    if positive:
        x, g = np.abs(x), np.abs(g)

    def gradient(dtype):
        w = gradcore.zeros(17, 16, taps, taps, dtype=dtype, requires_grad=True)
        y = gradcore.conv2d(gradcore.from_numpy(x).to(dtype), w, padding=taps // 2)
        return gradcore.autograd.grad(y, w, gradcore.from_numpy(g).to(dtype))[0].numpy()

    gradcore.backends.cpu.enable_winograd(not exact)
    try:
        return np.abs(gradient(gradcore.float32) - gradient(gradcore.float64))
    finally:
        gradcore.backends.cpu.enable_winograd(True)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("images", [1, 40])
def test_gradients_by_winograd_are_nearly_as_exact(images, taps, positive):
    fast, exact = (error_of_gradient(images, taps, positive, exact) for exact in (False, True))
    assert not np.array_equal(fast, exact)
    assert fast.max() <= 4 * exact.max()
    assert np.sqrt((fast**2).mean()) <= 4 * np.sqrt((exact**2).mean())


def test_what_lies_outside_does_not_count():
    """An infinite element reaches the outputs and the gradients that read it, and no other."""
    x = gradcore.ones(1, 2, 5, 20)
    x[0, 0, 2, 19] = float("inf")
    w = gradcore.ones(3, 2, 2, 2, requires_grad=True)
    y = gradcore.conv2d(x, w)
    assert not gradcore.isfinite(y[0, :, 1:3, 18]).any() and gradcore.isfinite(y[..., :18]).all()
    (dw,) = gradcore.autograd.grad(y, w, gradcore.ones_like(y))
    assert gradcore.isfinite(dw[:, 1]).all() and gradcore.isfinite(dw[:, 0, :, 0]).all()


@needs_torch
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("last", [(False, False), (True, False), (False, True), (True, True)])
def test_channels_last(transposed, last):
    def strides(lib):
        x, w = (lib.from_numpy(data(s)) for s in ((2, 4, 6, 5), (4, 4, 3, 3)))
        x, w = ((swapped(t) if is_last else t).requires_grad_() for t, is_last in zip((x, w), last))
        y = (lib.conv_transpose2d if transposed else lib.conv2d)(x, w)
        dx, dw = lib.autograd.grad(y, (x, w), lib.ones_like(y))
        return [t.stride() for t in (y, dx, dw)]

    assert strides(gradcore) == strides(torch)


X, W = (2, 4, 5, 5), (6, 2, 3, 3)
REFUSED = {
    "channels": lambda lib, x, w: lib.conv2d(x, w),
    "groups that do not divide": lambda lib, x, w: lib.conv2d(x, w, groups=4),
    "more groups than outputs": lambda lib, x, w: lib.conv2d(x, w, groups=7),
    "no groups": lambda lib, x, w: lib.conv2d(x, w, groups=0),
    "bias": lambda lib, x, w: lib.conv2d(x, w, lib.ones(5), groups=2),
    "bias of two dims": lambda lib, x, w: lib.conv2d(x, w, lib.ones(6, 1), groups=2),
    "dtype of bias": lambda lib, x, w: lib.conv2d(x, w, lib.ones(6, dtype=lib.float64), groups=2),
    "no stride": lambda lib, x, w: lib.conv2d(x, w, stride=0, groups=2),
    "strides": lambda lib, x, w: lib.conv2d(x, w, stride=(1, 2, 3), groups=2),
    "negative padding": lambda lib, x, w: lib.conv2d(x, w, padding=-1, groups=2),
    "no dilation": lambda lib, x, w: lib.conv2d(x, w, dilation=0, groups=2),
    "large kernel": lambda lib, x, w: lib.conv2d(x, w, dilation=3, groups=2),
    "dims": lambda lib, x, w: lib.conv2d(x[0, 0], w, groups=2),
    "more dims": lambda lib, x, w: lib.conv2d(x[None], w, groups=2),
    "name of padding": lambda lib, x, w: lib.conv2d(x, w, padding="sam", groups=2),
    "same with strides": lambda lib, x, w: lib.conv2d(x, w, stride=2, padding="same", groups=2),
    "no rows": lambda lib, x, w: lib.conv2d(x[:, :, :0], w, groups=2),
    "no rows but padding": lambda lib, x, w: lib.conv2d(x[:, :, :0], w, padding=2, groups=2),
    "no outputs": lambda lib, x, w: lib.conv2d(x[:, :2], w[:0]),
    "negative output_padding": lambda lib, x, w: lib.conv_transpose2d(x, w[:4], output_padding=-1),
    "channels of a transposed one": lambda lib, x, w: lib.conv_transpose2d(x[:, :3], w[:4]),
    "bias of a transposed one": lambda lib, x, w: lib.conv_transpose2d(x, w[:4], lib.ones(3)),
    "dims of an op": lambda lib, x, w: lib.convolution(x[0], w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 2),
    "no kernel": lambda lib, x, w: lib.convolution(x[:, :, 0, 0], w[:, :, 0, 0], None, [], [], [], False, [], 2),
}


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
def test_messages(name):
    def message(lib):
        with pytest.raises(RuntimeError) as caught:
            REFUSED[name](lib, lib.ones(X), lib.ones(W))
        return str(caught.value)

    assert message(gradcore) == message(torch)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (NotImplementedError, lambda x, w: gradcore.conv2d(x.long(), w.long(), groups=2)),
        (RuntimeError, lambda x, w: gradcore.conv2d(x, w.double(), groups=2)),
        (RuntimeError, lambda x, w: gradcore.conv2d(x, w[:, :, :0], groups=2)),
        (RuntimeError, lambda x, w: gradcore.conv_transpose2d(x, w[:4], padding=9)),
        (RuntimeError, lambda x, w: gradcore.conv_transpose2d(x, w[:4], output_padding=1)),
        (NotImplementedError, lambda x, w: gradcore.conv2d(x, w, padding=2**40, groups=2)),
        (RuntimeError, lambda x, w: gradcore.conv2d(x, w, padding=2**30 - 1, stride=2**29, dilation=2**29, groups=2)),
        (
            NotImplementedError,
            lambda x, w: gradcore.conv1d(x[0, :, 0], w[:1, :1, 0, :1].expand(1, 4, 2**40), padding=1),
        ),
    ],
)
def test_what_is_refused_in_other_words(error, call):
    with pytest.raises(error):
        call(gradcore.ones(X), gradcore.ones(W))


def test_a_saved_tensor_that_comes_back_with_another_shape_is_refused():
    x, w = gradcore.ones(X, requires_grad=True), gradcore.ones(W, requires_grad=True)
    with gradcore.autograd.graph.saved_tensors_hooks(lambda t: 0, lambda zero: gradcore.ones(6, 1, 3, 4)):
        y = gradcore.conv2d(x, w, groups=2)
    with pytest.raises(RuntimeError, match="unpack_hook returned a tensor of shape"):
        y.sum().backward()


def per_sample(lib, transposed):
    x, w, b = (lib.from_numpy(data(s, "float64", i)) for i, s in enumerate(((5, 4, 6, 7), (4, 3, 3, 2), (6,))))
    function = lib.conv_transpose2d if transposed else lib.conv2d
    w, b = (w, b) if transposed else (w[:, :2], b[:4])

    def loss(w, b, x):
        return (function(x, w, b, stride=2, padding=1, groups=2) ** 2).sum()

    return lib.func.vmap(lib.func.grad(loss, argnums=(0, 1, 2)), (None, None, 0))(w, b, x)


@needs_torch
@pytest.mark.parametrize("transposed", [False, True])
def test_gradients_of_each_sample(transposed):
    found, expected = per_sample(gradcore, transposed), per_sample(torch, transposed)
    for one, other in zip(found, expected):
        assert np.allclose(one.numpy(), other.numpy())


@pytest.mark.parametrize("dims", list(itertools.product([0, 1, None], [0, 2, None], [0, 1, None])))
def test_mapped_operands(dims):
    shapes = ((2, 4, 5, 6), (4, 2, 2, 3), (4,))
    if all(d is None for d in dims):
        return
    operands = []
    for i, (shape, dim) in enumerate(zip(shapes, dims)):
        dim = 0 if dim == 2 and len(shape) < 3 else dim
        full = shape if dim is None else (*shape[:dim], 3, *shape[dim:])
        operands.append(gradcore.from_numpy(data(full, "float64", i)))

    def run(x, w, b):
        return gradcore.conv2d(x, w, b, stride=2, padding=1, groups=2)

    mapped = gradcore.vmap(run, dims)(*operands)
    for k in range(3):
        one = run(*(t if d is None else t.select(d, k) for t, d in zip(operands, dims)))
        assert gradcore.allclose(mapped[k], one)


@needs_torch
def test_gradients_of_gradients_of_a_strided_one():
    def program(lib):
        x, w = (
            lib.from_numpy(data(s, "float64", i)).requires_grad_() for i, s in enumerate(((2, 4, 7, 6), (6, 2, 3, 2)))
        )
        y = lib.conv2d(x, w, stride=(2, 1), padding=1, groups=2)
        first = lib.autograd.grad((y**2).sum(), (x, w), create_graph=True)
        second = lib.autograd.grad(sum((t**3).sum() for t in first), (x, w), create_graph=True)
        return [*first, *second, *lib.autograd.grad(sum((t**2).sum() for t in second), (x, w))]

    for one, other in zip(program(gradcore), program(torch)):
        assert np.allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-9)


def test_nothing_of_anything():
    """No samples, no channels: sums of nothing are zeros, with the bias."""
    for x, w, shape in (((0, 2, 4, 4), (3, 2, 3, 3), (0, 3, 2, 2)), ((2, 0, 4, 4), (3, 0, 3, 3), (2, 3, 2, 2))):
        x, w, b = gradcore.ones(x, requires_grad=True), gradcore.ones(w, requires_grad=True), gradcore.ones(3)
        y = gradcore.conv2d(x, w, b)
        assert y.shape == shape and bool((y == 1).all())
        y.sum().backward()
        assert x.grad.shape == x.shape and not w.grad.any()


@needs_torch
@pytest.mark.parametrize("step", [(1, 3), (1, 10), (2, 5), (3, 1), (1, 21)], ids=str)
def test_windows_of_one_channel_far_apart_along_a_row(step):
    def program(lib):
        x, w = (
            lib.from_numpy(data(s, "float64", i)).requires_grad_() for i, s in enumerate(((2, 2, 8, 40), (2, 1, 3, 7)))
        )
        y = lib.conv2d(x, w, stride=step, groups=2)
        return [y, *lib.autograd.grad((y**2).sum(), (x, w))]

    for one, other in zip(program(gradcore), program(torch)):
        assert np.allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-9)
