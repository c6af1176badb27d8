"""Loops that first look whether all arguments of a block allow a short way: the long way gives the same bits."""

import math

import numpy as np
import pytest

from support import both, gradcore

RANDOM = np.random.default_rng(8)
# Beside these the usual arguments of a block are computed the long way too.
FAR = [
    0.0,
    -0.0,
    66.0,
    -66.0,
    86.5,
    -87.5,
    88.8,
    -100.0,
    650.0,
    -650.0,
    710.0,
    -740.0,
    1e30,
    -1e30,
    math.inf,
    -math.inf,
    math.nan,
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", FAR)
def test_exp_does_not_depend_on_its_neighbours(dtype, far):
    values = RANDOM.uniform(-87, 87, 2000).astype(dtype)
    values[300:1500] *= 0.73 if dtype == "float32" else 7.3
    values[700] = far
    whole = gradcore.from_numpy(values).exp().numpy()
    alone = np.array([gradcore.tensor(v).exp().item() for v in values], dtype)
    np.testing.assert_array_equal(whole.view("int32"), alone.view("int32"))
    with np.errstate(all="ignore"):
        exact = np.exp(values.astype("longdouble"))
        unit = np.spacing(np.maximum(exact, np.finfo(dtype).tiny).astype(dtype))
        assert not (np.abs(whole - exact) > 1.2 * unit).any()
        np.testing.assert_array_equal(whole[~np.isfinite(whole)], exact.astype(dtype)[~np.isfinite(whole)])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("bits", [20, 31, 50, 51, 63])
def test_quotients_of_integers_are_exact(dtype, bits):
    info = np.iinfo(dtype)
    most = min(2**bits - 1, info.max)
    left, right = RANDOM.integers(-most - 1, most, 1500, dtype), RANDOM.integers(-most - 1, most, 1500, dtype)
    right[::2] = RANDOM.integers(1, 100, 750)
    right[right == 0] = -1
    left[1::3] = (
        right[1::3] // 3 * RANDOM.integers(-3, 4, len(left[1::3]))
    )  # often a whole quotient, or one less a unit
    left[2::5] = (left[2::5] // right[2::5]) * right[2::5] - 1
    a, b = gradcore.from_numpy(left), gradcore.from_numpy(right)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    wrapped = [(x // y + 2**63) % 2**64 - 2**63 if dtype == "int64" else x // y for x, y in pairs]
    assert (a // b).tolist() == wrapped
    assert (a % b).tolist() == [x % y for x, y in pairs]
    for divisor in (1, -1, 3, -7, most):
        assert (a % divisor).tolist() == [x % divisor for x, _ in pairs]
        if divisor != -1:
            assert (a // divisor).tolist() == [x // divisor for x, _ in pairs]


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_extremes_along_rows(name, dtype):
    rows = np.round(RANDOM.standard_normal((12, 100)) * 5)
    rows[1], rows[2], rows[3] = np.arange(100), -np.arange(100), 1
    if dtype.startswith("float"):
        rows[4:, 50::17] = np.nan
        rows[5, 0], rows[6, 40], rows[7, 99] = np.nan, np.inf, np.nan
    rows = rows.astype(dtype)

    def program(lib):
        x = lib.from_numpy(rows)
        return [getattr(lib, name)(part, 1) for part in (x, x[:, :15], x[:, :16], x[:, :17], x[:, 1:65])]

    both(program)
