"""Names that large packages of networks import: placements, symbolic sizes, mapped files, scans, type hints."""

import importlib
import typing

import pytest

import gradcore
from support import both, libraries

torch = pytest.importorskip("torch")


def named(lib, name):
    return importlib.import_module(f"{lib.__name__}.{name}")


def test_placements_are_values():
    def program(lib):
        types = named(lib, "distributed.tensor.placement_types")
        made = [
            types.Shard(1),
            types.Replicate(),
            types.Partial(),
            types.Partial("avg"),
            types._StridedShard(0, split_factor=2),
        ]
        asked = [[p.is_shard(), p.is_shard(0), p.is_replicate(), p.is_partial(), p.is_partial("sum")] for p in made]
        return (
            [(repr(p), str(p)) for p in made],
            asked,
            types.Shard(1) == types.Shard(1),
            len({types.Replicate(), types.Replicate()}),
            types.Shard(0) == types.Replicate(),
        )

    both(program)


def test_sizes_are_numbers():
    def program(lib):
        shapes = named(lib, "fx.experimental.symbolic_shapes")
        asked = [shapes.statically_known_true, shapes.guard_or_false, shapes.guard_or_true]
        return (
            [[f(1 == 1), f(1 == 2)] for f in asked],
            len(shapes.free_symbols(3)),
            len(shapes.free_unbacked_symbols(3)),
        )

    both(program)


def test_files_mapped_into_memory(tmp_path):
    path = tmp_path / "numbers"

    def program(lib):
        path.write_bytes(bytes(range(32)))
        mapped = lib.UntypedStorage.from_file(str(path), False, 16)
        part = lib.asarray(mapped[4:12], dtype=lib.uint8)
        mapped[4] = 99
        shared = lib.UntypedStorage.from_file(str(path), True, 40)
        shared[39] = 7
        after = path.read_bytes()
        return len(mapped), part, part.view(lib.int32).reshape(2, 1), len(after), after[4], after[39]

    both(program)
    both(
        lambda lib: lib.UntypedStorage.from_file(str(path), False, 64),
        raises="is smaller than the required mapping size",
    )


def test_slices_of_storages_share_memory():
    def program(lib):
        storage = lib.UntypedStorage([1, 2, 3, 4])
        storage[1:3][0] = 9
        return storage.tolist(), storage[3:1].tolist(), storage.untyped() is storage or len(storage.untyped())

    assert program(gradcore)[:2] == program(torch)[:2]
    both(lambda lib: lib.UntypedStorage([1, 2])[::2], raises="only a step of 1 is supported")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_scans(reverse, length):
    def program(lib):
        scan = named(lib, "_higher_order_ops.associative_scan").associative_scan
        lib.manual_seed(0)
        x = lib.randn(3, length, dtype=lib.float64, requires_grad=True)
        y = lib.randn(3, length, dtype=lib.float64)

        def affine(p, q):
            return p[0] * q[0], q[0] * p[1] + q[1]

        slopes, values = scan(affine, (x, y), 1, reverse=reverse, combine_mode="generic")
        return slopes, values, lib.autograd.grad(values.sum() + slopes.sum(), x)

    both(program, ulps=64, scale=1.0)


def test_scans_that_are_refused():
    scan = named(gradcore, "_higher_order_ops.associative_scan").associative_scan
    with pytest.raises(ValueError, match="Combine_mode must either"):
        scan(lambda a, b: a, gradcore.ones(2), 0, combine_mode="other")
    with pytest.raises(RuntimeError, match="same number of elements along dim"):
        scan(lambda a, b: a, (gradcore.ones(2), gradcore.ones(3)), 0)


@pytest.mark.parametrize("lib", libraries())
def test_annotations_of_classes_can_be_evaluated(lib):
    """Packages read those of the classes that they derive from modules."""

    class Net(lib.nn.Linear):
        width: int

    assert typing.get_type_hints(Net)["width"] is int
    for name in vars(gradcore.nn.modules):
        kind = getattr(lib.nn, name, None)
        if isinstance(kind, type):
            typing.get_type_hints(kind)
    typing.get_type_hints(lib.optim.Adam)


def test_functions_of_containers_by_their_private_names():
    def program(lib):
        pytree = named(lib, "utils._pytree")
        keyed, context = pytree._dict_flatten_with_keys({"a": 1, "b": 2})
        return str(keyed), context, pytree._dict_flatten({"a": 1}), pytree._list_unflatten([1, 2], None)

    both(program)
