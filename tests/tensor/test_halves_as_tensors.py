"""float16 and bfloat16 beyond ops: printing, NumPy, files, modules, optimizers, the default dtype."""

import copy
import pickle

import numpy as np
import pytest

import support
from support import Raised, both, gradcore, libraries, needs_torch, outcome, torch

HALVES = ("float16", "bfloat16")
halves = pytest.mark.parametrize("dtype", HALVES)


@needs_torch
@halves
def test_printing(dtype):
    random = np.random.default_rng(11)
    arrays = [
        random.normal(size=shape) * 10.0 ** random.uniform(-6, 5)
        for shape in [(), (3,), (2, 4), (2, 2, 3), (1500,)] * 20
    ]
    arrays += [np.array([np.nan, np.inf, 1.0]), np.zeros((0, 2)), np.array([1.0, 2.0]), np.array([1e-7, 6e4])]

    def program(lib):
        half = getattr(lib, dtype)
        texts = [repr(lib.tensor(array.tolist(), dtype=half).reshape(array.shape)) for array in arrays]
        x = lib.ones(2, dtype=half, requires_grad=True)
        return [*texts, repr(x), repr(x * 2), str(x[0]), f"{lib.tensor(0.1, dtype=half):.3f}", f"{half}"]

    both(program)


@needs_torch
@halves
def test_numbers_in_and_out(dtype):
    def program(lib):
        half = getattr(lib, dtype)
        x = lib.tensor([[0.1, -2.5], [1e-7, 3e38]], dtype=half)
        listed = x.tolist(), x[0, 0].item(), float(x[0, 1]), int(x[0, 1]), bool(x[1, 0]), x.dtype, x.element_size()
        made = lib.tensor([lib.tensor(1.5, dtype=half), lib.tensor(2.0, dtype=half)]).dtype
        x[0] = 7.3
        x[1, 1] = True
        ones = lib.ones(2, 3, dtype=half), lib.arange(0, 3, 0.25, dtype=half), lib.linspace(0, 1, 5, dtype=half)
        made_of_it = x.new_zeros(2).dtype, x.new_tensor([1.0]).dtype, lib.zeros_like(x), lib.full_like(x, 0.1)
        return listed, made, x, ones, made_of_it, lib.eye(2, dtype=half), x.is_floating_point(), x.type()

    both(program)


@needs_torch
def test_numpy():
    def program(lib):
        x = lib.tensor([0.1, 2.0], dtype=lib.float16)
        array = x.numpy()
        array[1] = 5
        back = lib.from_numpy(np.array([1.5, 2.5], np.float16))
        return str(array.dtype), array.tolist(), x, back, lib.tensor(np.float16(0.1)), lib.as_tensor(array)

    both(program)

    def refused(lib):
        return np.asarray(lib.ones(2, dtype=lib.bfloat16))

    def refused_too(lib):
        return lib.ones(2, dtype=lib.bfloat16).numpy()

    for program in (refused, refused_too):
        both(program, raises="Got unsupported ScalarType BFloat16")


@needs_torch
@halves
@pytest.mark.parametrize("number", [-1e9, 70000, 2**40, 1e60])
def test_numbers_beyond_halves_are_assigned_as_infinities(dtype, number):
    """A mask's -1e9 is usual. Ops that take such a number as a number refuse it."""

    def program(lib):
        half = getattr(lib, dtype)
        x, mask = lib.ones(2, 3, dtype=half), lib.tensor([True, False, True])
        keys = (0, (0, 1), (slice(None), mask), (lib.tensor([1]), lib.tensor([0])), ..., True)
        for key in keys:
            y = x.clone()
            y[key] = number
            yield y
        yield lib.where(mask, x, number)
        yield lib.where(mask, number, x)
        if dtype == "float16" or number == 1e60:
            yield support.refused(lambda: x.masked_fill(mask, number))
            yield support.refused(lambda: x.fill_(number))

    both(lambda lib: list(program(lib)))


