"""Optimizers beside torch's: 100 steps with every combination of options, states moved over midway, odd parameters,
steps that are differentiated through. What is run stands in optim_cases.py.
"""

import numpy as np
import pytest
from optim_cases import OPTIONS, Program, advance, cases, cases_with_tensors, label, make, train

from support import gradcore, needs_torch, torch

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(autouse=True)
def one_thread_of_torch():
    """For programs so small its threads only wait for each other."""
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def relative_error(ours, theirs):
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(ours, theirs, strict=True))


# L-BFGS and Muon amplify rounding by many orders of magnitude (torch's own floats against torch's doubles, too).
UNSTABLE = ("LBFGS", "Muon")


@needs_torch
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", cases(*(name for name in OPTIONS if name not in UNSTABLE)), ids=label)
def test_trajectory(case, dtype):
    ours, theirs = (train(lib, case, dtype)[0].values() for lib in (gradcore, torch))
    assert relative_error(ours, theirs) <= TOLERANCE[dtype]


@needs_torch
@pytest.mark.parametrize(("dtype", "options"), [("float64", "float32"), ("float32", "float64")])
@pytest.mark.parametrize("case", cases_with_tensors(*(name for name in OPTIONS if name not in UNSTABLE)), ids=label)
def test_tensors_of_another_dtype(case, dtype, options):
    """What follows from a float32 rate is rounded to float32, as torch does it, in float64 parameters too."""
    ours, theirs = (train(lib, case, dtype, options=options)[0].values() for lib in (gradcore, torch))
    assert relative_error(ours, theirs) <= TOLERANCE[dtype]


def steps_from_torchs(case, dtype, followers, steps=100):
    """After each of torch's steps: its parameters before and after it, and those of followers (a library, a dtype) after a step
    from the same place."""
    name, chosen = case
    leader, *others = programs = [Program(*library) for library in ((torch, dtype), *followers)]
    optimizer, *optimizers = (make(program.lib, name, program.params, chosen) for program in programs)
    for _ in range(steps):
        before = leader.values()
        for other, follower in zip(others, optimizers, strict=True):
            other.set(before)
            follower.load_state_dict(plain(optimizer.state_dict(), torch, torch if other.lib is torch else None))
            advance(other, follower, chosen, 1)
        advance(leader, optimizer, chosen, 1)
        yield before, leader.values(), *(other.values() for other in others)


@needs_torch
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", cases("LBFGS"), ids=label)
def test_lbfgs(case, dtype):
    """In float32 some steps are mostly rounding: what counts is where torch's floats are as good as its doubles.

    Where torch takes no step the gradient is as small as its rounding, and whether it is small enough depends on the machine.
    """
    compared = 0
    for before, theirs, exact, ours in steps_from_torchs(case, dtype, [(torch, "float64"), (gradcore, dtype)]):
        settled = dtype == "float32" and relative_error(before, theirs) == 0
        if not settled and relative_error(exact, theirs) <= TOLERANCE[dtype] / 30:
            assert relative_error(ours, theirs) <= TOLERANCE[dtype]
            compared += 1
    assert compared >= (100 if dtype == "float64" else 1)


@needs_torch
@pytest.mark.parametrize("case", cases("LBFGS"), ids=label)
def test_lbfgs_counts(case):
    (_, ours), (_, theirs) = (train(lib, case, "float64", 4) for lib in (gradcore, torch))
    for key in ("n_iter", "func_evals"):
        assert [state[key] for state in ours.state.values()] == [state[key] for state in theirs.state.values()]


@needs_torch
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", cases("Muon"), ids=label)
def test_muon(case, dtype):
    """torch iterates in bfloat16, whose sums depend on the instruction set in the last bit: a step is exact, or it differs by
    a few of these bits, which are 1/128 of it."""
    exact = 0
    for before, theirs, ours in steps_from_torchs(case, dtype, [(gradcore, dtype)]):
        exact += relative_error(ours, theirs) <= TOLERANCE[dtype]
        for a, b, start in zip(ours, theirs, before, strict=True):
            assert np.abs(a - b).max() <= np.abs(b - start).max() / 32
    assert exact >= 90


# ---- states ----

