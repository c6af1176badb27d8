"""Small parts of torch.utils, torch.serialization and their like: weak dicts, swapped tensors, hooks, devices, reports."""

import copy
import gc
import importlib
import io
import pickle
import subprocess
import sys
import warnings
from collections import OrderedDict, namedtuple

import pytest

import gradcore
from support import both, libraries

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_a_dict_whose_keys_are_known_by_identity(lib):
    weak = importlib.import_module(f"{lib.__name__}.utils.weak")
    assert weak.WeakTensorKeyDictionary is weak.WeakIdKeyDictionary
    x, y, z = lib.ones(2), lib.ones(2), lib.ones(2)
    names = weak.WeakTensorKeyDictionary({x: "x"})
    names[y] = ["y"]
    assert len(names) == 2 and x in names and z not in names and 3 not in names
    assert names[x] == "x" and names.get(z) is None and names.setdefault(z, 5) == 5 and names.pop(z) == 5
    with pytest.raises(KeyError):
        names[z]
    with pytest.raises(TypeError):
        names[3] = 4
    assert [key is other for key, other in zip(names, (x, y), strict=True)] == [True, True]
    copied, deep = copy.copy(names), copy.deepcopy(names)
    assert copied == names and copied is not names and copied[y] is names[y]
    assert deep[y] == ["y"] and deep[y] is not names[y] and x in deep
    union = names | {z: 1}
    assert len(union) == 3 and len({z: 1} | names) == 3
    names |= union
    assert len(names) == 3 and len(names.keyrefs()) == 3
    assert names != copied
    del z, union
    gc.collect()
    assert len(names) == 2
    for _ in names:  # an item that goes meanwhile does no harm
        y = None
    assert len(names) == 1
    assert names.popitem()[1] == "x"


@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_weak_references_by_identity(lib):
    weak = importlib.import_module(f"{lib.__name__}.utils.weak")
    x, y = lib.ones(2), lib.ones(2)
    gone = []
    first, second, other = weak.WeakIdRef(x), weak.WeakIdRef(x, gone.append), weak.WeakIdRef(y)
    assert first == second and hash(first) == hash(second) and not first == other
    assert first() is x
    tensor = weak.TensorWeakRef(x)
    assert tensor() is x
    del x
    gc.collect()
    assert first() is None and tensor() is None and not first == second and first == first and len(gone) == 1


def test_swapped_tensors():
    def program(lib):
        x = lib.nn.Parameter(lib.ones(2))
        x.note = "x"
        product = x * 2
        y = lib.zeros(3, dtype=lib.float64)
        y.other = 1
        lib.utils.swap_tensors(product, y)
        y.sum().backward()
        lib.utils.swap_tensors(x, y)  # y, which was the product, is the parameter
        return x, y, product, y.note, x.other if hasattr(x, "other") else None, y.grad, type(y) is lib.nn.Parameter

    both(program)


def test_swapped_tensors_of_subclasses_with_slots():
    def program(lib):
        class Slotted(lib.Tensor):
            __slots__ = ("a", "b")

        x, y = lib.ones(2).as_subclass(Slotted), lib.zeros(1).as_subclass(Slotted)
        x.a, y.a, x.b = 1, 2, 3
        lib.utils.swap_tensors(x, y)
        lib.utils.swap_tensors(x, x)
        return x.a, y.a, hasattr(x, "b"), y.b, x.as_subclass(lib.Tensor), y.as_subclass(lib.Tensor)

    both(program)


def test_a_cycle_through_a_swapped_hook_is_found():
    import weakref

    class Marker:
        pass

    marker = Marker()
    alive = weakref.ref(marker)
    x, y = gradcore.ones(1, requires_grad=True), gradcore.ones(2)
    x.register_hook(lambda grad, holds=(marker, y): None)
    gradcore.utils.swap_tensors(x, y)  # y has the hook now, which holds y
    del x, y, marker
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_tensors_that_are_not_swapped(lib):
    import weakref

    x, y = lib.ones(1), lib.ones(2)
    reference = weakref.ref(y)
    with pytest.raises(RuntimeError, match="Cannot swap t2 because it has weakref"):
        lib.utils.swap_tensors(x, y)
    assert reference() is y
    with pytest.raises((TypeError, AttributeError)):
        lib.utils.swap_tensors(x, 3)


