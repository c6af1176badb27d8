"""Small modules that packages import by their path: fft's frequencies, futures, a group of one, foreach's groups."""

import collections
import contextlib
import copy
import importlib
import itertools
import sys
import types
import typing

import pytest

import gradcore
from support import both, libraries

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_sample_frequencies(n):
    both(
        lambda lib: (
            lib.fft.fftfreq(n, 0.3) if n else 0,
            lib.fft.rfftfreq(n, 0.3),
            lib.fft.rfftfreq(n, dtype=lib.float64),
        )
    )


@pytest.mark.parametrize("shape, dim", [((4,), None), ((2, 5), None), ((2, 5), 1), ((3, 4, 5), (0, 2)), ((0, 3), None)])
def test_shifts_of_a_spectrum(shape, dim):
    def program(lib):
        x = lib.arange(float(gradcore.Size(shape).numel())).reshape(shape)
        return lib.fft.fftshift(x, dim), lib.fft.ifftshift(x, dim)

    both(program)


def test_frequencies_that_are_refused():
    both(lambda lib: lib.fft.fftfreq(-1), raises="negative dimension")
    both(lambda lib: lib.fft.fftfreq(4, dtype=lib.int64), raises="requires a floating point or complex dtype")
    both(lambda lib: lib.fft.fftshift(lib.ones(2, 3), 5), raises="Dimension out of range")
    with pytest.raises(NotImplementedError, match="complex"):
        gradcore.fft.fft(gradcore.ones(4))


def test_futures():
    def program(lib):
        a, b = lib.futures.Future(), lib.futures.Future()
        seen = []
        a.add_done_callback(lambda done: seen.append(done.value()))
        product = a.then(lambda done: done.value() * 3)
        both_done = lib.futures.collect_all([a, b])
        a.set_result(2)
        before = both_done.done()
        b.set_result(5)
        return seen, product.wait(), before, [f.value() for f in both_done.wait()], lib.futures.wait_all([a, b])

    assert program(gradcore) == program(torch)


def test_exceptions_of_futures():
    def program(lib):
        failed, later, done = lib.futures.Future(), lib.futures.Future(), lib.futures.Future()
        done.set_result(1)
        failed.set_exception(ValueError("no"))
        raised = []
        for attempt in (
            failed.wait,
            lambda: failed.then(lambda f: f.value()).wait(),
            lambda: lib.futures.collect_all([failed, done]).wait(),
            lambda: lib.futures.wait_all([done, failed]),
            lambda: done.set_result(2),
            lambda: done.set_exception(3),
            later.value,
        ):
            with pytest.raises(Exception) as caught:
                attempt()
            raised.append(caught.type)
        return raised

    ours, theirs = program(gradcore), program(torch)
    assert ours[1] in (ValueError, theirs[1])  # torch turns what a callback raises into a RuntimeError
    assert ours[:1] + ours[2:] == theirs[:1] + theirs[2:]


@contextlib.contextmanager
def group_of_one(lib):
    lib.distributed.init_process_group("gloo", rank=0, world_size=1)
    try:
        yield
    finally:
        lib.distributed.destroy_process_group()


