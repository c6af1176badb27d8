"""What rows of opdb do not say of einsum, broadcast_shapes, meshgrid and repeat_interleave."""

import random
import subprocess
import sys
import warnings

import numpy as np
import pytest

from support import both, build, collected, gradcore, needs_torch, outcome, outcome_difference, torch

SIZES = {"a": 2, "b": 3, "c": 4, "d": 1, "e": 2}


def random_equation(choice):
    """Some operands with up to three of five letters each, repeated ones among them, and an output or none."""
    terms = ["".join(choice.choices("abcde", k=choice.randint(0, 3))) for _ in range(choice.randint(1, 4))]
    known = sorted(set("".join(terms)))
    output = choice.sample(known, choice.randint(0, len(known)))
    return ",".join(terms) + ("->" + "".join(output) if choice.random() < 0.8 else "")


@needs_torch
def test_einsum_of_random_equations():
    choice, numbers = random.Random(1), np.random.default_rng(1)
    with collected() as failures:
        for _ in range(300):
            equation = random_equation(choice)
            terms = equation.split("->")[0].split(",")
            arrays = [numbers.uniform(-1, 1, [SIZES[letter] for letter in term]) for term in terms]
            ours, theirs = (outcome(lib.einsum, equation, *build(lib, arrays)) for lib in (gradcore, torch))
            failures.add(equation, outcome_difference(ours, theirs, ulps=8, scale=100, strides="any"))


@needs_torch
@pytest.mark.parametrize("m, n", [(1, 1), (2, 1), (1, 3), (2, 3)])
def test_einsum_of_two_dtypes(m, n):
    """It multiplies elementwise where all sums are over dims of one element, and then dtypes may differ."""

    def program(lib):
        return lib.einsum("sr,rai->sai", lib.ones(m, n), lib.ones(n, 4, 2, dtype=lib.float64))

    both(program, raises="expected" if n > 1 else None)


def test_einsum_contracts_along_a_path():
    arrays = [gradcore.rand(2, 3), gradcore.rand(3, 4), gradcore.rand(4, 2), gradcore.rand(2)]
    plain = gradcore.einsum("ij,jk,ki,i->k", *arrays)
    for path in ((0, 1, 0, 1, 0, 1), (2, 3, 1, 2, 0, 1), (1, 0, 2, 0, 1, 0)):
        found = gradcore._C._einsum("ij,jk,ki,i->k", arrays, path)
        assert gradcore.allclose(found, plain)
    for path in ((0, 0, 0, 1, 0, 1), (0, 4, 0, 1, 0, 1), (-1, 1, 0, 1, 0, 1), (0, 1)):
        with pytest.raises(RuntimeError, match="invalid path"):
            gradcore._C._einsum("ij,jk,ki,i->k", arrays, path)


class Planner:
    """Stands for the package opt_einsum."""

    calls: list

    def contract_path(self, equation, *shapes, **settings):
        self.calls.append((equation, shapes, settings))
        return [(0, 2), (0, 1)], "a description"


