"""Reductions beyond what the table of ops asks: the ends of the range, any order of the dims in memory, warnings."""

import itertools
import math
import warnings

import numpy as np
import pytest

from support import both, gradcore, needs_torch, torch

# ------------------------------------------------------------------------------------------------------------
# The ends of the range

# What a program may pass as float32, and the results by mathematics: (function, values, result).
FLOAT32 = [
    ("std", [1e30, 3e30], 2**0.5 * 1e30),
    ("std", [1e-30, 3e-30], 2**0.5 * 1e-30),
    ("std", [1.0, -1e30, 2.0], 5.7735027e29),
    ("std", [-1e30] * 3, 0.0),
    ("std", [3e38, 0.2, 3e38], 1.7320508e38),
    ("std", [3e38, -3e38], math.inf),
    ("var", [1e-18, 3e-18], 2e-36),
    ("var", [1e-30, 3e-30], 0.0),
    ("norm", [3e38], 3e38),
    ("norm", [-3e38, 0.0], 3e38),
    ("norm", [3e30, 4e30], 5e30),
    ("norm", [3e-30, 4e-30], 5e-30),
    ("norm", [2.0**-149], 2.0**-149),
    ("norm", [0.0, 0.0], 0.0),
    ("norm3", [1e30, 0.0], 1e30),
    ("norm3", [1e-30, 0.0], 1e-30),
    ("norm1.5", [-3e38, 0.0], 3e38),
    ("norm-2", [1e-30, 1e-30], 1e-30 / 2**0.5),
    ("prod", [1e30, 1e30, 1e-30, 1e-30], 1.0),
    ("prod", [1e-30, 1e-30, 1e30, 1e30, -2.0], -2.0),
    ("prod", [1e30, 1e30, 0.0], 0.0),
    ("prod", [1e-30] * 9, 0.0),
    ("prod", [2.0**-70, 2.0**-70], 2.0**-140),
    ("prod", [2.0**-30] * 4 + [2.0**-20], 2.0**-140),
    ("prod", [-1e30] * 9, -math.inf),
]
FUNCTIONS = {
    "std": lambda x, *dim: x.std(*dim),
    "var": lambda x, *dim: x.var(*dim),
    "norm": lambda x, *dim: x.norm(2, *dim),
    "norm3": lambda x, *dim: x.norm(3, *dim),
    "norm1.5": lambda x, *dim: x.norm(1.5, *dim),
    "norm-2": lambda x, *dim: x.norm(-2, *dim),
    "prod": lambda x, *dim: x.prod(*dim),
}


def expect(found, result, rel):
    assert found == pytest.approx(result, rel=rel, abs=1e-46) if math.isfinite(result) else found == result


@pytest.mark.parametrize(("name", "values", "result"), FLOAT32)
def test_float32_leaves_its_range_late(name, values, result):
    """Of all elements, along rows, along columns, of several dims and of many elements."""
    f = FUNCTIONS[name]
    x = gradcore.tensor(values)
    expect(f(x).item(), result, 1e-6)
    for rows in (1, 5, 40):
        table = x.repeat(rows, 1)
        for found in (f(table, 1), f(table.t().contiguous(), 0), f(table.t(), 0)):
            for value in found.tolist():
                expect(value, result, 1e-6)
    if name.startswith("norm"):
        padded = gradcore.zeros(3000)
        padded[::1000] = gradcore.nn.functional.pad(x, (0, 3 - len(values)))
        p = float(name[4:] or 2)
        if p > 0:
            expect(f(padded).item(), result, 1e-6)


# The same with factors that leave float64.
@pytest.mark.parametrize(("name", "values", "result"), [
    ("std", [1e200, 3e200], 2**0.5 * 1e200),
    ("std", [1e-200, 3e-200], 2**0.5 * 1e-200),
    ("norm", [3e200, 4e200], 5e200),
    ("norm", [3e-200, 4e-200], 5e-200),
    ("norm3", [1e200, 0.0], 1e200),
    ("prod", [1e300, 1e300, 1e-300, 1e-300], 1.0),
    ("prod", [1e-300, 1e-300, 1e300, 1e300, 0.5], 0.5),
])  # fmt: skip
def test_float64_leaves_its_range_late(name, values, result):
    x = gradcore.tensor(values, dtype=gradcore.float64)
    expect(FUNCTIONS[name](x).item(), result, 1e-12)
    for found in FUNCTIONS[name](x.repeat(7, 1), 1).tolist():
        expect(found, result, 1e-12)


