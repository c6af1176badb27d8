"""Low rank by random projections, and extreme eigenpairs: beside torch up to signs, and beside what they are."""

import numpy as np
import pytest

from support import both, gradcore, numeric_gradient_error


def matrix(lib, *shape, rank=None, seed=0):
    random = np.random.default_rng(seed)
    *batch, m, n = shape
    if rank is None:
        return lib.from_numpy(random.uniform(-1, 1, shape))
    return lib.from_numpy(random.uniform(-1, 1, (*batch, m, rank)) @ random.uniform(-1, 1, (*batch, rank, n)))


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (2, 3, 7, 7)])
@pytest.mark.parametrize("call", ["plain", "less", "few"])
def test_svd_lowrank_is_torchs(shape, call):
    def program(lib):
        lib.manual_seed(3)
        a = matrix(lib, *shape)
        arguments = {
            "plain": {"q": 4},
            "less": {"q": 3, "M": matrix(lib, *shape[-2:], seed=1)},
            "few": {"q": 2, "niter": 0},
        }
        u, s, v = lib.svd_lowrank(a, **arguments[call])
        return u.abs(), s, v.abs(), u @ s.diag_embed() @ v.mT

    both(program, ulps=1 << 14, scale=1, strides="any")


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (2, 6, 5)])
def test_pca_lowrank_is_torchs(shape):
    def program(lib):
        lib.manual_seed(3)
        found = [lib.pca_lowrank(matrix(lib, *shape), q=3, center=center) for center in (True, False)]
        return [(u.abs(), s, v.abs()) for u, s, v in found]

    both(program, ulps=1 << 14, scale=1, strides="any")


def test_low_rank_is_found_whole():
    a = matrix(gradcore, 20, 12, rank=3).requires_grad_()
    u, s, v = gradcore.svd_lowrank(a, q=3)
    assert gradcore.allclose(u @ s.diag() @ v.mT, a)
    s.sum().backward()
    full_u, _, full_vh = gradcore.linalg.svd(a.detach(), full_matrices=False)
    assert gradcore.allclose(a.grad, full_u[:, :3] @ full_vh[:3])


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.pca_lowrank(lib.ones(3, 4), q=5), "q(=5) must be non-negative integer and not greater than"),
        (lambda lib: lib.pca_lowrank(lib.ones(3, 4), niter=-1), "niter(=-1) must be non-negative integer"),
        (lambda lib: lib.lobpcg(lib.eye(5), k=2), "when the number of A rows (=5) is smaller than 3 x"),
    ],
)
def test_refusals(program, phrase):
    both(program, raises=phrase)


def symmetric(lib, n, seed=0):
    random = np.random.default_rng(seed)
    q, _ = np.linalg.qr(random.uniform(-1, 1, (n, n)))
    return lib.from_numpy(q * np.linspace(1, n, n) ** 2 @ q.T)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("generalised", [False, True])
def test_lobpcg(largest, generalised):
    def program(lib):
        lib.manual_seed(1)
        a, b = symmetric(lib, 20), symmetric(lib, 20, seed=2) if generalised else None
        values, vectors = lib.lobpcg(a, k=3, B=b, largest=largest, tol=1e-11, niter=500)
        right = a @ vectors - (vectors if b is None else b @ vectors) * values
        return values, (right.abs() < 1e-6 * a.norm()).all(), vectors.mT @ (vectors if b is None else b @ vectors)

    both(program, ulps=1 << 22, scale=1)


def test_lobpcg_of_a_batch_from_given_vectors():
    def program(lib):
        a = lib.stack([symmetric(lib, 12), symmetric(lib, 12, seed=4)])
        start = lib.eye(12, dtype=lib.float64)[:, :2].repeat(2, 1, 1)
        values, vectors = lib.lobpcg(a, X=start, iK=lib.eye(12, dtype=lib.float64), tol=1e-10, niter=500)
        return values, vectors.abs()

    both(program, ulps=1 << 22, scale=1, strides="any")


def test_lobpcg_has_a_gradient():
    weights = gradcore.from_numpy(np.random.default_rng(5).uniform(-1, 1, 12))

    def pairs(a):
        gradcore.manual_seed(0)
        values, vectors = gradcore.lobpcg((a + a.mT) / 2, k=2, tol=1e-13, niter=500)
        return [values, (vectors.mT @ weights).square()]  # without the signs

    assert not numeric_gradient_error(pairs, [symmetric(gradcore, 12).numpy()], tolerance=1e-4)


@pytest.mark.parametrize("largest", [True, False])
def test_lobpcg_can_be_differentiated_twice(largest):
    a = symmetric(gradcore, 6).requires_grad_()
    start = gradcore.eye(6, 2, dtype=a.dtype)

    def pairs(a):
        values, vectors = gradcore.lobpcg(a, k=2, X=start, largest=largest, tol=1e-13, niter=500)
        return values, vectors * vectors[0].sign()

    assert gradcore.autograd.gradgradcheck(pairs, a, atol=1e-4)


def test_lobpcg_has_no_gradient_for_b():
    a, b = symmetric(gradcore, 9), gradcore.eye(9, dtype=gradcore.float64)
    with pytest.raises(ValueError, match="no derivative for B"):
        gradcore.lobpcg(a, B=b.requires_grad_())
    values, _ = gradcore.lobpcg(a.requires_grad_(), B=b.detach())
    with pytest.raises(ValueError, match="does not support backward with B != I yet"):
        values.sum().backward()
