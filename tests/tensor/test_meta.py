"""Tensors on the device "meta": shapes and dtypes without values."""

import copy

import pytest

import gradcore
from support import both

torch = pytest.importorskip("torch")


def shown(value):
    """What can be told of a result that has no values."""
    if isinstance(value, (tuple, list)):
        return [shown(v) for v in value]
    if hasattr(value, "is_meta"):
        return str(value.device), tuple(value.shape), str(value.dtype), value.stride(), value.requires_grad
    return value


EXPRESSIONS = [
    "lib.empty(0, device='meta')",
    "lib.empty((), device='meta', dtype=lib.float64)",
    "t * 2 + 1",
    "t.t()",
    "t[0]",
    "t[:, [0, 1]]",
    "t.sum(0, keepdim=True)",
    "list(t.max(1))",
    "t.double()",
    "t.half()",
    "t.clone()",
    "t.sort().values",
    "t.cumsum(0)",
    "t.expand(4, 2, 3)",
    "t.reshape(3, 2)",
    "lib.cat([t, t])",
    "lib.stack([t, t])",
    "lib.where(t > 0, t, 0)",
    "lib.einsum('ij,kj->ik', t, t)",
    "lib.softmax(t, 0)",
    "lib.zeros_like(t)",
    "t.new_zeros(2)",
    "lib.empty_like(t, device='cpu')",
    "lib.ones(3, device='cpu').to(t)",
    "lib.ones(3).to('meta', lib.float64)",
    "lib.tensor([1.0], device='meta')",
    "lib.as_tensor([1, 2], device='meta')",
    "lib.arange(3, device='meta')",
    "lib.linspace(0, 1, 5, device='meta')",
    "lib.eye(3, device=lib.device('meta'))",
    "lib.full((2,), 3.0, device='meta')",
    "lib.randint(5, (2,), device='meta')",
    "lib.tril(lib.ones(3, 3, device='meta'))",
    "lib.randn(3, 4, device='meta') @ lib.randn(4, 2, device='meta')",
    "lib.nn.functional.layer_norm(t, (3,))",
    "lib.nn.functional.conv2d(lib.empty(1, 3, 8, 8, device='meta'), lib.empty(4, 3, 3, 3, device='meta'))",
    "lib.nn.BatchNorm1d(3, device='meta')(t)",
    "lib.nn.LSTM(3, 4, device='meta')(lib.empty(5, 2, 3, device='meta'))[0]",
    "lib.nn.MultiheadAttention(4, 2, device='meta')(*[lib.empty(5, 2, 4, device='meta')] * 3)[0]",
    "lib.nn.Linear(2, 2, device='meta').to_empty(device='cpu').weight",
    "lib.nn.Linear(2, 2).to('meta').weight",
    "copy.deepcopy(lib.nn.Linear(2, 2, device='meta')).bias",
    "[t.is_cpu, t.get_device(), t.nbytes, t.is_contiguous()]",
    "t[2:]",
    "t[2:].exp()",
    "t[2:] > 1",
    "t[2:].clone()",
    "t[:0].sum(0)",
    "lib.cat([t[:0], t[:0]])",
    "t[:, :0] @ t.T[:0]",
    "lib.addmm(t, lib.ones(2, 0, device='meta'), lib.ones(0, 3, device='meta'))",
    "list(t[:0].max(1))",
    "lib.zeros_like(t[:0], device='cpu')",
    "lib.arange(3, device='meta') // lib.arange(3, device='meta')",
    "lib.arange(3, device='meta') % lib.arange(3, device='meta')",
    "lib.quantile(t, lib.empty(2, device='meta'), dim=1)",
    "[r.shape for full in (True, False) for r in lib.linalg.svd(t.detach(), full_matrices=full)]",
    "lib.linalg.svdvals(lib.empty(4, 300, 200, device='meta'))",
    "[f(t @ t.mT) for f in (lib.linalg.cholesky, lib.linalg.inv, lib.linalg.det, lib.linalg.eigvalsh, lib.linalg.matrix_exp)]",
    "[lib.linalg.matrix_norm(t.detach(), p) for p in (2, -2, 'nuc')]",
    "[f(t.detach()) for f in (lib.linalg.pinv, lib.linalg.matrix_rank, lib.linalg.cond)]",
    "lib.linalg.eigh(lib.empty(2, 3, 3, device='meta'))",
    "[lib.linalg.solve(lib.empty(3, 3, device='meta'), t.mT), lib.linalg.lu_factor(lib.empty(3, 3, device='meta'))]",
    "lib.linalg.ldl_factor(lib.empty(3, 3, device='meta'))",
    "[lib.nn.functional.one_hot(lib.empty(3, dtype=lib.int64, device='meta'), 4), lib.histc(t.detach(), 5)]",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_results(expression):
    def program(lib):
        t = lib.empty(2, 3, device="meta", requires_grad=True)
        return shown(eval(expression, {"lib": lib, "t": t, "copy": copy}))

    assert program(gradcore) == program(torch)


@pytest.mark.parametrize(
    "expression",
    [
        "t",
        "t.detach().requires_grad_()",
        "t * 2",
        "t.detach().double()",
        "lib.nn.Parameter(t)",
        "lib.empty(2, dtype=lib.int64, device='meta')",
        "lib.empty(0, device='meta')",
        "lib.empty((), device='meta')",
    ],
)
def test_printing(expression):
    def program(lib):
        t = eval(expression, {"lib": lib, "t": lib.empty(2, 3, device="meta", requires_grad=True)})
        return repr(t), format(t)

    both(program)


def test_gradients_have_shapes_too():
    def program(lib):
        x = lib.empty(2, 3, device="meta", requires_grad=True)
        w = lib.empty(3, 4, device="meta", requires_grad=True)
        ((x @ w).exp() + 1).sum().backward()
        lib.optim.SGD([x, w], lr=0.1).step()
        return shown([x.grad, w.grad, x, w])

    assert program(gradcore) == program(torch)


@pytest.mark.parametrize(
    "action",
    [
        lambda lib, t: t.tolist(),
        lambda lib, t: t.to("cpu"),
        lambda lib, t: t.cpu(),
        lambda lib, t: lib.zeros(2, 3).copy_(t),
        lambda lib, t: t.nonzero(),
        lambda lib, t: lib.equal(t, t),
        lambda lib, t: t.unique(),
        lambda lib, t: lib.nn.Linear(2, 2, device="meta").to("cpu"),
    ],
)
def test_values_are_refused(action):
    for lib in (gradcore, torch):
        with pytest.raises(NotImplementedError):
            action(lib, lib.empty(2, 3, device="meta"))


def test_a_tensor_with_values_keeps_them():
    x = gradcore.zeros(2)
    with pytest.raises(RuntimeError, match="found at least two devices, cpu and meta"):
        x.add_(gradcore.empty(2, device="meta"))  # torch adds nothing and says nothing
    assert x.tolist() == [0, 0] and not x.is_meta
    t = gradcore.empty(2, device="meta")
    t.copy_(x)
    assert t.is_meta


def test_where_factories_make_tensors():
    def program(lib):
        with lib.device("meta"):
            made = [lib.zeros(2), lib.tensor(1.0), lib.zeros(2, device="cpu"), lib.nn.Linear(2, 3).weight]
            made.append(lib.zeros_like(lib.ones(1, device="cpu")))
            where = str(lib.get_default_device())
            with lib.device("cpu"):
                made.append(lib.zeros(1))
        return shown([*made, where, lib.zeros(1), str(lib.get_default_device())])

    assert program(gradcore) == program(torch)


def test_the_default_device():
    try:
        gradcore.set_default_device("meta")
        assert gradcore.zeros(2).is_meta and not gradcore.zeros(2, device="cpu").is_meta
    finally:
        gradcore.set_default_device(None)
    assert not gradcore.zeros(2).is_meta


def test_no_random_numbers_are_drawn():
    gradcore.manual_seed(0)
    expected = gradcore.rand(3)
    gradcore.manual_seed(0)
    gradcore.nn.init.normal_(gradcore.nn.Linear(3, 3, device="meta").weight)
    gradcore.randn(3, device="meta")
    assert gradcore.equal(gradcore.rand(3), expected)


def test_weights_from_a_state_dict():
    source = gradcore.nn.Linear(2, 3)
    made = gradcore.nn.Linear(2, 3, device="meta")
    made.load_state_dict(source.state_dict(), assign=True)
    x = gradcore.ones(1, 2)
    assert not made.weight.is_meta and gradcore.equal(made(x), source(x))


def test_memory_is_forgotten_with_the_tensor():
    """What is allocated where a meta tensor was has values."""
    for _ in range(20):
        t = gradcore.empty(1000, device="meta")
        del t
        assert not gradcore.ones(1000).is_meta and float(gradcore.ones(1000).sum()) == 1000


def test_a_large_model_takes_no_memory():
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with gradcore.device("meta"):
        net = gradcore.nn.Sequential(*[gradcore.nn.Linear(8000, 8000) for _ in range(4)])
    assert net(gradcore.empty(3, 8000, device="meta")).shape == (3, 8000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB, of a million


def test_beside_a_profile():
    with gradcore.profiler.profile():
        t = gradcore.empty(3, device="meta") + 1
        assert t.is_meta and (gradcore.ones(2) + 1).tolist() == [2, 2]
    assert (gradcore.empty(3, device="meta") + 1).is_meta


def test_threads_make_and_drop_them():
    from concurrent.futures import ThreadPoolExecutor

    def work(seed):
        for _ in range(200):
            with gradcore.device("meta"):
                t = gradcore.zeros(seed + 1)
            assert (t + 1).is_meta
            del t
            x = gradcore.full((50,), float(seed))
            assert not x.is_meta and float((x + 1).sum()) == 50 * (seed + 1)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_storages_have_values():
    for action in (
        lambda: gradcore.UntypedStorage(3, device="meta"),
        lambda: gradcore.FloatStorage._new_shared(3, device="meta"),
    ):
        with pytest.raises(NotImplementedError, match="device meta"):
            action()