@pytest.mark.parametrize("dtype", [gradcore.float32, gradcore.float64])
@pytest.mark.parametrize(("value", "size"), [(2.5, math.inf), (0.4, 0.0)])
@pytest.mark.parametrize("count", [4000, 4001])
def test_what_long_products_leave_the_range_with_is_their_sign(value, size, count, dtype):
    x = gradcore.full((count,), -value, dtype=dtype)
    expected = size if count % 2 == 0 else -size
    for found in (x.prod(), x.repeat(2, 1).prod(1)[1], x.repeat(2, 1).t().contiguous().prod(0)[1]):
        assert found.item() == expected and math.copysign(1, found.item()) == math.copysign(1, expected)


@pytest.mark.parametrize("dtype", [gradcore.float32, gradcore.float64])
@pytest.mark.parametrize("n", [40, 200, 1000])
@pytest.mark.parametrize("among", [None, 0.0, math.inf, math.nan, 1e-30, 1e30])
@pytest.mark.parametrize(("least", "most"), [(1e-4, 1.0), (1.0, 1e4)])
def test_products_that_only_shrink_or_only_grow(least, most, among, n, dtype):
    gradcore.manual_seed(n)
    x = gradcore.rand(6, n, dtype=dtype) * (most - least) + least
    x *= gradcore.randn(6, n).sign()
    if among is not None:
        x[:, n // 3] = among
    expected = gradcore.tensor([product_of(row) for row in x.tolist()], dtype=gradcore.float64).to(dtype)
    rel, tiny = (1e-5, 2.0**-149) if dtype == gradcore.float32 else (1e-12, 2.0**-1074)
    for found in (x.prod(1), x.t().contiguous().prod(0)):
        gradcore.testing.assert_close(found, expected, rtol=rel, atol=2 * tiny, equal_nan=True)
        assert gradcore.equal(found.signbit()[found == found], expected.signbit()[found == found])


@pytest.mark.parametrize("dtype", [gradcore.float32, gradcore.float64])
def test_long_products_come_back_into_the_range(dtype):
    least, most = (2.0**-149, 2.0**120) if dtype == gradcore.float32 else (2.0**-1074, 2.0**1000)
    x = gradcore.tensor([least, most], dtype=dtype).repeat(1000)
    back = (math.log2(least) + math.log2(most)) * -1000
    y = gradcore.cat([x, gradcore.full((int(back) // 50,), 2.0**50, dtype=dtype)])
    assert y.prod().item() == 1.0


def product_of(values):
    """Without leaving the range: the mantissa apart from the power of two."""
    sign = math.prod(math.copysign(1, value) for value in values)
    if any(value == 0 or not math.isfinite(value) for value in values):
        return sign * math.prod(abs(value) if value == 0 or not math.isfinite(value) else 1 for value in values)
    mantissa, power = sign, 0
    for value in values:
        mantissa, shift = math.frexp(mantissa * math.frexp(abs(value))[0])
        power += shift + math.frexp(value)[1]
    return sign * math.inf if power > 1024 else math.ldexp(mantissa, power)


@pytest.mark.parametrize("dtype", [gradcore.float32, gradcore.float64])
@pytest.mark.parametrize("special", [None, 0.0, math.inf, math.nan, 2.0**-149])
def test_products_at_both_ends_of_the_range(special, dtype):
    # Columns whose products end on either side of the largest and the least number, by powers that differ little.
    n, columns = 300, 70
    ends = (-149, 128) if dtype == gradcore.float32 else (-1074, 1024)
    powers = [end + step for end in ends for step in range(-18, 17)]
    gradcore.manual_seed(0)
    logs = gradcore.randn(n, columns, dtype=gradcore.float64)
    logs += (gradcore.tensor(powers, dtype=gradcore.float64) - logs.sum(0)) / n
    x = (logs.exp2() * gradcore.randn_like(logs).sign()).to(dtype)
    if special is not None:
        x[n // 2, ::3] = special
    expected = gradcore.tensor([product_of(column) for column in x.t().tolist()], dtype=gradcore.float64).to(dtype)
    rel, least = (1e-4, 2.0**-149) if dtype == gradcore.float32 else (1e-12, 2.0**-1074)
    wide = gradcore.stack([x, x], -1)
    for found in (x.prod(0), x.t().contiguous().prod(1), wide.prod(0)[:, 1], wide[..., 0].prod(0)):
        gradcore.testing.assert_close(found, expected, rtol=rel, atol=2 * least, equal_nan=True)
        assert gradcore.equal(found.signbit()[found == found], expected.signbit()[found == found])


@pytest.mark.parametrize("scale", [1e30, 1e-30, 1e-38])
def test_gradients_at_the_ends_of_the_range(scale):
    x = gradcore.tensor([scale, 3 * scale], requires_grad=True)
    x.std().backward()
    assert x.grad.tolist() == pytest.approx([-(2**-0.5), 2**-0.5], rel=1e-5)
    for p, expected in ((2, [10**-0.5, 3 * 10**-0.5]), (3, [28 ** (-2 / 3), 9 * 28 ** (-2 / 3)])):
        (g,) = gradcore.autograd.grad(x.norm(p), x)
        assert g.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_result_out_of_range_hides_what_is_not_finite(name, value):
    x = gradcore.tensor([1.0, value, 3.0])
    found = FUNCTIONS[name](x).item()
    if name == "norm-2" and math.isinf(value):
        assert found == pytest.approx(1 / (1 + 1 / 9) ** 0.5)
    elif math.isnan(value) or name in ("std", "var"):
        assert math.isnan(found)
    else:
        assert abs(found) == math.inf


def test_spread_of_long_data_does_not_drift():
    x = gradcore.arange(1000.0).mul(1e18).reshape(10, 100)
    assert x.std(1)[0].item() == pytest.approx(2.9011491e19, rel=1e-5)


# ------------------------------------------------------------------------------------------------------------
# Orders of the dims in memory

REDUCTIONS = {
    "sum": lambda lib, x, dims: x.sum(dims),
    "mean": lambda lib, x, dims: x.mean(dims),
    "amax": lambda lib, x, dims: x.amax(dims),
    "amin keepdim": lambda lib, x, dims: x.amin(dims, keepdim=True),
    "var": lambda lib, x, dims: x.var(dims),
    "std keepdim": lambda lib, x, dims: x.std(dims, keepdim=True),
    "norm": lambda lib, x, dims: x.norm(2, dims),
    "norm 3": lambda lib, x, dims: x.norm(3, dims),
    "logsumexp": lambda lib, x, dims: x.logsumexp(dims),
    "count_nonzero": lambda lib, x, dims: lib.count_nonzero(x, dims),
    "any": lambda lib, x, dims: (x > 1.9).any(dims),
}
ALONG_ONE = {
    "prod": lambda lib, x, dim: x.prod(dim),
    "max": lambda lib, x, dim: tuple(x.max(dim)),
    "min keepdim": lambda lib, x, dim: tuple(x.min(dim, keepdim=True)),
    "argmax": lambda lib, x, dim: x.argmax(dim),
}


def arranged(lib, values, layout):
    x = lib.tensor(values)
    permutation, step, spread = layout
    if step:
        x = x[:, ::2, :, 1:]
    if spread:
        x = x[:, :1].expand(-1, 3, -1, -1)
    return x.permute(permutation)


LAYOUTS = [*((p, False, False) for p in itertools.permutations(range(4))),
           *((p, True, False) for p in ((0, 1, 2, 3), (3, 0, 2, 1), (2, 3, 1, 0))),
           *((p, False, True) for p in ((0, 1, 2, 3), (1, 0, 3, 2), (3, 1, 0, 2)))]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 4, 40, 3), (5, 4, 1, 7)])
def test_any_order_of_dims(shape):
    values = np.random.default_rng(0).uniform(-2, 2, shape).astype(np.float32).tolist()
    for layout in LAYOUTS:
        ours, theirs = arranged(gradcore, values, layout), arranged(torch, values, layout)
        assert ours.stride() == theirs.stride()
        calls = [
            (f, dims) for f in REDUCTIONS.values() for n in range(1, 5) for dims in itertools.combinations(range(4), n)
        ]
        calls += [(f, dim) for f in ALONG_ONE.values() for dim in range(4)]
        for f, dims in calls:
            found, expected = f(gradcore, ours, dims), f(torch, theirs, dims)
            for a, b in zip(*((r if isinstance(r, tuple) else (r,)) for r in (found, expected))):
                assert tuple(a.shape) == tuple(b.shape) and a.is_contiguous(), (layout, dims)
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=3e-5, atol=1e-6, err_msg=f"{layout} {dims}")


@needs_torch
def test_long_and_wide_views():
    """Sizes at which threads share a reduction, in layouts that are read by slabs and groups."""
    values = np.random.default_rng(1).normal(size=(6, 70, 300, 4)).astype(np.float32)
    ours, theirs = gradcore.tensor(values), torch.from_numpy(values)
    for permutation in ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2)):
        for dims in ((0, 2), (1, 3), (0, 1, 3), (1,), (2,), (0, 1, 2, 3)):
            for f in (REDUCTIONS["sum"], REDUCTIONS["var"], REDUCTIONS["amax"], REDUCTIONS["logsumexp"]):
                a = f(gradcore, ours.permute(permutation), dims).numpy()
                b = f(torch, theirs.permute(permutation), dims).numpy()
                np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-3)


