"""torch.functional: ops whose arguments are easier read in Python (einsum, tensordot, broadcast_shapes), beside some that are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from . import _C
from ._C import (
    Tensor,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    block_diag,
    broadcast_tensors,
    cartesian_prod,
    cdist,
    chain_matmul,
    istft,
    lu,
    meshgrid,
    norm,
    split,
    stft,
    unique,
    unique_consecutive,
)
from ._overridable import offer_calls
from ._types import Size
from .backends import opt_einsum

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "cdist",
    "chain_matmul",
    "einsum",
    "istft",
    "lu",
    "meshgrid",
    "norm",
    "pca_lowrank",  # noqa: F822
    "split",
    "stft",
    "svd_lowrank",  # noqa: F822
    "tensordot",
    "unique",
    "unique_consecutive",
    "unravel_index",
]


def __getattr__(name: str) -> Any:
    if name not in ("pca_lowrank", "svd_lowrank"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _lowrank  # not at the top: it imports linalg and Function

    return getattr(_lowrank, name)


def einsum(*args: Any) -> Tensor:
    """The sum of the products of tensors' elements over named dims (Einstein's notation).

    einsum(equation, *operands): the equation names the dims of each operand by letters and, behind `->`, those of the
    result: "ij,jk->ik" is a product of matrices. A letter that the result lacks is summed over; one that an operand has
    twice stands for its diagonal; `...` stands for all further dims, which broadcast. Without `->` the result has the dims
    of the ellipses and the letters that appear once, in alphabetical order.
    einsum(x, [0, 1], y, [1, 2], [0, 2]): the same with numbers for letters and Ellipsis for `...`.

    The operands have one dtype where they are contracted. They are contracted from left to right, or, where there are
    more than two and the package opt_einsum is installed, in the order that it finds (`backends.opt_einsum.strategy`).

    Raises RuntimeError for an equation that does not fit the operands, ValueError for none of them or for a number that
    is no subscript.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.einsum.html

    >>> import gradcore
    >>> a = gradcore.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> gradcore.einsum("ij,jk->ik", a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    >>> gradcore.einsum("ii", a)
    tensor(5.)
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, "
            "or at least one operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        equation, operands = _equation_of_subscripts(args)
    else:
        equation, operands = args[0], args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
    if len(operands) < 3 or not opt_einsum.enabled:
        return _C._einsum(equation, operands, ())
    return _C._einsum(equation, operands, _path(equation, operands))


def _path(equation: str, operands: Sequence[Tensor]) -> tuple[int, ...]:
    """The order in which opt_einsum would contract: pairs of places, one after the other. Empty without it."""
    package = opt_einsum.get_opt_einsum()
    if package is None:
        return ()
    shapes = [tuple(operand.shape) for operand in operands]
    pairs, _ = package.contract_path(equation, *shapes, optimize=opt_einsum.strategy, shapes=True)
    return tuple(place for pair in pairs for place in pair)


def _equation_of_subscripts(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation for einsum(x, [0, 1], y, [1, 2], [0, 2]), and the operands."""
    last = len(args) - len(args) % 2
    equation = ",".join(map(_letters, args[1:last:2]))
    if last < len(args):
        equation += "->" + _letters(args[-1])
    return equation, args[:last:2]


def _letters(subscripts: Sequence[Any]) -> str:
    text = ""
    for subscript in subscripts:
        if subscript is Ellipsis:
            text += "..."
        elif 0 <= subscript < 52:
            text += chr(ord("A") + subscript) if subscript < 26 else chr(ord("a") + subscript - 26)
        else:
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return text


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """The sum of products of `a` and `b` over several dims; the result has the other dims of `a`, then those of `b`.

    dims: a number n: the last n dims of `a` with the first n of `b`. Two lists: the dims of `a` and those of `b`, pair by
    pair. A tensor of shape (2, n) counts as two lists. Paired dims are of one size, or one of them has one element.

    Both tensors have one dtype. Raises RuntimeError where sizes or dims do not fit.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.tensordot.html

    >>> import gradcore
    >>> gradcore.tensordot(gradcore.ones(2, 3, 4), gradcore.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    if isinstance(dims, Tensor):
        dims = dims.item() if dims.numel() == 1 else dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got {dims=}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got {dims=}")
        dims_a, dims_b = list(range(-dims, 0)), list(range(dims))
    elif isinstance(dims, (list, tuple)):
        dims_a, dims_b = (list(d) if isinstance(d, (list, tuple)) else [d] for d in dims)
    else:
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, "
            f"but got dims={dims}"
        )
    return _C._tensordot(a, b, dims_a, dims_b, out=out)


def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape that all of these broadcast to. A number counts as a shape of one dim.

    Raises RuntimeError where there is none, ValueError for a negative size.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.broadcast_shapes.html

    >>> import gradcore
    >>> gradcore.broadcast_shapes((2,), (3, 1), (1, 1, 1))
    torch.Size([1, 3, 2])
    """
    lists = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    result = [1] * max(map(len, lists), default=0)
    for position, shape in enumerate(lists):
        for i in range(-1, -len(shape) - 1, -1):
            if shape[i] in (1, result[i]):
                continue
            if result[i] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument at index "
                    f"{position} had {shape}; but expected shape should be broadcastable to {result}"
                )
            if shape[i] < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            result[i] = shape[i]
    return Size(result)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The coordinates, in a tensor of this shape, of elements whose numbers in row-major order are given: a tensor for each dim.

    `indices` is of integers; a number beyond the shape starts anew. Raises TypeError for other dtypes and for a shape that is
    none, ValueError for negative sizes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.unravel_index.html

    >>> import gradcore
    >>> gradcore.unravel_index(gradcore.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if not isinstance(indices, Tensor):
        raise TypeError(f"expected 'indices' to be torch.Tensor or tensor type, but got {type(indices)}")
    if indices.dtype.is_floating_point or indices.dtype == _C.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, Sequence)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for size in sizes:
        if not isinstance(size, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(size)}")
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    steps = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    found = indices.unsqueeze(-1) // _C.tensor(steps, dtype=_C.int64) % _C.tensor(sizes, dtype=_C.int64)
    return found.unbind(-1)


offer_calls(globals())