def test_a_model_in_a_group_of_one(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29517")

    def program(lib):
        make = lib.nn.parallel.DistributedDataParallel
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            make(lib.nn.Linear(2, 2))
        with group_of_one(lib):
            with pytest.raises(RuntimeError, match="doesn't have any parameter that requires a gradient"):
                make(lib.nn.ReLU())
            lib.manual_seed(0)
            model = make(lib.nn.Linear(2, 2))
            with model.no_sync():
                flags = model.require_backward_grad_sync
                model(lib.ones(3, 2)).sum().backward()
            return (
                str(model),
                list(model.state_dict()),
                flags,
                model.require_backward_grad_sync,
                model.module.weight.grad,
            )

    both(program)


def test_groups_by_dtype():
    def program(lib):
        tensors = [lib.ones(1), lib.zeros(2, dtype=lib.float64), lib.ones(3)]
        groups = lib.utils._foreach_utils._group_tensors_by_device_and_dtype([tensors, [None] * 3], with_indices=True)
        return sorted(
            (str(kind), [len(part) for part in lists], places) for (_, kind), (lists, places) in groups.items()
        )

    assert program(gradcore) == program(torch)


def test_numbers_of_reductions():
    for name in ("none", "mean", "sum"):
        assert gradcore.nn._reduction.get_enum(name) == torch.nn._reduction.get_enum(name)
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        gradcore.nn._reduction.get_enum("max")


def test_what_needs_other_processes_or_devices_refuses():
    for refused in (
        gradcore.distributed.rpc.init_rpc,
        gradcore.distributed.optim.ZeroRedundancyOptimizer,
        gradcore.sparse.FloatTensor,
        gradcore.sparse_coo_tensor,
        gradcore.quantize_per_tensor,
        gradcore.nested.nested_tensor,
        gradcore.masked.masked_tensor,
        gradcore.utils.cpp_extension.load,
        importlib.import_module("gradcore.fx.node").Node,
    ):
        with pytest.raises(NotImplementedError, match="gradcore"):
            refused("x")
    assert not gradcore.distributed.rpc.is_available()


def test_a_lazy_packages_dict_is_whole():
    for package in (gradcore.distributions, gradcore.optim, gradcore.nn):
        assert set(dir(package)) <= set(vars(package))
    assert vars(gradcore.distributions)["Normal"] is gradcore.distributions.Normal


def test_no_devices_states():
    both(lambda lib: lib.utils.checkpoint.get_device_states(lib.ones(2), 1))


def test_a_main_function_for_a_launcher():
    from gradcore.distributed.elastic.multiprocessing.errors import record

    assert record(abs)(-1) == 1
    with pytest.raises(NotImplementedError, match="single process"):
        gradcore.distributed.autograd.context()


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_older_arguments_of_reductions(size_average, reduce):
    def program(lib):
        with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
            named = lib.nn._reduction.legacy_get_string(size_average, reduce)
        return named, lib.nn._reduction.legacy_get_enum(size_average, reduce, emit_warning=False)

    assert program(gradcore) == program(torch)


PROBES = [
    "[lib._C._current_graph_task_id(), isinstance(lib.ones(1, requires_grad=True).exp().grad_fn._raw_saved_result, lib.autograd.SavedTensor)]",
    "[callable(f) for f in (lib._vmap_internals._vmap, lib._utils._unflatten_dense_tensors, lib.optim._muon.Muon)]",
    "[lib._ops.OpOverload.__name__, lib._jit_internal.__name__.split('.')[1:], lib.nn.common_types._size_2_t is not None]",
    "lib._C._get_tracing_state()",
    "lib._C._log_api_usage_once('name')",
    "[lib._C._are_functorch_transforms_active(), lib.func.vmap(lambda x: x + lib._C._are_functorch_transforms_active())(lib.ones(2))]",
    "isinstance(lib.ones(1), (lib._C.ScriptMethod, lib._C.Graph, lib.jit.ScriptModule))",
    "issubclass(lib.Tensor, lib.Tensor) and isinstance(lib.Tensor, lib._C._TensorMeta)",
    "str(lib.sparse_coo)",
    "lib.ones(1).layout == lib.sparse_csr",
    "lib.serialization.DEFAULT_PROTOCOL",
    "sys.getsizeof(lib.ones(10_000).untyped_storage()) // 1_000",
    "lib.distributed.constants.default_pg_timeout",
    "lib.utils._python_dispatch.is_traceable_wrapper_subclass(lib.ones(1))",
    "[lib.ops.aten.add.Tensor(lib.ones(1), 2), hasattr(lib.ops.nowhere, 'nms'), lib.ops.aten.add is lib.ops.aten.add]",
    "lib.distributions.multivariate_normal._precision_to_scale_tril(lib.eye(2) * 4).tolist()",
    "lib._tensor_str._tensor_str(lib.ones(2), 0)",
    "lib.nn.modules.module._addindent('a\\nb', 2)",
    "lib._subclasses.fake_tensor.is_fake(lib.ones(1))",
    "lib.fx.experimental.proxy_tensor.get_proxy_mode()",
    "isinstance(iter(lib.utils.data.DataLoader([1])), lib.utils.data.dataloader._BaseDataLoaderIter)",
    "lib.distributions.transforms._clipped_sigmoid(lib.tensor([-200.0, 0.0, 200.0]))",
    "isinstance(lib.device('cpu'), lib.DeviceObjType)",
    "[(state.name, state.value) for state in lib.amp.grad_scaler.OptState]",
    "[lib.nn.init._no_grad_fill_(lib.empty(2), 3), lib.nn.init._no_grad_zero_(lib.empty(2))]",
    "[lib.manual_seed(0), lib.nn.init._no_grad_uniform_(lib.empty(3), -1, 1), lib.nn.init._no_grad_normal_(lib.empty(3), 0, 2)][1:]",
    "[lib.manual_seed(0), lib.nn.init._no_grad_trunc_normal_(lib.empty(3), 0.0, 1.0, -0.5, 0.5)][1:]",
]


PRIVATE_MODULES = [
    "ops",
    "utils._python_dispatch",
    "_tensor_str",
    "distributed.constants",
    "_subclasses.fake_tensor",
    "fx.experimental.proxy_tensor",
]


@pytest.mark.parametrize("program", PROBES)
def test_what_packages_ask_of_private_modules(program):
    import importlib

    for name in PRIVATE_MODULES:
        for root in ("torch", "gradcore"):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(f"{root}.{name}")
    both(lambda lib: eval(program, {"lib": lib, "sys": sys}))


@pytest.mark.parametrize(
    "module, name",
    [
        ("distributed.tensor.parallel", "RowwiseParallel"),
        ("distributed.fsdp.wrap", "ModuleWrapPolicy"),
        ("distributed.algorithms.join", "Join"),
        ("_dynamo.exc", "Unsupported"),
        ("ao.quantization", "QuantStub"),
        ("autograd.profiler", "emit_nvtx"),
        ("_subclasses.fake_tensor", "FakeTensor"),
        ("quantization.observer", "MinMaxObserver"),
        ("quantization.qconfig", "QConfig"),
        ("nn.quantized", "BatchNorm2d"),
        ("fx.experimental.proxy_tensor", "make_fx"),
    ],
)
def test_parts_that_are_not_there_refuse_when_used(module, name):
    """Programs may import them, derive from them, and ask isinstance()."""
    import importlib

    found = getattr(importlib.import_module(f"gradcore.{module}"), name)
    assert not isinstance(gradcore.ones(1), found)
    with pytest.raises(NotImplementedError, match=name):
        type("Derived", (found,), {})()
    with pytest.raises(AttributeError):
        getattr(importlib.import_module(f"gradcore.{module}"), "no_such_name")  # noqa: B009


def test_a_counter_of_operations_that_nobody_enters_counts_nothing():
    def made(lib):
        counter = importlib.import_module(f"{lib.__name__}.utils.flop_counter").FlopCounterMode(display=False, depth=1)
        return counter.get_flop_counts(), counter.get_total_flops(), counter.depth, counter.display

    both(made)


HPARAMS = [
    "{'lr': 0.1, 'n': 2, 'name': 'a', 'flag': True, 'none': None, 't': lib.tensor([3.0])}, {'loss': 0}",
    "{'lr': 0.1, 'name': 'a'}, {}, {'lr': [0.1, 0.2], 'name': ['a', 'b']}",
    "{}, {'a': 1, 'b': 2}",
    "3, {}", "{}, 3", "{'a': 1}, {}, {'b': [1]}", "{'a': 1}, {}, {'a': [1.5]}", "{'a': 1}, {}, [2]", "{'a': [1]}, {}",
]  # fmt: skip


@pytest.mark.parametrize("source", HPARAMS)
def test_hyperparameters_as_messages_of_tensorboard(source):
    pytest.importorskip("tensorboard")

    def program(lib):
        module = importlib.import_module(f"{lib.__name__}.utils.tensorboard.summary")
        try:
            return [str(summary) for summary in eval(f"module.hparams({source})", {"module": module, "lib": lib})]
        except (TypeError, ValueError) as error:
            return type(error).__name__, str(error)

    both(program)


def test_a_writer_takes_whole_summaries(tmp_path):
    """Lightning's logger hands them hyperparameters."""
    pytest.importorskip("tensorboard")
    from gradcore.utils.tensorboard import SummaryWriter
    from gradcore.utils.tensorboard.summary import hparams

    with SummaryWriter(str(tmp_path)) as writer:
        for summary in hparams({"rate": 0.5}, {"loss": 1}):
            writer._get_file_writer().add_summary(summary, 3)
    writer.flush()
    (file,) = tmp_path.iterdir()
    assert b"rate" in file.read_bytes()
    writer.close()
    writer.add_scalar("after", 1.0, 4)
    writer.close()
    assert any(b"after" in file.read_bytes() for file in tmp_path.iterdir())


def test_collectives_with_gradients_in_a_group_of_one():
    functional = gradcore.distributed.nn.functional
    x = gradcore.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="not been initialized"):
        functional.all_reduce(x)
    gradcore.distributed.init_process_group("gloo", rank=0, world_size=1)
    try:
        parts = [
            functional.all_reduce(x), functional.broadcast(x, 0), functional.reduce(x, 0), functional.scatter([x]),
            functional.reduce_scatter(gradcore.empty(2), [x]), *functional.gather(x), *functional.all_gather(x),
            *functional.all_to_all([gradcore.empty(2)], [x]),
        ]  # fmt: skip
    finally:
        gradcore.distributed.destroy_process_group()
    sum(parts).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]


