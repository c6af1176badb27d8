"""Rows of tables and distances between rows: the widths at which their kernels change, in every instruction set."""

import os
import subprocess
import sys

import numpy as np
import pytest

import gradcore

F = gradcore.nn.functional

WIDTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100)


def numbers(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def drawn(rows, count):
    return np.random.default_rng(1).integers(0, rows, count)


@pytest.fixture
def threads():
    before = gradcore.get_num_threads()
    yield gradcore.set_num_threads
    gradcore.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int32"])
def test_rows_that_are_taken(dtype):
    for width in (*WIDTHS, 300):
        table, index = (numbers(40, width) * 50).astype(dtype), drawn(40, 57)
        found = gradcore.tensor(table).index_select(0, gradcore.tensor(index))
        assert np.array_equal(found.numpy(), table[index]), width


def test_many_rows_that_are_taken():
    table, index = numbers(1000, 64), drawn(1000, 20000)
    found = F.embedding(gradcore.tensor(index).view(100, 200), gradcore.tensor(table))
    assert np.array_equal(found.numpy(), table[index].reshape(100, 200, 64))
    for wrong in (-1, 1000):
        bad = gradcore.tensor(index)
        bad[15000] = wrong
        with pytest.raises(IndexError, match="index out of range in self"):
            F.embedding(bad, gradcore.tensor(table))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_few_columns_that_are_taken(dtype, count, threads):
    threads(count)
    for rows in (1, 1023, 1025, 70_000):
        table = (numbers(rows, 5) * 50).astype(dtype)
        for index in ([], [2], [4, 0, 4], list(range(5)) * 2):
            found = gradcore.tensor(table).index_select(1, gradcore.tensor(index, dtype=gradcore.int64))
            assert np.array_equal(found.numpy(), table[:, np.array(index, "int64")])
    layers = gradcore.tensor(numbers(3, 5, 700))
    found = layers.permute(2, 0, 1).index_select(2, gradcore.tensor([3, 1]))
    assert np.array_equal(found.numpy(), layers.numpy().transpose(2, 0, 1)[..., [3, 1]])


@pytest.mark.parametrize("shape", [(1, 1), (400, 3), (3, 400), (65, 65), (2, 50, 2), (0, 4)])
def test_triangles(shape):
    x = numbers(*shape)
    for diagonal in (-500, -64, -2, -1, 0, 1, 2, 64, 500):
        for f, right in ((gradcore.tril, np.tril), (gradcore.triu, np.triu)):
            expected = right(x, diagonal)
            assert np.array_equal(f(gradcore.tensor(x), diagonal).numpy(), expected)
            assert np.array_equal(f(gradcore.tensor(x.swapaxes(-1, -2).copy()).mT, diagonal).numpy(), expected)


@pytest.mark.parametrize("count", [1, 3])
def test_gradients_of_rows(count, threads):
    threads(count)
    index, g = drawn(50, 4000), numbers(4000, 40)
    for scaled in (False, True):
        table = gradcore.zeros(50, 40, requires_grad=True)
        F.embedding(gradcore.tensor(index), table, scale_grad_by_freq=scaled).backward(gradcore.tensor(g))
        right = np.zeros((50, 40), "float32")
        for i, row in zip(index, g):
            right[i] += row / np.float32((index == i).sum()) if scaled else row
        tolerance = 1e-5 if scaled else 0
        assert np.abs(table.grad.numpy() - right).max() <= tolerance


def bags(width, dtype, mode, weighted):
    """Bags of no row, of one and of many, and the same by plain loops."""
    table, index = numbers(30, width, dtype=dtype), drawn(30, 40)
    bounds = [0, 0, 1, 3, 20, 20, 39]
    factors = numbers(40, dtype=dtype, seed=2) if weighted else None
    found = F.embedding_bag(
        gradcore.tensor(index),
        gradcore.tensor(table),
        gradcore.tensor(bounds),
        mode=mode,
        per_sample_weights=gradcore.tensor(factors) if weighted else None,
    )
    right = np.zeros((len(bounds), width), dtype)
    for bag, (begin, end) in enumerate(zip(bounds, [*bounds[1:], 40])):
        rows = table[index[begin:end]]
        if weighted:
            rows = rows * factors[begin:end, None]
        if mode == "max":
            right[bag] = rows.max(0) if len(rows) else 0
            continue
        for row in rows:
            right[bag] += row
        if mode == "mean" and len(rows):
            right[bag] /= len(rows)
    return found.numpy(), right


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bags_are_summed_in_order(dtype):
    for width in WIDTHS:
        for mode, weighted in (("sum", False), ("sum", True), ("mean", False), ("max", False)):
            found, right = bags(width, dtype, mode, weighted)
            assert np.array_equal(found, right), (width, mode, weighted)


def test_the_first_of_equal_maxima_gets_the_gradient():
    table = gradcore.tensor([[1.0] * 9, [1.0] * 9, [0.0] * 9], requires_grad=True)
    F.embedding_bag(gradcore.tensor([[2, 1, 0]]), table, mode="max").sum().backward()
    assert table.grad.tolist() == [[0.0] * 9, [1.0] * 9, [0.0] * 9]


ORDERS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))


