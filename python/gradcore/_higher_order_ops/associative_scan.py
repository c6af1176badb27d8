"""Scans by any function that is associative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _C
from .._transforms.vmap import vmap
from ..utils import _pytree as pytree


def associative_scan(
    combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int, reverse: bool = False, combine_mode: str = "pointwise"
) -> Any:
    """Each element along `dim` combined with all before it: x0, f(x0, x1), f(f(x0, x1), x2) ...

    `xs` is a tensor or a nest of tensors that are equally long along `dim`; combine_fn takes and returns such nests, and is
    associative. With `reverse` elements combine with those behind them. "pointwise": combine_fn works on each element by
    itself, and so on many at once; "generic": it is mapped. There are log2(n) calls of it.
    Raises ValueError for another mode, RuntimeError for lengths that differ.

    >>> import gradcore as torch
    >>> from gradcore._higher_order_ops.associative_scan import associative_scan
    >>> associative_scan(lambda a, b: a * b, torch.tensor([1, 2, 3, 4]), 0)
    tensor([ 1,  2,  6, 24])

    Source: Hillis and Steele, Data parallel algorithms, 1986
    """
    if combine_mode not in ("pointwise", "generic"):
        raise ValueError(f"Combine_mode must either 'pointwise' or 'generic', but got {combine_mode}")
    leaves, structure = pytree.tree_flatten(xs)
    if not leaves:
        raise RuntimeError("associative_scan() must have at least one xs")
    leaves = [x.movedim(dim, 0) for x in leaves]
    if any(x.shape[0] != leaves[0].shape[0] for x in leaves):
        raise RuntimeError("All xs leaves must have the same number of elements along dim")
    if reverse:
        leaves = [x.flip(0) for x in leaves]
    combine = combine_fn if combine_mode == "pointwise" else vmap(combine_fn)

    step = 1
    while step < leaves[0].shape[0]:
        before = structure.unflatten([x[:-step] for x in leaves])
        here = structure.unflatten([x[step:] for x in leaves])
        combined = pytree.tree_leaves(combine(before, here))
        leaves = [_C.cat([x[:step], c]) for x, c in zip(leaves, combined)]
        step *= 2
    if reverse:
        leaves = [x.flip(0) for x in leaves]
    return structure.unflatten([x.movedim(0, dim) for x in leaves])
