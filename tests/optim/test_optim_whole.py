"""Optimizers that take a parameter, or all of them, as a whole: Adafactor, LBFGS and Muon. Sizes that fill the kernels' blocks,
layouts, memory that is shared, threads; and a step that is refused leaves everything as it was.
"""

import sys
import threading

import numpy as np
import pytest

from support import gradcore, needs_torch, torch, with_threads

SHAPES = {
    "wide": (90, 150),
    "tall": (150, 90),
    "square": (130, 130),
    "row": (1, 7),
    "column": (200, 1),
    "empty": (0, 3),
}


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def stepped(lib, name, arrays, dtype="float32", steps=3, change=lambda p: p, **chosen):
    """Parameters after some steps along random gradients."""
    params = [
        change(lib.tensor(a.tolist(), dtype=getattr(lib, dtype)).reshape(a.shape)).requires_grad_() for a in arrays
    ]
    optimizer = getattr(lib.optim, name)(params, **chosen)
    for step in range(steps):
        for i, p in enumerate(params):
            p.grad = lib.tensor(random(tuple(p.shape), 10 * step + i).tolist(), dtype=p.dtype).reshape(p.shape)
        optimizer.step()
    return [p.detach().numpy() for p in params]


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_muon_in_blocks(shape, dtype):
    """torch's sums are added up in another order: where one falls between two numbers of bfloat16 it is rounded the other way,
    by 1/128 of it, and the iterations carry that on."""
    start = random(SHAPES[shape])
    (ours,), (theirs,) = (
        stepped(lib, "Muon", [start], dtype, steps=1, lr=1.0, weight_decay=0.0) for lib in (gradcore, torch)
    )
    moved = theirs - start.astype(dtype)
    assert np.abs(ours - theirs).max(initial=0) <= np.abs(moved).max(initial=0) / 32
    assert np.linalg.norm(ours - theirs) <= np.linalg.norm(moved) / 100


