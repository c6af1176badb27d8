"""What nn computes under other names: torch's own forms of its functions, gradients of convolutions, attention's kernels."""

import warnings

import pytest

from support import both, gradcore, needs_torch, outcome, outcome_difference, torch

pytestmark = needs_torch


def alike(program, **tolerances):
    """Both give the same, or refuse it alike."""
    found = outcome_difference(outcome(program, gradcore), outcome(program, torch), **tolerances)
    assert not found, found


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_embedding_bag(mode, weighted):
    def program(lib):
        table = lib.arange(12.0).reshape(4, 3).sin().requires_grad_()
        factors = lib.tensor([1.0, 2.0, 0.5, 3.0, 1.0]) if weighted and mode == 0 else None
        indices, offsets = lib.tensor([0, 1, 3, 1, 2]), lib.tensor([0, 2, 3])
        found = lib.embedding_bag(table, indices, offsets, mode=mode, per_sample_weights=factors)
        (found[0] * found[0]).sum().backward()
        return found, table.grad

    both(program, ulps=8, scale=4)


def test_embedding_renorm():
    for indices in ([0, 1, 1], [[2, 0]], []):
        both(
            lambda lib, indices=indices: lib.embedding_renorm_(
                lib.tensor([[3.0, 4.0], [0.1, 0.2], [6.0, 8.0]]), lib.tensor(indices, dtype=lib.int64), 1.0, 2.0
            ),
            ulps=4,
        )
    table = gradcore.ones(2, 2)
    for wrong, error in ((gradcore.tensor([0.0]), RuntimeError), (gradcore.tensor([5]), IndexError)):
        with pytest.raises(error):
            gradcore.embedding_renorm_(table, wrong, 1.0, 2.0)
    with pytest.raises(RuntimeError, match="Expected 2-dimensional tensor"):
        gradcore.embedding_renorm_(table[0], gradcore.tensor([0]), 1.0, 2.0)


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_grid_sampler(mode, padding):
    def program(lib, name):
        x = lib.arange(32.0).reshape(1, 2, 4, 4).sin().requires_grad_()
        grid = (lib.arange(18.0).reshape(1, 3, 3, 2) / 6 - 1.4).requires_grad_()
        out = getattr(lib, name)(x, grid, mode, padding, False)
        (out * out).sum().backward()
        return out, x.grad, grid.grad

    for name in ("grid_sampler", "grid_sampler_2d"):
        both(lambda lib, name=name: program(lib, name), ulps=64, scale=16)


def test_grid_sampler_of_volumes():
    both(
        lambda lib: lib.grid_sampler_3d(
            lib.arange(27.0).reshape(1, 1, 3, 3, 3), lib.arange(12.0).reshape(1, 2, 2, 1, 3) / 9 - 0.5, 0, 1, True
        ),
        ulps=16,
        scale=27,
    )
    with pytest.raises(RuntimeError, match="expected 5D input and grid"):
        gradcore.grid_sampler_3d(gradcore.ones(1, 1, 2, 2), gradcore.ones(1, 2, 2, 2), 0, 0, True)
    with pytest.raises(RuntimeError, match="modes are numbers from 0 to 2"):
        gradcore.grid_sampler_2d(gradcore.ones(1, 1, 2, 2), gradcore.ones(1, 2, 2, 2), 3, 0, True)


@pytest.mark.parametrize("pad", [0, 1, 3])
def test_conv_tbc(pad):
    def program(lib):
        x, w, b = lib.arange(24.0).reshape(4, 2, 3).sin(), lib.arange(30.0).reshape(2, 3, 5).cos(), lib.arange(5.0)
        for t in (x, w, b):
            t.requires_grad_()
        out = lib.conv_tbc(x, w, b, pad)
        (out * out).sum().backward()
        return out, x.grad, w.grad, b.grad

    both(program, ulps=64, scale=64)


@pytest.mark.parametrize(
    "shapes",
    [((3, 2), (2, 2, 3), (3,)), ((3, 2, 3), (2, 3), (3,)), ((3, 2, 3), (2, 4, 3), (3,)), ((3, 2, 3), (2, 3, 4), (3,)),
     ((3, 2, 3), (2, 3, 4), (1, 4))],
)  # fmt: skip
def test_conv_tbc_refuses(shapes):
    alike(lambda lib: lib.conv_tbc(*map(lib.ones, shapes)))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2, "padding": 1}])
