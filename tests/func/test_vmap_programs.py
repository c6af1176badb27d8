"""Programs with vmap beside torch's: dims, nests, random numbers, writes, other transforms inside and around, and errors."""

import importlib

import numpy as np
import pytest

from support import both, gradcore, is_tensor

A = np.array([[0.3, 1.1, -0.7], [2.0, -0.4, 0.9]])
B = np.arange(24.0).reshape(2, 3, 4) / 8 - 1
I = np.array([[2, 0, 1], [1, 1, 2]])  # noqa: E741  indices into three


def func(lib):
    return importlib.import_module(f"{lib.__name__}.func")


def vmap(lib, function, *args, **options):
    return func(lib).vmap(function, *args, **options)


def data(lib, array=A):
    return lib.from_numpy(array.copy())


def table(programs):
    """A test of each program: a function of the library."""
    return pytest.mark.parametrize("program", programs.values(), ids=programs.keys())


# ---- Which dims ------------------------------------------------------------------------------------------------------

DIMS = {
    "one": lambda lib: vmap(lib, lambda x: x.sum())(data(lib)),
    "the second": lambda lib: vmap(lib, lambda x: x * 2, in_dims=1)(data(lib)),
    "the last": lambda lib: vmap(lib, lambda x: x.sum(0), in_dims=-1)(data(lib, B)),
    "different ones": lambda lib: vmap(lib, lambda x, y: x @ y, in_dims=(0, 1))(data(lib), data(lib, A.T)),
    "a shared argument": lambda lib: vmap(lib, lambda x, y: x * y, in_dims=(0, None))(data(lib), data(lib, A[0])),
    "the other is shared": lambda lib: vmap(lib, lambda x, y: x - y, in_dims=(None, 1))(data(lib, A[:, 0]), data(lib)),
    "a number": lambda lib: vmap(lib, lambda x, n: x * n, in_dims=(0, None))(data(lib), 3),
    "a string": lambda lib: vmap(lib, lambda x, how: getattr(x, how)(), in_dims=(0, None))(data(lib), "exp"),
    "out at the end": lambda lib: vmap(lib, lambda x: x * 2, out_dims=1)(data(lib)),
    "out before the end": lambda lib: vmap(lib, lambda x: x * 2, out_dims=-2)(data(lib, B)),
    "out at -1": lambda lib: vmap(lib, lambda x: x * 2, out_dims=-1)(data(lib, B)),
    "in and out": lambda lib: vmap(lib, lambda x: x.t(), in_dims=2, out_dims=1)(data(lib, B)),
    "out in a tuple": lambda lib: vmap(lib, lambda x: x * 2, out_dims=(1,))(data(lib)),
    "several outputs": lambda lib: vmap(lib, lambda x: (x.sum(), x.exp()), out_dims=(0, 1))(data(lib)),
    "one out dim for all": lambda lib: vmap(lib, lambda x: (x * 1, x + 1), out_dims=1)(data(lib)),
    "a list of outputs": lambda lib: vmap(lib, lambda x: [x, x * 2], out_dims=[0, 1])(data(lib)),
    "a dict of outputs": lambda lib: vmap(lib, lambda x: {"a": x, "b": x.sum()}, out_dims={"a": 1, "b": 0})(data(lib)),
    "a nest of outputs": lambda lib: vmap(lib, lambda x: (x, [x * 2, {"c": x.t()}]))(data(lib, B)),
    "an output that is shared": lambda lib: vmap(lib, lambda x: (x, data(lib, A[0])))(data(lib)),
    "an output that stays single": lambda lib: vmap(lib, lambda x: (x, data(lib, A[0])), out_dims=(0, None))(data(lib)),
    "an output that is no tensor": lambda lib: vmap(lib, lambda x: (x, "text"), out_dims=(0, None))(data(lib)),
    "the shared input as output": lambda lib: vmap(lib, lambda x, y: y, in_dims=(0, None))(data(lib), data(lib, A[0])),
    "the input as it is": lambda lib: vmap(lib, lambda x: x, in_dims=1, out_dims=1)(data(lib)),
    "a list of inputs": lambda lib: vmap(lib, lambda xs: xs[0] * xs[1])([data(lib), data(lib)]),
    "a list with dims": lambda lib: vmap(lib, lambda xs: xs[0] * xs[1], in_dims=([0, 1],))([data(lib), data(lib, A.T)]),
    "a dict with dims": lambda lib: vmap(lib, lambda d: d["a"] * d["b"], in_dims=({"a": 0, "b": None},))(
        {"a": data(lib), "b": data(lib, A[0])}
    ),
    "a nest of tuples": lambda lib: vmap(lib, lambda p, z: p[0] + p[1][0] * z, in_dims=((0, (1,)), None))(
        (data(lib), (data(lib, A.T),)), 2.0
    ),
    "one dim for a nest": lambda lib: vmap(lib, lambda p: p[0] + p[1]["k"], in_dims=1)((data(lib), {"k": data(lib)})),
    "keywords are shared... or mapped along 0": lambda lib: vmap(lib, lambda x, scale=1.0: x * scale)(
        data(lib), scale=3.0
    ),
    "0-d samples": lambda lib: vmap(lib, lambda x: (x * 2, x.shape, x.dim())[0])(data(lib, A[0])),
    "shapes inside": lambda lib: vmap(lib, lambda x: x * x.shape[0] + x.dim() + x.numel() + len(x))(data(lib, B)),
    "an expanded argument": lambda lib: vmap(lib, lambda x: x.sum())(data(lib, A[:1]).expand(4, 3)),
    "integers": lambda lib: vmap(lib, lambda x: x.cumsum(0))(data(lib, I)),
    "booleans": lambda lib: vmap(lib, lambda x: x.any())(data(lib, A > 1)),
    "the function's name": lambda lib: vmap(lib, named).__name__,
}


def named(x):
    return x


@table(DIMS)
def test_dims(program):
    both(program, ulps=4)


