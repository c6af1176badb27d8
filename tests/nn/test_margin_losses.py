"""Hinge losses of classes: what has to be derivable itself takes ops, all else kernels; numbers that are not finite."""

import math

import pytest

from support import both, gradcore, with_threads

F = gradcore.nn.functional
LOSSES = {
    "of one class": lambda lib, x: lib.nn.functional.multi_margin_loss(x, lib.tensor([2, 0, 1]), reduction="none"),
    "squared, with weights": lambda lib, x: lib.nn.functional.multi_margin_loss(
        x, lib.tensor([2, 0, 1]), 2, 0.7, lib.tensor([0.5, 2.0, 1.0, 1.5]).to(x.dtype), reduction="none"
    ),
    "of several classes": lambda lib, x: lib.nn.functional.multilabel_margin_loss(
        x, lib.tensor([[2, 0, -1, 1], [3, 3, 1, -1], [-1, 0, 1, 2]]), reduction="none"
    ),
}


def scores(lib, *shape, dtype="float64"):
    return (lib.arange(math.prod(shape), dtype=getattr(lib, dtype)) * 7 % 11).view(
        shape
    ) / 4.3  # no difference is a margin


@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_of_derivatives(name):
    x = scores(gradcore, 3, 4).requires_grad_()
    assert gradcore.autograd.gradcheck(lambda t: LOSSES[name](gradcore, t), x, check_forward_ad=True)
    assert gradcore.autograd.gradgradcheck(lambda t: LOSSES[name](gradcore, t), x)


@pytest.mark.parametrize("name", LOSSES)
def test_both_ways_to_a_gradient_agree(name):
    x = scores(gradcore, 3, 4).requires_grad_()
    loss = LOSSES[name](gradcore, x)
    (by_kernel,) = gradcore.autograd.grad(loss.sum(), x, retain_graph=True)
    (by_ops,) = gradcore.autograd.grad(loss.sum(), x, create_graph=True)
    assert (by_kernel - by_ops).abs().max().item() < 1e-14


@pytest.mark.parametrize("name", LOSSES)
def test_vmap_over_scores(name):
    def gradient(t):
        return gradcore.func.grad(lambda s: LOSSES[name](gradcore, s).sum())(t)

    x = gradcore.stack([scores(gradcore, 3, 4), scores(gradcore, 3, 4).flip(0)])
    single = gradcore.stack([gradient(part) for part in x])
    assert (gradcore.func.vmap(gradient)(x) - single).abs().max().item() < 1e-14


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("place", [0, 2, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_numbers_that_are_not_finite(name, place, value):
    def program(lib):
        x = scores(lib, 3, 4)
        x[:, place] = value
        x.requires_grad_()
        loss = LOSSES[name](lib, x)
        return loss, lib.autograd.grad(loss[1], x)

    both(program, ulps=8)


@pytest.mark.parametrize("margin", [0.0, -1.0, math.inf, math.nan])
def test_margins(margin):
    def program(lib):
        x = scores(lib, 3, 4).requires_grad_()
        loss = lib.nn.functional.multi_margin_loss(x, lib.tensor([0, 1, 2]), margin=margin, p=2)
        return loss, lib.autograd.grad(loss, x)

    both(program, ulps=8)


def test_a_hook_that_changes_what_is_saved_is_no_class():
    x = scores(gradcore, 3, 4).requires_grad_()
    with gradcore.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: gradcore.full_like(t, 1 << 40)):
        loss = F.multi_margin_loss(x, gradcore.tensor([0, 1, 2]))
    loss.backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads):
    def values():
        x = scores(gradcore, 300, 120, dtype="float32").requires_grad_()
        loss = F.multilabel_margin_loss(x, (gradcore.arange(300 * 120) % 97).view(300, 120) - 1)
        return loss.item(), gradcore.autograd.grad(loss, x)[0].tolist()

    assert with_threads(threads, values) == with_threads(1, values)
