"""nn.Module beside torch's: attributes, registration, paths, state dicts, hooks, conversions, and the messages of errors."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from support import both, gradcore, libraries, needs_torch


def nets(lib):
    nn = lib.nn
    lib.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Dropout()), nn.Linear(3, 1, bias=False))


def raised(function):
    """What a call raises: type and message, without a library's name."""
    try:
        result = function()
    except Exception as error:  # noqa: BLE001  whatever it is, it is compared
        return type(error).__name__, str(error).replace("gradcore", "torch").replace(
            "Only Tensors of floating point and complex", "only Tensors of floating point"
        ).split(" Open an issue")[0]
    return "nothing", repr(result)


def unready(lib, assign):
    class Unready(lib.nn.Module):
        def __init__(self):
            assign(self)

    return Unready


def with_sub(lib):
    net = lib.nn.Linear(2, 3)
    net.register_buffer("b", lib.ones(2))
    net.sub = lib.nn.Linear(1, 1)
    return net


REFUSED = {
    "parameter before init": lambda lib: unready(lib, lambda m: setattr(m, "x", lib.nn.Parameter(lib.ones(1))))(),
    "module before init": lambda lib: unready(lib, lambda m: setattr(m, "x", lib.nn.ReLU()))(),
    "buffer before init": lambda lib: unready(lib, lambda m: m.register_buffer("x", lib.ones(1)))(),
    "register before init": lambda lib: unready(lib, lambda m: m.register_parameter("x", None))(),
    "tensor for a parameter": lambda lib: setattr(lib.nn.Linear(2, 3), "weight", lib.ones(2)),
    "number for a parameter": lambda lib: setattr(lib.nn.Linear(2, 3), "weight", 3),
    "number for a buffer": lambda lib: setattr(with_sub(lib), "b", 3),
    "number for a module": lambda lib: setattr(with_sub(lib), "sub", 3),
    "no attribute": lambda lib: lib.nn.Linear(2, 3).foo,
    "no attribute to delete": lambda lib: delattr(lib.nn.Linear(2, 3), "foo"),
    "no forward": lambda lib: lib.nn.Module()(3),
    "arguments": lambda lib: lib.nn.Module(1, 2),
    "keyword": lambda lib: lib.nn.Module(a=3),
    "train(3)": lambda lib: lib.nn.Module().train(3),
    "to(int64)": lambda lib: lib.nn.Linear(1, 1).to(lib.int64),
    "apply(3)": lambda lib: lib.nn.Linear(1, 1).apply(3),
    "integer parameter": lambda lib: lib.nn.Parameter(lib.ones(2, dtype=lib.int64)),
    "get_submodule('9')": lambda lib: nets(lib).get_submodule("9"),
    "get_submodule of a parameter": lambda lib: nets(lib).get_submodule("0.weight"),
    "get_parameter": lambda lib: nets(lib).get_parameter("0.foo"),
    "get_parameter of a number": lambda lib: nets(lib).get_parameter("0.in_features"),
    "get_buffer": lambda lib: nets(lib).get_buffer("0.weight"),
    "set_submodule('')": lambda lib: nets(lib).set_submodule("", lib.nn.ReLU()),
    "set_submodule strict": lambda lib: nets(lib).set_submodule("9", lib.nn.ReLU(), strict=True),
    "set_submodule(3)": lambda lib: nets(lib).set_submodule("0", 3),
    "set_submodule on a parameter": lambda lib: nets(lib).set_submodule("0.weight", lib.nn.ReLU()),
    "load nothing": lambda lib: nets(lib).load_state_dict({}),
    "load 3": lambda lib: nets(lib).load_state_dict(3),
    "load wrong": lambda lib: nets(lib).load_state_dict(
        {"0.weight": lib.ones(2, 2), "0.bias": 3, "foo": 1, "1.x.y": 2}
    ),
    "load sizes, not strict": lambda lib: nets(lib).load_state_dict({"0.weight": lib.ones(2, 2)}, strict=False),
    "full and old hooks": lambda lib: [
        getattr(m, f"register_{kind}backward_hook")(print) for m in [lib.nn.ReLU()] for kind in ("full_", "")
    ],
    "state dict hook that returns": lambda lib: [
        (m.register_state_dict_post_hook(lambda *args: 3), m.state_dict()) for m in [lib.nn.ReLU()]
    ],
    "load hook that returns": lambda lib: [
        (m.register_load_state_dict_post_hook(lambda *args: 3), m.load_state_dict({})) for m in [lib.nn.ReLU()]
    ],
    "pre-hook that returns 3": lambda lib: [
        (m.register_forward_pre_hook(lambda *args: 3, with_kwargs=True), m(lib.ones(1))) for m in [lib.nn.ReLU()]
    ],
}
for _kind, _value in (("parameter", None), ("buffer", None), ("module", None)):
    for _name in (3, "a.b", "", "forward", "bias"):
        if not (_kind == "parameter" and _name == "bias"):
            REFUSED[f"{_kind} {_name!r}"] = lambda lib, k=_kind, n=_name: getattr(lib.nn.Linear(2, 3), f"register_{k}")(
                n, None
            )
    REFUSED[f"{_kind} = 3"] = lambda lib, k=_kind: getattr(lib.nn.Linear(2, 3), f"register_{k}")("w", 3)
