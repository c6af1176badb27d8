"""Nests of lists, tuples, named tuples and dicts, taken apart into leaves and put together again.

The structure of a nest is the nest itself with LEAF in place of each leaf: structures are compared with == and print
as torch prints them. Start at `tree_map`. Everything else, None too, is a leaf, as in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["LEAF", "tree_flatten", "tree_leaves", "tree_map", "tree_unflatten"]


class _Leaf:
    def __repr__(self) -> str:
        return "*"


LEAF = _Leaf()


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest with function(leaf) in place of each leaf.

    >>> tree_map(str, {"a": [1, 2], "b": (3,)})
    {'a': ['1', '2'], 'b': ('3',)}
    """
    if isinstance(tree, tuple):
        items = [tree_map(function, item) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if isinstance(tree, list):
        return [tree_map(function, item) for item in tree]
    if isinstance(tree, dict):
        result = tree.copy()  # of the same kind: OrderedDict, defaultdict
        for key, item in tree.items():
            result[key] = tree_map(function, item)
        return result
    return function(tree)


def tree_flatten(tree: Any) -> tuple[list[Any], Any]:
    """(leaves in order, structure).

    >>> tree_flatten({"a": [1, 2], "b": (3,)})
    ([1, 2, 3], {'a': [*, *], 'b': (*,)})
    """
    leaves: list[Any] = []

    def take(leaf: Any) -> _Leaf:
        leaves.append(leaf)
        return LEAF

    structure = tree_map(take, tree)
    return leaves, structure


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves in order."""
    return tree_flatten(tree)[0]


def tree_unflatten(leaves: Iterable[Any], structure: Any) -> Any:
    """The nest of which tree_flatten made these two.

    >>> tree_unflatten([1, 2], (LEAF, [LEAF]))
    (1, [2])
    """
    rest = iter(leaves)
    return tree_map(lambda _: next(rest), structure)
