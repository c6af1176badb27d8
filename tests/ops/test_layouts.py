"""Loops choose their way by the layout of the operands: short rows, rows that run across, repeated elements, far quotients.

Whatever the way, the bits are those of contiguous operands.
"""

import itertools

import numpy as np
import pytest

from support import gradcore

SHAPES = ((300, 3), (7, 2), (64, 31), (33, 40), (5, 100), (3, 300), (130, 70))
VIEWS = {
    "contiguous": lambda x: x.clone(),
    "transposed": lambda x: x.t().clone().t(),
    "stepped": lambda x: x.unsqueeze(2).repeat(1, 1, 2).flatten(1)[:, ::2],
    "every third": lambda x: x.unsqueeze(2).repeat(1, 1, 3).flatten(1)[:, ::3],
    "sliced": lambda x: gradcore.cat([x, x, x], 1)[:, x.shape[1] : 2 * x.shape[1]],
    "every second row": lambda x: x.unsqueeze(1).repeat(1, 2, 1).flatten(0, 1)[::2],
}
# Operands that broadcast: both libraries' rules make them of the shape of x.
BROADCAST = {
    "a column": lambda x: x[:, :1].clone(),
    "a row": lambda x: x[:1].clone(),
    "a repeated column": lambda x: x[:, :1].clone().expand(x.shape),
    "a repeated row": lambda x: x[:1].clone().expand(x.shape),
    "a repeated element": lambda x: x[:1, :1].clone().expand(x.shape),
}
LAYOUTS = {**VIEWS, **BROADCAST}
OPS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "atan2": gradcore.atan2,
    "fmod": gradcore.fmod,
    "less": lambda a, b: a < b,
    "where": lambda a, b: gradcore.where(a > 0, a, b),
}


def numbers(shape, dtype="float32", seed=0):
    gradcore.manual_seed(seed)
    x = gradcore.randn(shape, dtype=gradcore.float64) * 5
    return x.to(getattr(gradcore, dtype))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_binary_ops_in_all_layouts(op, shape):
    for dtype in ("float32", "float64", "int32", "int8"):
        if op in ("atan2", "fmod") and dtype.startswith("int"):
            continue
        x, y = numbers(shape, dtype), numbers(shape, dtype, 1)
        for a, b in itertools.product(LAYOUTS, repeat=2):
            left, right = LAYOUTS[a](x), LAYOUTS[b](y)
            if tuple(np.broadcast_shapes(left.shape, right.shape)) != shape:
                continue
            expected = OPS[op](left.expand(shape).contiguous(), right.expand(shape).contiguous())
            found = OPS[op](left, right)
            assert gradcore.equal(found, expected), (dtype, a, b)


@pytest.mark.parametrize("shape", SHAPES)
def test_copies_and_writes_in_all_layouts(shape):
    for dtype in ("float32", "float64", "int16", "bool"):
        x = numbers(shape, dtype) if dtype != "bool" else numbers(shape) > 0
        for a, b in itertools.product(LAYOUTS, VIEWS):
            source = LAYOUTS[a](x).expand(shape)
            target = VIEWS[b](gradcore.zeros(shape, dtype=x.dtype))
            target.copy_(source)
            assert gradcore.equal(target, source.contiguous()), (dtype, a, b)
    x = numbers(shape)
    for view in VIEWS:
        inplace = VIEWS[view](x)
        inplace.mul_(VIEWS["transposed"](x))
        assert gradcore.equal(inplace, x * x)


KINDS = ("bool", "uint8", "int16", "float32", "float64")


def of_kind(shape, kind):
    return numbers(shape) > 0 if kind == "bool" else numbers(shape, kind) if kind != "uint8" else numbers(shape).byte()


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_permuted_and_flipped_tensors(kind):
    for shape in ((3, 5, 2), (10, 20, 7), (4, 17, 33), (2, 3, 70), (16, 16, 16), (65, 3, 40)):
        x = of_kind(shape, kind)
        for order in itertools.permutations(range(3)):
            view, expected = x.permute(order), x.numpy().transpose(order)
            np.testing.assert_array_equal(view.contiguous().numpy(), expected)
            np.testing.assert_array_equal(view[:, 1:].contiguous().numpy(), expected[:, 1:])
            for dims in ((0,), (1,), (2,), (0, 2), (0, 1, 2)):
                np.testing.assert_array_equal(view.flip(dims).numpy(), np.flip(expected, dims))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [*range(1, 10), 15, 16, 17, 40])
