"""histogramdd(): histograms of points of several dims."""

from __future__ import annotations

import math

from . import _C, return_types
from ._C import Tensor
from .nn.functional._checks import SCALAR_NAMES

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ._lazy import Any

_NAME = "torch.histogramdd"


def histogramdd(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> return_types.histogramdd:
    """How many of the points, rows of coordinates, fall into each box of a grid.

    input: (..., D), floating; all dims before the last count points. bins: a number, or D numbers of bins; or D
    vectors of edges, which rise. range: 2 D numbers, the ends of the bins of each dim; without it they are the least and
    the greatest coordinate. weight: (...), what each point counts. density: divided by the sum, and by each box's volume.
    A box takes its lower edges in, the last one the upper edge as well; points outside count nothing.

    Gives (hist, bin_edges): a tensor of D dims in the input's dtype, and D vectors. Raises RuntimeError for bins, a
    range or weights that do not fit, NotImplementedError for another dtype.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.histogramdd.html

    >>> import gradcore
    >>> hist, edges = gradcore.histogramdd(gradcore.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), bins=[2, 2])
    >>> hist
    tensor([[0., 1.],
            [1., 1.]])
    """
    if input.dim() < 2:
        raise RuntimeError(f"{_NAME}: input tensor should have at least 2 dimensions")
    size = input.shape[-1]
    points = input.detach().reshape(math.prod(input.shape[:-1]), size)
    weights = _weights(input, weight)
    if isinstance(bins, int):
        bins = [bins] * size
    if bins and isinstance(bins[0], Tensor):
        edges = _given_edges(input, bins)
    elif len(bins) != size:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    else:
        _need_floating(input)
        edges = _edges(points, bins, range)
    _need_floating(input)
    if not size:  # as in torch, points without coordinates are in no box
        points, weights = points[:0], weights[:0]
    counts = [len(e) - 1 for e in edges]
    places, inside = _C.zeros(len(points), dtype=_C.int64), _C.ones(len(points), dtype=_C.bool)
    for d, (edge, count) in enumerate(zip(edges, counts)):
        column = points[:, d].contiguous()
        inside &= (column >= edge[0]) & (column <= edge[-1])
        places = places * count + (_C.searchsorted(edge, column, right=True) - 1).clamp(0, count - 1)
    hist = _C.zeros(math.prod(counts), dtype=input.dtype).index_add_(0, places[inside], weights[inside]).view(counts)
    return return_types.histogramdd((_density(hist, edges) if density else hist, tuple(edges)))


def _need_floating(input: Tensor) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{SCALAR_NAMES[input.dtype]}'")


def _weights(input: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return _C.ones(math.prod(input.shape[:-1]), dtype=input.dtype)
    if weight.shape != input.shape[:-1]:
        raise RuntimeError(
            f"{_NAME}: if weight tensor is provided it should have the same shape as the input tensor excluding its "
            f"innermost dimension, but got input with shape {list(input.shape)} and weight with shape {list(weight.shape)}"
        )
    if weight.dtype != input.dtype:
        names = (SCALAR_NAMES[t.dtype].lower() for t in (input, weight))
        raise RuntimeError(
            f"{_NAME}: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got "
            "input({}), and weight({})".format(*names)
        )
    return weight.detach().reshape(-1)


def _given_edges(input: Tensor, bins: Any) -> list[Tensor]:
    size = input.shape[-1]
    if len(bins) != size:
        raise RuntimeError(
            f"{_NAME}: expected {size} sequences of bin edges for a {size}-dimensional histogram but got {len(bins)}"
        )
    for d, edge in enumerate(bins):
        if edge.dtype != input.dtype:
            raise RuntimeError(
                f"{_NAME}: input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{SCALAR_NAMES[input.dtype].lower()} and bins for dimension {d} with dtype "
                f"{SCALAR_NAMES[edge.dtype].lower()}"
            )
        if edge.dim() != 1 or edge.numel() == 0:
            raise RuntimeError(
                f"{_NAME}: bins tensor should have one dimension and an element, but got {list(edge.shape)}"
            )
    return [edge.detach().contiguous() for edge in bins]


def _edges(points: Tensor, bins: Any, given: Any) -> list[Tensor]:
    size = points.shape[-1]
    if given is not None and len(given) != 2 * size:
        raise RuntimeError(
            f"{_NAME}: for a {size}-dimensional histogram range should have {2 * size} elements, but got {len(given)}"
        )
    edges = []
    for d, count in enumerate(bins):
        if count <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {count} for dimension {d}")
        if given is not None:
            low, high = given[2 * d : 2 * d + 2]
        elif len(points):
            low, high = float(points[:, d].min()), float(points[:, d].max())
        else:
            low, high = 0.0, 1.0
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"{_NAME}: dimension {d}'s range [{low}, {high}] is not finite")
        if low > high:
            raise RuntimeError(
                f"{_NAME}: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"
            )
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(_C.linspace(low, high, count + 1, dtype=points.dtype))
    return edges


def _density(hist: Tensor, edges: list[Tensor]) -> Tensor:
    hist = hist / hist.sum()
    for d, edge in enumerate(edges):
        hist = hist / edge.diff().view(-1, *[1] * (hist.dim() - d - 1))
    return hist
