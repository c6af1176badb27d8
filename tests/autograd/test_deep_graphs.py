"""Graphs of many nodes on a small stack. GRADCORE_DEPTH=1000000 makes them that deep."""

import os
import threading

import pytest

from support import (
    gradcore,
    leaf,
)

DEPTH = int(os.environ.get("GRADCORE_DEPTH", "100_000"))


def repeated(step):
    """A graph in which each of many nodes holds the one before."""

    def grow(x):
        y = x * 1
        for i in range(DEPTH):
            y = step(y, x, i)
        return y

    return grow


class Keeping(gradcore.autograd.Function):
    """Holds its second argument by what it saves alone."""

    @staticmethod
    def forward(ctx, x, kept):
        ctx.save_for_backward(kept)
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def written(y, x, i):
    y[i % 2].mul_(1.0)
    return y


def written_beside_its_view(x):
    y = x * 1
    view = y[:1]
    for _ in range(DEPTH):
        view.mul_(1.0)
        y.mul_(1.0)
    return y + 0 * view


def hooked(y, x, i):
    y = y * 1.0
    y.register_hook(lambda grad: None)
    return y


def contexts_linked(x):
    y, last = x * 1, None
    for _ in range(DEPTH // 4):
        y = Keeping.apply(y, None)
        y.grad_fn.before = last
        last = y.grad_fn
    return y


def gradients_of_gradients(x):
    for _ in range(DEPTH):
        (x * x).sum().backward(create_graph=True)
    found, x.grad = x.grad, None
    return found / (2 * DEPTH)


def retained(x):
    kept = [x * 1]
    for _ in range(DEPTH // 4):
        kept.append(kept[-1] * 1.0)
        kept[-1].retain_grad()
    return kept[-1] + 0 * kept[1]


def with_tangents(x):
    fw = gradcore.autograd.forward_ad
    with fw.dual_level():
        return fw.unpack_dual(repeated(lambda y, x, i: y * 1.0)(fw.make_dual(x, gradcore.ones(2)))).primal


def packed(x):
    with gradcore.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        return repeated(lambda y, x, i: y * x)(x)


OWNERS = {
    "edges": repeated(lambda y, x, i: y * 1.0),
    "saved inputs": repeated(lambda y, x, i: Keeping.apply(x, y)),
    "saved by both": repeated(lambda y, x, i: y * x),
    "saved outputs": repeated(lambda y, x, i: y.sqrt()),
    "views": repeated(lambda y, x, i: y.view(2)),
    "writes": repeated(lambda y, x, i: y.mul_(1.0)),
    "writes to views": repeated(written),
    "writes to a view and its base": written_beside_its_view,
    "hooks": repeated(hooked),
    "contexts": contexts_linked,
    "gradients with create_graph": gradients_of_gradients,
    "retained gradients": retained,
    "tangents": with_tangents,
    "packed": packed,
}


@pytest.mark.parametrize("use", ["dropped", "run"])
@pytest.mark.parametrize("owner", OWNERS)
def test_deep_graphs_on_a_small_stack(owner, use):
    """Nothing recurses over the graph: not building, not backward, not the destructors. GRADCORE_DEPTH=1000000 for more."""
    failures, found = [], []

    def work():
        try:
            x = leaf(gradcore, 1.0, 1.0)
            y = OWNERS[owner](x)
            if use == "run":
                y.sum().backward()
                found.append(bool(x.grad.isfinite().all()))
            del y
            x.grad = None
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert not failures
    assert found == ([True] if use == "run" else [])


def test_contexts_that_outlive_a_deep_graph():
    y, kept = leaf(gradcore, 1.0) * 1, []
    for _ in range(DEPTH // 4):
        y = Keeping.apply(y, None)
        kept.append(y.grad_fn)
    del y, kept[:-1]
    assert kept[0].next_functions[0][0].name() == "KeepingBackward"
    del kept[0]
