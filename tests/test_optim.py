"""The optimizers against torch: trajectories, state dicts, errors. Without torch: the first step by hand."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import gradcore

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="compares with torch")


def rosenbrock(p):
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def train(lib, name, options, dtype, steps=100, optimizer=None, params=None):
    """Parameters after some steps on a quadratic and on Rosenbrock's function."""
    if params is None:
        start = np.linspace(-1, 1, 6).reshape(2, 3)
        params = [lib.tensor(start.tolist(), dtype=getattr(lib, dtype), requires_grad=True),
                  lib.tensor([-0.5, 0.7], dtype=getattr(lib, dtype), requires_grad=True)]
    if optimizer is None:
        optimizer = getattr(lib.optim, name)(params, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((params[0] - 0.3) ** 2).sum() + 0.01 * rosenbrock(params[1])
        if options.get("maximize"):
            loss = -loss
        loss.backward()
        optimizer.step()
    return params, optimizer


SGD = [dict(lr=0.01, **o) for o in (
    {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.5, "dampening": 0.2},
    {"weight_decay": 0.1}, {"momentum": 0.9, "weight_decay": 0.1, "maximize": True})]
ADAM = [dict(lr=0.02, amsgrad=a, weight_decay=w, maximize=m)
        for a, w, m in itertools.product((False, True), (0.0, 0.1), (False, True))]
CASES = [("SGD", o) for o in SGD] + [(n, o) for n in ("Adam", "AdamW") for o in ADAM]


@needs_torch
@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_trajectory(name, options, dtype, tolerance):
    ours, _ = train(gradcore, name, options, dtype)
    theirs, _ = train(torch, name, options, dtype)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)


def plain(state, lib):
    """A state dict with its tensors as arrays."""
    def convert(v):
        if isinstance(v, dict):
            return {k: convert(x) for k, x in v.items()}
        return v.numpy().copy() if isinstance(v, lib.Tensor) else v
    return {"state": convert(state["state"]), "param_groups": copy.deepcopy(state["param_groups"])}


@needs_torch
@pytest.mark.parametrize(("name", "options"), [("SGD", SGD[1]), ("Adam", ADAM[5]), ("AdamW", ADAM[2])])
def test_state_moves_from_torch_and_back(name, options):
    def continued(first, second):
        params, optimizer = train(first, name, options, "float64", 20)
        moved = [second.tensor(p.detach().numpy().tolist(), dtype=second.float64, requires_grad=True) for p in params]
        other = getattr(second.optim, name)(moved, **options)
        state = plain(optimizer.state_dict(), first)
        if second is torch:
            state["state"] = {k: {n: torch.tensor(v) for n, v in s.items()} for k, s in state["state"].items()}
        other.load_state_dict(state)
        train(second, name, options, "float64", 20, other, moved)
        return moved
    straight, _ = train(torch, name, options, "float64", 40)
    for moved in (continued(gradcore, torch), continued(torch, gradcore)):
        for a, b in zip(moved, straight):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-11)


@needs_torch
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_groups_are_those_of_torch(name):
    def keys(lib):
        optimizer = getattr(lib.optim, name)([lib.ones(1, requires_grad=True)])
        return optimizer.state_dict()["param_groups"], repr(optimizer)
    assert keys(gradcore) == keys(torch)


def test_first_steps_by_hand():
    w = gradcore.tensor([1.0, 2.0], dtype=gradcore.float64, requires_grad=True)
    w.grad = gradcore.tensor([0.5, -1.0], dtype=gradcore.float64)
    optimizer = gradcore.optim.SGD([w], lr=0.1, momentum=0.5)
    optimizer.step()
    assert w.tolist() == [0.95, 2.1]
    optimizer.step()
    np.testing.assert_allclose(w.tolist(), [0.95 - 0.1 * 0.75, 2.1 + 0.1 * 1.5])


def test_nothing_moves_without_a_gradient():
    a, b = (gradcore.ones(3, requires_grad=True) for _ in range(2))
    optimizer = gradcore.optim.Adam([a, b])
    (a * 2).sum().backward()
    optimizer.step()
    assert b.tolist() == [1, 1, 1] and a.tolist() != [1, 1, 1]
    assert set(optimizer.state) == {a}


@pytest.mark.parametrize("make", [
    lambda g: g.ones(()), lambda g: g.ones(0, 3), lambda g: g.ones(3, 4).t(), lambda g: g.ones(4, 6)[:, ::2],
])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_layouts(make, name):
    """A parameter of any memory order moves as its contiguous copy does."""
    def run(p):
        p = p.detach().requires_grad_()
        optimizer = getattr(gradcore.optim, name)([p], lr=0.1, **({"momentum": 0.9} if name == "SGD" else {}))
        for _ in range(3):
            optimizer.zero_grad(set_to_none=False)
            (p * p * gradcore.arange(p.numel()).reshape(p.shape)).sum().backward()
            optimizer.step()
        return p.detach().contiguous().tolist()
    p = make(gradcore)
    dense = p.clone(memory_format=gradcore.contiguous_format).contiguous()
    assert run(p) == run(dense)


