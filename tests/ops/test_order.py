"""Sorting and searching where torch leaves the answer open, or rows are long: against NumPy's stable sort."""

import numpy as np
import pytest

from support import both, gradcore, needs_torch

RANDOM = np.random.default_rng(3)
LONG = {
    "few values": RANDOM.integers(-3, 4, 200_000),
    "bytes": RANDOM.integers(-128, 128, 200_000).astype("int8"),
    "all of int64": RANDOM.integers(-(2**63), 2**63 - 1, 200_000),
    "float32": RANDOM.standard_normal(200_000).astype("float32"),
    "float64": RANDOM.standard_normal(200_000),
    "float64 with equal ones": np.round(RANDOM.standard_normal(200_000), 2),
    "equal": np.full(200_000, 2.5),
    "in order": np.sort(np.round(RANDOM.standard_normal(200_000), 3)),
    "in order but for the last": np.append(np.arange(199_999.0), -1.0),
    "zeros of both signs": np.where(RANDOM.random(200_000) < 0.5, 0.0, -0.0),
    "bools": RANDOM.random(200_000) < 0.5,
}


def falling(array):
    """The stable order from the greatest element to the least."""
    return len(array) - 1 - np.argsort(array[::-1], kind="stable")[::-1]


@pytest.mark.parametrize("array", LONG.values(), ids=LONG)
def test_long_rows(array):
    tensor = gradcore.from_numpy(array)
    for descending, order in ((False, np.argsort(array, kind="stable")), (True, falling(array))):
        values, indices = tensor.sort(descending=descending)
        np.testing.assert_array_equal(indices.numpy(), order)
        np.testing.assert_array_equal(values.numpy(), array[order])