REFUSED["result as parameter"] = lambda lib: lib.nn.Module().register_parameter("w", lib.nn.Parameter(lib.ones(1)) * 2)


@needs_torch
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    def program(lib):
        return raised(lambda: REFUSED[case](lib))

    both(program)


def attributes(lib):
    """One name as each kind of thing in turn."""
    nn = lib.nn
    m = nn.Module()
    seen = []

    def note():
        seen.append(
            [
                list(m._parameters),
                list(m._buffers),
                list(m._modules),
                "x" in vars(m),
                sorted(m._non_persistent_buffers_set),
            ]
        )

    for value in (1, nn.Parameter(lib.ones(2)), None, nn.Parameter(lib.ones(1))):
        m.x = value
        note()
    del m.x
    m.register_buffer("x", lib.ones(2), persistent=False)
    note()
    m.x = lib.zeros(1)
    note()
    m.x = nn.Parameter(lib.ones(3))
    note()
    del m.x
    m.x = nn.ReLU()
    note()
    m.x = None
    note()
    del m.x
    m.x = nn.Buffer(lib.ones(1), persistent=False)
    note()
    m.y = lib.ones(1)
    note()
    return seen, "x" in dir(m), hasattr(m, "z"), m.y


def iteration(lib):
    nn = lib.nn
    shared = nn.Linear(1, 1)
    m = nn.Sequential(shared, nn.ModuleList([shared, nn.ReLU()]))
    m.extra = shared.weight

    def names(pairs):
        return [name for name, _ in pairs]

    return {
        "parameters": names(m.named_parameters()),
        "all": names(m.named_parameters(prefix="p", remove_duplicate=False)),
        "own": names(m.named_parameters(recurse=False)),
        "buffers": names(m.named_buffers()),
        "own buffers": names(m.named_buffers(recurse=False)),
        "modules": names(m.named_modules()),
        "all modules": names(m.named_modules(prefix="q", remove_duplicate=False)),
        "children": names(m.named_children()),
        "count": [len(list(m.parameters())), len(list(m.buffers())), len(list(m.modules())), len(list(m.children()))],
        "less": names(m.named_modules(memo={shared})),
        "dir": [n for n in dir(m) if n in ("extra", "0", "1", "forward")],
    }


def texts(lib):
    nn = lib.nn

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2)
            self.b = None
            self.register_module("c", None)

        def extra_repr(self):
            return "x=3\ny=4"

    class Lines(nn.Module):
        def extra_repr(self):
            return "x=3\ny=4"

    class Named(nn.ReLU):
        def _get_name(self):
            return "Renamed"

    return [
        repr(m)
        for m in (
            Two(),
            Lines(),
            Named(),
            nn.Module(),
            nets(lib),
            nn.Parameter(lib.ones(2)),
            nn.Parameter(lib.ones(1), False),
        )
    ]


def conversions(lib):
    m = nets(lib)
    m.register_buffer("count", lib.zeros(1, dtype=lib.int64))
    m(lib.ones(4, 2)).sum().backward()
    weight = m[0].weight
    m.double()
    found = [
        m[0].weight is weight,
        weight.dtype,
        weight.grad.dtype,
        m.count.dtype,
        weight.requires_grad,
        weight.is_leaf,
    ]
    m.to(lib.float32)
    m.to(lib.ones(1, dtype=lib.float64))
    m.to("cpu", lib.float32)
    m.to(device="cpu")
    m.float().type(lib.float64)
    found += [weight.dtype, m.count.dtype]
    m.to_empty(device="cpu").requires_grad_(False)
    found += [tuple(m[0].weight.shape), m[0].weight.requires_grad, [x.training for x in m.eval().modules()]]
    m.requires_grad_().zero_grad()
    return [*found, m[0].weight.grad, [x.training for x in m.train().modules()]]


