"""Of samples: their derivatives (gradient), their counts (histogramdd), and segments of them (segment_reduce)."""

import numpy as np
import pytest

from support import both, gradcore, numeric_gradient_error


def grid(lib, *shape):
    flat = [(i * i * 0.37) % 5 for i in range(int(np.prod(shape)))]
    return lib.tensor(flat, dtype=lib.float64).view(shape)


COORDINATES = [0.0, 1.0, 3.0, 4.0]

GRADIENTS = [
    {},
    {"spacing": 2.0},
    {"spacing": [1.0, 2.0, 0.5]},
    {"dim": 1},
    {"dim": (-1, 0), "spacing": [1.0, 2.0]},
    {"edge_order": 2},
    {"edge_order": 2, "spacing": 3, "dim": [1]},
    {"spacing": [COORDINATES], "dim": 0},
    {"spacing": [COORDINATES], "dim": (0,), "edge_order": 2},
]


def arguments(lib, keywords):
    found = dict(keywords)
    if isinstance(found.get("spacing"), list):
        found["spacing"] = [lib.tensor(s).double() if isinstance(s, list) else s for s in found["spacing"]]
    return found


@pytest.mark.parametrize("keywords", GRADIENTS, ids=str)
def test_gradient(keywords):
    def program(lib):
        x = grid(lib, 4, 5, 3).requires_grad_()
        found = lib.gradient(x, **arguments(lib, keywords))
        sum(part.square().sum() for part in found).backward()
        return [part.detach() for part in found], x.grad

    both(program, ulps=16, scale=10)


def test_gradient_of_other_dtypes():
    both(lambda lib: lib.gradient(lib.tensor([1, 4, 9, 16]), spacing=2))
    both(lambda lib: lib.gradient(lib.tensor([1.0, 4.0, 9.0]), spacing=[lib.tensor([0.0, 1.0, 3.0]).double()]))
    both(lambda lib: lib.gradient(lib.tensor(1.0)))


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.gradient(grid(lib, 4, 5), edge_order=3), "only supports edge_order=1 and edge_order=2."),
        (lambda lib: lib.gradient(grid(lib, 4, 5), spacing=[1.0]), "but got a list of length 1"),
        (lambda lib: lib.gradient(grid(lib, 4, 5), spacing=[1.0, 2.0], dim=1), "and a dim argument of length 1."),
        (
            lambda lib: lib.gradient(grid(lib, 4, 5), dim=2),
            "Dimension out of range (expected to be in range of [-2, 1]",
        ),
        (lambda lib: lib.gradient(grid(lib, 4, 5), dim=(0, 0)), "dim 0 appears multiple times in the list of dims"),
        (lambda lib: lib.gradient(lib.ones(1)), "expected each dimension size to be at least edge_order+1"),
        (
            lambda lib: lib.gradient(lib.ones(2), edge_order=2),
            "expected each dimension size to be at least edge_order+1",
        ),
        (
            lambda lib: lib.gradient(grid(lib, 2, 2), spacing=[lib.ones(2, 2), lib.ones(2)]),
            "but got an element with 2 dimensions!",
        ),
        (lambda lib: lib.gradient(lib.ones(3).bool()), "with two bool tensors is not supported"),
    ],
)
def test_gradient_refuses(program, phrase):
    both(program, raises=phrase)


def test_gradient_needs_a_coordinate_for_each_sample():
    with pytest.raises(RuntimeError, match="there are 3 coordinates for a dim of 4 samples"):
        gradcore.gradient(gradcore.ones(4), spacing=[gradcore.ones(3)])


# ---- histogramdd


def points(lib):
    return lib.tensor([[0.1, 0.9], [0.4, 0.2], [0.7, 0.7], [0.4, 0.9], [1.0, 0.0], [0.0, 0.5]], dtype=lib.float64)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.histogramdd(points(lib), bins=[2, 3]),
        lambda lib: lib.histogramdd(points(lib), bins=3),
        lambda lib: lib.histogramdd(points(lib), bins=2, range=[0.0, 1.0, 0.0, 0.5]),
        lambda lib: lib.histogramdd(points(lib), [2, 2], weight=lib.arange(6.0).double()),
        lambda lib: lib.histogramdd(points(lib), [2, 2], weight=lib.arange(6.0).double(), density=True),
        lambda lib: lib.histogramdd(
            points(lib), [lib.tensor([0.0, 0.4, 1.0]).double(), lib.tensor([0.2, 0.9]).double()]
        ),
        lambda lib: lib.histogramdd(points(lib).view(2, 3, 2), [2, 2]),
        lambda lib: lib.histogramdd(lib.full((3, 2), 0.5), [2, 2]),
        lambda lib: lib.histogramdd(lib.empty(0, 2), [2, 2]),
        lambda lib: lib.histogramdd(lib.empty(3, 0), []),
        lambda lib: lib.histogramdd(points(lib).repeat(1, 2)[:, :3].contiguous(), [2, 1, 3]),
    ],
)
def test_histogramdd(program):
    def parts(lib):
        found = program(lib)
        return found.hist, list(found.bin_edges), type(found).__name__

    both(parts, ulps=2)


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.histogramdd(points(lib), [2]), "The size of bins must be equal to the innermost dimension"),
        (lambda lib: lib.histogramdd(points(lib)[:, 0], [2]), "input tensor should have at least 2 dimensions"),
        (lambda lib: lib.histogramdd(points(lib).long(), [2, 2]), "\"histogramdd\" not implemented for 'Long'"),
        (lambda lib: lib.histogramdd(points(lib), [2, 2], range=[0.0, 1.0]), "range should have 4 elements, but got 2"),
        (lambda lib: lib.histogramdd(points(lib), [2, 0]), "bins must be > 0, but got 0 for dimension 1"),
        (
            lambda lib: lib.histogramdd(points(lib), [2, 2], range=[1.0, 0.0, 0.0, 1.0]),
            "min should not exceed max, but got min 1 max 0 for dimension 0",
        ),
        (lambda lib: lib.histogramdd(points(lib), [2, 2], weight=lib.ones(5).double()), "and weight with shape [5]"),
        (lambda lib: lib.histogramdd(points(lib), [2, 2], weight=lib.ones(6)), "input(double), and weight(float)"),
        (lambda lib: lib.histogramdd(lib.full((3, 2), float("nan")), [2, 2]), "range [nan, nan] is not finite"),
        (
            lambda lib: lib.histogramdd(points(lib), [lib.ones(2), lib.ones(2)]),
            "input with dtype double and bins for dimension 0 with dtype float",
        ),
        (
            lambda lib: lib.histogramdd(points(lib), [lib.arange(2.0).double()]),
            "expected 2 sequences of bin edges for a 2-dimensional histogram but got 1",
        ),
    ],
)
def test_histogramdd_refuses(program, phrase):
    both(program, raises=phrase)


