"""Least squares by the default driver: of full rank by reflections, of any other by singular values."""

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
