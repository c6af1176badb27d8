"""Least squares by the default driver: by reflections where few singular values count as zero, else by all of them."""

import numpy as np
import pytest

import gradcore


def matrix(m, n, values, dtype, seed=0):
    """m x n with these singular values."""
    draw = np.random.default_rng(seed)
    u, v = (np.linalg.qr(draw.standard_normal((size, min(m, n))))[0] for size in (m, n))
    return ((u * values) @ v.T).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (7, 7), (40, 9), (9, 40), (33, 32), (100, 64)])
def test_full_rank(m, n, dtype):
    k = min(m, n)
    a = np.stack([matrix(m, n, np.linspace(1, 3, k), dtype, seed) for seed in range(3)])
    b = np.random.default_rng(9).standard_normal((3, m, 2)).astype(dtype)
    found = gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.tensor(b))
    right = np.linalg.pinv(a.astype("float64")) @ b
    assert np.abs(found.solution.numpy() - right).max() < (2e-5 if dtype == "float32" else 1e-13)
    assert found.rank.tolist() == [k] * 3


@pytest.mark.parametrize(("m", "n"), [(8, 8), (20, 8), (8, 20)])
@pytest.mark.parametrize("least", [0.0, 1e-20, 1e-3])
def test_ranks(m, n, least):
    """A value below the bound does not count: the solution is the one of the smallest norm."""
    a = matrix(m, n, [3, 2, 1, 1, 1, 1, 1, least], "float64")
    b = np.random.default_rng(9).standard_normal((m, 1))
    for rcond in (None, 1e-2, 1e-6):
        bound = 1e-14 if rcond is None else rcond
        found = gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.tensor(b), rcond=rcond)
        counts = least > 3 * bound
        assert found.rank.item() == (8 if counts else 7)
        right = np.linalg.pinv(a, rcond=bound) @ b
        assert np.abs(found.solution.numpy() - right).max() < 1e-11 * np.abs(right).max()


# Sizes from which on the few smallest singular values are looked for.
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n"), [(70, 70), (300, 300), (400, 300), (300, 400)])
@pytest.mark.parametrize("dropped", [0, 1, 3, 20])
def test_many_columns(m, n, dropped, dtype):
    k = min(m, n)
    usual = np.linspace(1, 0.1, k - dropped)
    a = np.stack([matrix(m, n, [*usual, *np.linspace(2e-3, 1e-3, dropped)], dtype, seed) for seed in range(2)])
    b = np.random.default_rng(9).standard_normal((2, m, 2)).astype(dtype)
    found = gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.tensor(b), rcond=1e-2)
    assert found.rank.tolist() == [k - dropped] * 2
    right = np.linalg.pinv(a.astype("float64"), rcond=1e-2) @ b
    assert np.abs(found.solution.numpy() - right).max() < (3e-4 if dtype == "float32" else 1e-12) * np.abs(right).max()


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e30, np.nan])
def test_large_matrices_without_an_inverse(value):
    """None of them comes to a result that is not finite where the matrix is."""
    a = matrix(300, 300, np.linspace(1, 2, 300), "float32") * 0 + np.float32(value)
    b = np.ones((300, 1), "float32")
    if np.isnan(value):
        with pytest.raises(RuntimeError, match="non-finite"):
            gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.tensor(b))
        return
    found = gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.tensor(b))
    assert found.rank.item() == (value != 0)
    expected = 1 / (300 * value) if value else 0.0
    assert np.allclose(found.solution.numpy(), expected, rtol=1e-4)


def test_one_of_a_batch_has_no_full_rank():
    a = np.stack([np.eye(3), np.diag([1.0, 1.0, 0.0])])
    found = gradcore.linalg.lstsq(gradcore.tensor(a), gradcore.ones(2, 3, 1, dtype=gradcore.float64))
    assert found.rank.tolist() == [3, 2]
    assert np.allclose(found.solution[..., 0].numpy(), [[1, 1, 1], [1, 1, 0]])


def test_within_vmap_and_forward_mode():
    a = gradcore.tensor(np.stack([matrix(6, 4, [1, 2, 3, 4], "float64", seed) for seed in range(2)]))
    b = gradcore.tensor(np.random.default_rng(9).standard_normal((2, 6, 1)))

    def solve(x, y):
        return gradcore.linalg.lstsq(x, y).solution

    assert gradcore.allclose(gradcore.vmap(solve)(a, b), solve(a, b))
    assert gradcore.allclose(gradcore.vmap(solve, (0, None))(a, b[0])[1], solve(a[1], b[0]))
    assert gradcore.autograd.gradcheck(solve, (a.clone().requires_grad_(), b.clone().requires_grad_()))
