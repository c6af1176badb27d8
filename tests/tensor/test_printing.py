"""How tensors print: texts that hold without torch, and thousands of random tensors that must print as torch prints them."""

import random

import numpy as np
import pytest

from support import ALL_DTYPES, both, gradcore, libraries, needs_torch, torch

NAN, INF = float("nan"), float("inf")
FLOAT_EDGES = [1e-4, 9.9999e-5, 1e-3, 0.1, 0.5, 1.0, 9.99995, 999.99995, 1000.0, 99999.99995, 1e8, 1e8 + 8, 3e38, 1e-45]
SPECIAL = [NAN, INF, -INF, 0.0, -0.0]


@pytest.fixture(autouse=True)
def default_options():
    yield
    for lib in libraries():
        lib.set_printoptions(profile="default")


TEXTS = [
    (lambda g: g.tensor(1.5), "tensor(1.5000)"),
    (lambda g: g.tensor([5.3671, -17.3012], requires_grad=True), "tensor([  5.3671, -17.3012], requires_grad=True)"),
    (lambda g: g.tensor([1.0, -2.0, 10.0]), "tensor([ 1., -2., 10.])"),
    (lambda g: g.tensor([1.0, NAN, INF, -INF, -0.0]), "tensor([1., nan, inf, -inf, -0.])"),
    (lambda g: g.tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
    (lambda g: g.tensor([1, -20, 300]), "tensor([  1, -20, 300])"),
    (lambda g: g.tensor([True, False]), "tensor([ True, False])"),
    (lambda g: g.tensor([1.0], dtype=g.float64), "tensor([1.], dtype=torch.float64)"),
    (lambda g: g.tensor([1], dtype=g.uint8), "tensor([1], dtype=torch.uint8)"),
    (lambda g: g.tensor([]), "tensor([])"),
    (lambda g: g.zeros(0, dtype=g.int64), "tensor([], dtype=torch.int64)"),
    (lambda g: g.zeros(0, 3), "tensor([], size=(0, 3))"),
    (lambda g: g.tensor([[1.0, 2.0], [3.0, 4.5]]), "tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])"),
    (lambda g: g.arange(4).view(2, 1, 2), "tensor([[[0, 1]],\n\n        [[2, 3]]])"),
    (lambda g: g.arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    (
        lambda g: g.arange(1200.0).view(300, 4),
        (
            "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00, 3.0000e+00],\n"
            "        [4.0000e+00, 5.0000e+00, 6.0000e+00, 7.0000e+00],\n"
            "        [8.0000e+00, 9.0000e+00, 1.0000e+01, 1.1000e+01],\n"
            "        ...,\n"
            "        [1.1880e+03, 1.1890e+03, 1.1900e+03, 1.1910e+03],\n"
            "        [1.1920e+03, 1.1930e+03, 1.1940e+03, 1.1950e+03],\n"
            "        [1.1960e+03, 1.1970e+03, 1.1980e+03, 1.1990e+03]])"
        ),
    ),
    (lambda g: g.ones(2, requires_grad=True) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)"),
    (
        lambda g: g.ones(13, requires_grad=True) + 0.5,
        (
            "tensor([1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000,\n"
            "        1.5000, 1.5000, 1.5000, 1.5000], grad_fn=<AddBackward0>)"
        ),
    ),
    (
        lambda g: g.full((8,), 0.25, dtype=g.float64, requires_grad=True),
        (
            "tensor([0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500],\n"
            "       dtype=torch.float64, requires_grad=True)"
        ),
    ),
]


@pytest.mark.parametrize(("make", "text"), TEXTS)
def test_text(make, text):
    for lib in libraries():
        tensor = make(lib)
        assert repr(tensor) == text
        assert str(tensor) == text


def test_default_dtype_is_not_named():
    for lib in libraries():
        lib.set_default_dtype(lib.float64)
        assert repr(lib.tensor([0.5])) == "tensor([0.5000])"
        assert repr(lib.ones(1, dtype=lib.float32)) == "tensor([1.], dtype=torch.float32)"


def test_options():
    for lib in libraries():
        lib.set_printoptions(profile="default", precision=2, sci_mode=False)
        assert repr(lib.tensor([1e-5, 12.5])) == "tensor([ 0.00, 12.50])"
        lib.set_printoptions(sci_mode=True)
        assert repr(lib.tensor([12.5])) == "tensor([1.25e+01])"
        lib.set_printoptions(profile="short", threshold=5, edgeitems=1, linewidth=20)
        assert repr(lib.arange(10.0)) == "tensor([0.,  ..., 9.])"
        assert repr(lib.arange(5)) == "tensor([0, 1, 2, 3,\n        4])"


@pytest.mark.skipif(gradcore is torch, reason="printoptions has no public name in torch")
def test_options_for_a_while():
    tensor = gradcore.tensor([0.125])
    with gradcore.printoptions(precision=1):
        assert repr(tensor) == "tensor([0.1])"
    assert repr(tensor) == "tensor([0.1250])"
    with pytest.raises(TypeError), gradcore.printoptions(digits=1):
        pass
    assert repr(tensor) == "tensor([0.1250])"


@pytest.mark.skipif(gradcore is torch, reason="torch ignores it")
def test_unknown_profile():
    with pytest.raises(ValueError, match="default, short, full"):
        gradcore.set_printoptions(profile="long")


def test_printing_records_nothing():
    x = gradcore.ones(2000, requires_grad=True)
    before = x._version
    repr(x)
    assert x.grad_fn is None
    assert x._version == before


# ---- random tensors ----


def random_shape(pick):
    dims = pick.choice([0, 1, 1, 1, 2, 2, 3, 4])
    if dims == 1:
        return (pick.choice([0, 1, 2, 5, 10, 40, 1000, 1001, 1500]),)
    if dims == 2 and pick.random() < 0.2:
        return pick.choice([(2000, 2), (2, 2000), (40, 40), (1001, 1)])
    sizes = [1, 3, 6, 7, 8, 12] if pick.random() < 0.15 else [0, *[1, 2, 3, 4, 5, 7] * 4]
    return tuple(pick.choice(sizes) for _ in range(dims))


def random_floats(pick, numbers, shape):
    kind = pick.randrange(7)
    if kind == 0:
        return numbers.normal(size=shape) * 10 ** pick.uniform(-10, 12)
    if kind == 1:
        return numbers.integers(-pick.choice([9, 1000, 10**9]), pick.choice([10, 1001, 10**8 + 1]), shape).astype("f8")
    if kind == 2:
        return numbers.normal(size=shape) * 10 ** (numbers.random(shape) * pick.choice([1, 3, 4, 30]))
    if kind == 3:
        return np.array(pick.choices(FLOAT_EDGES + SPECIAL, k=int(np.prod(shape)))).reshape(shape)
    if kind == 4:
        return np.zeros(shape) * pick.choice([1, -1])
    if kind == 5:
        return np.round(numbers.normal(size=shape) * pick.choice([1, 10, 1000]), pick.choice([0, 1, 2]))
    return numbers.random(shape)


def random_array(pick, numbers):
    dtype = pick.choice([*ALL_DTYPES, *["float32"] * 5, *["float64"] * 3])
    shape = random_shape(pick)
    if dtype == "bool":
        return np.asarray(numbers.random(shape) < pick.choice([0, 0.5, 1]))
    if not dtype.startswith("float"):
        limits = np.iinfo(dtype)
        bound = pick.choice([10, 1000, limits.max])
        return np.asarray(numbers.integers(max(limits.min, -bound), min(limits.max, bound), shape, dtype=dtype))
    array = np.asarray(random_floats(pick, numbers, shape)).astype(dtype)
    if pick.random() < 0.3 and array.size:
        for _ in range(pick.choice([1, 3, array.size])):
            array.reshape(-1)[pick.randrange(array.size)] = pick.choice(SPECIAL)
    return array


def random_options(pick):
    options = {"profile": pick.choice(["default", "default", "short", "full"])}
    for name, values in {
        "precision": [0, 1, 2, 6, 20],
        "threshold": [0, 5, 20, 100],
        "edgeitems": [0, 1, 2, 5],
        "linewidth": [1, 20, 40, 120, 100000],
        "sci_mode": [True, False],
    }.items():
        if pick.random() < 0.3:
            options[name] = pick.choice(values)
    return options


@needs_torch
@pytest.mark.parametrize("seed", range(20))
def test_random_tensors_print_as_in_torch(seed):
    pick, numbers = random.Random(seed), np.random.default_rng(seed)
    options = random_options(pick) if seed % 2 else {}
    for lib in libraries():
        lib.set_printoptions(**options)
        lib.set_default_dtype(lib.float64 if seed % 5 == 4 else lib.float32)
    for _ in range(100):
        array = random_array(pick, numbers)
        ours, theirs = (lib.from_numpy(array.copy()) for lib in (gradcore, torch))
        if array.dtype.kind == "f" and pick.random() < 0.3:
            ours, theirs = ours.requires_grad_(), theirs.requires_grad_()
            if pick.random() < 0.5:
                ours, theirs = ours * 1, theirs * 1
        if array.ndim == 2 and pick.random() < 0.3:
            ours, theirs = ours.t(), theirs.t()
        assert repr(ours) == repr(theirs), f"{array.dtype} {array.shape} {options}"


def test_subclasses_print_under_their_names():
    def program(lib):
        class Parameter(lib.Tensor):
            pass

        class Own(lib.nn.Parameter):
            pass

        x = lib.ones(2)
        marked = lib.nn.Parameter(x.as_subclass(Parameter))
        shown = [
            x.as_subclass(Parameter),
            marked,
            Own(lib.ones(20, 20)),
            lib.nn.Parameter(x),
            [Own(x, False)],
            lib.nn.Buffer(x),
        ]
        return [repr(t) for t in shown], f"{Own(lib.ones(()))}", x.as_subclass(Parameter).__repr__(tensor_contents="a")

    both(program)