def test_reductions_of_few_elements(count, kind):
    for outputs in (1, 5, 16, 131):
        wide = of_kind((outputs, 2 * count), kind)
        for x in (wide[:, :count].clone(), wide[:, :count], wide[:, ::2]):
            values = x.numpy()
            for view, axis in ((x, 1), (x.t(), 0)):
                array = values if axis else values.T
                np.testing.assert_array_equal(
                    view.argmax(axis).numpy() if kind != "bool" else 0, array.argmax(axis) if kind != "bool" else 0
                )
                np.testing.assert_array_equal(view.amax(axis).numpy(), array.max(axis))
                np.testing.assert_array_equal(view.count_nonzero(axis).numpy(), np.count_nonzero(array, axis))
                total = array.sum(axis, dtype=np.float64 if "float" in kind else np.int64)
                np.testing.assert_allclose(view.sum(axis).numpy(), total, rtol=1e-5, atol=1e-4)


def test_unary_ops_of_repeated_elements():
    x = numbers((40, 1)).expand(40, 300)
    for f in (gradcore.exp, gradcore.relu, gradcore.neg, lambda t: t.to(gradcore.float64), lambda t: t > 0):
        assert gradcore.equal(f(x), f(x.contiguous()))


# ------------------------------------------------------------------------------------------------------------
# Divisions with a remainder: by one division where the quotient is small, else by libm


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore")
def test_remainders_are_exact(dtype):
    """Quotients of all sizes, exact multiples and their neighbours, special values: each bit as libm's fmod."""
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype)
    small = rng.uniform(-10, 10, 600)
    sizes = np.concatenate([small, small * 1e6, small * 2.0**25, small * 1e20, small * 1e-30, np.round(small) * 0.3])
    a = np.concatenate([sizes, [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 5.0, -5.0]]).astype(kind)
    a = np.concatenate([a, np.nextafter(a, np.inf, dtype=kind)])
    for b in (0.3, -0.3, 1.0, 7.0, 1e-20, 1e20, 0.0, np.inf, np.nan, rng.uniform(0.1, 3, a.size), rng.permutation(a)):
        values = np.asarray(b, kind)
        x, y = gradcore.from_numpy(a), float(values) if values.ndim == 0 else gradcore.from_numpy(values)
        m = np.fmod(a, values)
        found = gradcore.fmod(x, y).numpy()
        np.testing.assert_array_equal(found, m)
        np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(m[m == 0]))
        expected = np.where((m != 0) & ((values < 0) != (m < 0)), m + values, m)
        np.testing.assert_array_equal(gradcore.remainder(x, y).numpy(), expected)
        near = np.isfinite(values) & (np.abs(a / values) < 1e5)
        quotient = np.round((a.astype(np.longdouble) - expected) / values)[near]
        np.testing.assert_array_equal(gradcore.floor_divide(x, y).numpy()[near], quotient)


@pytest.mark.parametrize("exponent", [-0.5, -1, -2, 4, 3, 0.5, 2])
def test_exponents_with_loops_of_their_own(exponent):
    """They agree with the general one, in value, gradient and second derivative, at special points too."""
    x = gradcore.tensor([0.3, 1.0, 2.5, 100.0, 1e-3, 0.0, float("inf")], dtype=gradcore.float64)
    general = gradcore.tensor(float(exponent), dtype=gradcore.float64)
    np.testing.assert_allclose((x**exponent).numpy(), (x**general).numpy(), rtol=1e-15)
    finite = x[:5].clone().requires_grad_()
    for order in (1, 2):
        derivatives = []
        for e in (exponent, general):
            y = (finite**e).sum()
            for _ in range(order):
                (y,) = gradcore.autograd.grad(y.sum(), finite, create_graph=True)
            derivatives.append(y.detach().numpy())
        np.testing.assert_allclose(*derivatives, rtol=1e-13)
    y = finite**exponent
    assert type(y.grad_fn).__name__ == "PowBackward0" and y.grad_fn._saved_exponent == exponent


