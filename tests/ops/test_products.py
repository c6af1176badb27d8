"""What rows of opdb do not say of products, distances and covariances."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from support import collected, gradcore, needs_torch, torch

NAN = float("nan")
FAMILY = {
    "addmm": ((2, 3), (2, 4), (4, 3)),
    "addmv": ((2,), (2, 4), (4,)),
    "addr": ((2, 3), (2,), (3,)),
    "baddbmm": ((2, 3, 5), (2, 3, 4), (2, 4, 5)),
    "addbmm": ((3, 5), (2, 3, 4), (2, 4, 5)),
}


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("inplace", [False, True])
def test_a_term_with_the_factor_0_is_not_read(name, inplace):
    def call(t, a, b, **factors):
        if inplace:
            return getattr(t.clone(), name + "_")(a, b, **factors)
        return getattr(gradcore, name)(t, a, b, **factors)

    plain = [gradcore.ones(shape) for shape in FAMILY[name]]
    nan = [gradcore.full(shape, NAN) for shape in FAMILY[name]]
    product = call(*plain) - 1
    assert gradcore.equal(call(plain[0], nan[1], nan[2], alpha=0), plain[0])
    assert gradcore.equal(call(nan[0], plain[1], plain[2], beta=0), product)
    assert not call(*nan, alpha=0, beta=0).any()


def test_distances_at_zero_have_no_slope():
    for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")):
        x = gradcore.ones(3, 2, requires_grad=True)
        for result in (gradcore.cdist(x, gradcore.ones(4, 2), p), gradcore.pdist(x, p), gradcore.dist(x, x, p)):
            (gradient,) = gradcore.autograd.grad(result.sum() + 0 * x.sum(), x)  # of p = 0 nothing is recorded

            assert not gradient.any(), p


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_gradients_of_gradients_of_distances(p):
    gradcore.manual_seed(1)
    a, b = (gradcore.rand(*shape, dtype=gradcore.float64, requires_grad=True) for shape in ((2, 3, 4), (5, 4)))
    assert gradcore.autograd.gradcheck(lambda a, b: gradcore.cdist(a, b, p), (a, b))
    assert gradcore.autograd.gradgradcheck(lambda a, b: gradcore.cdist(a, b, p), (a, b))
    assert gradcore.autograd.gradgradcheck(lambda a: gradcore.pdist(a, p), (b,))


def test_euclidean_distances_from_a_product():
    gradcore.manual_seed(1)
    a = gradcore.rand(30, 4, dtype=gradcore.float64, requires_grad=True)
    b = gradcore.rand(2, 3, 4, dtype=gradcore.float64, requires_grad=True)
    exact, fast, chosen = (
        gradcore.cdist(a, b, compute_mode=mode)
        for mode in ("donot_use_mm_for_euclid_dist", "use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary")
    )
    assert gradcore.allclose(exact, fast, rtol=1e-12, atol=1e-12) and gradcore.equal(fast, chosen)
    for which in (a, b):
        ours, theirs = (gradcore.autograd.grad(y.sum(), which, retain_graph=True)[0] for y in (exact, fast))
        assert gradcore.allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert gradcore.autograd.gradgradcheck(
        lambda a, b: gradcore.cdist(a, b), (a[:26, :2].detach().requires_grad_(), b[0, :, :2].detach().requires_grad_())
    )


def test_threads_do_not_change_distances():
    gradcore.manual_seed(1)
    a, b = gradcore.rand(300, 50, requires_grad=True), gradcore.rand(200, 50)
    before = gradcore.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            gradcore.set_num_threads(threads)
            result = gradcore.cdist(a, b, 1.0)
            found.append((result.detach(), gradcore.autograd.grad(result.sum(), a)[0]))
    finally:
        gradcore.set_num_threads(before)
    assert all(map(gradcore.equal, *found))


@needs_torch
def test_distances_of_many_shapes():
    numbers = np.random.default_rng(1)
    with collected() as failures:
        for rows, columns, size, p in itertools.product((1, 7, 30), (2, 27), (1, 5, 33), (1.0, 2.0, 2.5)):
            a, b = numbers.uniform(size=(rows, size)), numbers.uniform(size=(columns, size))
            ours, theirs = (lib.cdist(lib.from_numpy(a), lib.from_numpy(b), p).numpy() for lib in (gradcore, torch))
            wrong = not np.allclose(ours, theirs, rtol=1e-10, atol=1e-10)
            failures.add(f"{rows} {columns} {size} {p}", "differs" if wrong else None)


def test_the_order_of_a_chain_is_the_cheapest():
    sizes = [40, 2, 30, 3, 20]
    matrices = [gradcore.rand(m, n, dtype=gradcore.float64) for m, n in itertools.pairwise(sizes)]
    expected = matrices[0] @ matrices[1] @ matrices[2] @ matrices[3]
    assert gradcore.allclose(gradcore.chain_matmul(*matrices), expected)


def test_warnings_of_old_forms():
    program = """
