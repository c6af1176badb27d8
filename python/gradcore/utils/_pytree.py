"""Nests of containers, taken apart into leaves and a structure, and put together again.

Start at `tree_map`. A node is a list, tuple, named tuple, dict, OrderedDict, defaultdict or deque, or of a class that the
program registered; everything else, None too, is a leaf, as in torch. A TreeSpec is the structure of a nest; vmap and the
other transforms take arguments and results apart by it, so that they know a program's own nodes.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from .. import _C, return_types

PyTree = Any
Context = Any
FlattenFn = Callable[[Any], tuple[list[Any], Any]]
UnflattenFn = Callable[[Iterable[Any], Any], Any]
IsLeaf = Callable[[Any], bool]
KeyPath = tuple[Any, ...]


# ---- classes of nodes


class NodeDef(NamedTuple):
    """How nodes of a class are taken apart, into children and a context, and put together."""

    type: Any
    flatten_fn: FlattenFn
    unflatten_fn: UnflattenFn
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None


class _Key:
    """One step of the way from a nest to a leaf."""

    __slots__ = ("at",)

    def __init__(self, at: Any) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and bool(self.at == other.at)

    def __hash__(self) -> int:
        return hash((type(self), self.at))


class _ItemKey(_Key):
    """The step that a subscript takes."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"[{self.at!r}]"

    def get(self, container: Any) -> Any:
        """The element or value."""
        return container[self.at]


class SequenceKey(_ItemKey):
    """The step to an element of a sequence.

    >>> str(SequenceKey(1)), SequenceKey(1).get("abc")
    ('[1]', 'b')
    """

    __slots__ = ()

    @property
    def idx(self) -> Any:
        """Where it stands."""
        return self.at

    def __repr__(self) -> str:
        return f"SequenceKey(idx={self.at!r})"


class MappingKey(_ItemKey):
    """The step to a value of a mapping.

    >>> str(MappingKey("a")), MappingKey("a").get({"a": 2})
    ("['a']", 2)
    """

    __slots__ = ()

    @property
    def key(self) -> Any:
        """Its key."""
        return self.at

    def __repr__(self) -> str:
        return f"MappingKey(key={self.at!r})"


class GetAttrKey(_Key):
    """The step to an attribute.

    >>> str(GetAttrKey("real")), GetAttrKey("real").get(3)
    ('.real', 3)
    """

    __slots__ = ()

    @property
    def name(self) -> Any:
        """Its name."""
        return self.at

    def __str__(self) -> str:
        return f".{self.at}"

    def __repr__(self) -> str:
        return f"GetAttrKey(name={self.at!r})"

    def get(self, obj: Any) -> Any:
        """The attribute."""
        return getattr(obj, self.at)