def test_gradients_of_convolutions(n, options):
    sizes = (2, 4, *[7, 6, 5][:n]), (6, 4 // options.get("groups", 1), *[3, 2, 2][:n])

    def program(lib):
        x, w = (lib.arange(float(lib.ones(size).numel()), dtype=lib.float64).sin().reshape(size) for size in sizes)
        upstream = getattr(lib.nn.functional, f"conv{n}d")(x, w, **options).cos()
        of_input = getattr(lib.nn.grad, f"conv{n}d_input")(x.shape, w, upstream, **options)
        of_weight = getattr(lib.nn.grad, f"conv{n}d_weight")(x, w.shape, upstream, **options)
        return of_input, of_weight

    both(program, ulps=256, scale=64)


def test_gradients_of_convolutions_have_gradients():
    x, w = (gradcore.rand(*s, dtype=gradcore.float64, requires_grad=True) for s in ((1, 2, 4), (3, 2, 2)))
    upstream = gradcore.rand(1, 3, 3, dtype=gradcore.float64, requires_grad=True)
    assert gradcore.autograd.gradcheck(lambda w, g: gradcore.nn.grad.conv1d_input(x.shape, w, g), (w, upstream))
    assert gradcore.autograd.gradcheck(lambda x, g: gradcore.nn.grad.conv1d_weight(x, w.shape, g), (x, upstream))
    assert not gradcore.nn.grad.conv1d_input(x.shape, w.detach(), upstream.detach()).requires_grad
    with pytest.raises(RuntimeError, match="but the convolution gives"):
        gradcore.nn.grad.conv1d_input((1, 2, 9), w, upstream)


def test_attention_is_told_its_kernel():
    attention, cuda = gradcore.nn.attention, gradcore.backends.cuda
    names = attention.SDPBackend
    with attention.sdpa_kernel([names.MATH, names.FLASH_ATTENTION]):
        assert cuda.math_sdp_enabled() and cuda.flash_sdp_enabled() and not cuda.mem_efficient_sdp_enabled()
        q = gradcore.rand(1, 2, 3, 4)
        inside = gradcore.nn.functional.scaled_dot_product_attention(q, q, q)
    assert cuda.mem_efficient_sdp_enabled()
    assert gradcore.equal(inside, gradcore.nn.functional.scaled_dot_product_attention(q, q, q))
    with pytest.raises(TypeError), attention.sdpa_kernel(3):
        pass
    for name in ("ERROR", "MATH", "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION", "OVERRIDEABLE"):
        theirs = getattr(torch.nn.attention.SDPBackend, name)
        assert getattr(names, name) == int(theirs)


def test_old_names_warn():
    with pytest.warns(DeprecationWarning, match="set_autocast_enabled"):
        gradcore.set_autocast_cpu_enabled(False)
    with pytest.warns(DeprecationWarning, match="set_autocast_dtype"):
        gradcore.set_autocast_cpu_dtype(gradcore.bfloat16)
    with pytest.warns(DeprecationWarning), pytest.raises(NotImplementedError):
        gradcore.set_autocast_gpu_dtype(gradcore.float16)
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        gradcore.range(0, 2)


@pytest.mark.parametrize("sizes", [(4, 3), (12,), (5,), (-1, 2)])
def test_resize_keeps_the_elements(sizes):
    def program(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = lib.arange(12).reshape(3, 4).t().resize(*sizes)
            return found, lib.arange(12).resize_as(lib.ones(3, 4)), [str(w.message) for w in caught]

    alike(program)


SHAPES = ((3, 3), (4, 2), (2, 4), (2, 3, 3), (2, 4, 3))


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal_weights(kind, shape, trivial):
    class Layer(gradcore.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = gradcore.nn.Parameter(gradcore.randn(shape, dtype=gradcore.float64))

    def is_orthonormal(w):
        tall = w.mT if w.shape[-2] < w.shape[-1] else w
        return gradcore.allclose(tall.mT @ tall, gradcore.eye(tall.shape[-1], dtype=w.dtype))

    gradcore.manual_seed(0)
    orthogonal = gradcore.nn.utils.parametrizations.orthogonal
    can_assign = trivial or kind == "householder" or (kind is None and shape[-1] != shape[-2])
    layer = orthogonal(Layer(), orthogonal_map=kind, use_trivialization=trivial)
    assert is_orthonormal(layer.weight) and layer.weight.shape == shape
    optimizer = gradcore.optim.SGD(layer.parameters(), lr=0.1)
    aim, losses = gradcore.randn(shape, dtype=gradcore.float64), []
    for _ in range(5):
        optimizer.zero_grad()
        losses.append(((layer.weight - aim) ** 2).sum())
        losses[-1].backward()
        optimizer.step()
    assert is_orthonormal(layer.weight) and losses[-1] < losses[0]
    wanted = layer.weight.detach().clone().flip(-1)  # its columns in another order are orthonormal too
    if not can_assign:
        with pytest.raises(NotImplementedError, match="It is not possible to assign"):
            layer.weight = wanted
        return
    layer.weight = wanted
    assert gradcore.allclose(layer.weight, wanted)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (3, 2)])
def test_orthogonal_begins_where_torchs_does(shape):
    def program(lib):
        lib.manual_seed(0)
        layer = lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(*shape))
        original = layer.parametrizations.weight.original.detach()
        return original, repr(original)  # as text, because 0 and -0 are equal numbers

    both(program, ulps=0)


def test_orthogonal_refuses():
    orthogonal = gradcore.nn.utils.parametrizations.orthogonal
    linear = gradcore.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="orthogonal_map has to be one of"):
        orthogonal(linear, orthogonal_map="other")
    with pytest.raises(ValueError, match="Expected a matrix or batch of matrices"):
        orthogonal(linear, "bias")
    with pytest.raises(ValueError, match="no parameter or buffer"):
        orthogonal(linear, "other")


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_orthogonal_maps_are_those_of_torch(kind, shape):
    def program(lib):
        layer = lib.nn.Linear(shape[1], shape[0], bias=False, dtype=lib.float64)
        orthogonal = lib.nn.utils.parametrizations.orthogonal
        layer = orthogonal(layer, orthogonal_map=kind)
        started = layer.parametrizations.weight.original.shape, layer.parametrizations.weight[0].base.shape
        with lib.no_grad():
            original = layer.parametrizations.weight.original
            original.copy_(lib.arange(float(original.numel()), dtype=lib.float64).sin().reshape(started[0]))
            if kind == "householder":  # torch takes no other numbers on the diagonal
                original.diagonal().copy_(lib.tensor([1.0, -1.0, 1.0, 1.0][: min(shape)]))
            layer.parametrizations.weight[0].base.copy_(lib.eye(*started[1], dtype=lib.float64))
        return layer.weight, started, sorted(layer.state_dict())

    both(program, ulps=256, scale=2)
