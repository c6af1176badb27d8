"""Nests of lists, tuples, named tuples and dicts, taken apart into leaves and put together again.

The structure of a nest is the nest itself with LEAF in place of each leaf: structures are compared with == and print
as torch prints them. Start at `tree_map`. Everything else, None too, is a leaf, as in torch.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

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
    # A leaf, or a tuple of leaves, is what nearly every call of a transform has.
    if not isinstance(tree, (tuple, list, dict)):
        return [tree], LEAF
    if type(tree) is tuple and not any(isinstance(item, (tuple, list, dict)) for item in tree):
        return list(tree), (LEAF,) * len(tree)

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
    if isinstance(structure, TreeSpec):
        return structure.unflatten(leaves)
    rest = iter(leaves)
    if structure is LEAF:
        return next(rest)
    return tree_map(lambda _: next(rest), structure)


# ---- structures as objects, under torch's names, for packages that take nests apart themselves


class TreeSpec:
    """The structure of a nest as an object: the class of a node, what else it is made of, and its children's structures.

    >>> SUPPORTED_NODES[tuple].flatten_fn((1, 2))
    ([1, 2], None)
    >>> tree_unflatten([1, 2], TreeSpec(dict, ["a", "b"], [LeafSpec(), LeafSpec()]))
    {'a': 1, 'b': 2}
    """

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type, self.context, self.children_specs = type, context, children_specs
        self.num_leaves: int = sum(child.num_leaves for child in children_specs)
        self.num_children = len(children_specs)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The nest of this structure with these leaves. Raises ValueError for another number of them."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(f"tree_unflatten(leaves, treespec): {len(given)} leaves for a spec of {self.num_leaves}")
        return self._made(iter(given))

    def _made(self, leaves: Iterator[Any]) -> Any:
        children = [child._made(leaves) for child in self.children_specs]
        return SUPPORTED_NODES[self.type].unflatten_fn(children, self.context)

    def is_leaf(self) -> bool:
        """Whether it stands for a leaf."""
        return isinstance(self, LeafSpec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.type, self.num_children))

    def _parts(self) -> tuple[Any, ...]:
        return self.type, self.context, self.children_specs

    def __repr__(self) -> str:
        return f"TreeSpec({self.type.__name__}, {self.context}, {self.children_specs})"


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, [])
        self.num_leaves = 1

    def _made(self, leaves: Iterator[Any]) -> Any:
        return next(leaves)

    def __repr__(self) -> str:
        return "*"


class NodeDef(NamedTuple):
    """How nodes of a class are taken apart, into children and a context, and put together."""

    type: Any
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[Iterable[Any], Any], Any]


PyTree = Any
Context = Any


def _of_dict(kind: Any) -> NodeDef:
    return NodeDef(kind, lambda d: (list(d.values()), list(d)), lambda values, keys: kind(zip(keys, values)))


SUPPORTED_NODES: dict[Any, NodeDef] = {
    tuple: NodeDef(tuple, lambda t: (list(t), None), lambda items, _: tuple(items)),
    list: NodeDef(list, lambda t: (t, None), lambda items, _: list(items)),
    dict: _of_dict(dict),
    OrderedDict: _of_dict(OrderedDict),
    defaultdict: NodeDef(
        defaultdict,
        lambda d: (list(d.values()), [d.default_factory, list(d)]),
        lambda values, context: defaultdict(context[0], zip(context[1], values)),
    ),
    namedtuple: NodeDef(namedtuple, lambda t: (list(t), type(t)), lambda items, kind: kind(*items)),
}


def _get_node_type(tree: Any) -> Any:
    """The key of SUPPORTED_NODES for a node: its class, or namedtuple."""
    return namedtuple if isinstance(tree, tuple) and hasattr(tree, "_fields") else type(tree)