def _with_keys(flatten: FlattenFn, keys_of: Callable[[Any], Iterable[Any]]) -> Any:
    def flatten_with_keys(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
        children, context = flatten(node)
        return list(zip(keys_of(node), children)), context

    return flatten_with_keys


def _places(node: Any) -> Iterable[Any]:
    return map(SequenceKey, range(len(node)))


def _entries(node: Any) -> Iterable[Any]:
    return map(MappingKey, node)


def _fields(node: Any) -> Iterable[Any]:
    return map(GetAttrKey, type(node)._fields)


def _node(kind: Any, flatten: FlattenFn, unflatten: UnflattenFn, keys_of: Callable[[Any], Iterable[Any]]) -> NodeDef:
    return NodeDef(kind, flatten, unflatten, _with_keys(flatten, keys_of))


def _of_dict(kind: Any) -> NodeDef:
    return _node(kind, lambda d: (list(d.values()), list(d)), lambda values, keys: kind(zip(keys, values)), _entries)


SUPPORTED_NODES: dict[Any, NodeDef] = {
    tuple: _node(tuple, lambda t: (list(t), None), lambda items, _: tuple(items), _places),
    list: _node(list, lambda t: (t, None), lambda items, _: list(items), _places),
    dict: _of_dict(dict),
    OrderedDict: _of_dict(OrderedDict),
    defaultdict: _node(
        defaultdict,
        lambda d: (list(d.values()), [d.default_factory, list(d)]),
        lambda values, context: defaultdict(context[0], zip(context[1], values)),
        _entries,
    ),
    deque: _node(deque, lambda d: (list(d), d.maxlen), lambda items, most: deque(items, maxlen=most), _places),
    namedtuple: _node(namedtuple, lambda t: (list(t), type(t)), lambda items, kind: kind(*items), _fields),
}
_BUILTIN = frozenset(SUPPORTED_NODES)
# Packages register classes of their own by torch's private names of these functions: _dict_flatten, _list_unflatten ...
for _definition in SUPPORTED_NODES.values():
    _name = f"_{_definition.type.__name__.lower()}"
    globals()[f"{_name}_flatten"] = _definition.flatten_fn
    globals()[f"{_name}_unflatten"] = _definition.unflatten_fn
    globals()[f"{_name}_flatten_with_keys"] = _definition.flatten_with_keys_fn


class _Text(NamedTuple):
    """How contexts of a class are written: by functions, or by json."""

    kind: Any
    write: Any = None
    read: Any = None


def _write_default(context: Any) -> dict[str, Any]:
    factory, keys = context
    if factory is None:
        raise NotImplementedError("treespec_dumps: a defaultdict without a factory cannot be written")
    names = {"default_factory_module": factory.__module__, "default_factory_name": factory.__qualname__}
    return {**names, "dict_context": keys}


def _read_default(text: dict[str, Any]) -> list[Any]:
    import importlib

    module = importlib.import_module(text["default_factory_module"])
    return [getattr(module, text["default_factory_name"]), text["dict_context"]]


_TEXTS: dict[str, _Text] = {
    f"{kind.__module__}.{kind.__name__}": _Text(kind) for kind in (tuple, list, dict, OrderedDict, deque)
}
_TEXTS["collections.defaultdict"] = _Text(defaultdict, _write_default, _read_default)
_DICTS = (dict, OrderedDict, defaultdict)  # which stand for one another where only keys count


def register_pytree_node(
    cls: type,
    flatten_fn: FlattenFn,
    unflatten_fn: UnflattenFn,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Any = None,
) -> None:
    """Makes instances of a class nodes. flatten_fn gives (children, context), unflatten_fn takes the same two.

    flatten_with_keys_fn gives (pairs of key and child, context), for paths. serialized_type_name and the functions for
    contexts are for treespec_dumps() and treespec_loads(). Raises ValueError for a class that is registered.

    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda children, _: Pair(*children))
    >>> tree_leaves([Pair(1, [2]), 3])
    [1, 2, 3]
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)
    if serialized_type_name is not None:
        _TEXTS[serialized_type_name] = _Text(cls, to_dumpable_context, from_dumpable_context)


_register_pytree_node = register_pytree_node


def register_dataclass(
    cls: type, *, field_names: list[str] | None = None, drop_field_names: Any = None, serialized_type_name: Any = None
) -> None:
    """Makes instances of a dataclass nodes whose children are its fields.

    Raises TypeError for a class that is no dataclass, ValueError for one that is registered.

    >>> import dataclasses
    >>> Point = dataclasses.make_dataclass("Point", ["x", "y"])
    >>> register_dataclass(Point)
    >>> tree_map(lambda n: 2 * n, Point(1, y=2))
    Point(x=2, y=4)
    """
    import dataclasses

    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"register_dataclass() can only be used with a dataclass, got: {cls}")
    dropped = set(drop_field_names or ())
    names = field_names or [f.name for f in dataclasses.fields(cls) if f.init and f.name not in dropped]

    def flatten(node: Any) -> tuple[list[Any], Any]:
        return [getattr(node, name) for name in names], None

    def unflatten(values: Iterable[Any], _: Any) -> Any:
        return cls(**dict(zip(names, values)))

    keys = [GetAttrKey(name) for name in names]
    register_pytree_node(cls, flatten, unflatten, flatten_with_keys_fn=_with_keys(flatten, lambda _: keys))


def register_constant(cls: type) -> None:
    """Makes instances of a class nodes without children: they belong to the structure.

    >>> class Mode(str): pass
    >>> register_constant(Mode)
    >>> tree_leaves([1, Mode("fast")])
    [1]
    """
    register_pytree_node(cls, lambda node: ([], node), lambda _, node: node, flatten_with_keys_fn=lambda n: ([], n))


def is_namedtuple_class(cls: Any) -> bool:
    """Whether it is a class of named tuples."""
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_namedtuple_instance(obj: Any) -> bool:
    """Whether it is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: Any) -> bool:
    """Whether it is a named tuple or a class of them."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_class(cls: Any) -> bool:
    """Whether it is a class of results with names, such as that of max(): a tuple that counts its fields."""
    counts = ("n_fields", "n_sequence_fields", "n_unnamed_fields")
    return (
        isinstance(cls, type) and issubclass(cls, tuple) and all(isinstance(getattr(cls, n, None), int) for n in counts)
    )


def is_structseq_instance(obj: Any) -> bool:
    """Whether it is a result with names."""
    return is_structseq_class(type(obj))


def is_structseq(obj: Any) -> bool:
    """Whether it is a result with names or a class of them."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def _get_node_type(tree: Any) -> Any:
    """The key of SUPPORTED_NODES for a node: its class, or namedtuple."""
    kind = type(tree)
    if kind in SUPPORTED_NODES or not issubclass(kind, tuple):
        return kind
    if is_namedtuple_class(kind):
        return namedtuple
    if kind.__module__ == return_types.__name__:
        SUPPORTED_NODES[kind] = _node(kind, lambda t: (list(t), None), lambda items, _: kind(items), _places)
    return kind


