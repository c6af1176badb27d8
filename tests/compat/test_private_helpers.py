"""Helpers of torch's private modules that packages import: of dtypes and shapes, sets, members of modules, logs."""

import collections
import importlib
import logging
import pickle

import pytest

import gradcore
from support import both


def helper(lib, path):
    return importlib.import_module(f"{lib.__name__}.{path}")


def tried(action):
    """What an action gives, or the type and message of what it raises."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  whatever it is, it is compared
        return type(error).__name__, str(error)


DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 uint16".split()
QUESTIONS = """is_boolean_dtype is_integer_dtype is_float_dtype is_complex_dtype is_low_precision_dtype is_grad_dtype
get_computation_dtype dtype_to_type""".split()


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_about_dtypes(name):
    both(lambda lib: [str(getattr(helper(lib, "_prims_common"), name)(getattr(lib, dtype))) for dtype in DTYPES])


def test_the_higher_of_two_dtypes():
    def program(lib):
        prims = helper(lib, "_prims_common")
        dtypes = [getattr(lib, dtype) for dtype in DTYPES] + [None]
        found = [str(prims.get_higher_dtype(a, b)) for a in dtypes for b in dtypes]
        casts = [prims.can_safe_cast_to(cast_to=a, cast_from=b) for a in dtypes[:-1] for b in dtypes[:-1]]
        return found, casts, str(prims.get_higher_dtype(lib.ones(1), 2j)), prims.get_higher_type(int, float).__name__

    both(program)


@pytest.mark.parametrize("kind", "DEFAULT NO_OPMATH INT_TO_FLOAT ALWAYS_BOOL COMPLEX_TO_FLOAT BOOL_TO_LONG".split())
def test_dtypes_of_elementwise_ops(kind):
    def program(lib):
        prims = helper(lib, "_prims_common")
        chosen = getattr(prims.ELEMENTWISE_TYPE_PROMOTION_KIND, kind)
        dtypes = [getattr(lib, name) for name in "bool uint8 int64 float16 bfloat16 float32 float64".split()]
        tensors = [lib.zeros(shape, dtype=dtype) for dtype in dtypes for shape in ((), (2,))]
        given = [(a, b) for a in tensors for b in [*tensors, True, 1, 1.0, 1j, None]]
        return [list(map(str, prims.elementwise_dtypes(*args, type_promotion_kind=chosen))) for args in given]

    both(program)
    both(
        lambda lib: helper(lib, "_prims_common").elementwise_dtypes("a", type_promotion_kind=None),
        raises="Unexpected type <class 'str'>",
    )


@pytest.mark.parametrize("kind", "SAME COMPLEX_TO_FLOAT KEEP_PROMOTED_TYPE ALWAYS_BOOL".split())
def test_dtypes_of_reductions(kind):
    def program(lib):
        prims = helper(lib, "_prims_common")
        chosen = getattr(prims.REDUCTION_OUTPUT_TYPE_KIND, kind)
        given = [(lib.float16, None), (lib.int32, lib.bfloat16), (lib.float64, lib.complex64)]
        return [list(map(str, prims.reduction_dtypes(lib.zeros(1, dtype=a), chosen, b))) for a, b in given]

    both(program)


CALLS = {
    "a dim": lambda p, lib: [p.canonicalize_dim(3, i) for i in (-3, -1, 0, 2)] + [p.canonicalize_dim(0, -1)],
    "no such dim": lambda p, lib: p.canonicalize_dim(3, 3),
    "a dim of none": lambda p, lib: p.canonicalize_dim(0, 0, False),
    "a negative rank": lambda p, lib: p.canonicalize_dim(-1, 0),
    "dims": lambda p, lib: [p.canonicalize_dims(2, (-1, 0)), p.canonicalize_dims(2, [1]), p.canonicalize_dims(2, -1)],
    "an index": lambda p, lib: [p.validate_idx(2, 1), p.validate_idx(0, 0)],
    "a wrong index": lambda p, lib: p.validate_idx(2, 3),
    "an end": lambda p, lib: p.validate_exclusive_idx(2, 2),
    "a wrong end": lambda p, lib: p.validate_exclusive_idx(2, 0),
    "a negative size": lambda p, lib: p.validate_shape((2, -1)),
    "reduced dims": lambda p, lib: [p.reduction_dims((2, 3), None), p.reduction_dims((2, 3), (-1,))],
    "dims twice": lambda p, lib: p.reduction_dims((2, 3), (0, -2)),
    "a reduced shape": lambda p, lib: p.compute_reduction_output_shape((2, 3, 4), (1,)),
    "permutations": lambda p, lib: [p.is_valid_permutation(2, (1, 0)), p.is_valid_permutation(2, (1, 1)), p.apply_perm("abc", (2, 0, 1)), p.invert_perm((2, 0, 1))],
    "same shapes": lambda p, lib: [p.is_same_shape((1, 2), [1, 2]), p.same_shape((1, 2), (1, 3)), p.same_shape((1,), ())],
    "expandable": lambda p, lib: [p.is_expandable_to(a, b) for a in ((), (1,), (2, 1), (3,)) for b in ((2, 3), (1, 2, 3), (2,))],
    "broadcast": lambda p, lib: [p.infer_size_shapes((2, 1), (3,)), p.infer_size_shapes((0, 1), (1, 4)), p.infer_size_shapes((), (1,))],
    "no broadcast": lambda p, lib: p.infer_size_shapes((2,), (3,)),
    "products": lambda p, lib: [p.prod([]), p.prod((2, 3))],
    "sizes in any form": lambda p, lib: [list(p.extract_shape_from_varargs(s)) for s in ((1, 2), ((1, 2),), ([3],))],
    "dims in any form": lambda p, lib: [list(p.extract_dims_from_varargs(s)) for s in ((1, 2), ((1, 2),))],
    "shapes of tensors": lambda p, lib: [p.extract_shape(lib.ones(2), lib.ones(()), 3, allow_cpu_scalar_tensors=True), p.extract_shape(lib.ones(2), lib.ones(3), allow_cpu_scalar_tensors=True), p.extract_shape(1, lib.ones(()), allow_cpu_scalar_tensors=True)],
    "other shapes": lambda p, lib: p.check_same_shape(lib.ones(2), lib.ones(3), allow_cpu_scalar_tensors=False),
    "scalars among shapes": lambda p, lib: p.check_same_shape(lib.ones(2), lib.ones(()), 1, allow_cpu_scalar_tensors=True),
    "other dtypes": lambda p, lib: p.check_same_dtype(lib.ones(2), lib.ones(2, dtype=lib.float64)),
    "other numbers": lambda p, lib: p.check_same_dtype(lib.ones(2), 1.0, 1),
    "one device": lambda p, lib: p.check_same_device(lib.ones(2), 1, allow_cpu_scalar_tensors=True),
    "no tensor": lambda p, lib: p.check_same_device("a", 1, allow_cpu_scalar_tensors=True),
    "two devices": lambda p, lib: p.check_same_device(lib.ones(1), lib.ones(1, device="meta"), allow_cpu_scalar_tensors=True),
    "a matrix": lambda p, lib: p.check_is_matrix(lib.ones(2), "f"),
    "no floats": lambda p, lib: p.check_fp_or_complex(lib.int32, "f"),
    "halves": lambda p, lib: p.check_fp_or_complex(lib.float16, "f", allow_low_precision_dtypes=False),
    "a mask": lambda p, lib: p.mask_tensor(lib.tensor([True, False]), lib.ones(2)),
    "a scalar": lambda p, lib: [p.is_cpu_scalar_tensor(lib.tensor(1)), p.is_cpu_scalar_tensor(lib.ones(1)), p.is_cpu_scalar_tensor(1)],
    "corrections": lambda p, lib: [p.set_correction(*given) for given in ((None, None), (True,), (False,), (None, 2))],
    "two corrections": lambda p, lib: p.set_correction(True, 1),
    "classes of numbers": lambda p, lib: [str(p.type_to_dtype(kind)) for kind in (bool, int, float, complex)],
    "no number": lambda p, lib: p.type_to_dtype(str),
    "numbers": lambda p, lib: [p.dtype_to_type_ctor(lib.int8)(2.5), p.dtype_to_type_ctor(lib.float16)(2), p.dtype_to_type_ctor(lib.bool)(2)],
    "no class of numbers": lambda p, lib: p.get_higher_type(str, int),
    "a device": lambda p, lib: [str(p.canonicalize_device("cpu")), str(p.device_or_default(None)), str(p.dtype_or_default(None))],
    "strides": lambda p, lib: [p.make_contiguous_strides_for(s, row) for s in ((), (3,), (2, 0, 3), (2, 3, 4)) for row in (True, False)],
    "strides of images": lambda p, lib: [p.make_channels_last_strides_for(s) for s in ((2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 6))],
    "no strides of images": lambda p, lib: p.make_channels_last_strides_for((2, 3)),
    "contiguous": lambda p, lib: [p.is_contiguous(lib.ones(2, 3).t()), p.is_channels_last_contiguous(lib.ones(1, 2, 3, 4)), p.is_channels_last_contiguous(lib.ones(1, 2, 3, 4).to(memory_format=lib.channels_last))],
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_dims_shapes_and_numbers(name):
    both(lambda lib: tried(lambda: CALLS[name](helper(lib, "_prims_common"), lib)))


def test_a_compiler_that_does_not_look_on():
    def program(lib):
        guards = helper(lib, "_guards")
        found = [guards.detect_fake_mode(), guards.detect_fake_mode([lib.ones(1)]), guards.active_fake_mode()]
        found += [guards.TracingContext.try_get(), guards.CompileContext.current_compile_id()]
        with guards.tracing(None):
            found.append(guards.TracingContext.try_get())
        return found, helper(lib, "utils._triton").has_triton.__name__

    both(program)
    assert not gradcore.utils._triton.has_triton() and not gradcore.utils._triton.has_triton_package()
    with pytest.raises(NotImplementedError, match="does not compile"):
        gradcore._guards.Source()


def test_logs(caplog):
    def program(lib):
        logs = helper(lib, "_logging")
        logs.trace_structured("artifact", lambda: {"name": "x"}, payload_fn=lambda: "y", expect_trace_id=False)
        logger = logging.getLogger("another_test_of_logs")
        logs.warning_once.cache_clear()
        caplog.clear()
        for word in ("a", "a", "b"):
            logs.warning_once(logger, "seen %s", word)
        return [record.getMessage() for record in caplog.records], str(logs.LazyString("{}{}".format, 1, 2))

    both(program)
    assert gradcore._logging.getArtifactLogger("mine", "graphs").name == "mine.__graphs"
    gradcore._logging.set_logs(dynamo=logging.DEBUG, modules={"gradcore_test_of_logs": logging.ERROR})
    assert logging.getLogger("gradcore_test_of_logs").level == logging.ERROR


def test_sets_that_keep_their_order():
    def program(lib):
        kind = helper(lib, "utils._ordered_set").OrderedSet
        one, other = kind([3, 1, 2, 3]), [2, 5, 3]
        found = [one, one | kind(other), one & kind(other), one - kind(other), one ^ kind(other), one.union(other, [7])]
        found += [one.difference(other), one.intersection(other), one.symmetric_difference(other), kind(), one.copy()]
        facts = [
            one == {1, 2, 3},
            one == kind([1, 2, 3]),
            one.issubset([1, 2, 3, 4]),
            one.issuperset([1]),
            list(reversed(one)),
        ]
        for name in ("update", "difference_update", "intersection_update", "symmetric_difference_update"):
            changed = one.copy()
            getattr(changed, name)(other)
            found.append(changed)
        changed |= kind([9])
        changed.add(3)
        changed.discard(100)
        found += [changed, pickle.loads(pickle.dumps(one))]
        return [repr(s) for s in found], facts, changed.pop(), len(changed), tried(lambda: kind().pop()), 3 in one

    both(program)


def test_batches_whose_parts_are_pinned():
    class Own:
        def pin_memory(self):
            return "pinned"

    Pair = collections.namedtuple("Pair", "a b")
    data = {"own": Own(), "list": [1, Own()], "tuple": (Own(), "x"), "named": Pair(Own(), b"y"), "range": range(2)}

    def program(lib):
        pin = helper(lib, "utils.data._utils.pin_memory").pin_memory
        found = pin(data)
        return [(key, type(value).__name__, value) for key, value in found.items()]

    both(program)
    both(lambda lib: helper(lib, "utils.data._utils.pin_memory").pin_memory([lib.ones(1)]), raises="accelerator device")


def test_references_to_storages():
    def program(lib):
        reductions = helper(lib, "multiprocessing.reductions")
        t, other = lib.ones(4), lib.ones(4)
        refs = [reductions.StorageWeakRef(x.untyped_storage()) for x in (t, t[2:], other)]
        function, arguments = reductions.reduce_tensor(lib.arange(3.0))[:2]
        return refs[0] == refs[1], refs[0] == refs[2], len(set(refs)), function(*arguments)

    both(program)
    with pytest.raises(NotImplementedError, match="when the memory of a storage ended"):
        gradcore.multiprocessing.reductions.StorageWeakRef(gradcore.ones(1).untyped_storage()).expired()


ACCESSES = {
    "submodules": lambda a, lib: [type(a.get_submodule(n)).__name__ for n in ("", "0", "1", "1.0")],
    "no submodule": lambda a, lib: a.get_submodule("7"),
    "another attribute": lambda a, lib: a.get_submodule("0.in_features"),
    "tensors": lambda a, lib: a.get_tensors(["0.weight", "1.0.running_mean", "1.0.weight"]),
    "no tensor": lambda a, lib: a.get_tensor("0.nope"),
    "a number": lambda a, lib: a.get_tensor("0.in_features"),
    "set": lambda a, lib: [a.set_tensor("0.weight", lib.ones(3)), a.get_tensor("0.weight"), a.set_tensors_dict({"0.new": lib.zeros(1)}), a.get_tensor("0.new")],
    "set a number": lambda a, lib: a.set_tensor("0.weight", 3),
    "set too few": lambda a, lib: a.set_tensors(["0.weight"], []),
    "delete": lambda a, lib: [a.del_tensors(["0.weight", "1.0.running_mean"]), a.check_keys([])],
    "swap": lambda a, lib: [a.swap_tensor("0.bias", lib.zeros(1)), a.get_tensor("0.bias"), a.swap_tensors(["0.bias"], [lib.ones(1)])],
    "swap nothing": lambda a, lib: a.swap_tensor("0.nope", lib.ones(1)),
    "swap another attribute": lambda a, lib: a.swap_tensor("0.in_features", lib.ones(1)),
    "swap many": lambda a, lib: [sorted(a.swap_tensors_dict({"0.zz": lib.ones(1), "0.bias": lib.ones(1)}, allow_missing=True)[0]), a.get_tensor("0.zz")],
    "swap too many": lambda a, lib: a.swap_tensors_dict({"0.bias": lib.ones(1), "0.zz": lib.ones(1)}),
    "after too many": lambda a, lib: [tried(lambda: a.swap_tensors_dict({"0.bias": lib.ones(1), "0.zz": lib.ones(1)})), a.get_tensor("0.bias"), hasattr(a.module[0], "zz")],
    "keys": lambda a, lib: a.check_keys(["0.weight", "z"]),
    "names": lambda a, lib: [[n for n, _ in members] for members in (a.named_parameters(), a.named_buffers(), a.named_tensors(), a.named_modules())],
    "a submodule": lambda a, lib: [type(a.swap_submodule("1.0", lib.nn.ReLU())).__name__, type(a.get_submodule("1.0")).__name__],
    "swap no submodule": lambda a, lib: a.swap_submodule("9", lib.nn.ReLU()),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCESSES)
def test_members_by_their_names(name):
    def program(lib):
        net = lib.nn.Sequential(lib.nn.Linear(2, 1), lib.nn.Sequential(lib.nn.BatchNorm1d(1)))
        with lib.no_grad():
            for parameter in net.parameters():
                parameter.fill_(0.5)
        accessor = helper(lib, "nn.utils._named_member_accessor").NamedMemberAccessor(net)
        return tried(lambda: ACCESSES[name](accessor, lib))

    both(program)


def test_numbers_of_numpy_in_workers():
    both(lambda lib: [helper(lib, "utils.data._utils.worker")._generate_state(s, i) for s in (0, 5, 2**40 + 7) for i in (0, 3)])  # fmt: skip


def test_modules_of_devices():
    both(lambda lib: [helper(lib, "_utils")._get_device_module(kind) is getattr(lib, kind) for kind in ("cpu", "cuda")])
    both(lambda lib: helper(lib, "_utils")._get_device_module("meta"), raises="does not have a corresponding module")


def test_results_with_names():
    def program(lib):
        tree, result = helper(lib, "utils._pytree"), lib.max(lib.ones(1, 1), 0)
        given = [
            result,
            type(result),
            lib.linalg.slogdet(lib.eye(2)),
            (1,),
            tuple,
            collections.namedtuple("N", "a")(1),
            3,
        ]
        return [(tree.is_structseq(g), tree.is_structseq_instance(g), tree.is_structseq_class(g)) for g in given]

    both(program)