@pytest.mark.parametrize(
    "tree",
    [
        "[1, (2, 3), {'b': 4, 'a': [5]}]",
        "(1,)",
        "1",
        "OrderedDict(b=1, a=(2,))",
        "defaultdict(list, {'a': 1})",
        "Pair(1, [2])",
    ],
)
def test_structures_of_nests_as_objects(tree):
    """Packages take nests apart by SUPPORTED_NODES, and put them together by TreeSpec."""
    from collections import OrderedDict, defaultdict, namedtuple

    import torch.utils._pytree as theirs

    import gradcore.utils._pytree as ours

    value = eval(tree, {"OrderedDict": OrderedDict, "defaultdict": defaultdict, "Pair": namedtuple("Pair", "x y")})

    def flat(module, node):
        kind = module._get_node_type(node)
        if kind not in module.SUPPORTED_NODES:
            return [node], module.LeafSpec()
        children, context = module.SUPPORTED_NODES[kind].flatten_fn(node)
        parts = [flat(module, child) for child in children]
        return [leaf for leaves, _ in parts for leaf in leaves], module.TreeSpec(
            kind, context, [spec for _, spec in parts]
        )

    (leaves, spec), (expected, other) = flat(ours, value), flat(theirs, value)
    assert leaves == expected and ours.tree_unflatten(leaves, spec) == value == theirs.tree_unflatten(expected, other)
    assert type(ours.tree_unflatten(leaves, spec)) is type(value)
    assert spec == flat(ours, value)[1] and (spec.num_leaves, spec.is_leaf()) == (other.num_leaves, other.is_leaf())
    with pytest.raises(ValueError, match="leaves"):
        ours.tree_unflatten([*leaves, 1], spec)