def test_hooks_of_a_tensor_are_seen():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = x * 2
        before = x._backward_hooks, y._backward_hooks, x._post_accumulate_grad_hooks

        def double(grad):
            return 2 * grad

        def ignore(leaf):
            pass

        handle = x.register_hook(double)
        y.register_hook(double)
        x.register_post_accumulate_grad_hook(ignore)
        during = [
            list(hooks.values()) == [f] for hooks, f in ((x._backward_hooks, double), (y._backward_hooks, double))
        ]
        handle.remove()
        after = not x._backward_hooks, list(x._post_accumulate_grad_hooks.values()) == [ignore]
        y.sum().backward()
        return before, during, after, x.grad

    def hooked(lib):
        x = lib.ones(2, requires_grad=True)
        x._backward_hooks = OrderedDict({0: lambda grad: 3 * grad})
        x.sum().backward()
        first = x.grad.clone()
        x._backward_hooks = None
        x.sum().backward()
        return first, x.grad, x._backward_hooks

    both(program)
    found = hooked(gradcore)
    assert found[0].tolist() == [3, 3] and found[1].tolist() == [4, 4] and found[2] is None


def test_hooks_that_files_do_not_hold():
    def program(lib):
        hooks = lib.utils.hooks

        @hooks.unserializable_hook
        def known(grad):
            return grad

        def other(grad):
            return grad

        x = lib.ones(1, requires_grad=True)
        x.register_hook(known)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            hooks.warn_if_has_hooks(x)
            hooks.warn_if_has_hooks(lib.ones(1))
            quiet = len(seen)
            x.register_hook(other)
            hooks.warn_if_has_hooks(x)
        return quiet, [str(w.message).replace(repr(other), "other") for w in seen]

    assert program(gradcore) == program(torch)


def test_a_hook_of_one_call():
    def program(lib):
        seen = []
        hook = lib.utils.hooks.BackwardHook(
            "module", [lambda *grads: seen.append(grads)], [lambda module, grad: (grad[0] * 10,)]
        )
        x = lib.ones(2, requires_grad=True)
        a, b = hook.setup_input_hook((x, 3))
        hook.setup_output_hook(a * b).sum().backward()
        return seen, x.grad

    both(program)


@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_a_handle_is_pickled_with_its_dict(lib):
    hooks = OrderedDict()
    handle = lib.utils.hooks.RemovableHandle(hooks)
    hooks[handle.id] = "hook"
    found, kept = pickle.loads(pickle.dumps((handle, hooks)))
    assert list(kept.values()) == ["hook"]
    found.remove()
    assert not kept and hooks


def test_a_default_device_as_an_object():
    def program(lib):
        device = importlib.import_module(f"{lib.__name__}.utils._device")

        @device.set_device("meta")
        def make():
            return lib.ones(2)

        wrapped = device.device_decorator(device.DeviceContext("meta"), lib.ones)
        context = device.DeviceContext("meta")
        with context:
            inside = lib.empty(1).device.type, lib.ones(1, device="cpu").device.type
            with device.DeviceContext(lib.device("cpu")):
                inner = lib.empty(1).device.type
        kind = isinstance(context, lib.overrides.TorchFunctionMode)
        return (
            make().device.type,
            wrapped(3).device.type,
            inside,
            inner,
            lib.ones(1).device.type,
            kind,
            context.device,
        )

    def as_text(result):
        return [str(item) for item in result]

    assert as_text(program(gradcore)) == as_text(program(torch))


def test_a_report_of_the_machine():
    text = gradcore.utils.collect_env.get_pretty_env_info()
    info = gradcore.utils.collect_env.get_env_info()
    assert f"gradcore version: {gradcore.__version__}" in text
    assert sys.version.split()[0] in info.python_version and "numpy==" in info.pip_packages
    assert gradcore.utils.collect_env.run(["no-such-program"])[0] == 127
    done = subprocess.run(
        [sys.executable, "-m", "gradcore.utils.collect_env"], capture_output=True, text=True, check=True
    )
    assert "Libc version" in done.stdout


def test_older_assertion():
    def program(lib):
        results = []
        a = lib.ones(2)
        for expected, options in (
            (a * 1.00009, {}),
            (a * 1.001, {}),
            (a.double() * 1.00009, {}),
            ([1.0, 1.0], {}),
            (a * 1.1, {"rtol": 0.2, "atol": 0.0}),
            (a * 1.1, {"msg": "no"}),
            (a * float("nan"), {}),
            (1.0, {}),
        ):
            try:
                lib.testing.assert_allclose(a, expected, **options)
            except AssertionError as error:
                results.append(str(error).splitlines()[0])
            else:
                results.append(None)
        lib.testing.assert_allclose(a * float("nan"), a * float("nan"))
        return results

    with pytest.warns(FutureWarning, match="assert_allclose.*is deprecated since 1.12"):
        found = program(gradcore)
    with pytest.warns(FutureWarning):
        assert found == program(torch)


def test_functions_have_their_old_place():
    assert set(torch.functional.__all__) == set(gradcore.functional.__all__)
    for name in torch.functional.__all__:
        assert getattr(gradcore.functional, name) is getattr(gradcore, name)
    with pytest.raises(AttributeError):
        _ = gradcore.functional.pca_highrank


