"""vmap: every op on batches beside the same op on single samples, alone and under the other transforms."""

import itertools

import numpy as np
import pytest

import gradcore
import support
from opdb import ROWS, calls
from support import Raised, build, collected, outcome, tensor_difference

SIZE = 3
MAPPABLE = [row for row in ROWS if row.kind not in ("creation", "random", "writer") and row.values]
# These count from the start of the whole memory, for a single sample too.
STORAGE = ("as_strided", "as_strided_copy")


def rows_of(condition=lambda row: True):
    chosen = [row for row in MAPPABLE if condition(row) and not row.reads_values and row.attribute not in STORAGE]
    return pytest.mark.parametrize("row", chosen, ids=[row.name for row in chosen])


def other_samples(array, dim, seed):
    """The array and two permutations of its elements, stacked along dim: values stay in the op's domain. Of square matrices
    rows and columns are permuted alike, so that they are no nearer to singular ones."""
    random = np.random.default_rng(seed)
    square = array.ndim >= 2 and array.shape[-1] == array.shape[-2]

    def variant(k):
        if square:
            return np.roll(array, (k, k), axis=(-2, -1))
        return random.permutation(array.ravel()).reshape(array.shape)

    return np.stack([array, *map(variant, range(1, SIZE))], dim)


def mapped_arguments(sample, chosen, dim):
    """(function of the mapped tensors, those tensors): the arrays of a sample with numbers in `chosen` get a batch dim."""
    mapped, count = [], itertools.count()

    class Hole:
        def __init__(self, place):
            self.place = place

    def dig(value):
        if isinstance(value, (list, tuple)):
            return type(value)(dig(item) for item in value)
        if isinstance(value, np.ndarray):
            number = next(count)
            if number in chosen and value.dtype.kind == "f":
                mapped.append(gradcore.from_numpy(other_samples(value, min(dim, value.ndim), number)))
                return Hole(len(mapped) - 1)
        return build(gradcore, value)

    args = [dig(arg) for arg in sample.args]
    kwargs = {name: dig(value) for name, value in sample.kwargs.items()}

    def fill(value, tensors):
        if isinstance(value, (list, tuple)):
            return type(value)(fill(item, tensors) for item in value)
        return tensors[value.place] if isinstance(value, Hole) else value

    def function(row):
        return lambda *tensors: row.form(gradcore)(
            *fill(args, tensors), **{k: fill(v, tensors) for k, v in kwargs.items()}
        )

    return function, mapped


def choices(sample):
    count = len(calls.arrays_of(sample))
    return [set(range(count)), *([{i} for i in range(count)] if count > 1 else [])]


def cases(row):
    for sample in row.calls("float64"):
        for chosen, dim in zip(choices(sample), (0, 1, 0, 1)):
            function, mapped = mapped_arguments(sample, chosen, dim)
            if mapped:
                dims = tuple(min(dim, t.dim() - 1) for t in mapped)
                yield f"{sample} mapped {chosen} along {dims}", function(row), mapped, dims


def tensors_of(result):
    return [t for t in support.flat_tensors(result) if t.is_floating_point() or t.dtype != gradcore.uint8]


def compare(failures, label, program, mapped, dims, ulps):
    """vmap(program) beside the program on each sample; a call that single samples refuse is not compared."""
    one_by_one = [outcome(program, *sample) for sample in singles(mapped, dims)]
    if any(isinstance(found, Raised) for found in one_by_one):
        return
    together = outcome(gradcore.vmap(program, in_dims=dims), *mapped)
    if isinstance(together, Raised):
        failures.add(label, repr(together))
        return
    for i, (ours, expected) in enumerate(zip(together, zip(*one_by_one))):
        stacked = support.facts(gradcore.from_numpy(np.stack([facts.array for facts in expected])))
        failures.add(f"{label}: result {i}", tensor_difference(ours, stacked, ulps, 1.0, "any"))


def singles(mapped, dims):
    return [[t.select(d, i) for t, d in zip(mapped, dims)] for i in range(SIZE)]


def mapped_calls(row):
    with collected() as failures:
        for label, function, mapped, dims in cases(row):
            yield failures, label, function, mapped, dims


@rows_of()
def test_against_single_samples(row):
    for failures, label, function, mapped, dims in mapped_calls(row):
        compare(failures, label, lambda *t, f=function: tuple(tensors_of(f(*t))), mapped, dims, max(row.most_ulps, 64))


def floating(result):
    return tuple(t for t in support.flat_tensors(result) if t.is_floating_point())


@rows_of(lambda row: row.grad)
def test_gradients_of_single_samples(row):
    def gradients(function, *points):
        def total(*p):
            return sum(((out * out).sum() for out in floating(function(*p))), sum(x.sum() for x in p))

        return gradcore.func.grad(total, tuple(range(len(points))))(*points)

    for failures, label, function, mapped, dims in mapped_calls(row):
        compare(failures, label, lambda *t, f=function: gradients(f, *t), mapped, dims, 1024)


@rows_of(lambda row: row.grad and "mapped gradients" not in row.skips)
def test_tangents_of_single_samples(row):
    """Along the samples themselves."""

    def push(function, *points):
        return gradcore.func.jvp(lambda *p: floating(function(*p)), points, points)[1]

    for failures, label, function, mapped, dims in mapped_calls(row):
        compare(failures, label, lambda *t, f=function: push(f, *t), mapped, dims, 1024)


@rows_of(lambda row: row.grad and "mapped gradients" not in row.skips)
def test_gradients_of_what_is_shared(row):
    """Backward from outside: a tensor that all samples share gets the sum over them."""
    scales = gradcore.tensor([1.0, 0.5, -2.0], dtype=gradcore.float64)

    def together(function, shared):
        return gradcore.autograd.grad(gradcore.vmap(lambda s: total(function, shared, s))(scales).sum(), shared)

    def one_by_one(function, shared):
        return gradcore.autograd.grad(sum(total(function, shared, s) for s in scales.unbind()), shared)

    def total(function, shared, scale):
        outputs = floating(function(*shared))
        return sum(((out * out).sum() * scale for out in outputs), scale * 0 + sum(x.sum() for x in shared))

    for failures, label, function, mapped, dims in mapped_calls(row):
        shared = [t.select(d, 0).clone().requires_grad_() for t, d in zip(mapped, dims)]
        expected = outcome(one_by_one, function, shared)
        if isinstance(expected, Raised):
            continue
        found = outcome(together, function, shared)
        failures.add(label, support.outcome_difference(found, expected, ulps=1024, scale=1.0, strides="any"))