@pytest.mark.parametrize(
    "arguments",
    [
        "lib.float64",
        "'cpu'",
        "'cpu', lib.float64",
        "lib.ones(1, dtype=lib.float64)",
        "dtype=lib.float64, non_blocking=True",
    ],
)
def test_the_parser_of_arguments_of_to(arguments):
    both(lambda lib: [str(part) for part in eval(f"lib._C._nn._parse_to({arguments})", {"lib": lib})[:3]])


CHECKS = [
    "lib._check(False)", "lib._check(False, lambda: 'msg')", "lib._check(1)", "lib._check('a')", "lib._check(False, 'text')",
    "lib._check(lib.tensor(False))", "lib._check_index(False, lambda: 'x')", "lib._check_value(False)", "lib._check_type(False)",
    "lib._check_not_implemented(False)", "lib._assert(False, 'm')", "lib._assert_async(lib.tensor(False))",
    "lib._assert_async(lib.tensor(False), 'hey')", "lib._assert_async(lib.tensor([1, 2]))",
]  # fmt: skip


@pytest.mark.parametrize("program", CHECKS)
def test_checks_that_fail(program):
    both(lambda lib: eval(program, {"lib": lib}), raises="")


SYMBOLS = [
    "lib._check(True)", "lib._shape_as_tensor(lib.ones(2, 3))", "[lib.sym_int(2.7), lib.sym_int(-2.7), lib.sym_float(3)]",
    "[lib.sym_max(1, 2.5), lib.sym_max(3, 2.5), lib.sym_min(1, 2.0), lib.sym_max(1, 2)]", "lib.sym_sum([1, 2])",
    "[lib.sym_not(True), lib.sym_ite(True, 1, 2)]", "lib.hub.HASH_REGEX.pattern", "isinstance(lib.ones(1), lib.SymInt)",
    "lib._assert_async(lib.tensor(True))",
]  # fmt: skip


