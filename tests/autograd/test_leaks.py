"""Leak scopes: after a step of each kind, ended well or by an exception, as many bytes are in use as before it."""

import contextlib
import gc

import pytest

from support import gradcore

fwd = gradcore.autograd.forward_ad
func = gradcore.func
graph = gradcore.autograd.graph
checkpoint = gradcore.utils.checkpoint.checkpoint
FORWARD_MODE, TRANSFORMS, CHECKPOINTS, HOOKS, ANOMALY, STEPS = {}, {}, {}, {}, {}, {}


def step(table, *, fails=()):
    """Enters a function of a leaf with 1000 elements; `fails`: what it must raise."""

    def enter(function):
        table[function.__name__] = STEPS[function.__name__] = function, fails
        return function

    return enter


class Cube(gradcore.autograd.Function):
    """With all of its derivatives, and a rule for batches made of them."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x * x * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return tangent * 3 * x * x


class OwnRule(Cube):
    generate_vmap_rule = False

    @staticmethod
    def vmap(info, in_dims, x):
        return OwnRule.apply(x), in_dims[0]


def loss(x):
    return (x.exp() * x).sum()


def refuses(*_):
    raise KeyError("refused")


# -- forward mode


@step(FORWARD_MODE)
def dual_level(a):
    with fwd.dual_level():
        dual = fwd.make_dual(a.detach(), gradcore.ones(1000))
        fwd.unpack_dual((dual.exp() * dual)[1:])


@step(FORWARD_MODE)
def level_left_with_duals_alive(a):
    with fwd.dual_level():
        kept = fwd.make_dual(a.detach(), gradcore.ones(1000)).sin()
    assert fwd.unpack_dual(kept.detach() * 1).primal.shape == (1000,)


@step(FORWARD_MODE, fails=KeyError)
def level_left_by_an_exception(a):
    with fwd.dual_level():
        kept = fwd.make_dual(a.detach(), gradcore.ones(1000)).sin()
        refuses(kept)


@step(FORWARD_MODE)
def tangents_written_in_place(a):
    with fwd.dual_level():
        dual = fwd.make_dual(a.detach().clone(), gradcore.ones(1000))
        dual[3:9].mul_(2)
        dual.exp_()
        fwd.unpack_dual(dual)


@step(FORWARD_MODE)
def backward_through_a_tangent(a):
    with fwd.dual_level():
        dual = fwd.make_dual(a * 1, gradcore.ones(1000))
        fwd.unpack_dual(loss(dual)).tangent.backward()


@step(FORWARD_MODE)
def forward_over_reverse(a):
    func.jvp(func.grad(loss), (a.detach(),), (gradcore.ones(1000),))


@step(FORWARD_MODE)
def reverse_over_forward(a):
    func.grad(lambda x: func.jvp(loss, (x,), (gradcore.ones(1000),))[1])(a.detach())


@step(FORWARD_MODE)
def forward_over_forward(a):
    func.jvp(lambda x: func.jvp(loss, (x,), (gradcore.ones(1000),))[1], (a.detach(),), (gradcore.ones(1000),))


@step(FORWARD_MODE)
def linearized(a):
    _, f = func.linearize(gradcore.sin, a.detach())
    f(gradcore.ones(1000))


@step(FORWARD_MODE)
def function_with_jvp(a):
    func.jvp(Cube.apply, (a.detach(),), (gradcore.ones(1000),))


@step(FORWARD_MODE, fails=KeyError)
def jvp_that_fails(a):
    func.jvp(lambda x: refuses(x.sin()), (a.detach(),), (gradcore.ones(1000),))


# -- vmap and the transforms


@step(TRANSFORMS)
def nested_vmap(a):
    x = a.detach().reshape(10, 10, 10)
    func.vmap(func.vmap(lambda row: (row.softmax(0) * row).sum()))(x)


@step(TRANSFORMS)
def vmap_of_grad(a):
    func.vmap(func.grad(loss))(a.detach().reshape(10, 100))


@step(TRANSFORMS)
def grad_of_vmap(a):
    func.grad(lambda x: func.vmap(loss)(x).sum())(a.detach().reshape(10, 100))


@step(TRANSFORMS)
def backward_through_vmap(a):
    func.vmap(lambda row: row.sin() * row[0])(a.reshape(10, 100)).sum().backward()


@step(TRANSFORMS)
def writes_under_vmap(a):
    def write(row):
        row = row * 1
        row[0] = row.sum()
        return row.exp_()

    func.vmap(write)(a.detach().reshape(10, 100))


@step(TRANSFORMS)
def second_derivatives(a):
    func.hessian(loss)(a.detach()[:20])
    func.jacrev(func.jacfwd(gradcore.sin))(a.detach()[:20])


@step(TRANSFORMS)
def vjp_called_twice(a):
    _, pull = func.vjp(gradcore.sin, a.detach())
    pull(gradcore.ones(1000))
    pull(gradcore.ones(1000))


@step(TRANSFORMS)
def function_under_vmap(a):
    x = a.detach().reshape(10, 100)
    for apply in (Cube.apply, OwnRule.apply):
        func.vmap(apply)(x)
        func.vmap(func.grad(lambda row, apply=apply: apply(row).sum()))(x)
        func.vmap(apply)(a.reshape(10, 100)).sum().backward()


@step(TRANSFORMS)
def batches_of_gradients(a):
    gradcore.autograd.grad(a.sin(), a, gradcore.ones(5, 1000), is_grads_batched=True)


@step(TRANSFORMS, fails=KeyError)
def nested_transforms_that_fail(a):
    func.vmap(func.grad(lambda row: refuses(row.sin())))(a.detach().reshape(10, 100))


@step(TRANSFORMS, fails=RuntimeError)
def value_read_under_vmap(a):
    func.vmap(lambda row: row.sum().item())(a.detach().reshape(10, 100))


# -- checkpoints


@step(CHECKPOINTS)
def checkpoint_with_backward(a):
    checkpoint(lambda x: x.exp() * x, a, use_reentrant=False).sum().backward()


@step(CHECKPOINTS)
def checkpoint_reentrant(a):
    checkpoint(lambda x: x.exp() * x, a, use_reentrant=True).sum().backward()


@step(CHECKPOINTS)
def checkpoint_dropped(a):
    checkpoint(lambda x: x.exp() * x, a, use_reentrant=False)
    checkpoint(lambda x: x.exp() * x, a, use_reentrant=True)


@step(CHECKPOINTS)
def checkpoint_in_checkpoint(a):
    inner = lambda x: checkpoint(lambda y: y.tanh() * y, x, use_reentrant=False)  # noqa: E731
    checkpoint(lambda x: inner(x).exp(), a, use_reentrant=False).sum().backward()


@step(CHECKPOINTS, fails=KeyError)
def checkpoint_that_fails_when_recomputed(a):
    calls = []

    def twice(x):
        calls.append(1)
        return x.exp() * x if len(calls) == 1 else refuses(x.exp())

    checkpoint(twice, a, use_reentrant=False).sum().backward()


# -- hooks


@step(HOOKS)
def tensor_hooks(a):
    y = a * 2
    y.register_hook(lambda g: g * y.detach())
    y.sum().backward()


@step(HOOKS)
def node_hooks(a):
    y = (a * 2).exp()
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 2,))
    y.grad_fn.register_hook(lambda grads, _: None)
    y.sum().backward()


@step(HOOKS)
def hook_that_refers_to_its_tensor(a):
    y = a * 2
    y.register_hook(lambda g: g * y)


@step(HOOKS)
def hooks_of_leaves(_):
    x = gradcore.ones(1000, requires_grad=True)
    x.register_hook(lambda g: g * x.detach())
    x.register_post_accumulate_grad_hook(lambda leaf: x.numel())


@step(HOOKS)
def hook_for_any_gradient(_):
    x = gradcore.ones(1000, requires_grad=True)
    y = x.exp()
    graph.register_multi_grad_hook([x, y], lambda grad: None, mode="any")
    y.sum().backward()


@step(HOOKS)
def hook_for_all_gradients(a):
    x, y = a.exp(), a.sin()
    graph.register_multi_grad_hook([x, y], lambda grads: None)
    (x * y).sum().backward()


@step(HOOKS, fails=KeyError)
def hook_that_fails(a):
    y = a.exp()
    y.register_hook(refuses)
    y.sum().backward()


@step(HOOKS)
def saved_tensor_hooks(a):
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t * 1):
        (a.exp() * a).sum().backward()
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t * 1):
        a.exp() * a


@step(HOOKS, fails=KeyError)
def saved_tensor_hook_that_fails(a):
    with graph.saved_tensors_hooks(lambda t: t, refuses):
        (a.exp() * a).sum().backward()


# -- anomaly mode


@step(ANOMALY)
def anomaly_mode(a):
    with gradcore.autograd.detect_anomaly():
        loss(a).backward()
        Cube.apply(a).sum().backward()


@step(ANOMALY)
def anomaly_mode_without_backward(a):
    with gradcore.autograd.detect_anomaly():
        loss(a)


@step(ANOMALY, fails=RuntimeError)
def anomaly_that_is_found(a):
    with gradcore.autograd.detect_anomaly():
        ((a * 0) / 0 * a).sum().backward()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STEPS)
def test_steps_do_not_leak(name):
    run, fails = STEPS[name]
    a = gradcore.linspace(-1, 1, 1000).requires_grad_()
    a.grad = gradcore.zeros(1000)

    def once():
        with pytest.raises(fails) if fails else contextlib.nullcontext():
            run(a)

    def bytes_in_use():
        gc.collect()
        return gradcore.memory_stats()["in_use"]

    once()
    before = bytes_in_use()
    for _ in range(5):
        once()
    assert bytes_in_use() == before