@needs_torch
@halves
def test_indexing(dtype):
    def program(lib):
        half = getattr(lib, dtype)
        x = lib.arange(24).reshape(4, 6).to(half)
        i = lib.tensor([2, 0, 2])
        y = x.clone()
        y[i] += 1
        y[:, 1::2] = 0.3
        y[x > 20] = -1
        put = x.clone().index_put_((i,), lib.ones(3, 6, dtype=half), accumulate=True)
        views = x.t(), x[1:3, ::2], x.view(2, 12), x.unfold(1, 2, 2), x.view(lib.int16), x.flip(0), x.roll(1, 0)
        return (
            x[i],
            x[:, i],
            y,
            put,
            views,
            lib.cat([x, y]),
            lib.stack([x, y]),
            x.gather(1, lib.ones(4, 2, dtype=lib.int64)),
        )

    both(program)


@needs_torch
@halves
@pytest.mark.parametrize("protocol", range(2, 6))
def test_pickles_and_copies(dtype, protocol):
    def program(lib):
        x = lib.tensor([0.1, 2.0], dtype=getattr(lib, dtype), requires_grad=True)
        return pickle.loads(pickle.dumps(x, protocol)), copy.deepcopy(x), copy.copy(x.detach())

    both(program)


@needs_torch
def test_files_go_both_ways(tmp_path):
    names = [*HALVES, "uint16", "uint32", "uint64"]
    for writer, reader in (libraries(), libraries()[::-1]):
        file = tmp_path / "file"
        writer.save({name: writer.arange(5).to(getattr(writer, name)) for name in names}, file)
        for arguments in ({}, {"mmap": True}, {"weights_only": False}):
            found = reader.load(file, **arguments)
            for name in names:
                assert str(found[name].dtype) == f"torch.{name}" and found[name].tolist() == [0, 1, 2, 3, 4]


def test_safetensors(tmp_path):
    path = str(tmp_path / "a.safetensors")
    tensors = {name: gradcore.arange(3).to(getattr(gradcore, name)) for name in (*HALVES, "uint16", "uint64")}
    gradcore.save(tensors, path)
    for name, found in gradcore.load(path).items():
        assert found.dtype == tensors[name].dtype and found.tolist() == [0, 1, 2]


@needs_torch
@halves
def test_legacy_types(dtype):
    prefix = {"float16": "Half", "bfloat16": "BFloat16"}[dtype]

    def program(lib):
        tensor_type = getattr(lib, f"{prefix}Tensor")
        x = tensor_type([1.5, 2.0])
        return (
            x,
            isinstance(x, tensor_type),
            lib.ones(2).type(tensor_type),
            x.type(),
            lib.ones(1).type(f"torch.{prefix}Tensor"),
        )

    both(program)


@needs_torch
@halves
def test_default_dtype(dtype):
    def program(lib):
        lib.set_default_dtype(getattr(lib, dtype))
        try:
            ints = lib.arange(4)
            return (
                lib.ones(2),
                lib.tensor([0.5]),
                ints / 3,
                lib.rand(2).dtype,
                ints.float().mean(),
                repr(lib.ones(1)),
                ints * 0.5,
            )
        finally:
            lib.set_default_dtype(lib.float32)

    both(program)


@needs_torch
@halves
def test_modules(dtype):
    def program(lib):
        nn = lib.nn
        lib.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.0), nn.Linear(8, 2))
        net = net.half() if dtype == "float16" else net.to(lib.bfloat16)
        x = lib.linspace(-1, 1, 12).reshape(3, 4).to(getattr(lib, dtype)).requires_grad_()
        loss = nn.functional.cross_entropy(net(x), lib.tensor([0, 1, 1]))
        loss.backward()
        dtypes = {str(p.dtype) for p in net.parameters()} | {str(p.grad.dtype) for p in net.parameters()}
        return loss.dtype, sorted(dtypes), x.grad.dtype, net.state_dict()["0.weight"].dtype, net.float()[0].weight.dtype

    both(program)


