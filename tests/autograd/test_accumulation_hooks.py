"""Hooks that run after a gradient was accumulated into a leaf."""

import pytest

from support import both, leaf


def test_hooks_after_accumulation():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
        (x * x + x * 3).sum().backward()
        (x * 2).sum().backward()
        handle.remove()
        (x * 2).sum().backward()
        return seen, x.grad

    both(program)


def test_an_optimizer_step_in_backward():
    def program(lib):
        def step(t):
            with lib.no_grad():
                t -= 0.5 * t.grad
            t.grad = None

        weights = [leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)]
        for weight in weights:
            weight.register_post_accumulate_grad_hook(step)
        for _ in range(3):
            (weights[0] * 2 + weights[1] * 3).sum().backward()
        return weights, [weight.grad is None for weight in weights]

    both(program)


@pytest.mark.parametrize("make", [lambda x: x * 2, lambda x: x.detach()])
def test_only_leaves_accumulate(make):
    both(lambda lib: make(leaf(lib, 1.0)).register_post_accumulate_grad_hook(print), raises="")


def test_hooks_are_for_tensors_that_require_grad():
    both(lambda lib: lib.ones(1).register_hook(print), raises="doesn't require gradient")


def test_hooks_after_accumulation_in_any_order_of_registration():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        y = x * 2
        x.register_post_accumulate_grad_hook(lambda t: seen.append("later than the graph"))
        y.backward()
        return seen

    both(program)