def zeroing(lib):
    m = lib.nn.Linear(2, 1)
    m(lib.ones(3, 2)).sum().backward(create_graph=True)
    m.zero_grad(set_to_none=False)
    return m.weight.grad, m.weight.grad.requires_grad


def loading(lib):
    nn = lib.nn
    source, m = nets(lib), nets(lib).requires_grad_(False)
    for p in source.parameters():
        p.data.fill_(7)
    state = source.state_dict()
    found = [repr(m.load_state_dict(state)), [p for p in m.parameters()]]
    found += [repr(m.load_state_dict({"0.weight": lib.ones(3, 2)}, strict=False))]
    found += [
        repr(m.load_state_dict(state, assign=True)),
        [(p.requires_grad, type(p).__name__, p) for p in m.parameters()],
    ]
    found += [m[0].weight.data_ptr() == state["0.weight"].data_ptr()]
    scalar = nn.PReLU()
    scalar.weight = nn.Parameter(lib.tensor(2.0))
    scalar.load_state_dict({"weight": lib.ones(1)})
    m[0].bias.data = lib.zeros(3, dtype=lib.float64)
    m.load_state_dict({**state, "0.bias": lib.tensor([1, 2, 3])})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old = m.state_dict(None, "p.")
    return [*found, scalar.weight, m[0].bias, list(old), [w.category.__name__ for w in caught], {k: v['version'] for k, v in state._metadata.items()},
            m.state_dict(keep_vars=True)["0.weight"] is m[0].weight, m.state_dict()["0.weight"].requires_grad]  # fmt: skip


def extra_state(lib):
    class Counted(lib.nn.Module):
        _version = 3

        def __init__(self):
            super().__init__()
            self.calls = 5

        def get_extra_state(self):
            return {"calls": self.calls}

        def set_extra_state(self, state):
            self.calls = state["calls"]

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            self.version_seen = local_metadata.get("version")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    m = lib.nn.Sequential(Counted())
    state = m.state_dict()
    m[0].calls = 0
    m.load_state_dict(state)
    return (
        dict(state),
        m[0].calls,
        m[0].version_seen,
        raised(lambda: m.load_state_dict({})),
        raised(lambda: lib.nn.Sequential(lib.nn.ReLU()).load_state_dict(state)),
    )


def state_hooks(lib):
    log = []
    m = lib.nn.Linear(1, 1)
    outer = lib.nn.Sequential(m)
    m.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(("pre", prefix, keep)))
    m.register_state_dict_post_hook(
        lambda module, state, prefix, meta: log.append(("post", list(state), prefix, dict(meta)))
    )
    m.register_load_state_dict_pre_hook(
        lambda module, state, prefix, meta, strict, *lists: log.append(("load", prefix, dict(meta), strict, lists))
    )
    m.register_load_state_dict_post_hook(lambda module, keys: log.append(("loaded", tuple(keys))))
    state = outer.state_dict()
    outer.load_state_dict(state)
    del state["0.bias"]
    log.append(raised(lambda: outer.load_state_dict(state)))
    m._register_state_dict_hook(lambda module, state, prefix, meta: {"other": 1})
    return log, list(outer.state_dict()), m.state_dict()


def forward_hooks(lib):
    log = []
    m = lib.nn.Identity()
    x = lib.ones(2)
    handles = [
        m.register_forward_hook(lambda m, args, out: out * 2),
        m.register_forward_hook(lambda m, args, out: log.append("first"), prepend=True),
        m.register_forward_pre_hook(lambda m, args: args[0] + 1),
        m.register_forward_pre_hook(lambda m, args, kwargs: (args, {**kwargs}), with_kwargs=True),
        m.register_forward_hook(lambda m, args, kwargs, out: log.append(sorted(kwargs)), with_kwargs=True),
    ]
    results = [m(x)]
    for handle in handles:
        handle.remove()
        results.append(m(x))
    with m.register_forward_hook(lambda m, args, out: out + 5):
        results.append(m(x))
    return (
        results,
        log,
        [
            len(d)
            for d in (
                m._forward_hooks,
                m._forward_pre_hooks,
                m._forward_hooks_with_kwargs,
                m._forward_pre_hooks_with_kwargs,
            )
        ],
    )