import warnings, gradcore
x = gradcore.rand(3, 3)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    gradcore.cross(x, x, 0)
    assert not caught
    gradcore.cross(x, x)
    gradcore.chain_matmul(x, x)
assert ["dim arg" in str(w.message) or "multi_dot" in str(w.message) for w in caught] == [True, True], caught
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_kron_of_other_layouts_and_a_chain_of_one():
    a, b = np.random.default_rng(1).uniform(size=(2, 2, 3)), np.random.default_rng(2).uniform(size=(4, 5))
    for x in (a[0].T, a[:, ::2, 1], a.transpose(2, 0, 1)):
        tensor = gradcore.from_numpy(a)
        tensor = {(3, 2): tensor[0].T, (2, 1): tensor[:, ::2, 1], (3, 2, 2): tensor.permute(2, 0, 1)}[x.shape]
        assert np.allclose(gradcore.kron(tensor, gradcore.from_numpy(b).T).numpy(), np.kron(x, b.T))
    one = gradcore.chain_matmul(gradcore.from_numpy(b))
    assert np.array_equal(one.numpy(), b) and one.data_ptr() != gradcore.from_numpy(b).data_ptr()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_of_all_layouts(dtype):
    """Sums wrap around, as numpy's do."""
    rng, info = np.random.default_rng(5), np.iinfo(dtype)

    def layouts(rows, columns):
        matrix = rng.integers(info.min, info.max, (2 * rows, 2 * columns), dtype, endpoint=True)
        upright = gradcore.from_numpy(matrix)
        turned = gradcore.from_numpy(np.ascontiguousarray(matrix.T)).t()
        return [t[:rows, :columns] for t in (upright, turned)] + [upright[::2, ::2], turned[::2, ::2]]

    for m, k, n in ((1, 1, 1), (3, 5, 4), (17, 33, 1), (1, 30, 19), (40, 70, 50), (2, 3, 40), (5, 0, 4)):
        for a, b in itertools.product(layouts(m, k), layouts(k, n)):
            np.testing.assert_array_equal((a @ b).numpy(), a.numpy() @ b.numpy())
            if n == 1:
                np.testing.assert_array_equal((a @ b[:, 0]).numpy(), a.numpy() @ b[:, 0].numpy())


@pytest.mark.parametrize("count", [1, 3, 200])
def test_many_dot_products_of_columns(count):
    """Of vectors that do not lie along memory, with their gradients."""
    rng = np.random.default_rng(6)
    a, b = (gradcore.from_numpy(rng.standard_normal((150, count))).requires_grad_() for _ in range(2))
    found = gradcore.einsum("ji,ji->i", a, b)
    np.testing.assert_allclose(found.detach().numpy(), (a * b).sum(0).detach().numpy(), rtol=1e-12, atol=1e-12)
    found.sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), b.detach().numpy())
    np.testing.assert_array_equal(b.grad.numpy(), a.detach().numpy())