def plain_distances(a, b, p):
    d = np.abs(a[:, None].astype("float64") - b[None].astype("float64"))
    if p == 0:
        return (d != 0).sum(-1)
    if p == float("inf"):
        return d.max(-1, initial=0.0)
    return (d**p).sum(-1) ** (1 / p)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distances_at_every_size(dtype):
    tolerance = 2e-6 if dtype == "float32" else 1e-14
    for rows, columns, size in ((3, 70, 5), (70, 3, 8), (33, 32, 17), (2, 31, 1), (130, 40, 40), (4, 5, 0)):
        a, b = numbers(rows, size, dtype=dtype), numbers(columns, size, dtype=dtype, seed=3)
        for p in ORDERS:
            right = plain_distances(a, b, p)
            found = gradcore.cdist(
                gradcore.tensor(a), gradcore.tensor(b), p, compute_mode="donot_use_mm_for_euclid_dist"
            ).numpy()
            assert found.shape == right.shape
            assert np.abs(found - right).max() <= tolerance * max(1, right.max()), (rows, columns, size, p)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 32, 33, 34, 65, 130])
def test_pairs_are_those_of_all_distances(count):
    for size in (0, 1, 3, 9):
        x = gradcore.tensor(numbers(count, size, dtype="float64"))
        places = np.triu_indices(count, 1)
        for p in ORDERS:
            right = plain_distances(x.numpy(), x.numpy(), p)[places]
            found = F.pdist(x, p).numpy()
            assert found.shape == right.shape
            assert np.allclose(found, right, rtol=1e-13, atol=0), (size, p)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, float("inf")])
def test_gradients_of_pairs(p):
    x = gradcore.tensor(numbers(6, 3, dtype="float64"), requires_grad=True)
    assert gradcore.autograd.gradcheck(lambda t: F.pdist(t, p), (x,))
    _, tangent = gradcore.func.jvp(lambda t: F.pdist(t, p), (x.detach(),), (gradcore.ones(6, 3).double(),))
    assert tangent.abs().max() < 1e-12  # all rows move alike
    batch = gradcore.stack([x.detach(), 2 * x.detach()])
    assert gradcore.allclose(gradcore.vmap(lambda t: F.pdist(t, p))(batch)[1], F.pdist(2 * x.detach(), p))


def test_numbers_that_are_none():
    nan, inf = float("nan"), float("inf")
    x = gradcore.tensor([[0.0, 1.0], [nan, 1.0], [inf, 1.0]])
    for p in (1.0, 2.0, 3.0, inf):
        found = F.pdist(x, p).tolist()
        assert found[0] != found[0] and found[1] == inf and found[2] != found[2], p


def checksums():
    """Bits of what no instruction set may change: sums in a given order, without functions."""
    table, index = gradcore.tensor(numbers(200, 70)), gradcore.tensor(drawn(200, 5000))
    x = gradcore.tensor(numbers(150, 21))
    results = [F.embedding_bag(index, table, gradcore.arange(0, 5000, 7), mode=mode) for mode in ("sum", "mean", "max")]
    results += [F.pdist(x, p) for p in (0.0, 1.0, 2.0, float("inf"))]
    return [hash(r.numpy().tobytes()) for r in results]


def test_the_same_bits_in_every_instruction_set_and_for_every_number_of_threads():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import gradcore, test_rows as t\n"
        "gradcore.set_num_threads(int(sys.argv[2])); print(t.checksums())"
    )
    found = set()
    for isa in gradcore.available_isas():
        for count in "13":
            env = os.environ | {
                "PYTHONPATH": os.pathsep.join(sys.path),
                "GRADCORE_ISA": isa,
                "PYTHONHASHSEED": "0",
            }
            arguments = [sys.executable, "-c", code, os.path.dirname(__file__), count]
            done = subprocess.run(arguments, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("isa", gradcore.available_isas())
def test_every_instruction_set(isa):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_rows as t\n"
        "for dtype in ('float32', 'float64'):\n"
        "    t.test_bags_are_summed_in_order(dtype)\n"
        "    t.test_distances_at_every_size(dtype)\n"
        "for count in (2, 33, 65): t.test_pairs_are_those_of_all_distances(count)"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "GRADCORE_ISA": isa}
    arguments = [sys.executable, "-c", code, os.path.dirname(__file__)]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