def always_called(lib):
    class Fails(lib.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    log = []
    m = Fails()
    m.register_forward_hook(lambda m, args, out: log.append(("always", out)), always_call=True)
    m.register_forward_hook(lambda m, args, out: log.append("never"))
    log.append(raised(lambda: m(1)))
    m.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.append(raised(lambda: m(1)))
    return log, ["silenced" in str(w.message) for w in caught]


def full_backward_hooks(lib):
    class Both(lib.nn.Module):
        def forward(self, a, b, c=None):
            return a * b, a + b, 3

    def run(first_grad, *hooks, args=None, take=0):
        m = Both()
        log = []
        for kind, hook in hooks:
            getattr(m, kind)(hook or (lambda m, *grads: log.append(grads)))
        x = lib.ones(1, 2, requires_grad=first_grad)
        y = lib.ones(1, 2) * 2
        out = m(x, y, 5) if args is None else m(*args)
        if out[take].requires_grad:
            message = raised(lambda: out[take].sum().backward())
        else:
            message = "no graph"
        return log, message, x.grad, [type(o).__name__ for o in out]

    full, pre = "register_full_backward_hook", "register_full_backward_pre_hook"
    return [
        run(True, (full, None)),
        run(True, (full, None), take=1),
        run(True, (pre, None), (full, None)),
        run(False, (full, None)),
        run(True, (full, lambda m, gin, gout: (gin[0] * 7, gin[1], None))),
        run(True, (full, lambda m, gin, gout: (gin[0] * 7,))),
        run(True, (pre, lambda m, gout: (gout[0] * 3, gout[1], None)), (full, None)),
        run(True, (pre, lambda m, gout: gout[0])),
    ]


def backward_hooks_without_inputs(lib):
    m = lib.nn.Linear(2, 1)
    log = []
    m.register_full_backward_hook(lambda m, gin, gout: log.append((gin, gout)))
    m(lib.ones(3, 2)).sum().backward()
    return log


def old_backward_hooks(lib):
    log = []
    m = lib.nn.ReLU()
    m.register_backward_hook(lambda m, gin, gout: log.append((gin, gout)))
    x = lib.ones(2, requires_grad=True)
    m(x).sum().backward()

    class Two(lib.nn.Module):
        def forward(self, x):
            return x * 2, x * 3

    two = Two()
    two.register_backward_hook(lambda m, gin, gout: gin)
    several = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ReLU())
    several.register_backward_hook(lambda m, gin, gout: None)
    one = lib.nn.Tanh()
    one.register_backward_hook(lambda m, gin, gout: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for module in (two, several, one):
            module(x * 2)
            module(x)
    return log, [(w.category.__name__, str(w.message)) for w in caught]


def global_hooks(lib):
    hooks = lib.nn.modules.module
    log = []
    m = lib.nn.Sequential(lib.nn.Identity())
    handles = [
        hooks.register_module_forward_pre_hook(lambda m, args: log.append(("pre", repr(m)[:8]))),
        hooks.register_module_forward_hook(lambda m, args, out: log.append(("post", repr(m)[:8]))),
        hooks.register_module_full_backward_pre_hook(lambda m, g: log.append(("bpre", repr(m)[:8]))),
        hooks.register_module_full_backward_hook(lambda m, gi, go: log.append(("back", repr(m)[:8]))),
        hooks.register_module_parameter_registration_hook(lambda m, name, p: log.append(("p", name))),
        hooks.register_module_buffer_registration_hook(lambda m, name, b: log.append(("b", name))),
        hooks.register_module_module_registration_hook(lambda m, name, c: log.append(("m", name))),
    ]
    m(lib.ones(1, requires_grad=True)).sum().backward()
    m.p = lib.nn.Parameter(lib.ones(1))
    m.register_buffer("b", None)
    m.b = lib.ones(1)
    m.c = lib.nn.ReLU()
    m.add_module("d", lib.nn.ReLU())
    for handle in handles:
        handle.remove()
    m(lib.ones(1))
    return log


def applied(lib):
    seen = []
    m = nets(lib)
    same = m.apply(lambda module: seen.append(type(module).__name__)) is m
    return seen, same


def uninitialized(lib):
    nn = lib.nn
    p, b = nn.UninitializedParameter(), nn.UninitializedBuffer()
    found = [
        repr(p),
        repr(b),
        nn.parameter.is_lazy(p),
        nn.parameter.is_lazy(b),
        nn.parameter.is_lazy(lib.ones(1)),
        p.requires_grad,
    ]
    found += [raised(lambda: p.shape), raised(lambda: p.share_memory_()), repr(copy.deepcopy(p))]
    p.materialize((2, 3))
    b.materialize((4,), dtype=lib.int64)
    return [*found, type(p).__name__, tuple(p.shape), type(b).__name__, b.dtype, isinstance(p, nn.Parameter)]


def lazy(lib):
    nn = lib.nn
    m = nn.LazyLinear(4)
    found = [
        repr(m),
        list(m.state_dict()),
        m.has_uninitialized_params(),
        raised(lambda: nn.Linear(3, 4).load_state_dict(m.state_dict())),
    ]
    m.load_state_dict(nn.Linear(3, 4).state_dict())
    found += [repr(m), tuple(m.weight.shape)]
    m(lib.ones(2, 3))
    twin = copy.deepcopy(nn.LazyLinear(2))
    twin(lib.ones(1, 5))
    return [*found, repr(m), type(m).__name__, list(vars(m)), repr(twin), raised(lambda: m(lib.ones(2, 4)))]


def parameter_kinds(lib):
    nn = lib.nn
    p, b, t = nn.Parameter(lib.ones(2)), nn.Buffer(lib.ones(2)), lib.ones(2)
    kinds = [[isinstance(x, kind) for kind in (nn.Parameter, nn.Buffer, lib.Tensor)] for x in (p, b, t)]
    types = [type(x).__name__ for x in (p * 2, p.detach(), p.clone(), p.data, copy.copy(p), copy.deepcopy(p), b, b + 1)]
    shares = nn.Parameter(p).data_ptr() == p.data_ptr()
    twin = pickle.loads(pickle.dumps(p))
    return (
        kinds,
        types,
        shares,
        type(twin).__name__,
        twin,
        b.persistent,
        nn.Parameter(),
        nn.Parameter(lib.arange(2), False),
    )


PROGRAMS = [attributes, iteration, texts, conversions, zeroing, loading, extra_state, state_hooks, forward_hooks, always_called,
            full_backward_hooks, backward_hooks_without_inputs, old_backward_hooks, global_hooks, applied, uninitialized, lazy,
            parameter_kinds]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program):
    both(program, ulps=4, strides=None)