NESTED = {
    "twice": lambda lib: vmap(lib, vmap(lib, lambda x: x.sum()))(data(lib, B)),
    "twice with dims": lambda lib: vmap(lib, vmap(lib, lambda x: x * 2, in_dims=1, out_dims=1), in_dims=2)(
        data(lib, B)
    ),
    "out dims of both": lambda lib: vmap(lib, vmap(lib, lambda x: x * 2, out_dims=-1), out_dims=-1)(data(lib, B)),
    "three times": lambda lib: vmap(lib, vmap(lib, vmap(lib, lambda x: x.exp())))(data(lib, B)),
    "all pairs": lambda lib: vmap(lib, vmap(lib, lambda x, y: x @ y, (None, 0)), (0, None))(
        data(lib), data(lib, A + 1)
    ),
    "all pairs otherwise": lambda lib: vmap(lib, vmap(lib, lambda x, y: x - y, (0, None)), (None, 0))(
        data(lib), data(lib, A + 1)
    ),
    "the outer sample inside": lambda lib: vmap(lib, lambda x: vmap(lib, lambda y: y * x)(data(lib)))(data(lib, A)),
    "only the outer sample": lambda lib: vmap(lib, lambda x: vmap(lib, lambda y: x.sum())(data(lib)))(data(lib, A)),
    "a vmap on a part": lambda lib: vmap(lib, lambda x: vmap(lib, lambda y: y.sum())(x).max())(data(lib, B)),
    "matrix products": lambda lib: vmap(lib, vmap(lib, lib.matmul, (0, None)), (0, 0))(
        data(lib, B), data(lib, B.transpose(0, 2, 1))
    ),
}


@table(NESTED)
def test_nested(program):
    both(program, ulps=8)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks(chunk_size):
    def program(lib, **options):
        seen = []

        def function(x, y):
            seen.append(1)
            return x.cumsum(0) * y, (x.sum(), y)

        options = {"in_dims": (1, None), "out_dims": (1, (0, None)), "chunk_size": chunk_size, **options}
        return vmap(lib, function, **options)(data(lib, B.reshape(4, 6)), data(lib, B[0, 0])), len(seen)

    both(lambda lib: program(lib, out_dims=(1, (0, 0))), ulps=4, strides="ignored")
    both(lambda lib: func(lib).jacrev(lambda x: x.exp() * x.sum(), chunk_size=chunk_size)(data(lib, A[0])), ulps=8)


# ---- Random numbers --------------------------------------------------------------------------------------------------

RANDOM = {
    "rand": lambda lib, x: lib.rand(3) + x,
    "rand of a dtype": lambda lib, x: lib.rand((3,), dtype=lib.float64) + x,
    "randn": lambda lib, x: lib.randn(3) + x,
    "many randn": lambda lib, x: lib.randn(3, 20).sum(1) + x,
    "randint": lambda lib, x: lib.randint(0, 100, (3,)) + x,
    "randperm": lambda lib, x: lib.randperm(3) + x,
    "rand_like": lambda lib, x: lib.rand_like(x),
    "randn_like": lambda lib, x: lib.randn_like(x),
    "randint_like": lambda lib, x: lib.randint_like(x, 0, 50),
    "rand_like of what is shared": lambda lib, x: lib.rand_like(data(lib, A[0])) + x,
    "uniform_": lambda lib, x: (x * 1).uniform_(-1, 1),
    "normal_": lambda lib, x: (x * 1).normal_(),
    "bernoulli": lambda lib, x: lib.bernoulli(x.abs() / 4),
    "normal": lambda lib, x: lib.normal(x, 0.5),
    "two in a row": lambda lib, x: lib.rand(3) * lib.randn(3) + x,
    "exponential_": lambda lib, x: (x * 1).exponential_(),
    "random_": lambda lib, x: (x * 1).random_(0, 9),
    "multinomial": lambda lib, x: lib.multinomial(x.abs(), 2, True),
    "dropout of elements": lambda lib, x: lib.nn.functional.dropout(x, 0.4),
    "dropout of what is shared": lambda lib, x: lib.nn.functional.dropout(data(lib, A[0]), 0.4) + x,
    "alpha dropout of what is shared": lambda lib, x: lib.nn.functional.alpha_dropout(data(lib, A[0]), 0.4, True) + x,
    "dropout of channels": lambda lib, x: lib.nn.functional.dropout1d(lib.stack([x] * 6)),
    "dropout of channels in 2-d": lambda lib, x: lib.nn.functional.dropout2d(lib.stack([x, x + 1]).reshape(1, 3, 2, 1)),
    "alpha dropout of channels": lambda lib, x: lib.nn.functional.feature_alpha_dropout(
        lib.stack([x] * 6)[None], 0.5, True
    ),
}


@pytest.mark.parametrize("randomness", ["same", "different"])
@pytest.mark.parametrize("name", RANDOM)
def test_random_numbers_are_those_of_torch(name, randomness):
    if not hasattr(gradcore, name.rstrip("_")) and not hasattr(gradcore.Tensor, name) and " " not in name:
        pytest.skip(f"there is no {name} yet")

    def program(lib):
        lib.manual_seed(11)
        result = vmap(lib, lambda x: RANDOM[name](lib, x), randomness=randomness)(data(lib))
        return result, lib.rand(2)

    if randomness == "same" and name in ("bernoulli", "multinomial", "normal"):  # what is drawn depends on the sample
        return both(program, raises="Vmap does not currently support same randomness with a batched tensor input")
    of_float32 = 2**29  # an ulp there, in those of the float64 that it is added to
    both(program, ulps=4 * of_float32 if name == "many randn" else 4, scale=4.0)


@pytest.mark.parametrize("name", ["rand", "randn", "randint", "randperm", "rand_like", "uniform_", "normal_"])
def test_random_numbers_are_refused(name):
    def program(lib):
        return vmap(lib, lambda x: RANDOM[name](lib, x))(data(lib))

    both(program, raises="vmap: called random operation while in randomness error mode")


RANDOM_NESTS = {
    "different in different": ("different", "different", 0, 0),
    "same in different": ("different", "same", 0, 0),
    "different in same": ("same", "different", 0, 0),
    "same in same": ("same", "same", 0, 0),
}


@pytest.mark.parametrize("name", RANDOM_NESTS)
@pytest.mark.parametrize("op", ["rand", "randn_like", "randperm"])
def test_random_numbers_in_nests(name, op):
    outer, inner, *_ = RANDOM_NESTS[name]

    def program(lib):
        lib.manual_seed(2)
        mapped = vmap(lib, vmap(lib, lambda x: RANDOM[op](lib, x), randomness=inner), randomness=outer)
        return mapped(data(lib, B[:, :, :3]))

    both(program, ulps=4)