@pytest.mark.parametrize("program", SYMBOLS)
def test_numbers_that_might_be_symbols(program):
    both(lambda lib: eval(program, {"lib": lib}))


def test_control_flow():
    """(torch compiles these, which takes seconds.)"""
    x = gradcore.tensor(2.0, requires_grad=True)
    for pred, expected in ((x > 1, 4.0), (False, 1.0)):
        (gradient,) = gradcore.autograd.grad(gradcore.cond(pred, lambda x: x * x, lambda x: x + 1, (x,)), x)
        assert gradient.item() == expected
    with pytest.raises(RuntimeError, match="tuple"):
        gradcore.cond(True, len, len, 3)
    n, y = gradcore.while_loop(
        lambda n, y: y < 100, lambda n, y: (n + 1, y * 3), (gradcore.tensor(0), gradcore.tensor(1.0))
    )
    assert (n.item(), y.item()) == (5, 243.0)


def test_vectors_of_many_tensors():
    def program(lib):
        utils = importlib.import_module(f"{lib.__name__}._utils")
        tensors = [lib.arange(6.0).reshape(2, 3).t(), lib.tensor(7.0), lib.zeros(0)]
        flat = utils._flatten_dense_tensors(tensors)
        return flat, utils._unflatten_dense_tensors(flat * 2, tensors)

    both(program)


def test_types_of_what_layers_take():
    ours, theirs = (importlib.import_module(f"{lib}.nn.common_types") for lib in ("gradcore", "torch"))
    names = [name for name in vars(theirs) if name.startswith(("_size", "_ratio"))]
    assert len(names) == 13
    for name in names:
        assert set(typing.get_args(getattr(ours, name))) == set(typing.get_args(getattr(theirs, name)))


