"""When a graph frees what it holds; test_leaks.py counts the bytes of whole steps."""

import gc
import weakref

import pytest

from support import (
    gradcore,
    leaf,
)


def test_graph_frees_its_tensors():
    """Without the cycle collector: a result owns its graph, and nothing in the graph owns the result."""

    def alive_after(make):
        gc.disable()
        try:
            return weakref_of(make)() is not None
        finally:
            gc.enable()

    def weakref_of(make):
        result = make(leaf(gradcore, 1.0, 2.0))
        return weakref.ref(result)

    def hooked(a):
        b = a * 2
        b.register_hook(lambda g: g)
        return b

    def written(a):
        b = a.exp()
        b[0].mul_(2)
        return b

    makers = {
        "result": lambda a: a * 2,
        "saved output": lambda a: a.exp(),
        "hook": hooked,
        "written view": written,
        "view": lambda a: (a * 2)[0:1],
        "gradient": lambda a: gradcore.autograd.grad((a**3).sum(), a, create_graph=True)[0],
    }
    assert not [name for name, make in makers.items() if alive_after(make)]


def bytes_in_use():
    if not hasattr(gradcore, "memory_stats"):
        pytest.skip("no memory statistics")
    return gradcore.memory_stats()["in_use"]


@pytest.mark.parametrize(
    "step",
    [
        lambda a: (a.exp() * a).sum().backward(),
        lambda a: (a.exp() * a).sum(),
        lambda a: gradcore.autograd.grad((a**3).sum(), a, create_graph=True)[0].sum().backward(),
        lambda a: (a * 1)[2:5].exp_().sum().backward(),
        lambda a: (a * 1).register_hook(lambda g: g * 2),
        lambda a: (a.tanh() @ a).retain_grad(),
        lambda a: a.softmax(0)[a.detach() > 0].sum().backward(),
        lambda a: failing(lambda: a.exp().backward()),
        lambda a: failing(lambda: a * gradcore.ones(3)),
    ],
)
def test_steps_do_not_leak(step):
    a = gradcore.linspace(-1, 1, 1000).requires_grad_()
    step(a)
    a.grad = gradcore.zeros(1000)
    before = bytes_in_use()
    for _ in range(5):
        step(a)
    assert bytes_in_use() == before


def failing(action):
    with pytest.raises(RuntimeError):
        action()


def test_graph_is_freed_by_backward():
    """Saved tensors go when backward is done, though the loss is alive; retain_graph keeps them."""
    a = gradcore.ones(100_000, requires_grad=True)
    a.grad = gradcore.zeros(100_000)
    before = bytes_in_use()
    loss = a.exp().sin().exp().sum()
    held = bytes_in_use() - before
    loss.backward(retain_graph=True)
    assert bytes_in_use() - before >= held
    loss.backward()
    assert bytes_in_use() - before < 10_000