def test_random_numbers_in_chunks():
    def program(lib, randomness):
        lib.manual_seed(4)
        return vmap(lib, lambda x: lib.rand(2) + x, randomness=randomness, chunk_size=2)(data(lib, B[0, :, 0]))

    both(lambda lib: program(lib, "different"))
    both(lambda lib: program(lib, "same"))


def test_an_unmapped_tensor_cannot_get_different_numbers():
    def program(lib, randomness):
        lib.manual_seed(4)
        whole = lib.zeros(3)
        return vmap(lib, lambda x: whole.uniform_() + x, randomness=randomness)(data(lib))

    both(
        lambda lib: program(lib, "different"),
        raises="vmap: Cannot ask for different inplace randomness on an unbatched tensor",
    )
    both(lambda lib: program(lib, "same"))


def test_random_numbers_under_jacfwd():
    def program(lib, **options):
        lib.manual_seed(1)
        return func(lib).jacfwd(lambda x: x * lib.rand(3), **options)(data(lib, A[0]))

    both(lambda lib: program(lib, randomness="same"))
    both(lambda lib: program(lib, randomness="different"))
    both(program, raises="randomness error mode")


# ---- Writing inside --------------------------------------------------------------------------------------------------


def written(x, change):
    change(x)
    return x


WRITES = {
    "a copy": lambda lib: vmap(lib, lambda x: written(x.clone(), lambda y: y.mul_(2)))(data(lib)),
    "the sample itself": lambda lib: (lambda a: (vmap(lib, lambda x: x.add_(1))(a), a))(data(lib)),
    "the sample along 1": lambda lib: (lambda a: (vmap(lib, lambda x: x.add_(1), in_dims=1)(a), a))(data(lib)),
    "the sample from another": lambda lib: (lambda a: (vmap(lib, lambda x, y: x.mul_(y))(a, a + 1), a))(data(lib)),
    "a shared number into it": lambda lib: vmap(lib, lambda x, y: x.copy_(y), (0, None))(data(lib), data(lib, A[0])),
    "a part": lambda lib: (lambda a: (vmap(lib, lambda x: written(x, lambda y: y[1:].fill_(7)))(a), a))(data(lib)),
    "an element": lambda lib: vmap(lib, lambda x: written(x, lambda y: y.__setitem__(0, 5.0)))(data(lib)),
    "an element from a sample": lambda lib: vmap(lib, lambda x: written(x, lambda y: y.__setitem__(0, y.sum())))(
        data(lib)
    ),
    "a slice": lambda lib: vmap(lib, lambda x: written(x, lambda y: y.__setitem__(slice(None, 2), y[1:] * 2)))(
        data(lib)
    ),
    "zeros of the sample": lambda lib: vmap(lib, lambda x: lib.zeros_like(x).add_(x))(data(lib)),
    "new_zeros": lambda lib: vmap(lib, lambda x: x.new_zeros(2).add_(x[:2]))(data(lib)),
    "new_ones": lambda lib: vmap(lib, lambda x: x.new_ones(3).mul_(x))(data(lib)),
    "new_full": lambda lib: vmap(lib, lambda x: x.new_full((3,), 2.5).sub_(x))(data(lib)),
    "new_empty": lambda lib: vmap(lib, lambda x: x.new_empty(3).copy_(x))(data(lib)),
    "new_tensor": lambda lib: vmap(lib, lambda x: x.new_tensor([1.0, 2.0, 3.0]) + x)(data(lib)),
    "empty_like": lambda lib: vmap(lib, lambda x: lib.empty_like(x).copy_(x))(data(lib)),
    "ones_like": lambda lib: vmap(lib, lambda x: lib.ones_like(x).sub_(x))(data(lib)),
    "full_like": lambda lib: vmap(lib, lambda x: lib.full_like(x, 3).sub_(x))(data(lib)),
    "new_zeros in a nest": lambda lib: vmap(lib, vmap(lib, lambda x: x.new_zeros(4).add_(x)))(data(lib, B)),
    "zero_": lambda lib: (lambda a: (vmap(lib, lambda x: x.zero_())(a), a))(data(lib)),
    "a view": lambda lib: vmap(lib, lambda x: written(x.clone(), lambda y: y.t()[0].add_(y[0, 1])))(data(lib, B)),
    "what is shared, from what is": lambda lib: (
        lambda a, b: (vmap(lib, lambda x: written(x, lambda _: b.add_(1)))(a), b)
    )(data(lib), data(lib, A[0])),
    "masked_fill_": lambda lib: vmap(lib, lambda x: x.masked_fill_(x > 0.5, -1.0))(data(lib)),
    "relu in place, sum": lambda lib: vmap(lib, lambda x: x.clone().relu_().sum())(data(lib)),
    "index_add_": lambda lib: vmap(lib, lambda x, i: x.index_add_(0, i, x * 2))(data(lib), data(lib, I)),
    "scatter_": lambda lib: vmap(lib, lambda x, i: lib.zeros_like(x).scatter_(0, i, x))(
        data(lib), data(lib, I[[0, 0]])
    ),
    "scatter_add_": lambda lib: vmap(lib, lambda x, i: lib.zeros_like(x).scatter_add_(0, i, x))(
        data(lib), data(lib, I)
    ),
    "unsqueeze_": lambda lib: vmap(lib, lambda x: (x * 1).unsqueeze_(0))(data(lib)),
    "swapped": lambda lib: vmap(lib, lambda x: (x * 1).transpose_(0, 1))(data(lib, B)),
}


@table(WRITES)
def test_writing_inside(program):
    both(program, ulps=4)


INTO_SHARED = {
    "add_": lambda lib, shared, x: shared.add_(x),
    "mul_": lambda lib, shared, x: shared.mul_(x),
    "copy_": lambda lib, shared, x: shared.copy_(x),
    "[0] =": lambda lib, shared, x: written(shared, lambda s: s.__setitem__(0, x[0])),
    "a view's add_": lambda lib, shared, x: shared[1:].add_(x[1:]),
    "addcmul_": lambda lib, shared, x: shared.addcmul_(x, x),
}


