"""Devices that are not there: objects that can be named, and the errors of torch's CPU build where they are used."""

import importlib
import os
import warnings

import pytest

import gradcore
from support import both, needs_torch, torch

PRESENT = [
    "str(lib.device('cuda:0'))",
    "lib.device('cuda').index",
    "repr(lib.device('cuda', 1))",
    "lib.device('mps').type",
    "lib.device('cuda:0') == lib.device('cuda', 0)",
    "lib.device('cuda') == lib.device('cpu')",
    "hash(lib.device('xpu:1')) == hash(lib.device('xpu', 1))",
    "lib.cuda.is_available()",
    "lib.cuda.device_count()",
    "lib.cuda.is_initialized()",
    "lib.cuda.manual_seed(1)",
    "lib.cuda.manual_seed_all(1)",
    "lib.cuda.seed()",
    "lib.cuda.empty_cache()",
    "lib.cuda.memory_allocated()",
    "lib.cuda.max_memory_allocated()",
    "lib.cuda.memory_reserved()",
    "lib.cuda.get_rng_state_all()",
    "lib.cuda.set_rng_state(lib.get_rng_state())",
    "lib.cuda.get_arch_list()",
    "lib.cuda.set_device(-1)",
    "lib.cuda.is_bf16_supported()",
    "lib.cuda.default_generators",
    "lib.cuda.device(-1).__enter__()",
    "lib.cuda.device_of(lib.ones(1)).__enter__()",
    "lib.version.cuda",
    "lib.version.hip",
    "lib.version.xpu",
    "lib.version.debug",
    "lib.backends.cudnn.is_available()",
    "lib.backends.cudnn.version()",
    "lib.backends.cudnn.enabled",
    "lib.backends.cudnn.benchmark",
    "lib.backends.cudnn.deterministic",
    "lib.backends.mps.is_available()",
    "lib.backends.mps.is_built()",
    "lib.backends.cuda.is_built()",
    "lib.backends.cuda.matmul.allow_tf32",
    "lib.accelerator.is_available()",
    "lib.accelerator.current_accelerator()",
    "lib.accelerator.device_count()",
    "lib.mps.is_available()",
    "lib.mps.device_count()",
    "lib.mps.manual_seed(0)",
    "lib.xpu.is_available()",
    "lib.xpu.device_count()",
    "lib.xpu.empty_cache()",
    "lib.cpu.is_available()",
    "lib.cpu.device_count()",
    "lib.cpu.current_device()",
    "lib.is_tensor(None)",
    "lib.ones(1).is_pinned()",
    "lib.ones(2).share_memory_()",
    "lib.typename(lib.ones(1))",
    "lib.typename(3)",
    "lib.typename('a')",
    "lib.hub.get_dir()",
    "lib.compile(len) is not None",
    "lib.compiler.is_compiling()",
    "lib.jit.is_scripting()",
    "lib.jit.is_tracing()",
    "lib.is_autocast_enabled()",
    "lib.get_float32_matmul_precision()",
    "lib.get_deterministic_debug_mode()",
    "lib.are_deterministic_algorithms_enabled()",
    "lib.is_warn_always_enabled()",
    "lib.is_storage(1)",
    "lib.distributed.is_available()",
    "lib.distributed.is_initialized()",
]


@pytest.mark.parametrize("program", PRESENT)
def test_what_programs_probe(program):
    both(lambda lib: eval(program))


@pytest.fixture
def warn_always():
    libs = [lib for lib in (gradcore, torch) if lib]
    for lib in libs:
        lib.set_warn_always(True)
    yield
    for lib in libs:
        lib.set_warn_always(False)


def test_warnings_each_time(warn_always):
    """Those that come once in a process otherwise: of an op, and of backward()."""

    def program(lib):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            for _ in range(2):
                lib.searchsorted(lib.ones(2), lib.ones(4)[::2])
                x = lib.ones(2, requires_grad=True)
                (x * x).sum().backward(create_graph=True)
                x.grad = None
        return [str(w.message)[:30] for w in seen]

    both(program)