def test_threads_change_no_bit_of_a_permuted_reduction():
    gradcore.manual_seed(0)
    x = gradcore.randn(40, 50, 60, 5)
    before = gradcore.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            gradcore.set_num_threads(threads)
            found.append([x.permute(2, 0, 3, 1).sum(d) for d in ((0, 2), (1,), (1, 3))] + [x.permute(3, 2, 1, 0).std()])
    finally:
        gradcore.set_num_threads(before)
    for other in found[1:]:
        assert all(a.equal(b) for a, b in zip(found[0], other))


# ------------------------------------------------------------------------------------------------------------
# Warnings


@pytest.mark.parametrize("call", [
    lambda: gradcore.ones(1).std(), lambda: gradcore.ones(1).var(), lambda: gradcore.ones(3).var(correction=3),
    lambda: gradcore.ones(3, 1).std(1), lambda: gradcore.var_mean(gradcore.ones(1)), lambda: gradcore.ones(0).std(),
])  # fmt: skip
def test_no_degrees_of_freedom(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    assert ["degrees of freedom" in str(w.message) for w in caught] == [True]
    assert caught[0].category is UserWarning and caught[0].filename == __file__
    value = result[0] if isinstance(result, tuple) else result
    assert not gradcore.isfinite(value).any()


def test_no_warning_where_there_is_freedom():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcore.ones(1).std(correction=0).item() == 0
        gradcore.ones(2).var()
        gradcore.ones(3, 2).std(1)


def test_a_warning_that_is_an_error_stops_the_call():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="degrees of freedom"):
            gradcore.ones(1).std()