@pytest.mark.parametrize("name", INTO_SHARED)
def test_a_sample_cannot_be_written_into_what_all_share(name):
    def program(lib):
        shared = lib.zeros(3, dtype=lib.float64)
        return vmap(lib, lambda x: INTO_SHARED[name](lib, shared, x))(data(lib))

    both(program, raises="")
    shared = gradcore.zeros(3, dtype=gradcore.float64)
    with pytest.raises(RuntimeError, match="vmapped over"):
        vmap(gradcore, lambda x: INTO_SHARED[name](gradcore, shared, x))(data(gradcore))
    assert not shared.any()


# ---- Indices ---------------------------------------------------------------------------------------------------------

INDICES = {
    "a mapped index": lambda lib: vmap(lib, lambda i: data(lib, A[0])[i])(data(lib, I)),
    "a mapped 0-d index": lambda lib: vmap(lib, lambda i: data(lib, A.T)[i])(data(lib, I[0])),
    "both mapped": lambda lib: vmap(lib, lambda x, i: x[i])(data(lib), data(lib, I)),
    "both mapped, 0-d": lambda lib: vmap(lib, lambda x, i: x[i])(data(lib), data(lib, I[:, 0])),
    "only the tensor": lambda lib: vmap(lib, lambda x: x[data(lib, I[0])])(data(lib)),
    "one of two": lambda lib: vmap(lib, lambda i: data(lib, B)[:, i, data(lib, I[0])])(data(lib, I)),
    "two": lambda lib: vmap(lib, lambda x, i: x[i, i + 1])(data(lib, B), data(lib, I)),
    "two that broadcast": lambda lib: vmap(lib, lambda x, i: x[i[:, None], data(lib, I[0])])(
        data(lib, B), data(lib, I)
    ),
    "apart": lambda lib: vmap(lib, lambda x, i: x[i, :, i - 1])(data(lib, B[None].repeat(2, 0)), data(lib, I % 2)),
    "with None and ...": lambda lib: vmap(lib, lambda x, i: x[None, ..., i])(data(lib, B), data(lib, I)),
    "with a slice": lambda lib: vmap(lib, lambda x, i: x[1:, i])(data(lib, B), data(lib, I)),
    "negative": lambda lib: vmap(lib, lambda x, i: x[i])(data(lib), data(lib, I - 3)),
    "numbers": lambda lib: vmap(lib, lambda x: x[1, -1])(data(lib, B)),
    "steps": lambda lib: vmap(lib, lambda x: x[:, ::2])(data(lib, B)),
    "index_select": lambda lib: vmap(lib, lambda x, i: x.index_select(0, i))(data(lib), data(lib, I)),
    "gather": lambda lib: vmap(lib, lambda x, i: x.gather(0, i))(data(lib), data(lib, I)),
    "gather from what is shared": lambda lib: vmap(lib, lambda i: data(lib, A[0]).gather(0, i))(data(lib, I)),
    "where": lambda lib: vmap(lib, lambda x: lib.where(x > 0, x, -x * 2))(data(lib)),
    "a put": lambda lib: vmap(lib, lambda x, i: written(x, lambda y: y.__setitem__(i, 9.0)))(data(lib), data(lib, I)),
    "a put of samples": lambda lib: vmap(lib, lambda x, i, v: written(x, lambda y: y.__setitem__(i, v)))(
        data(lib), data(lib, I[[0, 0]]), data(lib, A + 5)
    ),
    "a put of what is shared": lambda lib: vmap(
        lib, lambda x, i: written(x, lambda y: y.__setitem__(i, data(lib, A[0])))
    )(data(lib), data(lib, I[[0, 0]])),
    "index_put with a sum": lambda lib: vmap(lib, lambda x, i, v: x.index_put((i,), v, accumulate=True))(
        data(lib), data(lib, I), data(lib, A + 5)
    ),
    "index_put_ with a sum": lambda lib: vmap(lib, lambda x, i, v: x.index_put_((i,), v, accumulate=True))(
        data(lib), data(lib, I), data(lib, A + 5)
    ),
    "argmax then a pick": lambda lib: vmap(lib, lambda x: x[x.argmax()])(data(lib)),
    "in a nest": lambda lib: vmap(lib, lambda x: vmap(lib, lambda i: x[i])(data(lib, I)))(data(lib)),
}


@table(INDICES)
def test_indices(program):
    both(program, ulps=4, strides="ignored")


# ---- With derivatives ------------------------------------------------------------------------------------------------


def network(lib, parameters, x):
    w1, b1, w2, b2 = parameters
    return (lib.tanh(x @ w1 + b1) @ w2 + b2).squeeze(-1)


def parameters_of(lib):
    return tuple(data(lib, p) for p in (B[0, :, :3], B[1, 0, :3], B[1, :, 2:3], B[0, 0, :1]))


def loss(lib, parameters, x, y):
    return (network(lib, parameters, x) - y) ** 2


X, Y = B.transpose(1, 0, 2)[:, :, :3].reshape(6, 3), np.linspace(-1, 1, 6)


def per_sample(lib, **options):
    gradients = func(lib).grad(lambda p, x, y: loss(lib, p, x, y))
    return vmap(lib, gradients, in_dims=(None, 0, 0), **options)(parameters_of(lib), data(lib, X), data(lib, Y))


def cubes(x):
    return (x**3).sum() * x.prod()