def test_muon_makes_matrices_orthogonal():
    """More steps with coefficients that converge give U V^T of the singular value decomposition, as far as bfloat16 goes."""
    grad = random((150, 90))
    p = gradcore.zeros(150, 90, requires_grad=True)
    p.grad = gradcore.tensor(grad.tolist())
    optimizer = gradcore.optim.Muon(
        [p],
        lr=1.0,
        weight_decay=0.0,
        momentum=0.0,
        ns_steps=20,
        ns_coefficients=(1.875, -1.25, 0.375),
        adjust_lr_fn="original",
    )
    optimizer.step()
    u, _, v = np.linalg.svd(grad, full_matrices=False)
    np.testing.assert_allclose(-p.detach().numpy() / np.sqrt(150 / 90), u @ v, atol=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_muon_has_the_same_bits_for_any_number_of_threads(dtype):
    arrays = [random(shape) for shape in [*SHAPES.values(), (450, 500)]]
    one, *others = (with_threads(n, lambda: stepped(gradcore, "Muon", arrays, dtype)) for n in (1, 2, 5))
    for other in others:
        for a, b in zip(one, other, strict=True):
            assert a.tobytes() == b.tobytes()


LAYOUTS = {
    "transposed": lambda p: p.t().contiguous().t(),
    "with gaps": lambda p: gradcore.stack([p, p], 2).flatten(1)[:, ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_muon_on_other_layouts(layout):
    (ours,), (plain,) = (
        stepped(gradcore, "Muon", [random((40, 30))], change=how) for how in (LAYOUTS[layout], lambda p: p)
    )
    np.testing.assert_array_equal(ours, plain)


def test_muon_on_shared_memory():
    """The second parameter sees what the first one wrote."""

    def step(*params):
        for p in params:
            p.requires_grad_().grad = gradcore.ones_like(p)
        gradcore.optim.Muon(params, lr=0.1).step()
        return [p.detach().numpy() for p in params]

    base = random((40, 30)).astype("float32")
    shared = gradcore.from_numpy(base.copy())
    _, ours = step(shared[:30], shared[10:])
    (first,) = step(gradcore.from_numpy(base[:30].copy()))
    (second,) = step(gradcore.from_numpy(np.concatenate([first[10:], base[30:]])))
    np.testing.assert_array_equal(ours, second)


@pytest.mark.parametrize("what", ["gradient", "state"])
def test_muon_where_memory_is_two_things_at_once(what):
    p = gradcore.linspace(1, 2, 40).reshape(5, 8).requires_grad_()
    optimizer = gradcore.optim.Muon([p])
    p.grad = p.detach() if what == "gradient" else gradcore.ones(5, 8)
    if what == "state":
        optimizer.state[p]["momentum_buffer"] = p.detach()
    optimizer.step()
    assert np.isfinite(p.detach().numpy()).all()


# ---- Adafactor ----

PARTS = {
    "vector": (40_000,),
    "number": (),
    "matrix": (300, 200),
    "tall": (20_000, 3),
    "wide": (3, 20_000),
    "batch of matrices": (5, 70, 80),
    "kernels of a convolution": (64, 20, 3, 5),
    "small batch": (2, 3, 4),
}


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", PARTS)
def test_adafactor_in_parts(shape, dtype):
    chosen = {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "eps": (1e-3, 1e-2)}
    ours, theirs = (stepped(lib, "Adafactor", [random(PARTS[shape])], dtype, **chosen) for lib in (gradcore, torch))
    tolerance = (
        1e-6 if dtype == "float32" else 1e-14
    )  # of elements that are about 1, some of them nearly cancelled by their steps
    np.testing.assert_allclose(ours[0], theirs[0], rtol=10 * tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adafactor_has_the_same_bits_for_any_number_of_threads(dtype):
    arrays = [random(shape) for shape in [*PARTS.values(), (0, 3), (0,)]]
    one, *others = (with_threads(n, lambda: stepped(gradcore, "Adafactor", arrays, dtype)) for n in (1, 2, 5))
    for other in others:
        for a, b in zip(one, other, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_adafactor_on_other_layouts(layout):
    (ours,), (plain,) = (
        stepped(gradcore, "Adafactor", [random((40, 30))], change=how) for how in (LAYOUTS[layout], lambda p: p)
    )
    np.testing.assert_array_equal(ours, plain)


def test_adafactor_takes_the_first_parameters_eps():
    """Where no eps is given: torch, too, takes that of the first parameter's dtype for its whole group."""

    def run(lib, *dtypes):
        params = [lib.full((2,), 1e-30, dtype=getattr(lib, dtype), requires_grad=True) for dtype in dtypes]
        for p in params:
            p.grad = lib.full_like(p, 1e-12)
        lib.optim.Adafactor(params).step()
        return params[-1].tolist()

    alone, after = run(gradcore, "float64"), run(gradcore, "float32", "float64")
    assert alone != after
    if torch is not None:
        np.testing.assert_allclose([alone, after], [run(torch, "float64"), run(torch, "float32", "float64")], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "phrase"),
    [
        (lambda state: state.update(row_var=gradcore.ones(3)), RuntimeError, "optimizer state of shape"),
        (
            lambda state: state.update(col_var=gradcore.ones(1, 2, dtype=gradcore.float64)),
            RuntimeError,
            "optimizer state of shape",
        ),
        (lambda state: state.update(col_var=None), AssertionError, "row_var and col_var"),
        (lambda state: state.update(row_var=3), TypeError, "optimizer state must be a tensor"),
        (lambda state: state.update(step=gradcore.ones(2)), RuntimeError, "step"),
        (lambda state: state.pop("step"), KeyError, "step"),
    ],
)
def test_adafactor_refuses_state_that_does_not_fit(change, error, phrase):
    params = [gradcore.ones(3, 2, requires_grad=True) for _ in range(2)]
    optimizer = gradcore.optim.Adafactor(params)
    for p in params:
        p.grad = gradcore.ones(3, 2)
    optimizer.step()
    change(optimizer.state[params[1]])
    before = everything(params, optimizer)
    with pytest.raises(error, match=phrase):
        optimizer.step()
    assert everything(params, optimizer) == before


# ---- L-BFGS ----


def valley(lib, p, *others):
    """A loss that is the larger, the farther its parameters are apart from a line, in a shape that no step of a fixed length fits."""
    scale = lib.linspace(0.5, 4.0, p.numel(), dtype=p.dtype)
    return ((p.reshape(-1) - 0.3) ** 2 * scale).sum() + sum(((q - 0.1) ** 4).sum() for q in others)


def descended(lib, sizes, dtype="float64", steps=3, **chosen):
    params = [lib.linspace(-1.0, 1.0, n, dtype=getattr(lib, dtype)).requires_grad_() for n in sizes]
    optimizer = lib.optim.LBFGS(params, **chosen)

    def closure():
        optimizer.zero_grad()
        loss = valley(lib, *params)
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure)) for _ in range(steps)]
    return [p.detach().numpy() for p in params], losses, optimizer


SEARCHES = {
    "fixed": {"max_iter": 6, "lr": 0.1},
    "strong Wolfe": {"max_iter": 6, "line_search_fn": "strong_wolfe"},
    "short memory": {"max_iter": 9, "history_size": 2, "line_search_fn": "strong_wolfe"},
}


@needs_torch
@pytest.mark.parametrize("search", SEARCHES)
def test_lbfgs_in_slices(search):
    """Vectors so long that their sums are made of parts; a parameter without a gradient counts as one whose gradient is 0."""
    sizes = (40_000, 3, 1, 17_000)
    (ours, our_losses, _), (theirs, their_losses, _) = (
        descended(lib, sizes, **SEARCHES[search]) for lib in (gradcore, torch)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(our_losses, their_losses, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("search", SEARCHES)
def test_lbfgs_has_the_same_bits_for_any_number_of_threads(search, dtype):
    def run():
        params, losses, optimizer = descended(gradcore, (40_000, 100, 33_000), dtype, **SEARCHES[search])
        return [p.tobytes() for p in params], losses, optimizer.state_dict()["state"][0]["ro"]

    one, *others = (with_threads(n, run) for n in (1, 2, 5))
    assert all(other == one for other in others)


def test_other_threads_run_while_lbfgs_computes():
    """The interpreter never takes the GIL away here: the other thread can only run where the step lets go of it."""
    p = gradcore.linspace(-1.0, 1.0, 400_000).requires_grad_()
    p.grad = gradcore.ones_like(p)
    optimizer = gradcore.optim.LBFGS([p], max_iter=2, lr=1e-3, tolerance_change=0)
    ready, ran = threading.Event(), []
    other = threading.Thread(target=lambda: (ready.wait(), ran.append(True)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        other.start()
        ready.set()
        for _ in range(500):
            optimizer.step(lambda: 1.0)
            if ran:
                break
        found = list(ran)
    finally:
        sys.setswitchinterval(interval)
        other.join()
    assert found


@needs_torch
def test_lbfgs_where_a_parameter_has_no_gradient():
    def run(lib):
        used, unused = (lib.ones(3, dtype=lib.float64, requires_grad=True) for _ in range(2))
        optimizer = lib.optim.LBFGS([unused, used], lr=0.1, max_iter=3)

        def closure():
            optimizer.zero_grad()
            loss = valley(lib, used)
            loss.backward()
            return loss

        optimizer.step(closure)
        return [*unused.tolist(), *used.tolist()]

    np.testing.assert_allclose(run(gradcore), run(torch), rtol=1e-12)


@pytest.mark.parametrize("fails", [1, 2, 3, 5])
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("how", ["raises", "no number", "gradient of another shape"])
def test_lbfgs_goes_back_when_an_evaluation_fails(search, how, fails):
    """Whichever evaluation it is, of a first step and of a later one."""
    params = [gradcore.linspace(-1.0, 1.0, n).requires_grad_() for n in (4, 3)]
    optimizer = gradcore.optim.LBFGS(params, **SEARCHES[search])
    left = 0

    def closure():
        nonlocal left
        left -= 1
        if left == 0 and how == "raises":
            raise KeyError("from a closure")
        if left == 0 and how == "no number":
            return None
        optimizer.zero_grad()
        loss = valley(gradcore, *params)
        loss.backward()
        if left == 0:
            params[1].data = gradcore.ones(2)
        return loss

    for _ in range(2):
        before = everything(params, optimizer)
        left = fails
        with pytest.raises((KeyError, TypeError, RuntimeError)):
            optimizer.step(closure)
        if params[1].numel() == 2:
            params[1].data = gradcore.tensor(before[0][1])
        assert everything(params, optimizer) == before
        left = 0
        optimizer.step(closure)
    assert optimizer.state[params[0]]["n_iter"] > 2


@pytest.mark.parametrize(
    ("change", "error", "phrase"),
    [
        (lambda state: state.update(d=gradcore.ones(4)), RuntimeError, "optimizer state of shape"),
        (
            lambda state: state.update(prev_flat_grad=gradcore.ones(3, dtype=gradcore.int64)),
            RuntimeError,
            "optimizer state of shape",
        ),
        (lambda state: state.update(d=3), TypeError, "optimizer state must be a tensor"),
        (lambda state: state.update(ro=[1.0] * 9), RuntimeError, "must be of one length"),
        (lambda state: state.update(old_dirs=None), TypeError, "must be a list"),
        (lambda state: state.pop("H_diag"), KeyError, "H_diag"),
        (lambda state: state.update(n_iter="a"), TypeError, ""),
    ],
)
def test_lbfgs_refuses_state_that_does_not_fit(change, error, phrase):
    _, _, optimizer = descended(gradcore, [3], "float32", 1, max_iter=2)
    (p,) = optimizer.param_groups[0]["params"]
    change(optimizer.state[p])
    before = everything([p], optimizer)
    with pytest.raises(error, match=phrase):
        optimizer.step(lambda: 1.0)
    assert everything([p], optimizer) == before


@needs_torch
@pytest.mark.parametrize(
    ("chosen", "error", "phrase"),
    [
        ({"line_search_fn": "bisection"}, RuntimeError, "only 'strong_wolfe' is supported"),
        ({"history_size": 0}, IndexError, "pop from empty list"),
        ({"max_iter": "a", "max_eval": 3}, TypeError, ""),
    ],
)
def test_lbfgs_refuses_options(chosen, error, phrase):
    for lib in (gradcore, torch):
        with pytest.raises(error, match=phrase):
            descended(lib, [3], **chosen)


# ---- what is refused ----


def everything(params, optimizer):
    state = {
        id(p): {
            key: value.tolist() if isinstance(value, gradcore.Tensor) else repr(value) for key, value in kept.items()
        }
        for p, kept in optimizer.state.items()
    }
    return [p.tolist() for p in params], state


SPOILED = {
    "shape": (lambda p: setattr(p, "data", gradcore.ones(4, 3)), "(gradient|state) of shape"),
    "dtype": (lambda p: setattr(p, "data", p.detach().double()), "(gradient|state) of shape"),
}


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("what", SPOILED)
@pytest.mark.parametrize("name", ["Adafactor", "LBFGS", "Muon"])
def test_a_third_parameter_that_does_not_fit(name, what, started):
    """Nothing has moved then, of the first two neither."""
    spoil, phrase = SPOILED[what]
    params = [gradcore.ones(3, 2, requires_grad=True) for _ in range(3)]
    optimizer = getattr(gradcore.optim, name)(params)
    for p in params:
        p.grad = gradcore.linspace(1, 2, 6).reshape(3, 2)
    if started:
        optimizer.step(lambda: 1.0)
    spoil(params[2])
    before = everything(params, optimizer)
    with pytest.raises(RuntimeError, match=phrase):
        optimizer.step(lambda: 1.0)
    assert everything(params, optimizer) == before


@pytest.mark.parametrize("bad", [gradcore.ones(3, 3), gradcore.ones(3, 2, dtype=gradcore.float64), 3, None], ids=str)
def test_muon_refuses_state_that_does_not_fit(bad):
    params = [gradcore.ones(3, 2, requires_grad=True) for _ in range(2)]
    optimizer = gradcore.optim.Muon(params)
    for p in params:
        p.grad = gradcore.ones(3, 2)
    optimizer.state[params[1]]["momentum_buffer"] = bad
    with pytest.raises((RuntimeError, TypeError), match="optimizer state"):
        optimizer.step()
    assert [p.tolist() for p in params] == [[[1.0, 1.0]] * 3] * 2
    assert set(optimizer.state) == {params[1]}


@pytest.mark.parametrize(
    ("chosen", "error", "phrase"),
    [
        ({"ns_steps": 100}, ValueError, "Number of steps must be less than 100"),
        ({"ns_coefficients": (1.0, 2.0)}, ValueError, "Coefficients must be a tuple of exactly 3 values"),
        ({"ns_coefficients": 1.0}, TypeError, ""),
        ({"ns_steps": 2.5}, TypeError, ""),
    ],
)
def test_muon_refuses_options(chosen, error, phrase):
    for lib in filter(None, (gradcore, torch)):
        p = lib.ones(3, 2, requires_grad=True)
        p.grad = lib.ones(3, 2)
        optimizer = lib.optim.Muon([p], **chosen)
        with pytest.raises(error, match=phrase):
            optimizer.step()
        assert p.tolist() == [[1.0, 1.0]] * 3