# ------------------------------------------------------------------------------------------------------------
# nansum: a sum with zeros in place of NaN


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_nansum_is_the_sum_of_the_numbers(dtype):
    x = np.random.default_rng(0).standard_normal((40, 37, 65)).astype(dtype)
    x[np.random.default_rng(1).random(x.shape) < 0.3] = np.nan
    for view in (
        lambda v: v,
        lambda v: v[:, ::2],
        lambda v: v.swapaxes(0, 2),
        lambda v: v[:, :, 3:4],
        lambda v: v[:1, :3],
    ):
        t, part = view(gradcore.tensor(x)), view(x)
        for dim in (None, 0, 1, 2, (0, 2)):
            right = np.nansum(part.astype("float64"), axis=dim)
            found = t.nansum(dim).double().numpy()
            limit = {"float32": 2e-6, "float64": 1e-14, "float16": 1e-3}[dtype] * max(1, np.abs(right).max()) * 4
            assert np.abs(found - right).max() <= limit, (part.shape, dim)


def test_nansum_of_strided_memory():
    x = gradcore.arange(24.0).reshape(4, 6)
    x[1, 2] = math.nan
    for view in (x.mT, x[:, ::2], x[::2].mT, x.expand(3, 4, 6), x[:, 2:3]):
        right = gradcore.where(view.isnan(), 0.0, view)
        for dim in (None, 0, 1):
            assert gradcore.equal(view.nansum(dim), right.sum(dim))


