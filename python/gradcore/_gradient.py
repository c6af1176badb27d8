"""gradient(): derivatives of samples by central differences of second order."""

from __future__ import annotations

from . import _C
from ._C import Tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ._lazy import Any


def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivatives of sampled values along dims, a tensor of the input's shape for each.

    Inside they are central differences of second order, at both ends one-sided differences of the first or the second
    (`edge_order`). spacing: the distance of samples, a number; a list of numbers, one for each dim; or a list of vectors
    with the coordinates of the samples. dim: a dim, or several; all without it.

    Numbers only, no bools and no uint8; whole ones give floats. Raises RuntimeError for a spacing that does not fit the dims, for dims
    with fewer than edge_order + 1 samples, IndexError for a dim that there is not.
    Source: B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988.

    >>> import gradcore
    >>> gradcore.gradient(gradcore.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if input.dtype == _C.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    dims = _dims(input, dim)
    spacings = _spacings(input, spacing, dim, len(dims))
    for d in dims:
        if input.shape[d] <= edge_order:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(_along(input, d, step, edge_order) for d, step in zip(dims, spacings))


def _dims(input: Tensor, dim: Any) -> list[int]:
    n = input.dim()
    if dim is None:
        return list(range(n))
    dims = []
    for d in dim if isinstance(dim, (list, tuple)) else [dim]:
        if not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
        if d % n in dims:
            raise RuntimeError(f"dim {d % n} appears multiple times in the list of dims")
        dims.append(d % n)
    return dims


def _spacings(input: Tensor, spacing: Any, dim: Any, count: int) -> list[Any]:
    if spacing is None:
        return [1.0] * count
    if not isinstance(spacing, (list, tuple)):
        if isinstance(spacing, Tensor):
            raise TypeError(
                "gradient(): argument 'spacing' must be a number, or a list of numbers or tensors, not Tensor"
            )
        return [spacing] * count
    if len(spacing) != count:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar"
            + (
                f", or a list of length equal to 'self.dim() = {input.dim()}', since dim argument was not given, but got a "
                f"list of length {len(spacing)}"
                if dim is None
                else " or it's spacing and dim arguments to have the same length, but got a spacing argument of length "
                f"{len(spacing)} and a dim argument of length {count}."
            )
        )
    for step in spacing:
        if isinstance(step, Tensor) and step.dim() != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                f"{step.dim()} dimensions!"
            )
    return list(spacing)


def _along(input: Tensor, dim: int, step: Any, edge_order: int) -> Tensor:
    n = input.shape[dim]
    if isinstance(step, Tensor):
        if step.shape[0] != n:
            raise RuntimeError(f"torch.gradient: there are {step.shape[0]} coordinates for a dim of {n} samples")
        steps = step.diff().reshape(-1, *[1] * (input.dim() - dim - 1))
        inside = _uneven(input, dim, steps)
        first, last = steps[0], steps[-1]
        second, before = (steps[1], steps[-2]) if n > 2 else (first, last)
    else:
        first = last = second = before = step
        inside = (input.narrow(dim, 2, n - 2) - input.narrow(dim, 0, n - 2)) / (2 * step)
    begin = _edge([input.narrow(dim, i, 1) for i in range(edge_order + 1)], first, second)
    end = -_edge([input.narrow(dim, n - 1 - i, 1) for i in range(edge_order + 1)], last, before)
    return _C.cat([begin, inside, end], dim)


def _uneven(input: Tensor, dim: int, steps: Tensor) -> Tensor:
    """The slope in the middle of the parabola through three neighbours."""
    n = input.shape[dim]
    left, right = steps[:-1], steps[1:]
    before, here, behind = (input.narrow(dim, i, n - 2) for i in range(3))
    return (
        before * (-right / (left * (left + right)))
        + here * ((right - left) / (left * right))
        + behind * (left / (right * (left + right)))
    )


def _edge(values: list[Tensor], near: Any, far: Any) -> Tensor:
    """The slope at the first of two values, or of three, whose distances are `near` and `far`."""
    slope: Tensor
    if len(values) == 2:
        slope = (values[1] - values[0]) / near
    else:
        here = values[0] * ((2 * near + far) / (near * (near + far)))
        slope = values[1] * ((near + far) / (near * far)) - here - values[2] * (near / (far * (near + far)))
    return slope