def test_marks_for_a_compiler():
    def program(lib):
        internal = importlib.import_module(f"{lib.__name__}._jit_internal")
        pool = internal.boolean_dispatch(
            "flag", 1, False, lambda x, flag: x + 1, lambda x, flag=False: x, "here", "pool"
        )
        return (
            pool(1),
            pool(1, True),
            pool(1, flag=True),
            internal._copy_to_script_wrapper(lambda x: -x)(1),
            pool.__name__,
        )

    both(program)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_modules_know_the_original():
    """Programs take a module out of what compile() gave them, or its names out of a state dict."""

    def program(lib):
        class Net(lib.nn.Sequential):
            scale = 3

        net = Net(lib.nn.Linear(2, 2), lib.nn.Dropout())
        made = lib.compile(net, backend="eager")
        facts = [type(made).__name__, made._orig_mod is net, isinstance(made, Net), isinstance(made, lib.nn.Module)]
        facts += [list(made.state_dict()), [name for name, _ in made.named_modules()], len(made), repr(made)]
        facts += [made.scale, made.eval() is made, net.training, net[1].training, made.training]
        made.scale, made.head = 5, lib.nn.ReLU()
        facts += [net.scale, net.head is made.head, "scale" in made.__dict__, len(list(made.children()))]
        del made.head
        facts += [hasattr(net, "head"), hasattr(made, "head"), {"_orig_mod", "scale"} <= set(dir(made))]
        twin = copy.deepcopy(made)
        facts += [twin._orig_mod is net, lib.equal(twin.get_submodule("_orig_mod.0").weight, net[0].weight)]
        made.load_state_dict({name: lib.ones_like(value) for name, value in twin.state_dict().items()})
        seen = []
        made.register_forward_hook(lambda module, args, out: seen.append(type(module).__name__))
        facts += [made(lib.ones(1, 2)), net(lib.ones(1, 2)), seen, made.double() is made, net[0].weight.dtype]
        plain = lib.nn.ReLU()
        facts += [lib.compile(plain, disable=True) is plain, lib.compile(disable=True)(plain) is plain]
        facts += [type(lib.compile(backend="eager")(plain)).__name__]
        return [str(fact) if isinstance(fact, lib.dtype) else fact for fact in facts]

    both(program)


@pytest.mark.filterwarnings("ignore:The inner type of a container is lost")
def test_isinstance_looks_into_containers():
    def program(lib):
        checks = [
            ([1], list[int]), ([1, "a"], list[int]), ([], list[int]), ([[1]], list[list[int]]),
            ({"a": 1}, dict[str, int]), ({"a": 1}, dict[str, str]), ((1, "a"), tuple[int, str]), ((1,), tuple[int, str]),
            (None, typing.Optional[int]), (3, typing.Optional[int]), ("a", typing.Optional[int]), (3, (int, str)),  # noqa: UP045
            ([lib.ones(1)], list[lib.Tensor]), ([1], (list[int], str)), (lib.ones(1), lib.Tensor), (1, list[int]),
        ]  # fmt: skip
        return [lib.jit.isinstance(value, kind) for value, kind in checks]

    both(program)
    both(lambda lib: lib.jit.isinstance([1], typing.List), raises="without a contained type")  # noqa: UP006


def test_older_places():
    version = importlib.import_module("gradcore.torch_version")
    assert version.TorchVersion("2.13.0") > "2.2" and version.__version__ >= "2.13"
    amp = importlib.import_module("gradcore.cuda.amp")
    for place, name in (("autocast_mode", "autocast"), ("grad_scaler", "GradScaler")):
        assert getattr(importlib.import_module(f"gradcore.cuda.amp.{place}"), name) is getattr(amp, name)
    for lib in libraries():
        for device, name in itertools.product(("cuda", "cpu"), ("autocast", "GradScaler")):
            with (
                pytest.warns(FutureWarning, match=f"torch.amp.{name}.'{device}'") as caught,
                contextlib.suppress(UserWarning),
            ):
                getattr(getattr(lib, device).amp, name)()
            assert caught[0].filename == __file__


def test_a_mode_of_the_dispatcher_that_makes_itself():
    from gradcore.utils._python_dispatch import TorchDispatchMode

    class Mode(TorchDispatchMode):
        def __init__(self):
            pass

        def __enter__(self):
            return super().__enter__()

    with pytest.raises(NotImplementedError, match="no dispatcher"):
        Mode().__enter__()


TREES = [
    "{'a': [1, (2, None)]}",
    "collections.OrderedDict(a=1)",
    "collections.deque([1], maxlen=2)",
    "collections.defaultdict(list, {'a': 1})",
    "3",
]