STATEFUL = [
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.02}),
    ("ASGD", {"lr": 0.01, "lambd": 0.1, "t0": 20}),
    ("Adadelta", {}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1}),
    ("Adamax", {"lr": 0.02}),
    ("NAdam", {"lr": 0.02}),
    ("RAdam", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.001, "momentum": 0.5, "centered": True}),
    ("Rprop", {}),
    ("Adafactor", {}),
    ("LBFGS", {"max_iter": 2, "line_search_fn": "strong_wolfe"}),
]


def plain(value, lib, to_lib=None):
    """A state with its tensors as arrays, or as tensors of `to_lib`."""
    if isinstance(value, dict):
        return {key: plain(item, lib, to_lib) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, lib, to_lib) for item in value]
    if not isinstance(value, lib.Tensor):
        return value
    array = value.numpy().copy()
    return to_lib.from_numpy(array) if to_lib else array


def continued(first, second, case, dtype, steps):
    """Half of the steps in one library, half in the other, with nothing but arrays in between."""
    name, chosen = case
    program, optimizer = train(first, case, dtype, steps)
    other = Program(second, dtype)
    other.set(program.values())
    other_optimizer = make(second, name, other.params, chosen)
    # torch wants tensors, gradcore takes arrays.
    state = plain(optimizer.state_dict(), first, torch if second is torch else None)
    other_optimizer.load_state_dict(state)
    advance(other, other_optimizer, chosen, steps)
    return other.values()


@needs_torch
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", STATEFUL, ids=label)
def test_states_move_between_libraries(case, dtype):
    steps = 2 if case[0] == "LBFGS" else 40
    # Loading rounds some numbers to the parameter's dtype, so the reference loads as well.
    straight = continued(torch, torch, case, dtype, steps)
    assert relative_error(continued(torch, gradcore, case, dtype, steps), straight) <= TOLERANCE[dtype]
    assert relative_error(continued(gradcore, torch, case, dtype, steps), straight) <= TOLERANCE[dtype]


@needs_torch
@pytest.mark.parametrize("case", [*STATEFUL, ("Muon", {})], ids=label)
def test_states_have_torchs_layout(case):
    def layout(lib):
        _, optimizer = train(lib, case, "float64", 2)
        found = optimizer.state_dict()
        tensors = {
            n: {key: (str(v.dtype), tuple(v.shape)) if isinstance(v, lib.Tensor) else None for key, v in state.items()}
            for n, state in found["state"].items()
        }
        return tensors, found["param_groups"], repr(optimizer)

    ours, theirs = layout(gradcore), layout(torch)
    if case[0] == "LBFGS":  # numbers that torch has in tensors without dims are plain numbers here
        ours, theirs = ([sorted(found[0][0]), *found[1:]] for found in (ours, theirs))
    assert ours == theirs


@pytest.mark.parametrize("case", [*STATEFUL, ("Muon", {})], ids=label)
def test_a_loaded_state_is_the_optimizers_own(case):
    """pytorch/pytorch#196083: the optimizer that a state came from goes on as if nobody had taken it."""
    _, optimizer = train(gradcore, case, "float64", 3)
    before = {id(p): copied(state) for p, state in optimizer.state.items()}
    _, other = train(gradcore, case, "float64", 1)
    other.load_state_dict(optimizer.state_dict())
    for state in other.state.values():
        for value in tensors_in(state):
            value.add_(1)
    for p, state in optimizer.state.items():
        assert all(a.equal(b) for a, b in zip(tensors_in(state), tensors_in(before[id(p)]), strict=True))