def test_a_module_with_other_tensors_for_a_block():
    def program(lib):
        net = lib.nn.Linear(1, 1, bias=False)
        own = net.weight
        with lib.nn.utils.stateless._reparametrize_module(net, {"weight": lib.tensor([[3.0]])}):
            inside = net(lib.tensor([[2.0]]))
        return inside, net.weight is own

    both(program)
    both(
        lambda lib: lib.nn.utils.stateless._reparametrize_module(
            lib.nn.Linear(1, 1), {"x": lib.ones(1)}, strict=True
        ).__enter__(),
        raises="Unexpected key",
    )


def test_who_is_asked_for_a_threads_generator():
    both(lambda lib: lib.random.thread_safe_generator())


# ------------------------------------------------------------------------------------------------------------
# nn.parallel without GPUs

Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "inputs", [3, (1, "a"), [1, [2, 3]], {"a": 1, "b": (2,)}, (), [], {}, None, Pair(1, 2)], ids=str
)
def test_what_is_no_tensor_is_spread(inputs):
    both(lambda lib: lib.nn.parallel.scatter(inputs, [0, 1]))
    both(lambda lib: lib.nn.parallel.scatter_gather.scatter_kwargs((inputs, 1), {"a": inputs}, [0, 1]))


def test_tensors_are_not_spread():
    parallel = "nn.parallel."
    for call, raises in (
        (lambda p, lib: p.scatter((1, lib.ones(2)), ["cpu", "cpu"]), "Expected a non cpu device, but got: cpu"),
        (lambda p, lib: p.gather([lib.ones(2)], "cpu"), "Gather function not implemented for CPU tensors"),
        (lambda p, lib: p.gather([{"a": lib.ones(2)}], 0), "Gather function not implemented for CPU tensors"),
        (lambda p, lib: p.gather([1], 0), "not iterable"),
        (lambda p, lib: p.replicate(lib.nn.Linear(2, 1), [0, 1]), "Broadcast function not implemented for CPU tensors"),
        (lambda p, lib: p.replicate(lib.nn.Linear(2, 1), ["cpu"]), "Expected a non cpu device"),
        (lambda p, lib: p.parallel_apply([lib.nn.ReLU()], [lib.ones(1)]), "Cannot access accelerator device"),
        (lambda p, lib: p.parallel_apply([lib.nn.ReLU()], [1, 2]), "The number of modules 1 is not equal"),
        (
            lambda p, lib: p.parallel_apply([lib.nn.ReLU()], [1], devices=["cpu"]),
            "Expected a cuda device, but got: cpu",
        ),
        (lambda p, lib: p.data_parallel(lib.nn.ReLU(), lib.ones(1)), "device type could not be determined"),
    ):
        both(lambda lib, call=call: call(lib.nn.parallel, lib), raises=raises)
    both(lambda lib: lib.nn.parallel.gather([None, None], 0))
    both(lambda lib: [str(m) for m in lib.nn.parallel.replicate(lib.nn.ReLU(), [0, 1])])
    assert importlib.import_module(f"gradcore.{parallel}replicate").replicate is gradcore.nn.parallel.replicate


# ------------------------------------------------------------------------------------------------------------
# torch.serialization


def test_files_without_their_data():
    def program(lib):
        file = io.BytesIO()
        with lib.serialization.skip_data():
            lib.save({"a": lib.arange(4.0), "b": lib.tensor([True])}, file)
        file.seek(0)
        return lib.load(file), len(file.getvalue()) > 500

    both(program)
    file = io.BytesIO()
    gradcore.save(gradcore.arange(4.0), file)
    file.seek(0)
    with gradcore.serialization.skip_data():
        loaded = gradcore.load(file)
    assert loaded.shape == (4,) and loaded.dtype == gradcore.float32 and not loaded.any()
    file.seek(0)
    assert gradcore.equal(gradcore.load(file), gradcore.arange(4.0))
    for lib in libraries():
        with lib.serialization.skip_data(), pytest.raises(RuntimeError, match="Cannot use skip_data=True"):
            lib.save(lib.ones(1), io.BytesIO(), _use_new_zipfile_serialization=False)


def test_the_order_of_bytes_in_files():
    import zipfile

    s = gradcore.serialization
    assert [(e.name, e.value) for e in s.LoadEndianness] == [
        (e.name, e.value) for e in torch.serialization.LoadEndianness
    ]
    both(lambda lib: lib.serialization.set_default_load_endianness(3), raises="Invalid argument type")
    written = io.BytesIO()
    gradcore.save(gradcore.ones(1), written)
    bare = io.BytesIO()
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            if not name.endswith("byteorder"):
                new.writestr(name, old.read(name))
    foreign = s.LoadEndianness.BIG if sys.byteorder == "little" else s.LoadEndianness.LITTLE
    try:
        assert gradcore.load(io.BytesIO(bare.getvalue())).item() == 1
        s.set_default_load_endianness(foreign)
        assert s.get_default_load_endianness() is foreign
        with pytest.raises(Exception, match="other byte order"):
            gradcore.load(io.BytesIO(bare.getvalue()))
        assert gradcore.load(io.BytesIO(written.getvalue())).item() == 1  # it says its order itself
    finally:
        s.set_default_load_endianness(None)