# ---- segment_reduce

REDUCTIONS = ["sum", "mean", "max", "min", "prod"]
VALUES = [1.0, 3.0, 3.0, 0.0, 2.0, 5.0]


@pytest.mark.parametrize("initial", [None, 2.5])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_segment_reduce(reduce, initial):
    def program(lib, data, **where):
        x = data.requires_grad_()
        found = lib.segment_reduce(x, reduce, initial=initial, **where)
        (found[found.isfinite()] * 3).sum().backward()
        return found.detach(), x.grad

    def vector(lib):
        return lib.tensor(VALUES, dtype=lib.float64)

    both(lambda lib: program(lib, vector(lib), lengths=lib.tensor([3, 2, 1])), ulps=4)
    both(lambda lib: program(lib, vector(lib), lengths=lib.tensor([3, 0, 3])), ulps=4)
    both(lambda lib: program(lib, vector(lib), offsets=lib.tensor([0, 2, 2, 6])), ulps=4)
    both(lambda lib: program(lib, vector(lib).repeat(2).view(6, 2), lengths=lib.tensor([2, 4])), ulps=4)
    both(lambda lib: program(lib, grid(lib, 2, 3, 4), lengths=lib.tensor([[1, 2], [3, 0]]), axis=1), ulps=4)
    both(lambda lib: program(lib, grid(lib, 2, 3, 4), lengths=lib.tensor([[1, 2], [3, 0]]), axis=-2), ulps=4)
    both(lambda lib: program(lib, vector(lib), lengths=lib.tensor([2, 3]), unsafe=True), ulps=4)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_slopes_of_segments(reduce):
    lengths = gradcore.tensor([2, 3])
    x = np.array([1.0, 3.0, -2.0, 0.5, 2.0])
    assert not numeric_gradient_error(lambda x: [gradcore.segment_reduce(x, reduce, lengths=lengths)], [x])


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.segment_reduce(lib.ones(3), "x", lengths=lib.tensor([3])), "reduce argument must be either"),
        (lambda lib: lib.segment_reduce(lib.ones(3), "sum"), "Either lengths or offsets must be defined."),
        (
            lambda lib: lib.segment_reduce(lib.ones(3), "sum", lengths=lib.tensor([1, 1])),
            "Expected all rows of lengths",
        ),
        (lambda lib: lib.segment_reduce(lib.ones(3), "sum", lengths=lib.tensor([-1, 4])), "contains negative value!"),
        (
            lambda lib: lib.segment_reduce(lib.ones(2, 2), "sum", lengths=lib.tensor([2]), axis=1),
            "axis to be the last dim",
        ),
        (
            lambda lib: lib.segment_reduce(lib.ones(3).long(), "sum", lengths=lib.tensor([3])),
            "not implemented for 'Long'",
        ),
        (lambda lib: lib.segment_reduce(lib.ones(3), "sum", lengths=lib.tensor([3.0])), "not implemented for 'Float'"),
        (lambda lib: lib.segment_reduce(lib.ones(3), "sum", indices=lib.tensor([0])), "indices based reduction is not"),
    ],
)
def test_segment_reduce_refuses(program, phrase):
    both(program, raises=phrase)


@pytest.mark.parametrize("where", [{"offsets": [0, 2, 9]}, {"offsets": [-3, 2]}, {"lengths": [2, 9], "unsafe": True}])
def test_segments_lie_within_the_axis(where):
    where = {name: gradcore.tensor(v) if isinstance(v, list) else v for name, v in where.items()}
    with pytest.raises(RuntimeError, match="a segment does not lie within the 3 elements of the axis"):
        gradcore.segment_reduce(gradcore.ones(3), "sum", **where)