def test_nansum_at_its_ends():
    nan, inf = math.nan, math.inf
    assert gradcore.tensor([nan, nan]).nansum().item() == 0
    assert gradcore.tensor([nan, inf]).nansum().item() == inf
    assert math.isnan(gradcore.tensor([inf, -inf, nan]).nansum().item())
    assert gradcore.tensor([]).nansum().item() == 0
    assert gradcore.tensor([1, 2]).nansum().item() == 3
    assert gradcore.tensor([1.5, nan, 2.5]).nansum(dtype=gradcore.int64).item() == 3
    assert gradcore.tensor([1.5, nan], dtype=gradcore.bfloat16).nansum(dtype=gradcore.float32).item() == 1.5


@needs_torch
@pytest.mark.parametrize("name", ["all", "any"])
@pytest.mark.parametrize("dim", [(), (0,)])
def test_truth_is_written_to_bool_and_uint8_alone(name, dim):
    def program(lib, dtype, into):
        numbers = lib.tensor([0, 1]).to(getattr(lib, dtype))
        return getattr(lib, name)(numbers, *dim, out=lib.empty((), dtype=getattr(lib, into)))

    for dtype, into in itertools.product(["bool", "uint8", "float32"], ["bool", "uint8"]):
        both(lambda lib, d=dtype, i=into: program(lib, d, i))
    for dtype, into in itertools.product(["bool", "uint8", "float32"], ["int64", "float32"]):
        both(lambda lib, d=dtype, i=into: program(lib, d, i), raises="only supports bool tensor for result, got: ")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "uint8", "bool"])
def test_elements_that_a_reduced_dim_repeats(dtype):
    """As of the copy, whichever dims repeat and whichever are reduced."""
    kind = getattr(gradcore, dtype)
    gradcore.manual_seed(0)
    base = gradcore.randint(0, 2 if dtype == "bool" else 7, (4, 1, 3, 1)).to(kind)
    x = base.expand(4, 5, 3, 6)
    names = ["sum", "amax", "amin", "any", "all", "count_nonzero"]
    if kind.is_floating_point:
        names += ["mean", "var", "std", "nansum"]
    for dims in ((0,), (1,), (3,), (1, 3), (0, 1), (2, 3), (0, 1, 2, 3)):
        for name in names:
            if name in ("any", "all") and len(dims) > 1 and dtype == "uint8":
                continue
            found, expected = getattr(gradcore, name)(x, dims), getattr(gradcore, name)(x.contiguous(), dims)
            assert found.dtype == expected.dtype
            assert found._version == 0
            assert gradcore.allclose(found.double(), expected.double(), rtol=1e-5 if dtype != "bfloat16" else 1e-2)
        if kind.is_floating_point:
            for order in (1, 2, 3, float("inf"), -float("inf")):
                found, expected = (gradcore.linalg.vector_norm(v, order, dims) for v in (x, x.contiguous()))
                assert gradcore.allclose(found.double(), expected.double(), rtol=1e-5 if dtype != "bfloat16" else 1e-2)


def test_gradient_through_repeated_elements():
    row = gradcore.tensor([1.0, 2.0], requires_grad=True)
    for f, slope in (("sum", 3.0), ("mean", 0.5)):
        (g,) = gradcore.autograd.grad(getattr(row.expand(3, 2), f)(), row)
        assert g.tolist() == [slope, slope]
