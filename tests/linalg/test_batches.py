"""Batches of small matrices, which kernels take several at once: each result is that of the matrix alone."""

import numpy as np
import pytest

import gradcore

SIZES = (1, 2, 3, 5, 8, 16, 31, 32)
BATCHES = (3, 16, 21, 100)  # fewer than lanes, as many, some left over


def matrices(n, batch, dtype, seed=0):
    a = np.random.default_rng(seed).standard_normal((batch, n, n)).astype(dtype)
    return a + n * np.eye(n, dtype=dtype)


def laid_out(a, layout):
    t = gradcore.tensor(a)
    if layout == "columns":
        return t.mT.contiguous().mT
    if layout == "gaps":
        wide = gradcore.zeros(*a.shape[:-1], 2 * a.shape[-1], dtype=t.dtype)
        wide[..., ::2] = t
        return wide[..., ::2]
    return t


def close(found, wanted, dtype):
    limit = 1e-4 if dtype == "float32" else 1e-12
    size = max(1.0, np.abs(wanted).max())
    return np.abs(found.numpy().astype("float64") - wanted).max() <= limit * size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["rows", "columns", "gaps"])
@pytest.mark.parametrize("n", SIZES)
def test_solutions_and_factors(n, layout, dtype):
    for batch in BATCHES:
        a = matrices(n, batch, dtype)
        b = np.random.default_rng(1).standard_normal((batch, n, 3)).astype(dtype)
        wide, right = a.astype("float64"), b.astype("float64")
        t, r = laid_out(a, layout), laid_out(b, layout)
        assert close(gradcore.linalg.solve(t, r), np.linalg.solve(wide, right), dtype)
        assert close(gradcore.linalg.inv(t), np.linalg.inv(wide), dtype)
        factors = gradcore.linalg.lu_factor(t)
        turned = np.linalg.solve(wide.transpose(0, 2, 1), right)
        assert close(gradcore.linalg.lu_solve(*factors, r, adjoint=True), turned, dtype)
        square = wide @ wide.transpose(0, 2, 1)
        low = gradcore.linalg.cholesky(laid_out(square.astype(dtype), layout))
        assert close(low, np.linalg.cholesky(square), dtype)
        q, upper = gradcore.linalg.qr(t)
        assert close(q @ upper, wide, dtype)
        assert close(q.mT @ q, np.broadcast_to(np.eye(n), wide.shape), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("uplo", ["L", "U"])
@pytest.mark.parametrize("n", SIZES)
def test_eigenvalues(n, uplo, dtype):
    for batch in BATCHES:
        a = matrices(n, batch, dtype)
        a = a + a.transpose(0, 2, 1)
        a[1] = 0
        a[2] = np.diag(np.diag(a[2]))
        values, vectors = gradcore.linalg.eigh(gradcore.tensor(a), uplo)
        assert close(values, np.linalg.eigvalsh(a.astype("float64")), dtype)
        assert close(vectors * values.unsqueeze(-2) @ vectors.mT, a.astype("float64"), dtype)
        assert close(gradcore.linalg.eigvalsh(gradcore.tensor(a), uplo), np.linalg.eigvalsh(a.astype("float64")), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n"), [(3, 2), (2, 3), (5, 5), (32, 31), (1, 4)])
def test_reflections_without_a_triangle(m, n, dtype):
    """geqrf computes no R of its own; the other factorisation with reflections does."""
    a = gradcore.tensor(np.random.default_rng(2).standard_normal((21, m, n)).astype(dtype))
    h, tau = gradcore.geqrf(a)
    alone = [gradcore.geqrf(one) for one in a]
    for found, wanted in ((h, [one[0] for one in alone]), (tau, [one[1] for one in alone])):
        assert close(found, gradcore.stack(wanted).numpy().astype("float64"), dtype)
    # Memory behind the work space is whole: small blocks can be had and filled.
    for size in range(1, 200):
        assert all((gradcore.zeros(size) + 1).sum().item() == size for _ in range(4))


@pytest.mark.parametrize("batch", [1, 40])
def test_eigenvalues_of_graded_matrices(batch):
    """Elements that span thirty decades: what rounding leaves beside small ones never becomes small beside them."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        a = random.standard_normal((batch, 8, 8))
        scale = 10.0 ** random.uniform(-8, 8, (batch, 8))
        a = ((a + a.transpose(0, 2, 1)) * scale[:, :, None] * scale[:, None, :]).astype("float32")
        found = gradcore.linalg.eigvalsh(gradcore.tensor(a)).numpy()
        wanted = np.linalg.eigvalsh(a.astype("float64"))
        assert (np.abs(found - wanted).max(1) <= 1e-5 * np.abs(wanted).max(1)).all()


def test_one_bad_matrix_leaves_the_others():
    a = matrices(4, 40, "float32")
    bad = a.copy()
    bad[3], bad[5, :, 2], bad[7, 1, 1], bad[9], bad[11] = 0, 0, np.nan, 1e30, 1e-30
    rest = [i for i in range(40) if i not in (3, 5, 7, 9, 11)]
    whole, some = gradcore.tensor(a), gradcore.tensor(bad)
    inverse, info = gradcore.linalg.inv_ex(some)
    assert [info[i].item() for i in (3, 5)] == [1, 3]
    assert gradcore.equal(inverse[rest], gradcore.linalg.inv(whole)[rest])
    low, info = gradcore.linalg.cholesky_ex(some @ some.mT)
    assert [info[i].item() > 0 for i in (3, 5, 7)] == [True] * 3
    assert gradcore.equal(low[rest], gradcore.linalg.cholesky(whole @ whole.mT)[rest])
    q, r = gradcore.linalg.qr(some)
    for i in (9, 11):  # squares overflow, and are lost
        np.testing.assert_allclose((q[i] @ r[i]).numpy(), bad[i], rtol=1e-5)


def test_any_number_of_threads_gives_the_same_bits():
    a = gradcore.tensor(matrices(8, 3000, "float32"))
    programs = (gradcore.linalg.inv, gradcore.linalg.cholesky_ex, gradcore.linalg.qr, gradcore.linalg.eigh)
    threads = gradcore.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            gradcore.set_num_threads(count)
            found.append([program(a @ a.mT) for program in programs])
    finally:
        gradcore.set_num_threads(threads)
    for results in found[1:]:
        for mine, first in zip(results, found[0], strict=True):
            parts = zip(mine, first, strict=True) if isinstance(mine, tuple) else [(mine, first)]
            assert all(gradcore.equal(x, y) for x, y in parts)


@pytest.mark.parametrize(
    "program",
    [
        lambda n: gradcore.linalg.qr(gradcore.zeros(n, 0, 3)).R,
        lambda n: gradcore.geqrf(gradcore.zeros(n, 3, 0)).a,
        lambda n: gradcore.linalg.solve_triangular(gradcore.zeros(n, 0, 0), gradcore.zeros(n, 0, 1), upper=True),
        lambda n: gradcore.linalg.householder_product(gradcore.zeros(n, 0, 0), gradcore.zeros(n, 0)),
        lambda n: gradcore.cholesky_solve(gradcore.zeros(n, 0, 1), gradcore.zeros(n, 0, 0)),
        lambda n: gradcore.cholesky_inverse(gradcore.zeros(n, 0, 0)),
        lambda n: gradcore.lu_unpack(gradcore.zeros(n, 0, 0), gradcore.zeros(n, 0, dtype=gradcore.int32)).L,
    ],
)
def test_a_batch_of_empty_matrices_takes_no_time(program):
    assert program(2**40).numel() == 0