def test_same_bits_for_any_number_of_threads():
    def run(threads):
        before = gradcore.get_num_threads()
        gradcore.set_num_threads(threads)
        try:
            gradcore.manual_seed(0)
            params = [gradcore.randn(n, requires_grad=True) for n in [1000] * 200 + [100_000] * 3]
            optimizer = gradcore.optim.Adam(params, weight_decay=0.1)
            for _ in range(2):
                for p in params:
                    p.grad = gradcore.randn(p.numel())
                optimizer.step()
            return [p.tolist() for p in params]
        finally:
            gradcore.set_num_threads(before)
    assert run(1) == run(2)


def test_closure_and_subclass():
    class Plain(gradcore.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @gradcore.no_grad()
        def step(self, closure=None):
            loss = None
            if closure is not None:
                with gradcore.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    state["count"] = state.get("count", 0) + 1
                    p.add_(p.grad, alpha=-group["lr"])
            return loss

    w = gradcore.tensor([2.0], requires_grad=True)
    optimizer = Plain([w], 0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss
    assert optimizer.step(closure).item() == 4.0
    assert w.tolist() == [1.0] and optimizer.state[w]["count"] == 1
    sgd = gradcore.optim.SGD([w], lr=0.25)
    optimizer = sgd
    assert sgd.step(closure).item() == 1.0 and w.tolist() == [0.5]


def test_copies():
    w = gradcore.tensor([2.0], requires_grad=True)
    optimizer = gradcore.optim.Adam([w], lr=0.1)
    (w * w).sum().backward()
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        (p,) = other.param_groups[0]["params"]
        assert p is not w and p.tolist() == w.tolist()
        assert other.state[p]["exp_avg"].tolist() == optimizer.state[w]["exp_avg"].tolist()


REFUSED = [
    ("SGD", lambda lib: [lib.ones(1, requires_grad=True)], {"lr": -1}, ValueError, "Invalid learning rate: -1"),
    ("SGD", lambda lib: [lib.ones(1, requires_grad=True)], {"momentum": -1}, ValueError, "Invalid momentum value"),
    ("SGD", lambda lib: [lib.ones(1, requires_grad=True)], {"weight_decay": -1}, ValueError, "Invalid weight_decay"),
    ("SGD", lambda lib: [lib.ones(1, requires_grad=True)], {"nesterov": True}, ValueError, "Nesterov momentum requires"),
    ("SGD", lambda lib: [], {}, ValueError, "empty parameter list"),
    ("SGD", lambda lib: lib.ones(1), {}, TypeError, "iterable of Tensors"),
    ("SGD", lambda lib: [3], {}, TypeError, "can only optimize Tensors"),
    ("SGD", lambda lib: [lib.ones(1, requires_grad=True) * 2], {}, ValueError, "non-leaf"),
    ("Adam", lambda lib: [lib.ones(1, requires_grad=True)], {"betas": (1.0, 0.9)}, ValueError, "Invalid beta parameter at index 0"),
    ("Adam", lambda lib: [lib.ones(1, requires_grad=True)], {"eps": -1}, ValueError, "Invalid epsilon value"),
    ("AdamW", lambda lib: [lib.ones(1, requires_grad=True)], {"lr": -1}, ValueError, "Invalid learning rate"),
]


@pytest.mark.parametrize(("name", "params", "options", "kind", "phrase"), REFUSED)
def test_refused(name, params, options, kind, phrase):
    for lib in filter(None, (gradcore, torch)):
        with pytest.raises(kind, match=phrase):
            getattr(lib.optim, name)(params(lib), **options)


def test_loading_a_state_that_does_not_fit():
    a, b = (gradcore.ones(2, requires_grad=True) for _ in range(2))
    one, two = gradcore.optim.SGD([a]), gradcore.optim.SGD([a, b])
    with pytest.raises(ValueError, match="doesn't match the size"):
        one.load_state_dict(two.state_dict())
    split = gradcore.optim.SGD([{"params": [a]}, {"params": [b]}])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        one.load_state_dict(split.state_dict())


def test_wrong_gradient_leaves_the_parameter():
    w = gradcore.ones(2, requires_grad=True)
    optimizer = gradcore.optim.SGD([w], lr=1.0)
    w.grad = gradcore.ones(2)
    w.data = gradcore.ones(3)
    with pytest.raises(RuntimeError, match="gradient of shape"):
        optimizer.step()
    assert w.tolist() == [1, 1, 1]