def tensors_in(value):
    if isinstance(value, gradcore.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [t for part in parts for t in tensors_in(part)]


def copied(value):
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return (
        value.clone()
        if isinstance(value, gradcore.Tensor)
        else [copied(v) for v in value]
        if isinstance(value, list)
        else value
    )


# ---- parameters of all kinds ----

SIMPLE = [case for case in STATEFUL if case[0] != "LBFGS"]
WITH_LBFGS = [
    *SIMPLE,
    ("LBFGS", {"max_iter": 2, "lr": 0.1}),
    ("LBFGS", {"max_iter": 1, "line_search_fn": "strong_wolfe"}),
]
LAYOUTS = {
    "0-d": lambda array, lib: lib.from_numpy(np.array(array[0, 0])),
    "empty": lambda array, lib: lib.from_numpy(array[:0].copy()),
    "transposed": lambda array, lib: lib.from_numpy(array.copy()).t(),
    "with gaps": lambda array, lib: lib.from_numpy(array.copy())[:, ::2],
    "reversed 3-d": lambda array, lib: lib.from_numpy(array.reshape(2, 2, 6).copy()).permute(2, 1, 0),
}


def run_on(lib, case, make_params, steps=4):
    """Parameters after some steps down a slope that is not the same everywhere."""
    name, chosen = case
    params = [p.detach().requires_grad_() for p in make_params(lib)]
    optimizer = getattr(lib.optim, name)(params, **chosen)
    slopes = [lib.arange(p.numel(), dtype=p.dtype).reshape(p.shape) for p in params]

    def closure():
        for p, slope in zip(params, slopes, strict=True):
            p.grad = (p.detach() + 0.1) * slope
        return sum(((p.detach() + 0.1) ** 2 * slope).sum() / 2 for p, slope in zip(params, slopes, strict=True))

    for _ in range(steps):
        optimizer.step(closure)
    return [p.detach().numpy() for p in params]


@needs_torch
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", WITH_LBFGS, ids=label)
def test_layouts(case, layout):
    if layout == "empty" and case[0] in ("Adafactor", "LBFGS"):
        pytest.skip("torch has a mean or a maximum of no elements, and fails")
    if case[0] == "LBFGS" and layout in ("transposed", "reversed 3-d"):
        pytest.skip("torch asks for gradients that it can flatten without a copy")
    array = np.linspace(-1, 1, 24).reshape(4, 6)
    ours, theirs = (run_on(lib, case, lambda lib: [LAYOUTS[layout](array, lib)]) for lib in (gradcore, torch))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)


@needs_torch
@pytest.mark.parametrize("case", WITH_LBFGS, ids=label)
def test_dtypes_in_one_group(case):
    def mixed(lib):
        return [lib.linspace(-1, 1, 5, dtype=getattr(lib, dtype)) for dtype in ("float32", "float64", "float32")]

    ours, theirs = (run_on(lib, case, mixed) for lib in (gradcore, torch))
    for a, b, tolerance in zip(ours, theirs, (1e-5, 1e-12, 1e-5), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance)


@needs_torch
@pytest.mark.parametrize("windows", [((0, 4), (4, 8)), ((0, 5), (3, 8)), ((0, 8), (0, 8))], ids=str)
@pytest.mark.parametrize("case", WITH_LBFGS, ids=label)
def test_shared_storage(case, windows):
    """Views of one memory: where they overlap, each parameter sees what the one before it wrote."""

    def views(lib):
        base = lib.linspace(-1, 1, 8, dtype=lib.float64)
        return [base[a:b] for a, b in windows]

    ours, theirs = (run_on(lib, case, views) for lib in (gradcore, torch))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("alias", ["gradient", "state"])
def test_memory_that_is_two_things_at_once(alias):
    """Nothing that Python passes may confuse the kernel, which relies on arrays that are apart."""
    p = gradcore.linspace(1, 2, 40, dtype=gradcore.float64).requires_grad_()
    optimizer = gradcore.optim.SGD([p], lr=0.5, momentum=0.5)
    p.grad = p.detach() if alias == "gradient" else gradcore.ones(40, dtype=gradcore.float64)
    if alias == "state":
        optimizer.state[p]["momentum_buffer"] = p.detach()
    optimizer.step()
    assert np.isfinite(p.detach().numpy()).all()
    if alias == "gradient":
        np.testing.assert_allclose(p.detach().numpy(), np.linspace(1, 2, 40) / 2)


@pytest.mark.parametrize("case", SIMPLE, ids=label)
def test_nothing_moves_without_a_gradient(case):
    name, chosen = case
    a, b = (gradcore.ones(3, requires_grad=True) for _ in range(2))
    optimizer = getattr(gradcore.optim, name)([a, b], **chosen)
    a.grad = gradcore.tensor([1.0, 2.0, 3.0])
    optimizer.step()
    assert b.tolist() == [1, 1, 1]
    assert a.tolist() != [1, 1, 1]
    if name != "Adagrad":  # which makes state of all parameters at once
        assert set(optimizer.state) == {a}