DERIVATIVES = {
    "vmap of grad": lambda lib: vmap(lib, func(lib).grad(cubes))(data(lib)),
    "grad of vmap": lambda lib: func(lib).grad(lambda x: vmap(lib, cubes)(x).sum())(data(lib)),
    "vmap of grad of what is shared": lambda lib: vmap(
        lib, func(lib).grad(lambda w, x: (w * x).exp().sum()), in_dims=(None, 0)
    )(data(lib, A[0]), data(lib)),
    "vmap of grad of both": lambda lib: vmap(
        lib, func(lib).grad(lambda w, x: (w * x).exp().sum(), argnums=(0, 1)), in_dims=(None, 0)
    )(data(lib, A[0]), data(lib)),
    "vmap of grad_and_value": lambda lib: vmap(lib, func(lib).grad_and_value(cubes))(data(lib)),
    "vmap of grad with aux": lambda lib: vmap(lib, func(lib).grad(lambda x: (cubes(x), x * 2), has_aux=True))(
        data(lib)
    ),
    "vmap of vjp": lambda lib: vmap(lib, lambda x, v: func(lib).vjp(lib.sin, x)[1](v)[0])(data(lib), data(lib, A + 1)),
    "a vjp mapped outside": lambda lib: vmap(lib, func(lib).vjp(lambda x: x.exp() * x.sum(), data(lib, A[0]))[1])(
        data(lib)
    ),
    "vmap of jvp": lambda lib: vmap(lib, lambda x, v: func(lib).jvp(cubes, (x,), (v,)))(data(lib), data(lib, A + 1)),
    "tangents only mapped": lambda lib: vmap(lib, lambda v: func(lib).jvp(cubes, (data(lib, A[0]),), (v,)))(data(lib)),
    "points only mapped": lambda lib: vmap(lib, lambda x: func(lib).jvp(cubes, (x,), (data(lib, A[0]),)))(data(lib)),
    "jvp of vmap": lambda lib: func(lib).jvp(vmap(lib, cubes), (data(lib),), (data(lib, A + 1),)),
    "jacrev of jacfwd": lambda lib: func(lib).jacrev(func(lib).jacfwd(cubes))(data(lib, A[0])),
    "jacfwd of jacrev": lambda lib: func(lib).jacfwd(func(lib).jacrev(cubes))(data(lib, A[0])),
    "jacfwd of jacfwd": lambda lib: func(lib).jacfwd(func(lib).jacfwd(cubes))(data(lib, A[0])),
    "jacrev of jacrev": lambda lib: func(lib).jacrev(func(lib).jacrev(cubes))(data(lib, A[0])),
    "hessian": lambda lib: func(lib).hessian(cubes)(data(lib, A[0])),
    "vmap of hessian": lambda lib: vmap(lib, func(lib).hessian(cubes))(data(lib)),
    "vmap of jacrev": lambda lib: vmap(lib, func(lib).jacrev(lambda x: x.exp() * x.sum()))(data(lib)),
    "vmap of jacfwd": lambda lib: vmap(lib, func(lib).jacfwd(lambda x: x.exp() * x.sum()))(data(lib)),
    "jacrev of vmap": lambda lib: func(lib).jacrev(vmap(lib, lambda x: x.cumsum(0) * x))(data(lib)),
    "jacfwd of vmap": lambda lib: func(lib).jacfwd(vmap(lib, lambda x: x.cumsum(0) * x))(data(lib)),
    "three times jacfwd": lambda lib: func(lib).jacfwd(func(lib).jacfwd(func(lib).jacfwd(cubes)))(data(lib, A[0])),
    "third of a scalar function": lambda lib: vmap(lib, func(lib).grad(func(lib).grad(func(lib).grad(lib.sin))))(
        data(lib, A[0])
    ),
    "gradients of single samples": per_sample,
    "in chunks": lambda lib: per_sample(lib, chunk_size=4),
    "along another dim": lambda lib: per_sample(lib, out_dims=(1, 0, -1, 0)),
    "a Jacobian of the network": lambda lib: func(lib).jacrev(lambda p: network(lib, p, data(lib, X)))(
        parameters_of(lib)
    ),
    "a Hessian of the network": lambda lib: func(lib).hessian(lambda p: loss(lib, p, data(lib, X), data(lib, Y)).sum())(
        parameters_of(lib)
    ),
    "an ensemble": lambda lib: vmap(lib, lambda w, x: (x @ w).exp().sum(), (0, None))(data(lib, B), data(lib, A)),
    "gradients of an ensemble": lambda lib: vmap(lib, func(lib).grad(lambda w, x: (x @ w).exp().sum()), (0, None))(
        data(lib, B), data(lib, A)
    ),
    "no graph for samples that are detached": lambda lib: vmap(lib, func(lib).grad(lambda x: (x.detach() * x).sum()))(
        data(lib)
    ),
    "grad of a vmap with writes": lambda lib: func(lib).grad(
        lambda x: vmap(lib, lambda y: (y * 2).mul_(y).sum())(x).sum()
    )(data(lib)),
    "vmap of grad with writes": lambda lib: vmap(lib, func(lib).grad(lambda x: (x * 2).mul_(x).sum()))(data(lib)),
    "vmap of grad with a put": lambda lib: vmap(
        lib, func(lib).grad(lambda x: written(x * 1, lambda y: y.__setitem__(0, x[1] * x[2])).prod())
    )(data(lib)),
    "vmap of grad with indices": lambda lib: vmap(lib, func(lib).grad(lambda x, i: (x[i] * x).sum()))(
        data(lib), data(lib, I)
    ),
}


@table(DERIVATIVES)
def test_with_derivatives(program):
    both(program, ulps=64, scale=1.0)


def leaf(lib, array=A):
    return data(lib, array).requires_grad_()


def backward(lib, function, *leaves):
    """The outputs' sum of squares goes back; what the leaves have then."""
    out = function(*leaves)
    outs = [out] if is_tensor(out) else out
    sum((o * o).sum() for o in outs).backward()
    return *outs, *(x.grad for x in leaves)


def twice(lib, function, *leaves):
    """Second derivatives through what vmap recorded."""
    gradients = lib.autograd.grad(function(*leaves).sum(), leaves, create_graph=True)
    lib.autograd.backward([(g * g).sum() for g in gradients])
    return *gradients, *(x.grad for x in leaves)


