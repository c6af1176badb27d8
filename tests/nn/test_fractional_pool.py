"""Fractional max pools: beside torch, with the same random numbers, and what is derivable again."""

import math

import pytest

import gradcore
from support import both

F = gradcore.nn.functional


def image(lib, *shape, dtype="float64"):
    return lib.tensor([math.sin(1.7 * i) for i in range(math.prod(shape))], dtype=getattr(lib, dtype)).view(shape)


def pooled(lib, x, kernel, **options):
    dims = x.dim() - 2
    x.requires_grad_()
    function = getattr(lib.nn.functional, f"fractional_max_pool{dims}d")
    values, index = function(x, kernel, return_indices=True, **options)
    (values * lib.arange(values.numel()).view(values.shape)).sum().backward()
    return values.detach(), index, x.grad


CASES = {
    "square": ((2, 3, 9, 9), 2, {"output_size": 5}),
    "oblong": ((2, 3, 7, 12), (3, 2), {"output_size": (3, 8)}),
    "ratio": ((2, 3, 9, 11), 2, {"output_ratio": (0.6, 0.7)}),
    "one window": ((2, 3, 5, 5), (4, 3), {"output_size": 1}),
    "no windows": ((2, 3, 5, 5), 2, {"output_size": (0, 3)}),
    "cube": ((2, 3, 6, 6, 6), 2, {"output_size": 3}),
    "box": ((2, 2, 5, 6, 9), (1, 2, 3), {"output_size": (3, 2, 5)}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", CASES)
def test_values_places_and_gradients(name, seed, dtype):
    shape, kernel, options = CASES[name]

    def program(lib):
        lib.manual_seed(seed)
        return pooled(lib, image(lib, *shape, dtype=dtype), kernel, **options)

    both(program, ulps=4, scale=1)


@pytest.mark.parametrize("value", [math.nan, -math.inf, 0.0])
def test_equal_numbers_and_nan(value):
    both(lambda lib: pooled(lib, lib.full((1, 2, 5, 5), value), 2, output_size=3)[:2])


def test_samples_that_are_given():
    def program(lib):
        samples = lib.tensor([[[0.0, 0.999], [0.5, 0.25]]], dtype=lib.float64)
        return pooled(lib, image(lib, 1, 2, 8, 9), 2, output_size=(4, 5), _random_samples=samples)

    both(program, ulps=4, scale=1)


@pytest.mark.parametrize("samples", [[[math.nan, 0.0]], [[1e30, 0.0]]])
def test_samples_that_cannot_be(samples):
    with pytest.raises((RuntimeError, IndexError), match="fractional_max_pool"):
        F.fractional_max_pool2d(gradcore.ones(1, 1, 9, 9), 2, 5, _random_samples=gradcore.tensor([samples]))


@pytest.mark.parametrize("sizes", [(6, 5), (2, 9), (2, -1), (0, 2), (-2, 2), (1 << 62, 1 << 62)])
def test_sizes_that_do_not_fit(sizes):
    with pytest.raises(RuntimeError, match="fractional_max_pool2d"):
        F.fractional_max_pool2d(gradcore.ones(1, 1, 9, 9)[..., :5], *sizes)


@pytest.mark.parametrize("shape", [(2, 2, 6, 6), (1, 2, 4, 5, 4)])
def test_second_derivatives_forward_mode_and_vmap(shape):
    dims = len(shape) - 2
    samples = gradcore.full((*shape[:2], dims), 0.3, dtype=gradcore.float64)
    function = (F.fractional_max_pool2d, F.fractional_max_pool3d)[dims - 2]

    def pool(x):
        return function(x, 2, 3, _random_samples=samples)

    x = image(gradcore, *shape).requires_grad_()
    assert gradcore.autograd.gradcheck(pool, x, check_forward_ad=True, check_batched_grad=True)
    assert gradcore.autograd.gradgradcheck(lambda x: pool(x) ** 2, x)
    batch = gradcore.stack([x.detach(), x.detach().flip(-1)])
    single = gradcore.stack([pool(part) for part in batch])
    assert gradcore.equal(gradcore.func.vmap(pool)(batch), single)


def test_any_number_of_threads_gives_the_same_bits():
    def values():
        gradcore.manual_seed(0)
        return [t.tolist() for t in pooled(gradcore, image(gradcore, 8, 16, 20, 20), 3, output_size=12)]

    before = gradcore.get_num_threads()
    try:
        gradcore.set_num_threads(1)
        alone = values()
        gradcore.set_num_threads(3)
        assert values() == alone
    finally:
        gradcore.set_num_threads(before)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("shape", "phrase"),
    {
        (1, 2): "Expect _random_samples to have 3 dimensions, got 2",
        (1, 3, 2, 1): "Expect _random_samples to have 3 dimensions, got 4",
        (1, 3, 3): "Expect _random_samples.size(0) no less then input batch size.",
        (2, 2, 3): "Expect _random_samples.size(1) equals to input channel size.",
        (2, 3, 1): "Expect _random_samples.size(2) equals to",
        (2, 3, 4): "Expect _random_samples.size(2) equals to",
    }.items(),
)
def test_random_numbers_of_another_shape(dims, shape, phrase):
    def program(lib):
        function = getattr(lib.nn.functional, f"fractional_max_pool{dims}d")
        function(image(lib, 2, 3, *[4] * dims), 2, output_size=1, _random_samples=lib.full(shape, 0.5).double())

    both(program, raises=phrase)


@pytest.mark.parametrize("dims", [2, 3])
def test_random_numbers_of_another_dtype_and_more_of_them(dims):
    def program(lib, dtype="float64", batch=4):
        samples = lib.full((batch, 3, dims), 0.5, dtype=getattr(lib, dtype))
        function = getattr(lib.nn.functional, f"fractional_max_pool{dims}d")
        return function(image(lib, 2, 3, *[5] * dims), 2, output_size=2, _random_samples=samples)

    both(program)
    both(lambda lib: program(lib, "float32"), raises="Expect _random_samples to have the same dtype as input")


@pytest.mark.parametrize("shape", [(1, 0, 4, 4), (1, 0, 4, 4, 4)])
def test_no_channels(shape):
    layer = "FractionalMaxPool3d" if len(shape) == 5 else "FractionalMaxPool2d"
    both(lambda lib: getattr(lib.nn, layer)(2, output_size=1)(lib.ones(shape)), raises="to have non-zero size")