# ---- structures


class TreeSpec:
    """The structure of a nest: the class of a node, what else it is made of, and its children's structures.

    >>> tree_structure((1, [2, 3]))
    TreeSpec(tuple, None, [*,
      TreeSpec(list, None, [*,
        *])])
    >>> tree_unflatten([1, 2], TreeSpec(dict, ["a", "b"], [LeafSpec(), LeafSpec()]))
    {'a': 1, 'b': 2}
    """

    __slots__ = ("type", "context", "children_specs", "num_leaves")

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type, self.context, self.children_specs = type, context, children_specs
        leaves = 1 if type is None else 0
        for child in children_specs:
            leaves += child.num_leaves
        self.num_leaves: int = leaves

    @property
    def num_children(self) -> int:
        """How many children the root has."""
        return len(self.children_specs)

    @property
    def num_nodes(self) -> int:
        """How many nodes there are, leaves among them."""
        return 1 + sum([child.num_nodes for child in self.children_specs])

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The nest of this structure with these leaves. Raises ValueError for another number of them."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(given)} but the spec refers to a pytree that holds "
                f"{self.num_leaves} items ({self})."
            )
        return self._made(iter(given))

    def _made(self, leaves: Iterator[Any]) -> Any:
        if self.type is None:
            return next(leaves)
        children = [next(leaves) if child.type is None else child._made(leaves) for child in self.children_specs]
        return SUPPORTED_NODES[self.type].unflatten_fn(children, self.context)

    def is_leaf(self) -> bool:
        """Whether it stands for a leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """The structures of the children."""
        return list(self.children_specs)

    def child(self, index: int) -> TreeSpec:
        """The structure of one child."""
        return self.children_specs[index]

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The parts of a nest that stand where this structure has leaves.

        Raises ValueError where the nest does not begin with this structure.

        >>> tree_structure([0, 0]).flatten_up_to([(1, 2), 3])
        [(1, 2), 3]
        """
        found: list[Any] = []
        self._take(tree, found)
        return found

    def _take(self, tree: Any, found: list[Any]) -> None:
        if self.type is None:
            found.append(tree)
            return
        for spec, child in zip(self.children_specs, self._children_of(tree)):
            spec._take(child, found)

    def _children_of(self, tree: Any) -> list[Any]:
        """The children of a nest whose root is of this structure, in its order."""
        kind = _get_node_type(tree)
        if self.type in _DICTS and kind in _DICTS:
            return self._values_of(tree)
        if kind is not self.type:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {kind!r}.")
        children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if kind is not deque and context != self.context:
            raise ValueError(
                f"Node context mismatch for node type {self.type!r}; expected {self.context!r}, but got {context!r}."
            )
        return children

    def _keys(self) -> list[Any]:
        keys: list[Any] = self.context[1] if self.type is defaultdict else self.context
        return keys

    def _values_of(self, tree: dict[Any, Any]) -> list[Any]:
        keys = self._keys()
        if len(tree) != len(keys):
            raise ValueError(f"Node arity mismatch; expected {len(keys)}, but got {len(tree)}.")
        missing = set(keys) - set(tree)
        if missing:
            extra = set(tree) - set(keys)
            raise ValueError(f"Node keys mismatch; missing key(s): {missing}; extra key(s): {extra}.")
        return [tree[key] for key in keys]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return (
            self.type is other.type
            and bool(self.context == other.context)
            and self.children_specs == other.children_specs
        )

    def __hash__(self) -> int:
        return hash((self.type, self.num_nodes, self.num_leaves))

    def __repr__(self, indent: int = 0) -> str:
        if self.type is None:
            return "*"
        indent += 2
        children = f",\n{' ' * indent}".join([child.__repr__(indent) for child in self.children_specs])
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, [])