BACKWARD = {
    "elementwise": lambda lib: backward(lib, vmap(lib, lambda x: x.exp() * x), leaf(lib)),
    "along 1": lambda lib: backward(lib, vmap(lib, lambda x: x.cumsum(0), in_dims=1, out_dims=1), leaf(lib)),
    "a shared leaf": lambda lib: backward(lib, vmap(lib, lambda x, w: x @ w, (0, None)), leaf(lib), leaf(lib, A[0])),
    "a shared leaf from outside": lambda lib: (
        lambda w: backward(lib, lambda x: vmap(lib, lambda y: (y * w).sum() * w)(x), leaf(lib)) + (w.grad,)
    )(leaf(lib, A[0])),
    "nested": lambda lib: backward(
        lib, vmap(lib, vmap(lib, lambda x, w: (x * w).sin(), (0, None)), (0, None)), leaf(lib, B), leaf(lib, B[0, 0])
    ),
    "only a shared leaf": lambda lib: backward(lib, lambda w: vmap(lib, lambda x: x * w)(data(lib)), leaf(lib, A[0])),
    "an output without the batch": lambda lib: backward(
        lib, lambda w: vmap(lib, lambda x: (x * w, w * 2), out_dims=(0, None))(data(lib)), leaf(lib, A[0])
    ),
    "a shared output, expanded": lambda lib: backward(
        lib, lambda w: vmap(lib, lambda x: (x * w, w * 2))(data(lib)), leaf(lib, A[0])
    ),
    "writes": lambda lib: backward(lib, vmap(lib, lambda x: (x * 2).mul_(x[0])), leaf(lib)),
    "twice, elementwise": lambda lib: twice(lib, vmap(lib, lambda x: x.exp() * x), leaf(lib)),
    "twice, sums": lambda lib: twice(lib, vmap(lib, lambda x: (x.prod() * x.sum()).sin()), leaf(lib)),
    "twice, a shared leaf": lambda lib: twice(
        lib, vmap(lib, lambda x, w: (x @ w).tanh() * w.sum(), (0, None)), leaf(lib), leaf(lib, A[0])
    ),
    "twice, nested": lambda lib: twice(lib, vmap(lib, vmap(lib, lambda x: (x * x.sum()).sin())), leaf(lib, B)),
    "twice, matrix products": lambda lib: twice(
        lib, vmap(lib, lambda x, w: (x @ w).sigmoid(), (0, None)), leaf(lib, B), leaf(lib, B[0].T.copy())
    ),
    "twice, of a gradient inside": lambda lib: twice(lib, vmap(lib, func(lib).grad(cubes)), leaf(lib)),
    "a grad inside": lambda lib: backward(lib, vmap(lib, func(lib).grad(cubes)), leaf(lib)),
    "a jvp inside": lambda lib: backward(lib, vmap(lib, lambda x: func(lib).jvp(cubes, (x,), (x * 2,))[1]), leaf(lib)),
    "without recording": lambda lib: unrecorded(lib),
    "a shared value, used outside too": lambda lib: backward(lib, lambda x: used_outside_too(lib, x), leaf(lib, A[0])),
    "a shared view, replayed inside": lambda lib: backward(lib, lambda x: replayed_inside(lib, x), leaf(lib, A[0])),
    "what the samples of a nest share": lambda lib: backward(lib, lambda x: shared_in_a_nest(lib, x), leaf(lib, A[0])),
}


def used_outside_too(lib, x):
    """What a sample computes of shared things alone is one value, and so is its gradient from outside."""
    kept = []

    def sample(y):
        kept.append(x * 2)
        return y * kept[0]

    return vmap(lib, sample)(data(lib)), kept[0]


def replayed_inside(lib, x):
    """The view gets its new history where it is first used."""
    base = x * 1
    view = base.view(-1)
    base.mul_(3)
    return vmap(lib, lambda y: y * view)(data(lib)), view


def shared_in_a_nest(lib, x):
    def sample(rows):
        y = rows.sum() * x
        return vmap(lib, lambda row: row * y)(rows), y

    return vmap(lib, sample)(data(lib, np.stack([A, A + 1])))


def unrecorded(lib):
    x = leaf(lib)
    with lib.no_grad():
        y = vmap(lib, lambda x: x * 2)(x)
    return y, vmap(lib, lambda x: x.detach() * 2)(x), vmap(lib, lambda x: x > 0)(x)


@table(BACKWARD)
def test_backward_from_outside(program):
    both(program, ulps=64, scale=1.0)


# ---- Batches of gradients --------------------------------------------------------------------------------------------


def batched(lib, outputs, inputs, weights, **options):
    return lib.autograd.grad(outputs, inputs, weights, is_grads_batched=True, **options)


def graph(lib):
    x, w = leaf(lib), leaf(lib, A[0])
    return x, w, (x * w).exp(), x.sum(1) * w[0]


GRADS_BATCHED = {
    "one output": lambda lib: (lambda x, w, y, z: batched(lib, y, (x, w), lib.stack([y, y * 2, -y]).detach()))(
        *graph(lib)
    ),
    "two outputs": lambda lib: (
        lambda x, w, y, z: batched(lib, (y, z), (x, w), (lib.stack([y, y * 2]).detach(), lib.stack([z, -z]).detach()))
    )(*graph(lib)),
    "unused": lambda lib: (
        lambda x, w, y, z: batched(lib, x.sum(1), (x, w), data(lib, A[:, :2] + 1), allow_unused=True)
    )(*graph(lib)),
    "unused as zeros": lambda lib: (
        lambda x, w, y, z: batched(lib, x.sum(1), (x, w), data(lib, A[:, :2] + 1), materialize_grads=True)
    )(*graph(lib)),
    "recorded": lambda lib: (
        lambda x, w, y, z: lib.autograd.grad(
            batched(lib, y, x, lib.stack([y, y * 2]), create_graph=True)[0].sum(), (x, w)
        )
    )(*graph(lib)),
    "a hook that scales": lambda lib: (
        lambda x, w, y, z: (x.register_hook(lambda g: g * 2), batched(lib, y, (x, w), lib.stack([y, -y]).detach()))[1]
    )(*graph(lib)),
    "a 0-d output": lambda lib: (lambda x, w, y, z: batched(lib, y.sum(), (x, w), data(lib, A[0])))(*graph(lib)),
}


@table(GRADS_BATCHED)
def test_batches_of_gradients(program):
    both(program, ulps=16, scale=1.0)


GRADS_REFUSED = {
    "another shape": (
        lambda lib: (lambda x, w, y, z: batched(lib, y, x, lib.ones(4, 3, 2, dtype=lib.float64)))(*graph(lib)),
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension",
    ),
    "other sizes": (
        lambda lib: (lambda x, w, y, z: batched(lib, (y, z), x, (lib.ones(4, 2, 3), lib.ones(3, 2))))(*graph(lib)),
        "Expected all tensors to have the same size in the mapped dimension",
    ),
    "no batch": (
        lambda lib: (lambda x, w, y, z: batched(lib, y.sum(), x, lib.tensor(1.0)))(*graph(lib)),
        "",
    ),
    "none": (lambda lib: (lambda x, w, y, z: batched(lib, y.sum(), x, None))(*graph(lib)), ""),
    "one is none": (
        lambda lib: (lambda x, w, y, z: batched(lib, (y.sum(), z), x, (None, lib.ones(3, 2))))(*graph(lib)),
        "",
    ),
    "unused": (
        lambda lib: (lambda x, w, y, z: batched(lib, x.sum(1), (x, w), lib.ones(3, 2)))(*graph(lib)),
        "appears to not have been used in the graph",
    ),
}


