"""Products of reflections, and factors of indefinite matrices: what torch is wrong about, or does not say."""

import warnings

import numpy as np
import pytest

from support import both, gradcore, needs_torch

DOUBLE = gradcore.float64


def reflections(m, k, *batch):
    gradcore.manual_seed(3)
    a = gradcore.randn(*batch, m, k, dtype=DOUBLE, requires_grad=True)
    tau = (gradcore.rand(*batch, k, dtype=DOUBLE) + 0.5).requires_grad_()
    return a, tau


@pytest.mark.parametrize("m, k", [(4, 4), (5, 3), (40, 35)])
def test_product_is_that_of_its_reflections(m, k):
    a, tau = reflections(m, k)
    whole = np.eye(m)
    for i in range(k):
        v = np.zeros(m)
        v[i], v[i + 1 :] = 1, a.detach().numpy()[i + 1 :, i]
        whole = whole @ (np.eye(m) - tau[i].item() * np.outer(v, v))
    product = gradcore.linalg.householder_product(a, tau).detach().numpy()
    np.testing.assert_allclose(product, whole[:, :k], atol=1e-10 * np.abs(whole).max())
    other = np.random.default_rng(0).normal(size=(m, 3))
    for transpose in (False, True):
        q = whole.T if transpose else whole
        left = gradcore.ormqr(a, tau, gradcore.tensor(other), transpose=transpose)
        right = gradcore.ormqr(a, tau, gradcore.tensor(other.T.copy()), False, transpose)
        np.testing.assert_allclose(left.detach().numpy(), q @ other, atol=1e-10 * np.abs(whole).max())
        np.testing.assert_allclose(right.detach().numpy(), other.T @ q, atol=1e-10 * np.abs(whole).max())


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (3, 2, 2)])
def test_derivatives_by_differences(shape):
    """First and second ones, where the number of reflections is that of columns and where it is less."""
    a, tau = reflections(*shape)
    product = gradcore.linalg.householder_product
    for t in (tau, tau[..., :-1].detach().requires_grad_()):
        assert gradcore.autograd.gradcheck(product, (a, t), check_forward_ad=True)
        assert gradcore.autograd.gradgradcheck(product, (a, t), check_fwd_over_rev=True)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_derivatives_of_multiplied_by_differences(left, transpose):
    a, tau = reflections(4, 2)
    other = gradcore.randn(*((4, 3) if left else (3, 4)), dtype=DOUBLE, requires_grad=True)

    def multiplied(*tensors):
        return gradcore.ormqr(*tensors, left, transpose)

    assert gradcore.autograd.gradcheck(multiplied, (a, tau, other), check_forward_ad=True)
    assert gradcore.autograd.gradgradcheck(multiplied, (a, tau, other), check_fwd_over_rev=True)


def test_numbers_of_zero_are_no_reflections():
    a, _ = reflections(3, 2)
    tau = gradcore.zeros(2, dtype=DOUBLE, requires_grad=True)
    product = gradcore.linalg.householder_product
    assert gradcore.equal(product(a, tau), gradcore.eye(3, 2, dtype=DOUBLE))
    assert gradcore.autograd.gradcheck(product, (a, tau))
    assert gradcore.autograd.gradgradcheck(product, (a, tau))


@pytest.mark.parametrize("n", [1, 2, 5, 40, 90])
def test_factors_solve(n):
    gradcore.manual_seed(n)
    a = gradcore.randn(3, n, n, dtype=DOUBLE)
    a = (a + a.mT) * (1 - 0.95 * gradcore.eye(n, dtype=DOUBLE))
    ld, pivots, info = gradcore.linalg.ldl_factor_ex(a)
    assert not info.any() and (n < 5 or (pivots < 0).any())
    x = gradcore.randn(3, n, 4, dtype=DOUBLE)
    np.testing.assert_allclose(gradcore.linalg.ldl_solve(ld, pivots, a @ x).numpy(), x.numpy(), atol=1e-8)


@needs_torch
@pytest.mark.parametrize("n", [2, 3, 8, 30, 63])
def test_factors_are_those_of_lapack(n):
    def program(lib):
        random = np.random.default_rng(n)
        a = random.normal(size=(5, n, n))
        a = (a + a.swapaxes(-1, -2)) * (1 - 0.9 * np.eye(n))
        return lib.linalg.ldl_factor(lib.tensor(a))

    both(program, ulps=4096, scale=4.0)


def test_singular_factors_are_refused():
    ldl = gradcore.linalg
    with pytest.raises(ldl.LinAlgError, match="block of D that begins at row 1 is zero"):
        ldl.ldl_factor(gradcore.zeros(2, 2))
    with pytest.raises(ldl.LinAlgError, match="Batch element 1"):
        ldl.ldl_factor_ex(gradcore.stack([gradcore.eye(2), gradcore.zeros(2, 2)]), check_errors=True)
    for value in (float("nan"), float("inf")):
        ldl.ldl_factor_ex(gradcore.full((3, 3), value))


def test_pivots_that_lead_anywhere_are_refused_or_end():
    ld, b = gradcore.eye(3) + gradcore.ones(3, 3).tril(-1), gradcore.ones(3, 1)
    for wrong in ([1, 2, 4], [0, 1, 2], [1, -5, -5]):
        with pytest.raises(RuntimeError, match="Pivots given to ldl_solve"):
            gradcore.linalg.ldl_solve(ld, gradcore.tensor(wrong, dtype=gradcore.int32), b)
    for odd in ([1, 2, -3], [-1, 2, 3], [-3, -3, -3]):
        gradcore.linalg.ldl_solve(ld, gradcore.tensor(odd, dtype=gradcore.int32), b)


@pytest.mark.parametrize("name", ["ldl_factor", "ldl_solve"])
def test_factors_have_no_derivative(name):
    a = gradcore.eye(2).requires_grad_()
    if name == "ldl_factor":
        out = gradcore.linalg.ldl_factor(a).LD
    else:
        out = gradcore.linalg.ldl_solve(a, gradcore.tensor([1, 2], dtype=gradcore.int32), gradcore.ones(2, 1))
    with pytest.raises(NotImplementedError, match=f"the derivative for 'linalg.{name}' is not implemented"):
        out.sum().backward()


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_old_triangular_systems_by_differences(upper, transpose):
    gradcore.manual_seed(0)
    a = (gradcore.randn(3, 3, dtype=DOUBLE) + 4 * gradcore.eye(3, dtype=DOUBLE)).requires_grad_()
    b = gradcore.randn(2, 3, 2, dtype=DOUBLE, requires_grad=True)

    def solved(b, a):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(gradcore.triangular_solve(b, a, upper, transpose))

    assert gradcore.autograd.gradcheck(solved, (b, a), check_forward_ad=True)
    assert gradcore.autograd.gradgradcheck(solved, (b, a), check_fwd_over_rev=True)