def test_einsum_asks_opt_einsum_where_it_is_installed(monkeypatch):
    module = gradcore.backends.opt_einsum
    planner = Planner()
    planner.calls = []
    monkeypatch.setattr(module, "get_opt_einsum", lambda: planner)
    operands = [gradcore.rand(2, 3), gradcore.rand(3, 4), gradcore.rand(4, 2)]
    expected = operands[0] @ operands[1] @ operands[2]
    assert gradcore.allclose(gradcore.einsum("ij,jk,kl->il", *operands), expected)
    assert planner.calls == [("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2)), {"optimize": "auto", "shapes": True})]
    gradcore.einsum("ij,jk", *operands[:2])
    monkeypatch.setattr(module, "enabled", False)
    assert gradcore.allclose(gradcore.einsum("ij,jk,kl->il", *operands), expected)
    assert len(planner.calls) == 1


def test_einsum_agrees_with_opt_einsum():
    pytest.importorskip("opt_einsum")
    operands = [gradcore.rand(2, 30), gradcore.rand(30, 4), gradcore.rand(4, 2)]
    assert gradcore.backends.opt_einsum.is_available()
    assert gradcore.allclose(
        gradcore.einsum("ij,jk,kl->il", *operands), operands[0] @ operands[1] @ operands[2], atol=1e-5
    )


@needs_torch
@pytest.mark.parametrize(
    "arguments",
    [
        ((1, 2), (3, 1), 4),
        ((2,), (3, 1)),
        (),
        (5,),
        ((0, 1), (4,)),
        ((-1,),),
        ((2,), (-1,)),
        ((1,), (-1,)),
        ((2, 1), (3, 2), (3, 1, 1)),
    ],
)
def test_broadcast_shapes(arguments):
    ours, theirs = (outcome(lambda lib=lib: tuple(lib.broadcast_shapes(*arguments))) for lib in (gradcore, torch))
    assert repr(ours) == repr(theirs)


def test_meshgrid_warns_once_without_an_indexing():
    program = """
import warnings, gradcore
x = gradcore.ones(2)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    gradcore.meshgrid(x, x, indexing="ij")
    assert not caught
    gradcore.meshgrid(x, x)
    gradcore.meshgrid(x, x)
assert [w.category for w in caught] == [UserWarning] and "indexing" in str(caught[0].message)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_repeats_that_are_too_many():
    with pytest.raises(RuntimeError, match="overflow"):
        gradcore.repeat_interleave(gradcore.tensor([2**62, 2**62, 2**62]))
    with pytest.raises((RuntimeError, MemoryError)):
        gradcore.repeat_interleave(gradcore.tensor([2**58]))


def test_tensors_one_by_one_or_in_a_sequence():
    x, y = gradcore.ones(2), gradcore.zeros(3)
    for given in ((x, y), ([x, y],), ((x, y),)):
        assert [tuple(grid.shape) for grid in gradcore.meshgrid(*given, indexing="ij")] == [(2, 3), (2, 3)]
    for wrong in ((x, 1), (1,), ([x, 1],), (x, [y])):
        with pytest.raises(TypeError):
            gradcore.meshgrid(*wrong, indexing="ij")


@needs_torch
def test_resize():
    def program(lib):
        x = lib.arange(6)
        view = x[2:]
        found = [
            x.clone().resize_(2, 2),
            x.clone().resize_((3, 2)),
            view.resize_(1, 2),
            x.t().resize_as_(lib.ones(2, 3)),
        ]
        grown = lib.arange(3).resize_(2, 2)
        found += [grown.flatten()[:3], tuple(grown.shape), lib.arange(3).resize_(0), lib.empty(0).resize_(2, 3).shape]
        return found

    assert not outcome_difference(outcome(program, gradcore), outcome(program, torch))
    for call in (
        lambda lib: lib.ones(2, requires_grad=True).resize_(4),
        lambda lib: lib.ones(2).resize_(-1, 2),
        lambda lib: lib.ones(2).resize_(2**40, 2**40),
    ):
        for lib in (gradcore, torch):
            with pytest.raises(RuntimeError):
                call(lib)


@needs_torch
def test_functions_of_elements():
    def program(lib):
        x = lib.arange(6).view(2, 3)
        y = x.t()
        y.apply_(lambda v: v * 2 + 1)
        x.map_(lib.tensor([10, 20, 30]), lambda a, b: a * b)
        return x, y, lib.ones(2).apply_(lambda v: v / 3), lib.zeros(0).apply_(abs)

    assert not outcome_difference(outcome(program, gradcore), outcome(program, torch))
    x = gradcore.ones(2, requires_grad=True)
    for call in (lambda: x.apply_(abs), lambda: x.map_(x, max), lambda: x.detach().map_(x, max)):
        with pytest.raises(RuntimeError, match="requires grad"):
            call()
    plain = gradcore.ones(2)
    with pytest.raises(ZeroDivisionError):
        plain.apply_(lambda v: v / 0)
    assert plain.tolist() == [1, 1]


@needs_torch
@pytest.mark.parametrize(
    "arguments",
    [
        ([5, 7], (3, 4)),
        ([50], (3, 4)),
        (5, 4),
        ([0, 11], (2, 3, 2)),
        ([5.0], (3, 4)),
        (5, (-3, 4)),
        ([True], 3),
        ([1], ()),
    ],
)
def test_unravel_index(arguments):
    indices, shape = arguments
    ours, theirs = (outcome(lambda lib=lib: lib.unravel_index(lib.tensor(indices), shape)) for lib in (gradcore, torch))
    assert not outcome_difference(ours, theirs, strides="any")


@needs_torch
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_coordinates_are_of_int64_and_lie_together(dtype):
    """A byte has no room for the steps between the rows."""

    def program(lib):
        return lib.unravel_index(lib.tensor([3, 200], dtype=getattr(lib, dtype)), (3, 2, 255))

    both(program, strides="exact")


@needs_torch
def test_whole_numbers_of_linspace_are_rounded_once():
    def program(lib):
        draws = np.random.default_rng(3).integers(-200, 200, (500, 2)).tolist()
        return [lib.linspace(a, b, 2 + k % 90, dtype=(lib.int64, lib.int16)[k % 2]) for k, (a, b) in enumerate(draws)]

    both(program)


@needs_torch
def test_ends_of_linspace_may_be_tensors():
    def program(lib):
        first, last = lib.tensor(1.5, requires_grad=True), lib.tensor(3)
        made = [
            lib.linspace(first, last, 4),
            lib.linspace(0, last, 3, dtype=lib.int64),
            lib.linspace(end=last, start=first, steps=2),
        ]
        return [
            *made,
            lib.logspace(first, 2, 3, base=2.0),
            lib.logspace(0, last, 3),
            lib.linspace(0, last, 3, out=lib.empty(3)),
        ]

    both(program)


@needs_torch
def test_elements_that_share_memory_are_filled():
    def program(lib):
        x, row = lib.zeros(2, 1).expand(2, 5), lib.ones(1, requires_grad=True) * 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x[:1].masked_fill_(lib.arange(5) == 3, 4.0)
            x[1:].index_fill_(1, lib.tensor([0, -1]), lib.tensor(5.0))
            twice = row.clone().expand(4).masked_fill_(lib.tensor([False]), 7.0)
            filled = (
                lib.zeros(1).expand(3).masked_fill_(lib.tensor([True, False, True]), lib.tensor(2, dtype=lib.int32))
            )
        return x, twice, filled

    both(program)
    for call in (lambda x: x.index_copy_(0, gradcore.tensor([1]), gradcore.ones(1)), lambda x: x.add_(1)):
        with pytest.raises(RuntimeError, match="single memory location"):
            call(gradcore.zeros(1).expand(3))


@needs_torch
def test_no_differences_leave_the_tensor_alone():
    both(lambda lib: lib.diff(lib.arange(3.0), n=0, prepend=lib.ones(1), append=lib.ones(1)))


def test_unravel_index_names_what_is_no_int_in_a_shape():
    with pytest.raises(TypeError, match="sequence to only contain ints"):
        gradcore.unravel_index(gradcore.tensor([1]), (2, 2.0))


@needs_torch
@pytest.mark.filterwarnings("ignore:torch.asarray")
def test_asarray_keeps_the_history_that_it_is_asked_for():
    def program(lib):
        leaf = lib.ones(2, requires_grad=True)
        lib.asarray(leaf * 3, requires_grad=True).sum().backward()
        return leaf.grad

    both(program)