@needs_torch
@halves
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "NAdam", "Adadelta"])
def test_optimizers(dtype, name):
    """A step is computed in float32 and rounded; torch's rounds after each op, so that it differs a little."""
    if dtype == "float16" and name != "SGD":
        options = {"eps": 1e-4}  # the usual one is 0 in float16, and torch's step NaN
    else:
        options = {"momentum": 0.9} if name == "SGD" else {}
    random = np.random.default_rng(2)
    start, grads = random.normal(size=50), random.normal(size=(4, 50))

    def program(lib):
        p = lib.tensor(start.tolist(), dtype=getattr(lib, dtype), requires_grad=True)
        optimizer = getattr(lib.optim, name)([p], lr=0.05, **options)
        for grad in grads:
            p.grad = lib.tensor(grad.tolist(), dtype=p.dtype)
            optimizer.step()
        state = {key: str(value.dtype) for key, value in optimizer.state[p].items() if hasattr(value, "dtype")}
        return p, state

    ours, theirs = outcome(program, gradcore), outcome(program, torch)
    assert not isinstance(ours, Raised) and ours[1] == theirs[1]
    assert (
        np.abs(ours[0].array.astype("f8") - theirs[0].array.astype("f8")).max()
        < {"float16": 0.01, "bfloat16": 0.06}[dtype]
    )
    assert ours[0].dtype == dtype


@needs_torch
@halves
def test_gradients_gather_in_the_parameters_dtype(dtype):
    def program(lib):
        half = getattr(lib, dtype)
        w = lib.ones(3, dtype=half, requires_grad=True)
        for factor in (0.1, 0.7):
            (w.float() * factor).sum().backward()
        x = lib.ones(2, requires_grad=True)
        (x.to(half) * 3).sum().backward()
        return w.grad, x.grad, (w * lib.ones(3)).dtype

    both(program)


@needs_torch
@halves
def test_views_and_writes_are_recorded(dtype):
    def program(lib):
        x = lib.arange(6.0).to(getattr(lib, dtype)).requires_grad_()
        y = x.clone()
        y[::2].mul_(2)
        y[1] = 5
        y.sort()[0].sum().backward()
        z = (x * 3).sort()[0]
        return x.grad, z.grad_fn is not None, z.detach()

    both(program)


@halves
def test_second_derivatives(dtype):
    x = gradcore.tensor([0.5, 1.5], dtype=getattr(gradcore, dtype), requires_grad=True)
    (first,) = gradcore.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = gradcore.autograd.grad(first.sum(), x)
    assert second.dtype == x.dtype and support.to_numpy(second).tolist() == [3.0, 9.0]


@halves
def test_vmap_and_forward_mode(dtype):
    half = getattr(gradcore, dtype)
    x = gradcore.arange(6.0).reshape(2, 3).to(half)
    assert gradcore.func.vmap(lambda row: row.softmax(0))(x).dtype == half
    value, tangent = gradcore.func.jvp(lambda t: t * t, (x,), (gradcore.ones_like(x),))
    assert value.dtype == tangent.dtype == half and tangent.tolist() == (2 * x).tolist()


NORMS = {
    "layer_norm": lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (4,), w[:4], b[:4]),
    "rms_norm": lambda lib, x, w, b: lib.nn.functional.rms_norm(x, (4,), w[:4]),
    "group_norm": lambda lib, x, w, b: lib.nn.functional.group_norm(x, 2, w, b),
    "batch_norm": lambda lib, x, w, b: lib.nn.functional.batch_norm(x, lib.zeros(6), lib.ones(6), w, b, True),
    "instance_norm": lambda lib, x, w, b: lib.nn.functional.instance_norm(x, None, None, w, b),
}


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NORMS)
def test_halves_normalise_beside_float32_parameters(name, dtype):
    """As networks in mixed precision do: the result is a half, the parameters' gradients are float32."""
    found = []
    for lib in (gradcore, torch):
        values = [((i * 37) % 23) / 8 - 1 for i in range(48)]
        x = lib.tensor(values, dtype=getattr(lib, dtype)).reshape(2, 6, 4).requires_grad_()
        weight, bias = (lib.arange(6.0) / 4 + 0.5).requires_grad_(), lib.arange(6.0).requires_grad_()
        y = NORMS[name](lib, x, weight, bias)
        x.retain_grad()
        (y.float() * lib.arange(48.0).reshape(2, 6, 4) / 48).sum().backward()
        assert (y.dtype, x.grad.dtype, weight.grad.dtype) == (x.dtype, x.dtype, lib.float32)
        found.append([t.float().flatten().tolist() for t in (y.detach(), x.grad, weight.grad)])
    for ours, theirs in zip(*found, strict=True):
        assert ours == pytest.approx(theirs, rel=0.02, abs=0.03)