@pytest.mark.parametrize("name", GRADS_REFUSED)
def test_batches_of_gradients_that_are_refused(name):
    program, phrase = GRADS_REFUSED[name]
    both(program, raises=phrase)


# ---- Nothing to map --------------------------------------------------------------------------------------------------

EMPTY = {
    "no samples": lambda lib: vmap(lib, lambda x: x * 2)(lib.zeros(0, 3)),
    "no samples, reduced": lambda lib: vmap(lib, lambda x: x.sum())(lib.zeros(0, 3)),
    "no samples, several outputs": lambda lib: vmap(lib, lambda x: (x.t(), x.sum(0)), out_dims=(2, 0))(
        lib.zeros(0, 3, 4)
    ),
    "no samples, a product": lambda lib: vmap(lib, lambda x, y: x @ y, (0, None))(lib.zeros(0, 3), lib.zeros(3, 4)),
    "no samples, nested": lambda lib: vmap(lib, vmap(lib, lambda x: x.exp()))(lib.zeros(0, 3, 2)),
    "no samples, the inner": lambda lib: vmap(lib, vmap(lib, lambda x: x.exp()))(lib.zeros(3, 0, 2)),
    "no samples, a gradient": lambda lib: vmap(lib, func(lib).grad(lambda x: (x**2).sum()))(lib.zeros(0, 3)),
    "no elements": lambda lib: vmap(lib, lambda x: x * 2)(lib.zeros(3, 0)),
    "no elements, summed": lambda lib: vmap(lib, lambda x: x.sum())(lib.zeros(3, 0)),
}


@table(EMPTY)
def test_nothing_to_map(program):
    both(program)


# ---- Errors ----------------------------------------------------------------------------------------------------------