@pytest.mark.parametrize("array", [a for a in LONG.values() if a.dtype != bool], ids=[n for n in LONG if n != "bools"])
def test_of_equal_elements_the_first_are_chosen(array):
    tensor, order = gradcore.from_numpy(array), np.argsort(array, kind="stable")
    for k in (1, 70, 150_000):
        np.testing.assert_array_equal(tensor.topk(k, largest=False).indices.numpy(), order[:k])
        np.testing.assert_array_equal(tensor.topk(k).indices.numpy(), falling(array)[:k])
        assert tensor.kthvalue(k).indices == order[k - 1]
    assert tensor.median(0).indices == order[(len(order) - 1) // 2]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("nans", [0, 0.5, 0.97])
def test_the_first_of_short_rows_are_those_of_the_sorted_rows(dtype, nans):
    for n in (33, 64, 100, 320, 2100):
        rows = np.round(RANDOM.standard_normal((20, n)) * n)
        if dtype != "int32":
            rows[RANDOM.random(rows.shape) < nans] = np.nan
        tensor = gradcore.from_numpy(rows.astype(dtype))
        for k, largest in ((1, True), (2, False), (2, True), (16, True), (17, False)):
            whole, found = tensor.sort(descending=largest, stable=True), tensor.topk(k, largest=largest)
            np.testing.assert_array_equal(found.indices.numpy(), whole.indices.numpy()[:, :k])
            np.testing.assert_array_equal(found.values.numpy(), whole.values.numpy()[:, :k])


def test_rows_that_repeat_one_element():
    rows = gradcore.from_numpy(RANDOM.standard_normal((5, 1, 3))).expand(5, 40, 3)
    places = gradcore.arange(40).view(1, 40, 1).expand(5, 40, 3)
    for descending in (False, True):
        values, indices = rows.sort(1, descending=descending)
        assert gradcore.equal(values, rows)
        assert gradcore.equal(indices, places)
        assert gradcore.equal(rows.argsort(1, descending=descending), places)
        values, indices = rows.topk(7, 1, largest=descending)
        assert gradcore.equal(values, rows[:, :7])
        assert gradcore.equal(indices, places[:, :7])
    into = gradcore.empty(3, 40, 5).transpose(0, 2).double(), gradcore.empty(5, 3, 40).long().transpose(1, 2)
    gradcore.sort(rows, 1, out=into)
    assert gradcore.equal(into[0], rows)
    assert gradcore.equal(into[1], places)
    assert gradcore.equal(gradcore.full((), 2.5).expand(0, 4).sort(1).indices, gradcore.empty(0, 4).long())


def test_nans_and_zeros_of_both_signs():
    values = np.tile([np.nan, -0.0, 1.0, 0.0, -np.inf, np.nan, np.inf], 1000)
    found = gradcore.from_numpy(values).sort()
    order = np.argsort(values, kind="stable")
    np.testing.assert_array_equal(found.indices.numpy(), order)
    np.testing.assert_array_equal(np.signbit(found.values.numpy()), np.signbit(values[order]))


def test_nans_end_a_sorted_sequence():
    for nans in range(6):
        sequence = gradcore.tensor([1.0, 2.0, 2.0, *[np.nan] * nans])
        found = gradcore.searchsorted(sequence, gradcore.tensor([0.0, 1.0, 2.0, 3.0, np.nan]))
        assert found.tolist() == [0, 0, 1, 3, 3 + nans]
        assert gradcore.isin(gradcore.tensor([2.0, 3.0, np.nan]), sequence).tolist() == [True, False, False]


def test_results_of_unique_rebuild_the_input():
    array = np.round(RANDOM.standard_normal((40, 50)), 1)
    values, inverse, counts = gradcore.from_numpy(array).unique(return_inverse=True, return_counts=True)
    expected, expected_counts = np.unique(array, return_counts=True)
    np.testing.assert_array_equal(values.numpy(), expected)
    np.testing.assert_array_equal(counts.numpy(), expected_counts)
    np.testing.assert_array_equal(values[inverse].numpy(), array)


@pytest.mark.parametrize("dtype, most", [("float32", 3e38), ("float64", 1.7e308)])
def test_bins_up_to_the_largest_numbers(dtype, most):
    """(torch counts them in the first bin or the second.)"""
    values = gradcore.tensor([0.1, 0.5, 0.97, 0.98], dtype=getattr(gradcore, dtype)) * most
    assert gradcore.histc(values, 5, 0, most).tolist() == [1, 0, 1, 0, 2]
    assert gradcore.histogram(values, 5, range=(0.0, most)).hist.tolist() == [1, 0, 1, 0, 2]


def test_histc_writes_into_out():
    out = gradcore.empty(0)
    assert gradcore.histc(gradcore.tensor([0.0, 1.0, 1.5, 4.0]), bins=4, out=out) is out
    assert out.tolist() == [1, 2, 0, 1]


def test_many_rows_are_the_same_as_each_alone():
    array = RANDOM.standard_normal((300, 211))
    tensor = gradcore.from_numpy(array)
    for op in (gradcore.sort, gradcore.median, gradcore.mode, lambda x, dim: gradcore.topk(x, 9, dim)):
        together = op(tensor, dim=1)
        for row in (0, 170, 299):
            alone = op(tensor[row], dim=0)
            assert gradcore.equal(alone.values, together.values[row])
            assert gradcore.equal(alone.indices, together.indices[row])


def test_named_results_are_trees_of_their_parts():
    from gradcore.utils import _pytree

    for result in (gradcore.max(gradcore.eye(2), 0), gradcore.linalg.lu_factor_ex(gradcore.eye(2))):
        doubled = _pytree.tree_map(lambda part: part * 2, result)
        assert type(doubled) is type(result) and doubled[0].equal(result[0] * 2)
        names = [name for name, value in vars(type(result).__mro__[1]).items() if isinstance(value, property)]
        assert all(f"{name}=" in repr(doubled) for name in names)


@needs_torch
@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
@pytest.mark.parametrize("shape", [(), (1,), (300,), (5, 40), (4, 3, 2)])
def test_unsigned_numbers_of_all_sizes(dtype, shape):
    """Those whose highest bit is set come last: they are negative where their bits are read as signed."""
    most = np.iinfo(dtype).max
    array = np.asarray(RANDOM.integers(most // 2 - 20, most // 2 + 20, shape, dtype=dtype))

    def program(lib):
        x = lib.from_numpy(array.copy())
        found = [*x.sort(stable=True), *x.sort(stable=True, descending=True), x.mT if x.dim() == 2 else x]
        found += [x.argsort(stable=True), *lib.unique(x, return_inverse=True, return_counts=True)]
        if x.dim():
            found += [*x.sort(stable=True, dim=0), *lib.unique(x, dim=0, return_inverse=True)]
        if x.dim() == 2:
            found += x.t().sort(stable=True)
        return found

    both(program)
