"""Custom Functions that run backward inside backward, or in several threads."""

import threading
import weakref

import pytest
from custom_functions import custom, square, times_two

from support import both, leaf


class Stop(Exception):
    pass


def test_backward_inside_backward():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        def backward(ctx, grad):
            with lib.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                (square(lib).apply(x)).backward(grad)
            return x.grad

        x = leaf(lib, 1.0, 2.0)
        custom(lib, forward, backward).apply(x.exp()).sum().backward()
        return x.grad

    both(program, ulps=2)


def test_backward_inside_backward_many_deep():
    def program(lib):
        def backward(ctx, grad):
            if ctx.depth == 0:
                return grad, None
            with lib.enable_grad():
                x = lib.ones(2, requires_grad=True)
                function.apply(x, ctx.depth - 1).sum().backward()
            return grad + x.grad, None

        def forward(ctx, x, depth):
            ctx.depth = depth
            return x * 1

        function = custom(lib, forward, backward)
        x = leaf(lib, 1.0, 2.0)
        function.apply(x, 80).sum().backward()
        return x.grad

    both(program)


def test_exception_inside_an_inner_backward():
    def program(lib):
        def fail(ctx, grad):
            raise Stop("inner")

        def backward(ctx, grad):
            with lib.enable_grad():
                custom(lib, times_two, fail).apply(leaf(lib, 1.0)).backward()

        x = leaf(lib, 1.0, 2.0)
        with pytest.raises(Stop, match="inner"):
            custom(lib, times_two, backward).apply(x).sum().backward()
        square(lib).apply(x).sum().backward()
        return x.grad

    both(program)


def run_in_threads(count, work):
    """Raises what a thread raised."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # noqa: BLE001  raised again below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_with_graphs_of_their_own():
    def program(lib):
        function, results = square(lib), [None] * 4

        def work(number):
            x = lib.full((20,), float(number + 1), requires_grad=True)
            for _ in range(30):
                function.apply(function.apply(x * 0.5)).sum().backward()
            results[number] = x.grad

        run_in_threads(4, work)
        return results

    both(program)


def test_threads_share_a_graph():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(square(lib).apply(x)).sum()
        results = [None] * 4

        def work(number):
            for _ in range(20):
                results[number] = lib.autograd.grad(y, x, retain_graph=True)

        run_in_threads(4, work)
        return results

    both(program)


def test_a_graph_dropped_by_another_thread():
    def program(lib):
        held = [square(lib).apply(leaf(lib, 1.0, 2.0))]
        node = weakref.ref(held[0].grad_fn)
        run_in_threads(1, lambda number: held.clear())
        return node() is None

    both(program)