PyTreeSpec = TreeSpec
_LEAF = LeafSpec()


def treespec_leaf() -> LeafSpec:
    """The structure of a leaf."""
    return _LEAF


def treespec_tuple(iterable: Iterable[TreeSpec] = ()) -> TreeSpec:
    """The structure of a tuple of such structures."""
    return TreeSpec(tuple, None, list(iterable))


def treespec_dict(mapping: Any = (), **kwargs: TreeSpec) -> TreeSpec:
    """The structure of a dict of such structures."""
    specs = dict(mapping, **kwargs)
    return TreeSpec(dict, list(specs), list(specs.values()))


def treespec_pprint(treespec: TreeSpec) -> str:
    """The structure as a nest of stars.

    >>> treespec_pprint(tree_structure({"a": [1, 2], "b": (3,)}))
    "{'a': [*, *], 'b': (*,)}"
    """
    return repr(treespec.unflatten([_LEAF] * treespec.num_leaves))


# ---- taking apart


def _flattened(tree: Any, leaves: list[Any], is_leaf: IsLeaf | None) -> TreeSpec:
    kind = type(tree)
    node = SUPPORTED_NODES.get(kind)
    if node is None and isinstance(tree, tuple):
        kind = _get_node_type(tree)
        node = SUPPORTED_NODES.get(kind)
    if node is None or (is_leaf is not None and is_leaf(tree)):
        leaves.append(tree)
        return _LEAF
    children, context = node.flatten_fn(tree)
    specs: list[TreeSpec] = []
    for child in children:
        if type(child) is _C.Tensor:  # by far the most; no call for each
            leaves.append(child)
            specs.append(_LEAF)
        else:
            specs.append(_flattened(child, leaves, is_leaf))
    return TreeSpec(kind, context, specs)


def tree_flatten(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[Any], TreeSpec]:
    """(leaves in order, structure). is_leaf: says of further parts that they are leaves.

    >>> tree_flatten({"a": [1, 2]})
    ([1, 2], TreeSpec(dict, ['a'], [TreeSpec(list, None, [*,
        *])]))
    """
    leaves: list[Any] = []
    return leaves, _flattened(tree, leaves, is_leaf)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The nest of which tree_flatten made these two.

    Raises TypeError where the second is no structure, ValueError for another number of leaves.

    >>> tree_unflatten([1, 2], tree_structure((0, [0])))
    (1, [2])
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """The leaves in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: IsLeaf | None = None) -> Iterator[Any]:
    """The leaves in order, as an iterator."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: IsLeaf | None = None) -> TreeSpec:
    """The structure alone."""
    return tree_flatten(tree, is_leaf)[1]


