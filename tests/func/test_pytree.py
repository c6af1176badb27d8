"""utils._pytree beside torch's: nests of containers taken apart, mapped and put together."""

import importlib
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from support import both, gradcore, needs_torch

Pair = namedtuple("Pair", "x y")

NESTS = {
    "leaf": 3, "nothing": None, "empty": [], "list": [1, (2, [3])], "dict": {"b": 1, "a": [2, None]}, "ordered": OrderedDict(b=1, a=(2,)),
    "default": defaultdict(list, b=[1], a=2), "deque": deque([1, [2]], maxlen=3), "named": Pair(1, {"k": 2}), "set": [frozenset([1])],
}  # fmt: skip


def trees(lib):
    return importlib.import_module(f"{lib.__name__}.utils._pytree")


@needs_torch
@pytest.mark.parametrize("name", NESTS)
def test_nests(name):
    nest = NESTS[name]
    as_leaf = lambda node: isinstance(node, tuple)  # noqa: E731

    def program(lib):
        t = trees(lib)
        leaves, spec = t.tree_flatten(nest)
        counts = [spec.num_leaves, spec.num_nodes, spec.num_children, spec.is_leaf(), str(spec.type), str(spec.context)]
        paths = [(t.keystr(path), repr(path), repr(leaf)) for path, leaf in t.tree_leaves_with_path(nest)]
        assert all(t.key_get(nest, path) is leaf for path, leaf in t.tree_leaves_with_path(nest))
        assert list(t.tree_iter(nest)) == t.arg_tree_leaves(nest) == leaves and t.tree_structure(nest) == spec
        assert hash(spec) == hash(t.tree_structure(nest))
        return [
            repr(spec), t.treespec_pprint(spec), counts, paths, repr(t.tree_unflatten(leaves, spec)), repr(leaves),
            repr(t.tree_leaves(nest, is_leaf=as_leaf)), t.tree_is_leaf(nest), t.tree_is_leaf(nest, is_leaf=as_leaf),
            repr(t.tree_map(lambda leaf: [leaf], nest)), repr(t.tree_map_only(int, lambda n: -n, nest)),
            repr(t.tree_map_with_path(lambda path, leaf: t.keystr(path), nest)), t.tree_any(lambda leaf: leaf == 2, nest),
            t.tree_all_only(int, lambda n: n > 1, nest), t._broadcast_to_and_flatten(0, spec),
            [str(child) for child in spec.children()],
        ]  # fmt: skip

    both(program)


@needs_torch
@pytest.mark.parametrize("second", NESTS)
@pytest.mark.parametrize("first", NESTS)
def test_two_nests(first, second):
    """The second begins with the structure of the first, or is refused."""

    def program(lib):
        t = trees(lib)
        fits = t._broadcast_to_and_flatten(NESTS[first], t.tree_structure(NESTS[second]))
        try:
            mapped = repr(t.tree_map(lambda a, b: (a, b), NESTS[first], NESTS[second]))
        except ValueError:
            mapped = "refused"
        return mapped, repr(fits), t.tree_structure(NESTS[first]) == t.tree_structure(NESTS[second])

    both(program)


@needs_torch
def test_what_does_not_fit_is_refused():
    both(lambda lib: trees(lib).tree_unflatten([1], trees(lib).tree_structure([1, 2])), raises="`leaves` has length 1")
    both(lambda lib: trees(lib).tree_unflatten([1], [1]), raises="Expected `treespec` to be an instance of")
    both(lambda lib: trees(lib).tree_map(max, {"a": 1}, {"b": 1}), raises="missing key(s)")
    both(lambda lib: trees(lib).map_only(3), raises="Argument must be a type")


@needs_torch
def test_transforms_know_the_nodes_of_the_program():
    def program(lib):
        class Params:
            def __init__(self, w, b):
                self.w, self.b = w, b

        t = trees(lib)
        t.register_pytree_node(Params, lambda p: ([p.w, p.b], None), lambda children, _: Params(*children))
        with pytest.raises(ValueError, match="already registered"):
            t.register_pytree_node(Params, lambda p: ([p.w, p.b], None), lambda children, _: Params(*children))
        with pytest.raises(ValueError, match="flatten_with_keys_fn"):
            t.tree_leaves_with_path(Params(1, 2))
        x = lib.arange(6.0).view(3, 2)
        loss = lambda p, row: (row @ p.w + p.b).sin().sum()  # noqa: E731
        p = Params(lib.tensor([1.0, 2.0]), lib.tensor(0.5))
        gradient = lib.func.grad(loss)(p, x[0])
        each = lib.func.vmap(lib.func.grad(loss), in_dims=(None, 0))(p, x)
        by_dims = lib.func.vmap(loss, in_dims=(Params(None, 0), None))(Params(p.w, lib.arange(2.0)), x[0])
        return gradient.w, gradient.b, each.w, each.b, by_dims

    both(program, ulps=8)


def test_dataclasses_and_constants():
    import dataclasses

    t = trees(gradcore)

    @dataclasses.dataclass
    class Point:
        x: int
        y: int

    class Mode(str):
        pass

    t.register_dataclass(Point)
    t.register_constant(Mode)
    assert t.tree_map(lambda n: n * 2, [Point(1, 2), Mode("fast")]) == [Point(2, 4), Mode("fast")]
    assert [t.keystr(path) for path, _ in t.tree_leaves_with_path([Point(1, 2)])] == ["[0].x", "[0].y"]
    assert t.tree_structure(Mode("fast")) != t.tree_structure(Mode("slow"))
    with pytest.raises(TypeError, match="dataclass"):
        t.register_dataclass(int)