# ------------------------------------------------------------------------------------------------------------
# Products and scans of odd shapes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_and_narrow_products(dtype):
    for m, k, n in itertools.product((1, 2, 3, 5), (1, 2, 3, 4, 16, 33), (1, 2, 3, 4, 9)):
        a, b = numbers((60, m, k), dtype), numbers((60, k, n), dtype, 1)
        expected = a.numpy().astype(np.float64) @ b.numpy().astype(np.float64)
        for left, right in itertools.product((a, a.mT.contiguous().mT), (b, b.mT.contiguous().mT)):
            np.testing.assert_allclose((left @ right).numpy(), expected, rtol=1e-4, atol=1e-4)
            shared = a[:1].numpy().astype(np.float64) @ b.numpy().astype(np.float64)
            np.testing.assert_allclose((left[:1].expand(60, m, k) @ right).numpy(), shared, rtol=1e-4, atol=1e-4)
    for shape in ((5000, 3), (3, 5000), (5000, 8), (8, 5000), (17, 7)):
        a, v = numbers(shape, dtype), numbers((shape[1],), dtype, 1)
        expected = a.numpy().astype(np.float64) @ v.numpy().astype(np.float64)
        for matrix in (a, a.t().contiguous().t()):
            np.testing.assert_allclose((matrix @ v).numpy(), expected, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_shorter_than_a_vector_times_a_vector(dtype):
    for k, rows in itertools.product(range(2, 10), (2, 3, 4, 5, 8, 9, 100)):
        wide, v, b = numbers((rows, k + 3), dtype), numbers((2 * k,), dtype, 1), numbers((rows,), dtype, 2)
        for a, x in itertools.product((wide[:, :k].clone(), wide[:, :k], wide[:, 3:]), (v[:k], v[::2])):
            expected = a.numpy().astype(np.float64) @ x.numpy().astype(np.float64)
            np.testing.assert_allclose((a @ x).numpy(), expected, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose((x @ a.t()).numpy(), expected, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(gradcore.addmv(b, a, x).numpy(), b.numpy() + expected, rtol=1e-4, atol=1e-4)


def test_scans_of_short_rows():
    shapes = ((1000, 3), (1, 5), (7, 16), (40, 17), (3, 4, 5), (9, 2), (6, 4), (11, 6), (5, 37), (3, 50), (13, 100))
    for shape, view in itertools.product(shapes, (lambda t: t, lambda t: t.mT.contiguous().mT, lambda t: t[..., 1:])):
        for f, reference, scale in ((gradcore.cumsum, np.cumsum, 1), (gradcore.cumprod, np.cumprod, 0.2)):
            x = view(numbers(shape) * scale)
            expected = reference(x.numpy().astype(np.float64), axis=-1)
            np.testing.assert_allclose(f(x, -1).numpy(), expected, rtol=1e-5, atol=1e-4)
            np.testing.assert_array_equal(f(x.int(), -1).numpy(), reference(x.int().numpy().astype(np.int64), axis=-1))


def test_lists_of_numpy_scalars():
    kinds = (np.float32, np.float64, np.int8, np.int64, np.uint8, np.bool_)
    for kind in kinds:
        values = [kind(v) for v in (0, 1, 1)]
        made = gradcore.tensor(values)
        assert made.numpy().dtype == np.dtype(kind) and made.tolist() == [0, 1, 1]
        assert gradcore.tensor([values, values]).shape == (2, 3)
    for first, second in itertools.product(kinds, repeat=2):
        mixed = gradcore.tensor([first(1), second(1), first(0)])
        assert mixed.dtype == gradcore.promote_types(*(gradcore.tensor(kind(1)).dtype for kind in (first, second)))