def tree_is_leaf(tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether a nest is a leaf.

    >>> tree_is_leaf(None), tree_is_leaf([])
    (True, False)
    """
    return bool(is_leaf is not None and is_leaf(tree)) or _get_node_type(tree) not in SUPPORTED_NODES


def arg_tree_leaves(*args: Any, **kwargs: Any) -> list[Any]:
    """The leaves of all arguments."""
    return tree_leaves((args, kwargs))


def _broadcast_to_and_flatten(tree: Any, treespec: TreeSpec, is_leaf: IsLeaf | None = None) -> list[Any] | None:
    """For each leaf of a structure the leaf of a smaller nest above it; None where the nest does not fit."""
    values, prefix = tree_flatten(tree, is_leaf)
    if len(values) == 1 and prefix.type is None:
        return values * treespec.num_leaves
    parts: list[TreeSpec] = []
    if not _begins_with(prefix, treespec, parts):
        return None
    return [value for value, part in zip(values, parts) for _ in range(part.num_leaves)]


def _begins_with(prefix: TreeSpec, whole: TreeSpec, parts: list[TreeSpec]) -> bool:
    """Whether a structure begins with another one; takes its parts at the other one's leaves."""
    if prefix.type is None:
        parts.append(whole)
        return True
    below = whole.children_specs
    if len(prefix.children_specs) != len(below):
        return False
    if prefix.type in _DICTS and whole.type in _DICTS:
        places = {key: i for i, key in enumerate(whole._keys())}
        if places.keys() != set(prefix._keys()):
            return False
        below = [below[places[key]] for key in prefix._keys()]
    elif prefix.type is not whole.type or (prefix.type is not deque and prefix.context != whole.context):
        return False
    return all([_begins_with(own, other, parts) for own, other in zip(prefix.children_specs, below)])


# ---- mapping


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf | None = None) -> Any:
    """The same nest with func(leaf) in place of each leaf; with more nests func(leaf, part of the second, ...).

    The further nests begin with the structure of the first. Raises ValueError where they do not.

    >>> tree_map(str, {"a": [1, 2], "b": (3,)})
    {'a': ['1', '2'], 'b': ('3',)}
    >>> tree_map(lambda x, y: [x, *y], [5, 6], [(7, 9), (1,)])
    [[5, 7, 9], [6, 1]]
    """
    leaves, structure = tree_flatten(tree, is_leaf)
    return structure.unflatten(map(func, leaves, *[structure.flatten_up_to(rest) for rest in rests]))


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Calls func as tree_map() does, and returns the first nest.

    >>> tree_map_(print, [1, (2,)])
    1
    2
    [1, (2,)]
    """
    leaves, structure = tree_flatten(tree, is_leaf)
    for arguments in zip(leaves, *[structure.flatten_up_to(rest) for rest in rests]):
        func(*arguments)
    return tree


def map_only(type_or_types_or_pred: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """A decorator: the function is applied to what is of these classes, or what a predicate says; all else is returned.

    >>> map_only(int)(lambda n: n + 1)("a")
    'a'
    """
    chosen = _predicate(type_or_types_or_pred)

    def decorate(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(func)
        def applied(leaf: Any) -> Any:
            return func(leaf) if chosen(leaf) else leaf

        return applied

    return decorate


def _predicate(what: Any) -> Callable[[Any], bool]:
    import types

    if isinstance(what, (type, tuple, types.UnionType)):
        return lambda leaf: isinstance(leaf, what)
    if callable(what):
        return what  # type: ignore[no-any-return]
    raise TypeError("Argument must be a type, a tuple of types, or a callable.")


def tree_map_only(
    type_or_types_or_pred: Any, func: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None
) -> Any:
    """tree_map() of the leaves of these classes.

    >>> tree_map_only(int, lambda n: n + 1, [1, "a"])
    [2, 'a']
    """
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(
    type_or_types_or_pred: Any, func: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None
) -> Any:
    """tree_map_() of the leaves of these classes."""
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether all leaves are so."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether some leaf is so."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(types: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether all leaves of these classes are so."""
    return all(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, types))