@pytest.mark.parametrize("case", SIMPLE, ids=label)
def test_same_bits_for_any_number_of_threads(case):
    name, chosen = case

    def run(threads):
        before = gradcore.get_num_threads()
        gradcore.set_num_threads(threads)
        try:
            gradcore.manual_seed(0)
            params = [gradcore.randn(n, requires_grad=True) for n in [100] * 20 + [40_000]]
            optimizer = getattr(gradcore.optim, name)(params, **chosen)
            for _ in range(2):
                for p in params:
                    p.grad = gradcore.randn(p.numel())
                optimizer.step()
            return [p.tolist() for p in params]
        finally:
            gradcore.set_num_threads(before)

    assert run(1) == run(2)


# ---- steps that are differentiated through ----

DIFFERENTIABLE = [
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.2}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("ASGD", {"weight_decay": 0.1, "t0": 1}),
    ("Adadelta", {"weight_decay": 0.1}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"betas": (0.5, 0.6)}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "weight_decay": 0.1}),
    ("Rprop", {"maximize": True}),
]
WITH_TENSOR_LR = {"SGD", "Adam", "AdamW"}  # whose gradient torch gives


def moved(lib, case, start, grads, lr=0.1):
    """Where steps along these gradients lead to."""
    name, chosen = case
    p = start.clone()
    optimizer = getattr(lib.optim, name)([p], lr=lr, differentiable=True, **chosen)
    if chosen.get("momentum") and name == "SGD":  # torch detaches a buffer that it makes itself
        optimizer.state[p]["momentum_buffer"] = lib.ones(3)
    for grad in grads:
        p.grad = grad
        optimizer.step()
    return p


def leaves(lib):
    return [lib.tensor(values, requires_grad=True) for values in ([0.5, -1.0, 2.0], [0.3, 0.7, -0.7], [0.2, 0.5, -0.4])]


def differentiated(lib, case):
    """What the gradients of the start, of the step's gradient and of the learning rate are, and gradients of these."""
    lib.set_default_dtype(lib.float64)  # in which torch counts steps, too
    start, grad, _ = leaves(lib)
    wanted, lr = [start, grad], 0.1
    if case[0] in WITH_TENSOR_LR:
        lr = lib.tensor(0.1, requires_grad=True)
        wanted.append(lr)
    p = moved(lib, case, start, [grad], lr)
    loss = (p * p * lib.tensor([1.0, 2.0, 3.0])).sum()
    found = lib.autograd.grad(loss, wanted, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in found), [start, grad], allow_unused=True)
    return [t.detach().numpy() for t in (p, *found, *second) if t is not None]


@needs_torch
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=label)
def test_gradients_through_a_step(case):
    ours, theirs = differentiated(gradcore, case), differentiated(torch, case)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=label)
def test_gradients_through_steps(case):
    """torch overwrites what the first step saved, and refuses. Here the way back leads through any number of steps."""
    gradcore.set_default_dtype(gradcore.float64)
    start, *grads = leaves(gradcore)
    assert gradcore.autograd.gradcheck(lambda *t: moved(gradcore, case, t[0], t[1:]), (start, *grads))


def test_gradient_of_a_first_momentum():
    """torch detaches the buffer that SGD starts with, and loses the way to the first gradient. Here it is found."""
    grad = gradcore.tensor([1.0], requires_grad=True)
    p = gradcore.tensor([2.0], requires_grad=True).clone()
    p.grad = grad
    gradcore.optim.SGD([p], lr=0.5, momentum=0.9, differentiable=True).step()
    (found,) = gradcore.autograd.grad(p.sum(), [grad])
    assert found.tolist() == [-0.5]


def test_hyperparameters_have_gradients():
    values = [gradcore.tensor(v, dtype=gradcore.float64, requires_grad=True) for v in (0.1, 0.3, 0.9, 0.99)]

    def steps(lr, decay, *betas):
        p = gradcore.tensor([1.0, 2.0], dtype=gradcore.float64).clone()
        optimizer = gradcore.optim.Adam([p], lr=lr, betas=betas, weight_decay=decay, differentiable=True)
        for slope in (0.5, -2.0):
            p.grad = gradcore.tensor([slope, -1.0], dtype=gradcore.float64)
            optimizer.step()
        return p

    assert gradcore.autograd.gradcheck(steps, values)


def test_recording_needs_a_parameter_with_a_history():
    p = gradcore.ones(2, requires_grad=True)
    p.grad = gradcore.ones(2)
    optimizer = gradcore.optim.Adam([p], differentiable=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        optimizer.step()
    assert p.tolist() == [1, 1]
    assert not optimizer.state