ERRORS = {
    "no inputs": (lambda lib: vmap(lib, lambda: lib.ones(1))(), "got no inputs"),
    "no tensor": (lambda lib: vmap(lib, lambda x: x)(1.0), "Got in_dim=0 for an input but the input is of type"),
    "no tensor among two": (
        lambda lib: vmap(lib, lambda x, y: x)(data(lib), 1.0),
        "please use None as the respective in_dim",
    ),
    "nothing mapped": (
        lambda lib: vmap(lib, lambda x: x, in_dims=None)(data(lib)),
        "expected `in_dims` to be int or a",
    ),
    "nothing mapped in a tuple": (
        lambda lib: vmap(lib, lambda x: x, in_dims=(None,))(data(lib)),
        "",
    ),
    "dims are a list": (
        lambda lib: vmap(lib, lambda x: x, in_dims=[0])(data(lib)),
        "expected `in_dims` to be int or a",
    ),
    "dims are a string": (
        lambda lib: vmap(lib, lambda x: x, in_dims="0")(data(lib)),
        "expected `in_dims` to be int or a",
    ),
    "too many dims": (lambda lib: vmap(lib, lambda x: x, in_dims=(0, 0))(data(lib)), "in_dims is not compatible with"),
    "too few dims": (
        lambda lib: vmap(lib, lambda x, y: x, in_dims=(0,))(data(lib), 1),
        "in_dims is not compatible with",
    ),
    "dims of another nest": (
        lambda lib: vmap(lib, lambda x: x[0], in_dims=([0],))([data(lib), data(lib)]),
        "in_dims is not compatible with the structure of `inputs`",
    ),
    "a dim that is no number": (
        lambda lib: vmap(lib, lambda x: x, in_dims=("0",))(data(lib)),
        "must be either an integer dimension or None",
    ),
    "a dim too far": (
        lambda lib: vmap(lib, lambda x: x, in_dims=2)(data(lib)),
        "so expected in_dim to satisfy -2 <= in_dim < 2",
    ),
    "a dim too low": (
        lambda lib: vmap(lib, lambda x: x, in_dims=-3)(data(lib)),
        "so expected in_dim to satisfy -2 <= in_dim < 2",
    ),
    "0-d": (lambda lib: vmap(lib, lambda x: x)(lib.tensor(1.0)), "so expected in_dim to satisfy -0 <= in_dim < 0"),
    "other sizes": (
        lambda lib: vmap(lib, lambda x, y: x)(data(lib), lib.zeros(3)),
        "Expected all tensors to have the same size in the mapped dimension, got sizes [2, 3]",
    ),
    "no output": (
        lambda lib: vmap(lib, lambda x: None)(data(lib)),
        "must only return Tensors, got type <class 'NoneType'>",
    ),
    "a number as output": (
        lambda lib: vmap(lib, lambda x: (x, 1.0))(data(lib)),
        "must only return Tensors, got type <class 'float'>",
    ),
    "a batch where none is wanted": (
        lambda lib: vmap(lib, lambda x: x, out_dims=None)(data(lib)),
        "can not return a BatchedTensor when out_dim is None",
    ),
    "out dims of another structure": (
        lambda lib: vmap(lib, lambda x: x, out_dims=(0, 0))(data(lib)),
        "out_dims is not compatible with the structure of `outputs`",
    ),
    "too few out dims": (
        lambda lib: vmap(lib, lambda x: (x, x), out_dims=(0,))(data(lib)),
        "out_dims is not compatible with",
    ),
    "an out dim that is no number": (
        lambda lib: vmap(lib, lambda x: x, out_dims="0")(data(lib)),
        "`out_dims` must be an int, None or",
    ),
    "an out dim too far": (
        lambda lib: vmap(lib, lambda x: x, out_dims=2)(data(lib)),
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    "an out dim too low": (
        lambda lib: vmap(lib, lambda x: x, out_dims=-3)(data(lib)),
        "Dimension out of range (expected to be in range of [-2, 1], but got -3)",
    ),
    "chunks of nothing": (
        lambda lib: vmap(lib, lambda x: x, chunk_size=0)(data(lib)),
        "chunk_size should be None or greater than 0",
    ),
    "another randomness": (
        lambda lib: vmap(lib, lambda x: x, randomness="no")(data(lib)),
        "Only allowed values for randomness are",
    ),
    "item": (
        lambda lib: vmap(lib, lambda x: x * x.sum().item())(data(lib)),
        "It looks like you're calling .item() on a Tensor",
    ),
    "float": (
        lambda lib: vmap(lib, lambda x: x * float(x.sum()))(data(lib)),
        "It looks like you're calling .item() on a Tensor",
    ),
    "if": (lambda lib: vmap(lib, lambda x: x if x.sum() > 0 else -x)(data(lib)), "data-dependent control flow"),
    "tolist": (lambda lib: vmap(lib, lambda x: x.tolist())(data(lib)), ""),
    "numpy": (lambda lib: vmap(lib, lambda x: lib.from_numpy(x.numpy()))(data(lib)), ""),
    "a mask as index": (lambda lib: vmap(lib, lambda x: x[x > 0])(data(lib)), "vmap"),
    "nonzero": (lambda lib: vmap(lib, lambda x: x.nonzero())(data(lib)), "vmap"),
    "masked_select": (lambda lib: vmap(lib, lambda x: x.masked_select(x > 0))(data(lib)), "vmap"),
    "a dim that samples lack": (
        lambda lib: vmap(lib, lambda x: x.sum(1))(data(lib)),
        "Dimension out of range (expected to be in range of [-1, 0], but got 1)",
    ),
    "shapes that do not fit": (
        lambda lib: vmap(lib, lambda x: x + lib.ones(4))(data(lib)),
        "must match the size of tensor b",
    ),
    "an error from the function": (lambda lib: vmap(lib, lambda x: {}["key"])(data(lib)), "key"),
    "backward inside": (lambda lib: vmap(lib, lambda x: x.sum().backward())(leaf(lib)), ""),
    "requires_grad_ inside": (lambda lib: vmap(lib, lambda x: (x * 1).requires_grad_())(data(lib)), ""),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    program, phrase = ERRORS[name]
    both(program, raises=phrase)


def test_levels_are_over_after_an_error():
    def program(lib):
        with pytest.raises(KeyError):
            vmap(lib, vmap(lib, lambda x: {}["key"]))(data(lib))
        with pytest.raises(RuntimeError):
            vmap(lib, lambda x: lib.rand(3))(data(lib))
        return lib.zeros(2), vmap(lib, lambda x: x * 2)(data(lib))

    both(program)
    assert not gradcore._C._batch_levels(gradcore.rand(2))


CONDITIONS = {
    "one_hot": lambda lib, x, i: lib.func.vmap(lambda i: lib.nn.functional.one_hot(i, 4))(i),
    "binary_cross_entropy": lambda lib, x, i: lib.func.vmap(lib.nn.functional.binary_cross_entropy)(x, x.flip(0)),
    "multi_margin_loss": lambda lib, x, i: lib.func.vmap(lib.nn.functional.multi_margin_loss)(x, i),
    "multilabel_margin_loss": lambda lib, x, i: lib.func.vmap(lib.nn.functional.multilabel_margin_loss)(
        x, i[..., None] % 3
    ),
    "Normal": lambda lib, x, i: lib.func.vmap(lambda x: lib.distributions.Normal(x, x + 1).log_prob(x))(x),
    "Categorical": lambda lib, x, i: lib.func.vmap(lambda x: lib.distributions.Categorical(x).entropy())(x),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_on_values_hold_for_all_samples(name):
    """What a function refuses is looked for in all samples at once."""

    def program(lib):
        x = (lib.arange(24.0).reshape(2, 3, 4) % 7) / 8 + 0.05
        found = x[..., :1] if name == "multilabel_margin_loss" else x
        return CONDITIONS[name](lib, found, lib.tensor([[0, 1, 2], [2, 1, 0]]) * (name != "multilabel_margin_loss"))

    both(program, ulps=16, strides="any")


def test_a_condition_that_one_sample_breaks_is_refused():
    probabilities = gradcore.tensor([[0.5, 0.5], [0.5, 1.5]])
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        gradcore.func.vmap(gradcore.nn.functional.binary_cross_entropy)(probabilities, probabilities.clamp(max=1.0))
    with pytest.raises(RuntimeError, match="smaller than num_classes"):
        gradcore.func.vmap(lambda i: gradcore.nn.functional.one_hot(i, 3))(gradcore.tensor([[0], [3]]))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("recurse", [True, False])
def test_a_look_at_the_whole_batch(dim, recurse):
    def program(lib):
        seen = []

        def inner(x):
            seen.append(lib.func.debug_unwrap(x, recurse=recurse).shape)
            return x * 2

        lib.vmap(lib.vmap(inner, dim), 0)(lib.zeros(2, 3, 4))
        plain = lib.ones(2)
        return seen, lib.func.debug_unwrap(plain) is plain

    both(program)


def test_is_contiguous_is_said_of_the_batch():
    def program(lib):
        def asked(x):
            return lib.tensor([x.is_contiguous(), x.is_contiguous(memory_format=lib.contiguous_format)])

        vmap, x = lib.func.vmap, lib.ones(3, 2, 5)
        inner = [vmap(asked, d)(x) for d in range(3)]
        views = [vmap(asked)(y) for y in (x.transpose(1, 2), x[:, :, :1], lib.ones(3), lib.ones(3, 1).expand(3, 4))]
        return inner, views, vmap(vmap(asked))(x), vmap(vmap(asked, 1), 0)(x)

    both(program)


@pytest.mark.parametrize("layer", ["BatchNorm1d", "InstanceNorm1d"])
@pytest.mark.parametrize("batched", ["input", "both"])
def test_running_statistics_of_a_mapped_input(layer, batched):
    """They are written to: each sample needs some of its own."""

    def program(lib):
        norm = getattr(lib.nn, layer)(2, track_running_stats=True)
        buffers = {name: lib.stack([b, b, b]) for name, b in norm.named_buffers() if b.dim()}
        x = lib.arange(48.0).reshape(3, 2, 2, 4)
        if batched == "input":
            return lib.vmap(norm)(x)
        out = lib.vmap(lambda b, sample: lib.func.functional_call(norm, b, (sample,)))(buffers, x)
        return out, buffers

    both(
        program,
        raises="Batch norm got a batched tensor as input" if batched == "input" else None,
        ulps=64,
        scale=1.0,
        strides="any",
    )