def tree_any_only(types: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether some leaf of these classes is so."""
    return any(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, types))


# ---- paths


def tree_leaves_with_path(tree: Any, is_leaf: IsLeaf | None = None) -> list[tuple[KeyPath, Any]]:
    """Pairs of the way to a leaf and the leaf. Raises ValueError for a registered class without keys.

    >>> [(keystr(path), leaf) for path, leaf in tree_leaves_with_path({"a": [1, 2]})]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    found: list[tuple[KeyPath, Any]] = []

    def walk(part: Any, path: KeyPath) -> None:
        if tree_is_leaf(part, is_leaf):
            found.append((path, part))
            return
        node = SUPPORTED_NODES[_get_node_type(part)]
        if node.flatten_with_keys_fn is None:
            raise ValueError(
                f"Did not find a flatten_with_keys_fn for type: {node.type}. Please pass a flatten_with_keys_fn argument "
                "to register_pytree_node."
            )
        for key, child in node.flatten_with_keys_fn(part)[0]:
            walk(child, (*path, key))

    walk(tree, ())
    return found


def tree_flatten_with_path(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """(pairs of path and leaf, structure)."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf | None = None) -> Any:
    """tree_map() whose function is given the path to the leaf first.

    >>> tree_map_with_path(lambda path, leaf: f"{keystr(path)}={leaf}", {"a": (1,)})
    {'a': ("['a'][0]=1",)}
    """
    pairs, structure = tree_flatten_with_path(tree, is_leaf)
    others = [structure.flatten_up_to(rest) for rest in rests]
    return structure.unflatten(func(path, leaf, *more) for (path, leaf), *more in zip(pairs, *others))


def keystr(kp: KeyPath) -> str:
    """A path as Python would write it."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """What stands at the end of a path.

    >>> key_get({"a": [1, 2]}, (MappingKey("a"), SequenceKey(1)))
    2
    """
    for key in kp:
        obj = key.get(obj)
    return obj


# ---- structures as text ----


def treespec_dumps(treespec: TreeSpec, protocol: int | None = None) -> str:
    """The structure as JSON, as torch writes it. Raises ValueError for another protocol than 1, NotImplementedError for a
    class that was registered without a name to be written by.

    >>> treespec_loads(treespec_dumps(tree_structure([1, (2, 3)]))) == tree_structure([1, (2, 3)])
    True
    """
    import json

    if protocol not in (None, 1):
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [1]")
    return json.dumps((1, _to_json(treespec)))


def treespec_loads(serialized: str) -> TreeSpec:
    """The structure that treespec_dumps() wrote. Raises as it does."""
    import json

    protocol, written = json.loads(serialized)
    if protocol != 1:
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [1]")
    return _from_json(written)


def _to_json(spec: TreeSpec) -> dict[str, Any]:
    import json

    if spec.type is None:
        return {"type": None, "context": None, "children_spec": []}
    for name, text in _TEXTS.items():
        if text.kind is spec.type:
            write = text.write or json.dumps
            children = [_to_json(child) for child in spec.children_specs]
            return {"type": name, "context": write(spec.context), "children_spec": children}
    raise NotImplementedError(f"Serializing {spec.type} in pytree is not registered.")


def _from_json(written: dict[str, Any]) -> TreeSpec:
    import json

    if written["type"] is None:
        return LeafSpec()
    if written["type"] not in _TEXTS:
        raise NotImplementedError(f"Deserializing {written['type']} in pytree is not registered.")
    text = _TEXTS[written["type"]]
    children = [_from_json(child) for child in written["children_spec"]]
    return TreeSpec(text.kind, (text.read or json.loads)(written["context"]), children)