def test_an_error_in_loading_leaves_everything_as_it_was():
    for assign in (False, True):
        m = nets(gradcore)
        before = [(p, p.tolist()) for p in m.parameters()]
        bad = {**nets(gradcore).double().state_dict(), "0.bias": gradcore.ones(9)}
        with pytest.raises(RuntimeError, match="size mismatch for 0.bias"):
            m.load_state_dict(bad, assign=assign)
        assert all(p is q and q.tolist() == values for p, (q, values) in zip(m.parameters(), before, strict=True))


@needs_torch
def test_state_dicts_go_both_ways(tmp_path):
    import torch

    ours, theirs = nets(gradcore), nets(torch)
    gradcore.save(ours.state_dict(), tmp_path / "ours")
    torch.save(theirs.state_dict(), tmp_path / "theirs")
    theirs.load_state_dict(torch.load(tmp_path / "ours"))
    ours.load_state_dict(gradcore.load(tmp_path / "theirs"))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())


def test_a_call_without_hooks_has_no_python_frame_above_forward():
    import sys

    class Depth(gradcore.nn.Module):
        def forward(self):
            return sys._getframe(1).f_code.co_name

    assert Depth()() == "test_a_call_without_hooks_has_no_python_frame_above_forward"


def test_a_lazy_parameter_takes_a_size_alone():
    weight = gradcore.nn.UninitializedParameter()
    weight.materialize(4)
    assert weight.shape == (4,)


def test_apply_hands_over_the_parameters_themselves():
    """What is done to them in place counts as a change."""

    def program(lib):
        module = lib.nn.Linear(2, 1)
        module.weight.sum().backward()
        version, seen = module.weight._version, []
        module._apply(lambda t: [seen.append(type(t) is lib.nn.Parameter), t.add_(1.0)][1])
        return module.weight._version - version, module.weight.grad, seen

    both(program)


def test_a_warning_of_values_for_a_module_without_memory():
    for lib in libraries():
        module = lib.nn.Linear(1, 1, bias=False, device="meta")
        with pytest.warns(
            UserWarning, match="for weight: copying from a non-meta parameter in the checkpoint to a meta"
        ):
            module.load_state_dict({"weight": lib.ones(1, 1)})
