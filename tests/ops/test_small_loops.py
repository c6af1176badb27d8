"""Ops that have loops of their own for narrow integers and halves: the same values as in a wide type, cut or rounded."""

import operator

import pytest

from support import gradcore

INTEGERS = ("uint8", "int8", "int16")
HALVES = ("float16", "bfloat16")
ARITHMETIC = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
EXTREMES = {"maximum": gradcore.maximum, "minimum": gradcore.minimum}
COMPARISONS = {name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}
BITS = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}
SIGNS = {"neg": operator.neg, "abs": abs}
SIZES = (1, 2, 15, 16, 17, 31, 33, 63, 65, 300)


def integers(dtype, n, seed):
    gradcore.manual_seed(seed)
    kind = getattr(gradcore, dtype)
    limits = gradcore.iinfo(kind)
    values = gradcore.randint(limits.min, min(limits.max, 2**62) + 1, (n,))
    values[: n // 3] = gradcore.randint(0, 3, (n // 3,))  # some are equal
    return values.to(kind)


def halves(dtype, n, seed):
    gradcore.manual_seed(seed)
    values = gradcore.randn(n) * 100
    values[: n // 3] = gradcore.randint(0, 3, (n // 3,)).float()
    if n > 8:
        values[n // 2], values[n // 2 + 1], values[n - 1] = float("nan"), float("inf"), 6e4
    return values.to(getattr(gradcore, dtype))


def check_same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    same = (found == expected) | ((found != found) & (expected != expected))
    assert same.all()


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", [*ARITHMETIC, *EXTREMES, *COMPARISONS, *BITS])
def test_integers(name, dtype):
    f = {**ARITHMETIC, **EXTREMES, **COMPARISONS, **BITS}[name]
    for n in SIZES:
        a, b = integers(dtype, 2 * n, n), integers(dtype, 2 * n, n + 1)
        pairs = [(a, b), (a[::2], b[1::2]), (a.reshape(2, n), b[:n]), (a.reshape(n, 2), b[:n, None]), (a.flip(0), b)]
        for x, y in pairs:
            wide = f(x.long(), y.long())
            check_same(f(x, y), wide if name in COMPARISONS else wide.to(x.dtype))
        if name not in EXTREMES:
            wide = f(a.long(), 3)
            check_same(f(a, 3), wide if name in COMPARISONS else wide.to(a.dtype))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", [*ARITHMETIC, *EXTREMES, *COMPARISONS])
def test_halves(name, dtype):
    f = {**ARITHMETIC, **EXTREMES, **COMPARISONS}[name]
    for n in SIZES:
        a, b = halves(dtype, 2 * n, n), halves(dtype, 2 * n, n + 1)
        pairs = [(a, b), (a[::2], b[1::2]), (a.reshape(2, n), b[:n]), (a.reshape(n, 2), b[:n, None]), (a.flip(0), b)]
        for x, y in pairs:
            wide = f(x.float(), y.float())
            check_same(f(x, y), wide if name in COMPARISONS else wide.to(x.dtype))
        if name not in EXTREMES:
            wide = f(a.float(), 3.0)
            check_same(f(a, 3.0), wide if name in COMPARISONS else wide.to(a.dtype))


@pytest.mark.parametrize("dtype", [*INTEGERS, *HALVES])
@pytest.mark.parametrize("name", SIGNS)
def test_signs(name, dtype):
    f = SIGNS[name]
    for n in SIZES:
        a = integers(dtype, 2 * n, n) if dtype in INTEGERS else halves(dtype, 2 * n, n)
        if dtype in HALVES:
            a[0], a[1] = -0.0, float("-inf")
        for x in (a, a[::2], a.reshape(n, 2).t(), a.flip(0)):
            found, wide = f(x), f(x.long() if dtype in INTEGERS else x.float())
            check_same(found, wide.to(x.dtype))
            if dtype in HALVES:
                assert ((found.signbit() == wide.signbit()) | (found != found)).all()


@pytest.mark.parametrize("dtype", [*INTEGERS, "int32", "int64"])
def test_shifts(dtype):
    """As torch: a shift by less than 0, or by the width and more, leaves nothing, or the sign."""
    kind = getattr(gradcore, dtype)
    width = gradcore.iinfo(kind).bits
    amounts = gradcore.arange(-2, width + 3) if kind != gradcore.uint8 else gradcore.arange(width + 3)
    x = integers(dtype, 40, 1)
    left, right = x[:, None] << amounts.to(kind), x[:, None] >> amounts.to(kind)
    for i, value in enumerate(x.tolist()):
        for j, by in enumerate(amounts.tolist()):
            out = by < 0 or by >= width
            kept = 0 if out else value << by & (1 << width) - 1
            signed = kind != gradcore.uint8 and kept >> (width - 1)
            assert left[i, j].item() == kept - (1 << width if signed else 0)
            assert right[i, j].item() == ((-1 if value < 0 else 0) if out else value >> by)


@pytest.mark.parametrize("dtype", HALVES)
def test_folds_of_halves(dtype):
    for n in (*SIZES, 1000, 40000):
        x = halves(dtype, n, n).nan_to_num(1.0, 2.0, -2.0).clamp(-50, 50)
        exact = x.double()
        size = exact.abs().sum().item() + 1
        assert x.sum(dtype=gradcore.float32).item() == pytest.approx(exact.sum().item(), abs=1e-5 * size)
        assert x.max().item() == exact.max().item()
        assert x.min().item() == exact.min().item()
        assert x.abs().max().item() == gradcore.linalg.vector_norm(x, float("inf")).item()
        assert gradcore.linalg.vector_norm(x, 1, dtype=gradcore.float32).item() == pytest.approx(size - 1, rel=1e-5)
    holed = halves(dtype, 300, 0)
    assert holed.max().isnan()
    assert holed[:140].nansum().item() == holed[:140].float().nansum().to(holed.dtype).item()


def test_unique_truth_values():
    for values in ([], [True], [False, False], [True, False, True], [[True, True], [False, True]]):
        x = gradcore.tensor(values, dtype=gradcore.bool)
        found = gradcore.unique(x, return_inverse=True, return_counts=True)
        expected = gradcore.unique(x.to(gradcore.uint8), return_inverse=True, return_counts=True)
        assert found[0].dtype == gradcore.bool
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.tolist() == theirs.tolist()
            assert ours.shape == theirs.shape
