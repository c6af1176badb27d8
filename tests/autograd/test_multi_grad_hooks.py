"""Hooks on several tensors at once, and gradient edges."""

import threading

import pytest
from hook_programs import Stop, graph_of, values

from support import both, leaf


def multi(lib, tensors, hook, **mode):
    return graph_of(lib).register_multi_grad_hook(tensors, hook, **mode)


@pytest.mark.parametrize("used", [(0, 1, 2), (0, 1), (2,), (1, 1), (0, 2)])
@pytest.mark.parametrize("mode", ["all", "any"])
def test_multi_grad_hook(mode, used):
    def program(lib):
        seen = []
        tensors = [leaf(lib, 1.0), leaf(lib, 2.0)]
        tensors.append(tensors[0] * tensors[1])

        def hook(grads):
            seen.append(values(grads) if mode == "all" else grads.tolist())

        handle = multi(lib, tensors, hook, mode=mode)
        for _ in range(2):
            sum(tensors[i] * (i + 3) for i in used).sum().backward(retain_graph=True)
        handle.remove()
        tensors[2].backward(retain_graph=True)
        return seen

    both(program)


def test_multi_grad_hook_as_a_context():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        with multi(lib, [x], lambda grads: seen.append(values(grads))):
            (x * 2).backward()
        (x * 2).backward()
        return seen

    both(program)


def test_multi_grad_hook_with_the_same_tensor_twice():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        multi(lib, (x, x), lambda grads: seen.append(values(grads)))
        (x * 2).backward()
        return seen

    both(program)


def test_multi_grad_hook_in_autograd_grad():
    def program(lib):
        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        z = x * y
        w = z * 5
        multi(lib, (z, w), lambda grads: seen.append(values(grads)))
        for inputs in ([x, y], [x], [z]):
            lib.autograd.grad((w * w).sum(), inputs, retain_graph=True)
        return seen

    both(program)


def test_multi_grad_hook_with_inputs():
    """Those that these inputs do not need are not waited for."""

    def program(lib):
        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        z, w = x.exp(), y.exp()
        multi(lib, (x, y, z, w), lambda grads: seen.append([grad is None for grad in grads]))
        for inputs in ([x, y], [x], [y]):
            (z * w).backward(inputs=inputs, retain_graph=True)
        return seen

    both(program)


def test_multi_grad_hook_refuses_other_modes():
    both(lambda lib: multi(lib, [leaf(lib, 1.0)], print, mode="some"), raises="Expects mode to be one of")


def test_multi_grad_hook_needs_tensors_that_require_grad():
    both(lambda lib: multi(lib, [leaf(lib, 1.0), lib.ones(1)], print), raises="")


@pytest.mark.parametrize("mode", ["all", "any"])
def test_a_multi_grad_hook_that_raises(mode):
    def program(lib):
        calls = []

        def hook(grads):
            calls.append(values(grads) if mode == "all" else grads.tolist())
            if len(calls) == 1:
                raise Stop

        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        multi(lib, (x, y), hook, mode=mode)
        with pytest.raises(Stop):
            (x * y).backward()
        (x * y).backward()
        return calls

    both(program)


def test_multi_grad_hook_in_two_threads():
    """One backward stands between its two gradients while another one, begun later, runs as a whole."""

    def program(lib):
        seen = []
        arrived, go_on = threading.Event(), threading.Event()
        a = leaf(lib, 1.0) * 2
        b = a * 3

        def wait_once(grad):
            if not arrived.is_set():
                arrived.set()
                go_on.wait(20)

        a.register_hook(wait_once)
        multi(lib, (a, b), lambda grads: seen.append(values(grads)))
        thread = threading.Thread(target=lambda: (b * 7).backward(retain_graph=True))
        thread.start()
        assert arrived.wait(20)
        (b * 5).backward(retain_graph=True)
        go_on.set()
        thread.join()
        return seen

    both(program)


def test_multi_grad_hook_and_a_backward_inside():
    def program(lib):
        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        a, b = x * 2, y * 3
        multi(lib, (a, b), lambda grads: seen.append(values(grads)))

        def inner(grad):
            with lib.enable_grad():
                (a * 7 + b * 5).backward(retain_graph=True)

        handles = []

        def once(grad):
            handles[0].remove()
            inner(grad)

        handles.append(b.register_hook(once))
        (a * b).backward(retain_graph=True)
        return seen, x.grad, y.grad

    both(program)


def test_gradient_edges():
    def program(lib):
        get = graph_of(lib).get_gradient_edge
        x = leaf(lib, 1.0, 2.0)
        y = x * 2
        parts = y.unbind()
        edges = [get(x), get(y), get(parts[1])]
        assert all(isinstance(edge, graph_of(lib).GradientEdge) for edge in edges)
        return [(edge.node.name(), edge.output_nr) for edge in edges]

    both(program)


def test_gradient_edges_stand_for_tensors():
    def program(lib):
        get = graph_of(lib).get_gradient_edge
        x = leaf(lib, 1.0, 2.0)
        y = x * 2
        edge = get(y * y)
        return (
            lib.autograd.grad(edge, [x, get(y)], grad_outputs=lib.ones(2), retain_graph=True),
            lib.autograd.grad((y * 3).sum(), get(x)),
        )

    both(program)


def test_an_edge_keeps_a_leafs_accumulator():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        edge = graph_of(lib).get_gradient_edge(x)
        edge.node.register_prehook(lambda incoming: seen.append(values(incoming)))
        (x * 2).backward()
        return seen, x.grad

    both(program)


def test_no_edge_without_a_gradient():
    both(lambda lib: graph_of(lib).get_gradient_edge(lib.ones(1)), raises="does not require gradients")


def test_mode_any_leaves_out_tensors_without_grad():
    def program(lib):
        x, frozen = leaf(lib, 1.0, 2.0), lib.ones(2)
        seen = []
        handle = graph_of(lib).register_multi_grad_hook([frozen, x], lambda g: seen.append(g.tolist()), mode="any")
        (x * frozen).sum().backward()
        handle.remove()
        (x * frozen).sum().backward()
        return seen

    both(program)


def test_mode_all_refuses_tensors_without_grad():
    def program(lib):
        graph_of(lib).register_multi_grad_hook([lib.ones(2), leaf(lib, 1.0)], print, mode="all")

    both(program, raises="Expected gradient function to be set")


def test_a_multi_grad_hook_outlives_a_function_s_graph():
    def program(lib):
        class Same(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                return g

        x = leaf(lib, 1.0, 2.0)
        seen = []
        y = Same.apply(x)
        graph_of(lib).register_multi_grad_hook([x, y], lambda grads: seen.append(values(grads)))
        (y * 2).sum().backward()
        del y
        (x * 3).sum().backward()
        return seen

    both(program)


def test_gradient_edges_of_scalars_need_no_gradient():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        edge = graph_of(lib).get_gradient_edge((x * x).sum())
        grads = lib.autograd.grad(edge, x)
        lib.autograd.backward((graph_of(lib).get_gradient_edge(x.exp().sum()),))
        return grads, x.grad

    both(program)


@pytest.mark.parametrize("grad", [None, (4,)], ids=["none", "another shape"])
def test_gradient_edges_check_their_gradients(grad):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        edge = graph_of(lib).get_gradient_edge(x * x)
        lib.autograd.grad(edge, x, grad_outputs=None if grad is None else lib.ones(grad))

    both(program, raises="Mismatch in shape" if grad else "grad can be implicitly created only for scalar outputs")