@pytest.mark.parametrize("tree", TREES)
def test_structures_as_text(tree):
    def program(lib):
        trees = lib.utils._pytree
        spec = trees.tree_flatten(eval(tree, {"collections": collections}))[1]
        text = trees.treespec_dumps(spec)
        return text, trees.treespec_loads(text) == spec, str(trees.treespec_loads(text))

    importlib.import_module("torch.utils._pytree")
    both(program)
    both(
        lambda lib: lib.utils._pytree.treespec_dumps(lib.utils._pytree.tree_flatten(1)[1], 7),
        raises="Unknown protocol 7",
    )


def test_exceptions_on_their_way():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    def program(lib, kind):
        try:
            raise kind("bad", 1) if kind is Odd else kind("bad")
        except Exception:
            wrapped = lib._utils.ExceptionWrapper(where="in thread 7")
        assert wrapped.exc_type is kind and wrapped.where == "in thread 7"
        wrapped.reraise()

    both(lambda lib: program(lib, ValueError), raises="Caught ValueError in thread 7.\nOriginal Traceback")
    both(lambda lib: program(lib, KeyError), raises="Caught KeyError in thread 7.\nOriginal Traceback")
    both(lambda lib: program(lib, Odd), raises="Caught Odd in thread 7.\nOriginal Traceback")


@pytest.mark.parametrize("options", [{}, {"optional": True}, {"allow_cpu": True}], ids=str)
@pytest.mark.parametrize("device", ["cpu", 0, "meta", None])
def test_numbers_of_devices(device, options):
    if device == "cpu" and "allow_cpu" not in options:
        both(lambda lib: lib._utils._get_device_index(device, **options), raises="Expected a non cpu device")
    elif device in ("meta", None) and "optional" not in options:
        both(lambda lib: lib._utils._get_device_index(device, **options), raises="with a specified index or an integer")
    else:
        both(lambda lib: lib._utils._get_device_index(device, **options))


def test_a_context_that_decorates():
    def program(lib):
        contexts = importlib.import_module(f"{lib.__name__}.utils._contextlib")
        seen = []

        class Loud(contexts._DecoratorContextManager):
            def __init__(self, name="it"):
                self.name = name

            def clone(self):
                return Loud(self.name)

            def __enter__(self):
                seen.append(f"into {self.name}")

            def __exit__(self, *error):
                seen.append(f"out of {self.name}")

        @Loud("f")
        def f(x):
            return x + 1

        @Loud("g")
        def g(n):
            given = 0
            for i in range(n):
                given = yield i + (given or 0)
            return "end"

        class Bare(contexts._NoParamDecoratorContextManager, Loud):
            pass

        @Bare
        def h():
            return "h"

        generator = g(2)
        found = [f(1), next(generator), generator.send(5), h(), contexts.context_decorator(lambda: Loud(), len)([1])]
        with pytest.raises(StopIteration, match="end"):
            next(generator)
        return found, seen

    both(program)


def test_a_compiler_that_is_told_what_to_do():
    def program(lib):
        dynamo = importlib.import_module(f"{lib.__name__}._dynamo")
        before = dynamo.config.suppress_errors
        with dynamo.config.patch(suppress_errors=not before, recompile_limit=3):
            inside = dynamo.config.suppress_errors is before, dynamo.config.recompile_limit
        assert dynamo.config.suppress_errors is before
        with lib.compiler.set_stance("force_eager"):
            found = lib.compile(lambda x: x + 1)(lib.ones(2))
        decorated = lib.compiler.set_stance("force_eager")(lambda x: x * 2)
        ran = dynamo.run(lambda x: x * 3)(lib.ones(1))
        lib._C._jit_set_profiling_mode(True), lib._C._jit_set_profiling_executor(True)
        return inside, found, decorated(lib.ones(1)), ran, dynamo.utils.counters["no such thing"]

    both(program)
    importlib.import_module("gradcore._inductor.config").triton.unique_kernel_names = True
    assert gradcore._dynamo.optimize("eager")(len) is len and gradcore._dynamo.list_backends() == []
    with pytest.raises(NotImplementedError, match="no graphs to explain"):
        gradcore._dynamo.explain(len)([1])


