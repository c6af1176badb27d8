"""Eigenvectors and singular vectors, whose signs are the algorithm's: products, and functions that do not depend on them.

Sizes are on both sides of those where LAPACK takes over: is_large() in cpp/ops/linalg/lapack.h.
"""

import warnings

import numpy as np
import pytest

import support
from support import FLOATS, both, gradcore, needs_torch

SIZES = [0, 1, 2, 3, 8, 33, 70, 110, 150, 250, 310]
SHAPES = [(n, n) for n in SIZES] + [
    (5, 3),
    (3, 5),
    (0, 3),
    (40, 7),
    (7, 40),
    (100, 66),
    (66, 100),
    (400, 66),
    (66, 400),
]


def matrices(*shape, dtype="float64"):
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


def symmetric(n, dtype="float64"):
    a = matrices(2, n, n, dtype=dtype)
    return a + a.swapaxes(-1, -2)


def assert_close(a, b, dtype, n):
    np.testing.assert_allclose(a, b, rtol=0, atol=60 * max(n, 1) * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_eigenvectors_diagonalise(n, dtype):
    a = symmetric(n, dtype)
    for uplo in "LU":
        w, v = map(support.to_numpy, gradcore.linalg.eigh(gradcore.from_numpy(a), uplo))
        assert (np.diff(w) >= 0).all() and w.dtype == v.dtype == a.dtype
        assert_close((v * w[:, None, :]) @ v.swapaxes(-1, -2), a, dtype, n)
        assert_close(v.swapaxes(-1, -2) @ v, np.broadcast_to(np.eye(n), a.shape), dtype, n)
        assert_close(w, np.linalg.eigvalsh(a.astype("float64")), dtype, n)
        assert_close(support.to_numpy(gradcore.linalg.eigvalsh(gradcore.from_numpy(a), uplo)), w, dtype, n)


def test_float32_of_sizes_that_lapack_has():
    a = matrices(1010, 1010, dtype="float32")
    a += a.T
    w, v = map(support.to_numpy, gradcore.linalg.eigh(gradcore.from_numpy(a)))
    assert w.dtype == v.dtype == np.float32
    assert_close((v * w) @ v.T, a, "float32", 1010)
    b = matrices(4700, 64, dtype="float32")
    u, s, vh = map(support.to_numpy, gradcore.linalg.svd(gradcore.from_numpy(b), full_matrices=False))
    assert u.dtype == s.dtype == vh.dtype == np.float32
    assert_close((u * s) @ vh, b, "float32", 550)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("m, n", SHAPES)
def test_singular_vectors_diagonalise(m, n, full, dtype):
    a = matrices(2, m, n, dtype=dtype)
    k = min(m, n)
    u, s, vh = map(support.to_numpy, gradcore.linalg.svd(gradcore.from_numpy(a), full_matrices=full))
    assert u.shape == (2, m, m if full else k) and vh.shape == (2, n if full else k, n) and s.shape == (2, k)
    assert (s >= 0).all() and (np.diff(s) <= 0).all()
    assert_close((u[..., :k] * s[:, None, :]) @ vh[:, :k], a, dtype, m + n)
    assert_close(u.swapaxes(-1, -2) @ u, np.broadcast_to(np.eye(u.shape[-1]), (2, *u.shape[-1:] * 2)), dtype, m + n)
    assert_close(vh @ vh.swapaxes(-1, -2), np.broadcast_to(np.eye(vh.shape[1]), (2, *vh.shape[1:2] * 2)), dtype, m + n)
    assert_close(support.to_numpy(gradcore.linalg.svdvals(gradcore.from_numpy(a))), s, dtype, m + n)


SPECIAL = {
    "zeros": np.zeros((4, 4)),
    "equal": np.ones((4, 4)),
    "identity": np.eye(4),
    "graded": np.diag([1.0, 1e-5, 1e-10, 1e-15]) + np.diag([1e-3] * 3, 1) + np.diag([1e-3] * 3, -1),
    "huge": 1e300 * symmetric(4)[0],
    "tiny": 1e-300 * symmetric(4)[0],
    "a zero in between": np.diag([3.0, 0.0, 2.0, 1.0]) + np.diag([1.0] * 3, 1) + np.diag([1.0] * 3, -1),
    "a zero at the end": np.triu(np.ones((4, 4)), 1),
    "low rank": np.outer(np.arange(4.0), np.arange(4.0)),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_matrices(name):
    a = SPECIAL[name]
    size = np.abs(a).max() or 1
    u, s, vh = map(support.to_numpy, gradcore.linalg.svd(gradcore.from_numpy(a)))
    np.testing.assert_allclose((u * (s / size)) @ vh, a / size, atol=1e-14)
    np.testing.assert_allclose(u.T @ u, np.eye(4), atol=1e-14)
    np.testing.assert_allclose(s / size, np.linalg.svd(a / size, compute_uv=False), atol=1e-14)
    if name == "a zero at the end":
        return
    w, v = map(support.to_numpy, gradcore.linalg.eigh(gradcore.from_numpy(a)))
    np.testing.assert_allclose((v * (w / size)) @ v.T, a / size, atol=1e-14)
    np.testing.assert_allclose(v.T @ v, np.eye(4), atol=1e-14)


def of_eigh(lib, a):
    """Depends on the eigenvectors, but not on their signs."""
    w, v = lib.linalg.eigh(a)
    return (w.sin() * w).sum() + (v[..., :1] @ v[..., :1].mT).sin().sum()


def of_svd(lib, a):
    u, s, vh = lib.linalg.svd(a, full_matrices=False)
    return (s.sin() * s).sum() + (u[..., :1] @ vh[..., :1, :]).sin().sum() + (u[..., 1:2] @ vh[..., 1:2, :]).cos().sum()


@pytest.mark.parametrize("n", [2, 5, 100])
def test_gradients_of_eigh(n):
    both(lambda lib: derivatives(lib, of_eigh, symmetric(n)), ulps=1e7, scale=1.0, strides="any")


@pytest.mark.parametrize("m, n", [(2, 2), (5, 3), (3, 5), (70, 66)])
def test_gradients_of_svd(m, n):
    both(lambda lib: derivatives(lib, of_svd, matrices(m, n)), ulps=1e7, scale=1.0, strides="any")


def derivatives(lib, function, array):
    """First and second, backward and forward."""
    a = lib.from_numpy(array).requires_grad_()
    (g,) = lib.autograd.grad(function(lib, a), a, create_graph=True)
    (gg,) = lib.autograd.grad(g.sin().sum(), a)
    _, tangent = lib.func.jvp(lambda x: function(lib, x), (a.detach(),), (lib.ones_like(a),))
    return g.detach(), gg, tangent


@pytest.mark.parametrize("n", [3, 100])
def test_vmap(n):
    a = gradcore.from_numpy(symmetric(n))
    for function in (of_eigh, of_svd):
        mapped = gradcore.func.vmap(lambda x, f=function: f(gradcore, x))(a)
        expected = gradcore.stack([function(gradcore, x) for x in a])
        assert gradcore.allclose(mapped, expected, rtol=1e-9)
        gradients = gradcore.func.vmap(gradcore.func.grad(lambda x, f=function: f(gradcore, x)))(a)
        assert gradients.shape == a.shape


@pytest.mark.parametrize("n", [1, 3, 80, 120, 320])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_eigenvalues_of_numbers_that_are_not_finite_are_refused(n, value):
    a = gradcore.full((2, n, n), value)
    for function in (gradcore.linalg.eigh, gradcore.linalg.eigvalsh):
        with pytest.raises(gradcore.linalg.LinAlgError, match="failed to converge"):
            function(a)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("m, n", [(1, 1), (2, 2), (5, 3), (3, 5), (80, 80), (320, 320), (400, 66)])
def test_singular_values_of_numbers_that_are_not_finite(m, n, dtype):
    """NaN anywhere is refused; infinities make NaN of the results of their own matrix, as LAPACK's do."""
    a = np.ones((2, m, n), dtype)
    for place in ((1, 0, 0), (1, m // 2, n // 2), (1, -1, -1)):
        a[place] = np.nan
        for function in (gradcore.linalg.svd, gradcore.linalg.svdvals):
            with pytest.raises(gradcore.linalg.LinAlgError, match="contained non-finite values"):
                function(gradcore.from_numpy(a))
        a[place] = -np.inf
        x = gradcore.from_numpy(a)
        for result in (gradcore.linalg.svdvals(x), *gradcore.linalg.svd(x)):
            assert result[0].isfinite().all() and result[1].isnan().all()
        for order in (2, -2, "nuc"):
            norms = gradcore.linalg.matrix_norm(x, order)
            assert norms[0].isfinite() and norms[1].isnan()
        a[place] = 1


@needs_torch
def test_what_is_made_of_singular_values_that_are_not_finite():
    array = np.array([[1.0, np.inf], [0.0, 1.0]])

    def gradient_of_norm(lib, a):
        a = a.requires_grad_()
        lib.linalg.matrix_norm(a, 2).backward()
        return a.grad

    for function in (
        lambda lib, a: [lib.linalg.matrix_norm(a, order) for order in (2, -2, "nuc")],
        lambda lib, a: [lib.linalg.cond(a, order) for order in (2, -2, "nuc")],
        lambda lib, a: lib.linalg.matrix_rank(a),
        lambda lib, a: lib.linalg.pinv(a),
        lambda lib, a: lib.svd(a, compute_uv=False),
        gradient_of_norm,
    ):
        both(lambda lib, f=function: f(lib, lib.tensor(array)), strides="any")


@pytest.mark.parametrize("order", [1, -1, float("inf"), -float("inf"), "fro"])
def test_the_condition_of_nan_is_infinite(order):
    nan = float("nan")
    matrices = [[[1.0, nan], [2.0, 3.0]], [[nan, 1.0], [2.0, 3.0]], [[nan] * 2] * 2, [[2.0, 1.0], [0.0, 4.0]]]
    both(lambda lib: lib.linalg.cond(lib.tensor(matrices), order), ulps=4)


def test_the_condition_of_a_singular_matrix_is_infinite():
    a = gradcore.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert [gradcore.linalg.cond(a, order).item() for order in (1, 2, "fro", "nuc")] == [float("inf")] * 4


def hessian_cases():
    """Functions of singular values and their Hessians: of x x', of low rank; and of the norm of a matrix."""
    x = gradcore.tensor([1.0, 2.0, 3.0], dtype=gradcore.float64)
    twice = 2 * gradcore.eye(3, dtype=gradcore.float64)
    linalg, outer = gradcore.linalg, gradcore.outer
    squares = 4 * (x @ x) * gradcore.eye(3, dtype=gradcore.float64) + 8 * outer(x, x)
    return {
        "svdvals": (lambda v: linalg.svdvals(outer(v, v))[0], x, twice),
        "largest": (lambda v: linalg.matrix_norm(outer(v, v), 2), x, twice),
        "squares": (lambda v: (linalg.svdvals(outer(v, v)) ** 2).sum(), x, squares),
        "nuc of two": (lambda v: linalg.matrix_norm(outer(v, v)[:, None, :2], "nuc").sum(), x, None),
        "rectangular": (lambda v: linalg.matrix_norm(outer(v, v)[:, :2], 2), x, None),
        "nuc of equal": (
            lambda v: linalg.matrix_norm(v.reshape(2, 2), "nuc"),
            gradcore.eye(2).double().flatten(),
            None,
        ),
        "full rank": (lambda v: linalg.svdvals(outer(v, v) + v.diag())[1], x, None),
    }


@pytest.mark.parametrize("name", hessian_cases())
def test_hessians_of_singular_values(name):
    """Also where singular values are equal or 0. Without a Hessian in a closed form it is that of differences."""
    function, x, expected = hessian_cases()[name]
    forward = gradcore.func.hessian(function)(x)
    np.testing.assert_allclose(forward, gradcore.autograd.functional.hessian(function, x), rtol=1e-9, atol=1e-9)
    if expected is None:
        step, gradient = 1e-6, gradcore.func.grad(function)
        moved = step * gradcore.eye(len(x), dtype=x.dtype)
        columns = [(gradient(x + d) - gradient(x - d)) / (2 * step) for d in moved]
        expected = gradcore.stack(columns, 1)
    np.testing.assert_allclose(forward, expected, rtol=1e-6, atol=1e-6)


@needs_torch
@pytest.mark.parametrize("diagonal", [[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0], [2.0, 1.0]])
def test_gradients_of_logarithms_of_singular_determinants(diagonal):
    """Infinite in the direction of the zero, as torch has it."""

    def program(lib):
        found = []
        for f in (lib.logdet, lambda a: lib.linalg.slogdet(a)[1]):
            a = lib.from_numpy(np.stack([np.diag(diagonal), np.eye(len(diagonal))])).requires_grad_()
            f(a).sum().backward()
            found.append(a.grad)
        return found

    both(program, strides="any")


def test_legacy_svd():
    both(lambda lib: lib.svd(lib.from_numpy(matrices(4, 3)), compute_uv=False), ulps=64, scale=1.0, strides="any")
    u, s, v = gradcore.svd(gradcore.from_numpy(matrices(4, 3)), some=False)
    assert u.shape == (4, 4) and v.shape == (3, 3)
    np.testing.assert_allclose(support.to_numpy(u[:, :3] * s @ v.T), matrices(4, 3), atol=1e-14)


def test_the_gradient_of_a_singular_determinant_is_its_cofactors():
    """torch has zeros for it, unless it is recorded."""
    for diagonal in ([2.0, 1.0, 0.0], [1.0, 0.0, 0.0]):
        for create_graph in (False, True):
            a = (gradcore.eye(3) * gradcore.tensor(diagonal)).requires_grad_()
            (g,) = gradcore.autograd.grad(gradcore.linalg.det(a), a, create_graph=create_graph)
            expected = np.diag([np.prod(np.delete(diagonal, i)) for i in range(3)])
            np.testing.assert_allclose(support.to_numpy(g), expected, atol=1e-6)


def test_pivots_alone_are_unpacked():
    def program(lib):
        pivots = lib.tensor([2, 3, 3], dtype=lib.int32)
        return lib.lu_unpack(lib.eye(3), pivots, unpack_data=False)

    both(program, strides="any")


@pytest.mark.parametrize("pivots", [[2, 3], [2, 3, 3, 1], [[2, 3, 3], [1, 2, 3]], [2, 3, 4], [0, 2, 3]])
def test_pivots_that_do_not_fit_are_refused(pivots):
    """(torch reads beyond the end of too few, so that nothing can be compared.)"""
    with pytest.raises(RuntimeError, match="pivots passed to lu_unpack must be between 1 and LU.size"):
        gradcore.lu_unpack(gradcore.eye(3), gradcore.tensor(pivots, dtype=gradcore.int32))


def test_lu_by_its_older_name_takes_singular_matrices():
    def program(lib):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of the name
            return lib.ones(2, 2).lu(), lib.lu(lib.zeros(2, 2)), lib.ones(2, 2).lu(get_infos=True)

    both(program)