def test_where_storages_are():
    def program(lib):
        s = lib.serialization
        before = list(s._package_registry)
        try:
            s.register_package(
                5,
                lambda storage: "toy" if len(storage) == 12 else None,
                lambda storage, where: "made" if where == "toy" else None,
            )
            tags = [s.location_tag(lib.ones(n).untyped_storage()) for n in (2, 3)]
            return tags, [
                s.default_restore_location(lib.ones(1).untyped_storage(), where) == "made" for where in ("toy", "cpu")
            ]
        finally:
            s._package_registry[:] = before

    assert program(gradcore) == program(torch)
    both(
        lambda lib: lib.serialization.default_restore_location(lib.ones(1).untyped_storage(), "foo"),
        raises="don't know how to restore data location of torch.storage.UntypedStorage (tagged with foo)",
    )


# ---- utils.benchmark


def test_measurements_know_their_task():
    def program(lib):
        bench = importlib.import_module(f"{lib.__name__}.utils.benchmark")
        found = bench.Timer("x + 1", globals={"x": 1}, label="sums", sub_label="ints", description="d").timeit(4)
        task = found.task_spec
        merged = bench.Measurement.merge([found, found])
        facts = [task.stmt, task.setup, task.title, task.summarize(), found.as_row_name, found.env, found.num_threads]
        return [*facts, found.label, len(merged), len(merged[0].raw_times), merged[0].number_per_run, merged[0].title]

    both(program)


def test_helpers_of_benchmarks():
    def program(lib):
        bench = importlib.import_module(f"{lib.__name__}.utils.benchmark")
        units = [bench.select_unit(t) for t in (2.0, 0.5, 2e-5, 3e-8)]
        numbers = [round(bench.trim_sigfig(x, 2), 6) for x in (3.14159, 1234.0)]
        return units, numbers, bench.unit_to_english("ms"), bench.ordered_unique([2, 1, 2]), bench.Language.PYTHON.name

    both(program)
    both(
        lambda lib: importlib.import_module(f"{lib.__name__}.utils.benchmark").Timer("1").repeat(),
        raises="blocked_autorange",
    )


def test_tables_of_measurements():
    """A line for each label below and number of threads, a column for each description."""
    from gradcore.utils.benchmark import Compare, Measurement, TaskSpec

    def made(description, sub_label, seconds, threads=1):
        spec = TaskSpec("x", "pass", label="L", sub_label=sub_label, description=description, num_threads=threads)
        return Measurement(1, [seconds, seconds], spec)

    table = str(Compare([made("a", "small", 2e-6), made("b", "small", 3e-6), made("a", "big", 4e-6, 2)]))
    lines = [line.split() for line in table.splitlines()]
    assert lines[1] == ["|", "a", "|", "b"] and lines[3] == ["small", "|", "2.0", "|", "3.0"]
    assert lines[5] == ["big", "|", "4.0", "|"] and "microseconds (us)" in table
    with pytest.raises(ValueError, match="Expected an instance of `Measurement`"):
        Compare([1])


# ---- checks


CHECKS = {
    "size": lambda lib: lib._check_is_size(3, max=4),
    "negative": lambda lib: lib._check_is_size(-1),
    "too much": lambda lib: lib._check_is_size(5, lambda: "no", max=4),
    "all": lambda lib: lib._check_tensor_all(lib.tensor([True, True])),
    "not all": lambda lib: lib._check_tensor_all(lib.tensor([True, False]), lambda: "no"),
    "no bools": lambda lib: lib._check_tensor_all(lib.ones(2)),
    "no tensor": lambda lib: lib._check_tensor_all_with(ValueError, True),
    "chosen": lambda lib: lib._check_with(ValueError, False, lambda: "chosen"),
}


@pytest.mark.filterwarnings("ignore:_check_is_size will be removed:FutureWarning")
@pytest.mark.parametrize("name", CHECKS)
def test_checks(name):
    def program(lib):
        try:
            return CHECKS[name](lib)
        except Exception as error:  # noqa: BLE001  whatever it is, it is compared
            return type(error).__name__, str(error)

    both(program)


def test_a_tensor_as_text_with_other_contents():
    def program(lib):
        texts = lib._tensor_str
        t = lib.ones(2, requires_grad=True)
        return texts._str(t), texts._str(t, tensor_contents="..."), texts._str(lib.ones(1, dtype=lib.int32))

    both(program)