REFUSED = [
    ("lib.device('moon')", "moon"),
    ("lib.device(0)", "Cannot access accelerator device"),
    ("lib.zeros(2, device='cuda')", "Torch not compiled with CUDA enabled"),
    ("lib.zeros(2, device=lib.device('cuda:1'))", "Torch not compiled with CUDA enabled"),
    ("lib.zeros(2).cuda()", "Torch not compiled with CUDA enabled"),
    ("lib.zeros(2).xpu()", "Torch not compiled with XPU enabled"),
    ("lib.zeros(2).to('cuda')", "Torch not compiled with CUDA enabled"),
    ("lib.zeros(2).to('mps')", "not linked with support for mps devices"),
    ("lib.tensor([1], device='cuda')", "Torch not compiled with CUDA enabled"),
    ("lib.as_tensor([1], device=lib.device('cuda'))", "Torch not compiled with CUDA enabled"),
    ("lib.tensor(1, device='vulkan')", "not linked with support for vulkan devices"),
    ("lib.cuda.current_device()", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.synchronize()", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.get_device_name(0)", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.init()", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.current_stream()", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.initial_seed()", "Torch not compiled with CUDA enabled"),
    ("lib.cuda.set_device('cpu')", "Expected a cuda device"),
    ("lib.cuda.Stream()", "requires CUDA support"),
    ("lib.cuda.FloatTensor(2)", "type torch.cuda.FloatTensor not available"),
    ("lib.cuda.nvtx.range_push('a')", "NVTX functions not installed"),
    ("lib.accelerator.synchronize()", "Cannot access accelerator device"),
    ("lib.mps.synchronize()", "without"),
    ("lib.ones(1).pin_memory()", "Cannot access accelerator device"),
    ("lib.distributed.get_rank()", "Default process group has not been initialized"),
    ("lib.distributed.get_world_size()", "Default process group has not been initialized"),
    ("lib.use_deterministic_algorithms(3)", "must be bool"),
    ("lib.autocast(lib.device('cpu'))", "Expected `device_type` of type `str`"),
]


@pytest.mark.parametrize("program, phrase", REFUSED)
def test_use_of_an_absent_device_is_refused(program, phrase):
    both(lambda lib: eval(program), raises=phrase)


def test_every_name_of_the_stub_is_there():
    for name in dir(gradcore):
        getattr(gradcore, name)


def test_a_missing_name_says_what_is_near():
    with pytest.raises(AttributeError, match="'softmax'"):
        _ = gradcore.sotfmax
    assert not hasattr(gradcore, "no_such_name_at_all")


@pytest.mark.parametrize(
    "program",
    [
        "fx.symbolic_trace(1)",
        "onnx.export(1)",
        "export.export(1)",
        "jit.save(1)",
        "jit.load(1)",
        "hub.load('a', 'b')",
        "quantization.prepare(1)",
        "ones(1).cfloat()",
        "distributed.send(1)",
        "distributed.init_process_group(world_size=2)",
    ],
)
def test_what_is_absent_says_so_in_a_sentence(program):
    with pytest.raises(NotImplementedError) as caught:
        eval(f"gradcore.{program}")
    assert len(str(caught.value).split()) > 4


def test_one_warning_from_jit():
    import warnings

    gradcore.jit._warned = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert gradcore.jit.script(abs) is abs and gradcore.jit.trace(abs, 1) is abs
    assert len(caught) == 1


def test_a_group_of_one_process():
    dist = gradcore.distributed
    dist.init_process_group("gloo", world_size=1, rank=0)
    try:
        x, copies = gradcore.ones(2), [gradcore.zeros(2)]
        dist.all_reduce(x)
        dist.all_gather(copies, x)
        assert (dist.get_rank(), dist.get_world_size(), copies[0].tolist()) == (0, 1, [1.0, 1.0])
        assert dist.all_reduce(x, async_op=True).wait()
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized()


def scaled_training(lib, device, bad):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    optimizer = lib.optim.SGD([x], lr=0.1)
    scaler = lib.amp.GradScaler(device, init_scale=4.0, growth_interval=2)
    seen = []
    for step in range(5):
        optimizer.zero_grad()
        scaler.scale((x * x).sum() * (float("inf") if step == bad else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
        seen += [x.detach().clone(), scaler.get_scale(), scaler._get_growth_tracker(), scaler.state_dict()]
    return seen


@pytest.mark.parametrize("bad", [None, 2])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_grad_scaler(device, bad):
    if bad is not None and device == "cuda":
        pytest.skip("a disabled scaler looks at no gradient")
    both(lambda lib: scaled_training(lib, device, bad), ulps=2)


def test_grad_scaler_refusals():
    def unscaled_twice(lib):
        x = lib.ones(1, requires_grad=True)
        optimizer = lib.optim.SGD([x], lr=0.1)
        scaler = lib.amp.GradScaler("cpu")
        scaler.scale(x.sum()).backward()
        scaler.unscale_(optimizer)
        scaler.unscale_(optimizer)

    both(unscaled_twice, raises="unscale_() has already been called")
    both(lambda lib: lib.amp.GradScaler("cpu", growth_factor=1.0), raises="growth factor must be > 1.0")
    both(lambda lib: lib.amp.GradScaler("cpu").load_state_dict({}), raises="source state dict is empty")


def test_timer_gives_times():
    from gradcore.utils.benchmark import Compare, Timer

    found = Timer("torch.zeros(n)", globals={"n": 2}).timeit(20)
    assert found.number_per_run == 20 and found.median > 0
    assert "zeros" in str(Compare([found]))


def spawned(index, folder):
    (folder / str(index)).write_text("here")
    if index == 1 and folder.name == "fails":
        raise ValueError("the second one")


def test_spawn(tmp_path):
    (tmp_path / "fails").mkdir()
    from gradcore.multiprocessing import start_processes
    from gradcore.multiprocessing.spawn import ProcessRaisedException

    start_processes(spawned, (tmp_path,), nprocs=2, start_method="fork")
    assert {file.name for file in tmp_path.iterdir()} == {"0", "1", "fails"}
    with pytest.raises(ProcessRaisedException, match="(?s)Process 1.*the second one") as caught:
        start_processes(spawned, (tmp_path / "fails",), nprocs=2, start_method="fork")
    assert caught.value.error_index == 1


def meddle(module, tensor, queue, answers):
    with gradcore.no_grad():
        module.weight.add_(1)
    tensor[1:].mul_(3)
    got = queue.get()
    got.zero_()
    answers.put([tensor.is_shared(), got.is_shared(), type(module.weight).__name__, module.weight.requires_grad])


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_memory_that_processes_share(start):
    import gradcore.multiprocessing as multiprocessing

    context = multiprocessing.get_context(start)
    module = gradcore.nn.Linear(2, 1)
    gradcore.nn.init.zeros_(module.weight)
    module.share_memory()
    tensor, sent = gradcore.ones(3).share_memory_(), gradcore.arange(6.0).reshape(2, 3).share_memory_()
    queue, answers = context.Queue(), context.Queue()
    process = context.Process(target=meddle, args=(module, tensor, queue, answers))
    process.start()
    queue.put(sent.T[1:])
    assert answers.get(timeout=60) == [True, True, "Parameter", True]
    process.join()
    assert module.weight.tolist() == [[1.0, 1.0]] and tensor.tolist() == [1.0, 3.0, 3.0]
    assert sent.tolist() == [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]


def test_shared_memory_in_one_process():
    from gradcore.multiprocessing import _shared

    x = gradcore.arange(6.0).reshape(2, 3).T
    address = x.share_memory_().data_ptr()
    assert x.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]] and x.stride() == (1, 3)
    assert x.share_memory_().data_ptr() == address and x[1:].is_shared() and not x.clone().is_shared()
    assert gradcore.ones(0).share_memory_().shape == (0,)
    leaf = gradcore.ones(2, requires_grad=True)
    (leaf * 2).sum().backward()
    assert leaf.share_memory_().requires_grad and leaf.is_leaf and leaf.grad.tolist() == [2.0, 2.0]
    descriptor = _shared._descriptors[address]
    os.fstat(descriptor)
    del x
    with pytest.raises(OSError):  # closed with the last tensor
        os.fstat(descriptor)


def test_modules_share_memory():
    def shared(lib):
        module = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.BatchNorm1d(2))
        module(lib.ones(3, 2)).sum().backward()
        module.share_memory()
        tensors = [*module.parameters(), *module.buffers(), *(p.grad for p in module.parameters())]
        return [t.is_shared() for t in tensors]

    both(shared)
    both(lambda lib: lib.nn.LazyLinear(2).share_memory(), raises="uninitialized parameter")


@needs_torch
def test_no_graph_goes_to_another_process():
    def program(lib):
        multiprocessing = importlib.import_module(f"{lib.__name__}.multiprocessing")
        near, far = multiprocessing.Pipe()
        leaf = lib.ones(2, requires_grad=True)
        near.send((leaf * 2).detach())
        assert far.recv().tolist() == [2.0, 2.0]
        near.send(leaf * 2)

    both(program, raises="Cowardly refusing to serialize non-leaf tensor")
