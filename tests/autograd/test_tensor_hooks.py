"""retain_grad and Tensor.register_hook in small programs; test_hooks.py has every other kind of hook."""

import pytest

from support import (
    both,
    leaf,
)


def test_retain_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.retain_grad()
        b.retain_grad()
        a.retain_grad()
        (b * b).sum().backward()
        assert b.retains_grad and not a.retains_grad
        return a.grad, b.grad

    both(program)


def test_retain_grad_after_an_inplace_op():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.retain_grad()
        b.mul_(5)
        (b * b).sum().backward()
        return a.grad, b.grad

    both(program)


def test_retain_grad_needs_a_gradient():
    both(lambda lib: lib.ones(1).retain_grad(), raises="requires_grad=False")


def test_hooks():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 3
        b.register_hook(lambda g: seen.append(("b", g.clone())))
        b.register_hook(lambda g: g * 10)
        b.register_hook(lambda g: seen.append(("b again", g.clone())))
        a.register_hook(lambda g: g + 1)
        b.retain_grad()
        (b * b).sum().backward()
        return seen, a.grad, b.grad

    both(program)


def test_hook_runs_once_on_the_whole_gradient():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 1
        b.register_hook(lambda g: seen.append(g.tolist()))
        a.register_hook(lambda g: seen.append(g.tolist()))
        (b * 2 + b * 3 + b.exp() * 0).sum().backward()
        return seen

    both(program)


def test_hook_removal():
    def program(lib):
        a = leaf(lib, 1.0)
        handle = a.register_hook(lambda g: g * 100)
        a.sum().backward()
        handle.remove()
        handle.remove()
        a.sum().backward()
        with a.register_hook(lambda g: g * 7):
            a.sum().backward()
        a.sum().backward()
        return a.grad

    both(program)


def test_hook_in_autograd_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(lambda g: g * 2)
        a.register_hook(lambda g: g * 5)
        return lib.autograd.grad((b * b).sum(), [a, b])

    both(program)


def test_hook_follows_an_inplace_write():
    def program(lib):
        seen = []
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(lambda g: seen.append(("before", g.tolist())))
        b.mul_(3)
        b.register_hook(lambda g: seen.append(("after", g.tolist())))
        b.sum().backward()
        return seen, a.grad

    both(program)


@pytest.mark.parametrize(
    ("hook", "phrase"),
    [
        (lambda lib: lambda g: g.expand(3, 2), ""),
        (lambda lib: lambda g: "text", ""),
    ],
)
def test_hook_results_are_checked(hook, phrase):
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.register_hook(hook(lib))
        b.sum().backward()

    both(program, raises=phrase)


def test_hook_on_a_tensor_without_grad_is_refused():
    both(lambda lib: lib.ones(1).register_hook(print), raises="require")


def test_exception_in_a_hook_leaves_everything_usable():
    def program(lib):
        class Stop(Exception):
            pass

        def stop(gradient):
            raise Stop("here")

        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        middle = a * b
        handle = middle.register_hook(stop)
        loss = (middle * middle).sum()
        with pytest.raises(Stop, match="here"):
            loss.backward(retain_graph=True)
        grads = (a.grad, b.grad)
        handle.remove()
        loss.backward()
        assert lib.is_grad_enabled()
        return grads, a.grad, b.grad

    both(program)


def test_backward_inside_a_hook():
    def program(lib):
        a, c = leaf(lib, 1.0, 2.0), leaf(lib, 3.0)
        b = a * 2

        def other_backward(gradient):
            assert not lib.is_grad_enabled()
            with lib.enable_grad():
                (c * c).sum().backward()

        b.register_hook(other_backward)
        (b * b).sum().backward()
        return a.grad, c.grad

    both(program)


def test_a_retained_gradient_is_contiguous():
    def program(lib):
        x = lib.ones(2, 3, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.t().sin().sum().backward()
        return y.grad.stride()

    both(program)


def test_a_written_view_retains_the_gradient_of_its_new_value_alone():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view, other = base.view(-1), base.view(-1)
        view.retain_grad()
        other.retain_grad()
        before = view * 2 + other * 7
        view.neg_()
        (view.sum() * 4 + before.sum() * 5 + other.sum() * 3).backward()
        return view.grad, other.grad, x.grad

    both(program)


def test_handles_of_hooks():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = x * 2
        handles = [
            x.register_hook(print),
            y.grad_fn.register_hook(print),
            y.grad_fn.register_prehook(print),
            x.register_post_accumulate_grad_hook(print),
            lib.nn.Linear(1, 1).register_forward_hook(print),
        ]
        with handles[0] as same:
            assert same is handles[0]
        kinds = [isinstance(handle, lib.utils.hooks.RemovableHandle) for handle in handles]
        return kinds, [handle.id - handles[0].id for handle in handles], not x._backward_hooks

    both(program)