def test_stances_are_restored():
    def program(lib):
        frames = importlib.import_module(f"{lib.__name__}._dynamo.eval_frame")
        seen = [frames._stance.stance]

        def look(*ignored):
            seen.append(frames._stance.stance)

        before = frames._stance
        decorated = lib.compiler.set_stance("fail_on_recompile")(look)
        look()
        with lib.compiler.set_stance("force_eager"):
            decorated()
            look()
        look()
        lib.compiler.set_stance("eager_on_recompile")
        look()
        lasting = frames._set_stance(before)
        look()
        return seen, lasting.stance, frames._stance is before

    both(program)
    both(lambda lib: lib.compiler.set_stance("force_eager", force_backend="eager"), raises="cannot have force_backend")


def test_a_stance_that_is_not_known_changes_nothing():
    from gradcore._dynamo import eval_frame

    before = eval_frame._stance
    with pytest.raises(RuntimeError, match="invalid torch.compile stance 'loud'"):
        gradcore.compiler.set_stance("loud")
    assert eval_frame._stance is before
    with gradcore.compiler.set_stance("force_eager"), gradcore.compiler.set_stance(before):
        assert eval_frame._stance is before
    assert eval_frame._stance is before


def test_paths_of_function_transforms():
    for lib in libraries():
        paths = [importlib.import_module(f"{lib.__name__}._functorch.{name}") for name in ("apis", "functional_call")]
        assert paths[0].vmap is lib.func.vmap and paths[1].functional_call is lib.func.functional_call
        assert (
            importlib.import_module(f"{lib.__name__}._functorch.eager_transforms").jacrev(lambda x: x * 2)(lib.ones(1))
            == 2
        )


def test_functions_of_the_core_as_modules():
    both(lambda lib: importlib.import_module(f"{lib.__name__}._VF").tanh(lib.ones(1)))
    both(lambda lib: lib._C._nn.gelu(lib.ones(1)), ulps=1)
    assert gradcore._C._nn.linear is gradcore.nn.functional.linear
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        gradcore._C._nn.nothing  # noqa: B018


def test_counts_of_named_results():
    names = "max min sort topk kthvalue median mode cummax cummin aminmax frexp slogdet lu_unpack histogram qr".split()

    def program(lib):
        counts = [(n, getattr(lib.return_types, n)) for n in names]
        return [(n, t.n_fields, t.n_sequence_fields, t.n_unnamed_fields) for n, t in counts], lib.ones(2).max(
            0
        ).n_fields

    both(program)


def test_the_class_that_tensors_inherit_from():
    def program(lib):
        bases = lib._C.TensorBase, lib._C._TensorBase
        things = lib.ones(1), lib.nn.Parameter(lib.ones(1)), 1
        return [isinstance(x, base) for x in things for base in bases], bases[0].add(lib.ones(1), 1)

    both(program)


@pytest.mark.parametrize(
    "package", ["distributions", "nn", "nn.modules", "nn.utils", "optim", "optim.lr_scheduler", "utils.data"]
)
def test_star_imports_take_no_more_than_torchs(package):
    """What a program calls `normal`, `utils` or `init` itself is not overwritten by a submodule."""
    taken = {}
    for lib in (gradcore, torch):
        taken[lib] = {}
        exec(f"from {lib.__name__}.{package} import *", taken[lib])
    assert set(taken[gradcore]) <= set(taken[torch])


@pytest.mark.parametrize("package", ["autograd", "utils"])
def test_star_imports_take_no_submodule_that_torchs_leaves_out(package):
    def modules(lib):
        names = {}
        exec(f"from {lib.__name__}.{package} import *", names)
        return {name for name, value in names.items() if isinstance(value, types.ModuleType)}

    assert modules(gradcore) <= modules(torch)
