"""Hooks on tensors, nodes, leaves and several tensors at once. Each program runs in gradcore and in torch.

The plain hooks of a tensor are in test_tensor_hooks.py too; here stands what they do together.
"""

import functools
import gc
import importlib
import threading
import weakref

import pytest

from support import both, gradcore, leaf


def graph_of(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.graph")


def values(grads):
    """Gradients as they are now: hooks may be given the memory that is written later."""
    return [None if grad is None else grad.tolist() for grad in grads]


def refused(action):
    """The name of the exception's type, for programs that go on."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the name is compared
        action()
    return caught.type.__name__


class Stop(Exception):
    pass


def stop(*arguments):
    raise Stop("hook")


# ------------------------------------------------------------------------------------------------------------
# Order


def test_order_of_all_kinds():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        y.grad_fn.register_hook(lambda returned, incoming: seen.append(("post", values(returned), values(incoming))))
        y.grad_fn.register_prehook(lambda incoming: seen.append(("pre", values(incoming))))
        y.register_hook(lambda grad: seen.append(("tensor", grad.tolist())))
        y.retain_grad()
        x.register_post_accumulate_grad_hook(lambda t: seen.append(("accumulated", t.grad.tolist())))
        x.register_hook(lambda grad: seen.append(("leaf", grad.tolist(), x.grad is None)))
        (y * y).sum().backward()
        return seen, y.grad, x.grad

    both(program)


def test_hooks_of_a_kind_run_in_the_order_of_registration():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        y = x * 2
        for i in range(4):
            y.register_hook(lambda grad, i=i: seen.append(("tensor", i)))
            y.grad_fn.register_prehook(lambda incoming, i=i: seen.append(("pre", i)))
            y.grad_fn.register_hook(lambda returned, incoming, i=i: seen.append(("post", i)))
            x.register_hook(lambda grad, i=i: seen.append(("leaf", i)))
            x.register_post_accumulate_grad_hook(lambda t, i=i: seen.append(("accumulated", i)))
        y.backward()
        return seen

    both(program)


def test_changes_add_up():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        y.register_hook(lambda grad: grad + 1)
        y.retain_grad()
        y.register_hook(lambda grad: grad * 10)
        y.grad_fn.register_prehook(lambda incoming: (incoming[0] + 2,))
        y.grad_fn.register_prehook(lambda incoming: (incoming[0] * 10,))
        y.grad_fn.register_hook(lambda returned, incoming: (returned[0] + 3, *returned[1:]))
        y.grad_fn.register_hook(lambda returned, incoming: (returned[0] * 10, *returned[1:]))
        x.register_hook(lambda grad: grad + 4)
        x.register_hook(lambda grad: grad * 10)
        y.sum().backward()
        return y.grad, x.grad

    both(program)


def test_order_along_a_graph():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        nodes = {"a": x.exp()}
        nodes["b"] = nodes["a"] * 2
        nodes["c"] = nodes["a"] * 3
        nodes["d"] = nodes["b"] + nodes["c"]
        for name, t in nodes.items():
            t.register_hook(lambda grad, name=name: seen.append((name, grad.tolist())))
        nodes["d"].sum().backward()
        return seen

    both(program)


def test_the_same_hook_several_times():
    def program(lib):
        def double(grad):
            return grad * 2

        x = leaf(lib, 1.0)
        handles = [x.register_hook(double) for _ in range(3)]
        handles[1].remove()
        x.sum().backward()
        return x.grad

    both(program)


def test_a_hook_on_each_output_of_a_node():
    def program(lib):
        seen = []
        a, b, c = (leaf(lib, 1.0, 2.0, 3.0) * 1).unbind()
        a.register_hook(lambda grad: seen.append(("a", grad.tolist())))
        b.register_hook(lambda grad: grad * 10)
        a.grad_fn.register_prehook(lambda incoming: seen.append(values(incoming)))
        (a + b * 2).backward()
        return seen

    both(program)


def test_hooks_of_a_leaf_outside_of_backward():
    """autograd.grad calls the hooks of tensors, not those after accumulation."""

    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        x.register_hook(lambda grad: seen.append("leaf"))
        x.register_post_accumulate_grad_hook(lambda t: seen.append("accumulated"))
        lib.autograd.grad((x * 2).sum(), x)
        return seen, x.grad

    both(program)


def test_the_mode_hooks_run_in():
    def program(lib):
        modes = []
        x = leaf(lib, 1.0)
        y = x * 2
        y.register_hook(lambda grad: modes.append(lib.is_grad_enabled()))
        y.grad_fn.register_prehook(lambda incoming: modes.append(lib.is_grad_enabled()))
        y.grad_fn.register_hook(lambda returned, incoming: modes.append(lib.is_grad_enabled()))
        x.register_hook(lambda grad: modes.append(lib.is_grad_enabled()))
        x.register_post_accumulate_grad_hook(lambda t: modes.append(lib.is_grad_enabled()))
        y.backward(retain_graph=True)
        y.backward(create_graph=True)
        return modes

    both(program)


def test_hooks_are_differentiated():
    def program(lib):
        x, weight = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        y = x * x
        y.register_hook(lambda grad: grad * weight)
        y.grad_fn.register_prehook(lambda incoming: (incoming[0] * weight,))
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return first, lib.autograd.grad(first.sum(), [x, weight])

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Removing


REGISTER = {
    "tensor": lambda y, hook: y.register_hook(hook),
    "pre": lambda y, hook: y.grad_fn.register_prehook(hook),
    "post": lambda y, hook: y.grad_fn.register_hook(hook),
}


@pytest.mark.parametrize("register", REGISTER.values(), ids=REGISTER.keys())
def test_handles(register):
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        y = x * 2
        first = register(y, lambda *a: seen.append("first"))
        with register(y, lambda *a: seen.append("within")):
            register(y, lambda *a: seen.append("second"))
            y.backward(retain_graph=True)
        first.remove()
        first.remove()
        y.backward(retain_graph=True)
        return seen

    both(program)


@pytest.mark.parametrize("register", REGISTER.values(), ids=REGISTER.keys())
def test_a_hook_that_removes_itself(register):
    def program(lib):
        seen = []

        def hook(*arguments):
            seen.append("once")
            handle.remove()

        y = leaf(lib, 1.0) * 2
        handle = register(y, hook)
        register(y, lambda *a: seen.append("always"))
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
        return seen

    both(program)


def test_removing_the_hook_of_a_later_node():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        y = x * 2
        handles = [
            x.register_hook(lambda grad: seen.append("leaf")),
            x.register_post_accumulate_grad_hook(lambda t: seen.append("accumulated")),
        ]
        y.register_hook(lambda grad: [handle.remove() for handle in handles] and None)
        y.backward(retain_graph=True)
        return seen, x.grad

    both(program)


def test_adding_a_hook_while_running():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        y = x * 2

        def hook(grad):
            x.register_hook(lambda g: seen.append("new"))

        y.register_hook(hook)
        y.backward(retain_graph=True)
        first = len(seen)
        y.backward(retain_graph=True)
        return first, len(seen)

    both(program)


@pytest.mark.parametrize("register", REGISTER.values(), ids=REGISTER.keys())
def test_a_hook_that_registers_itself_anew(register):
    """What is added where hooks are running waits for the next sweep, or this would never end."""

    def program(lib):
        seen = []
        y = leaf(lib, 1.0) * 2

        def hook(*arguments):
            seen.append("called")
            handles.pop().remove()
            handles.append(register(y, hook))

        handles = [register(y, hook)]
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
        return seen

    both(program)


def test_a_handle_outlives_its_tensor():
    def program(lib):
        y = leaf(lib, 1.0) * 2
        handles = [register(y, print) for register in REGISTER.values()]
        del y
        for handle in handles:
            handle.remove()

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Hooks of nodes


def test_a_post_hook_sees_what_nobody_needs():
    def program(lib):
        seen = []
        x, y = leaf(lib, 1.0, 2.0), lib.ones(2)
        z = x * y
        z.grad_fn.register_hook(lambda returned, incoming: seen.append((values(returned), values(incoming))))
        z.sum().backward()
        return seen

    both(program)


def test_a_prehook_sees_none_where_no_gradient_came():
    def program(lib):
        seen = []
        a, b = (leaf(lib, 1.0, 2.0) * 1).unbind()
        a.grad_fn.register_prehook(lambda incoming: seen.append(values(incoming)))
        b.backward()
        return seen

    both(program)


def test_a_post_hook_of_an_accumulator():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        y = x * 2
        accumulator = y.grad_fn.next_functions[0][0]
        accumulator.register_prehook(lambda incoming: (incoming[0] * 10,))
        accumulator.register_hook(lambda returned, incoming: seen.append((values(returned), values(incoming))))
        y.sum().backward()
        return seen, x.grad, accumulator.name(), accumulator.variable is x

    both(program)


def test_none_from_a_prehook_element():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 1
        y.grad_fn.register_hook(lambda returned, incoming: (None, *returned[1:]))
        (y * 2).sum().backward()
        return x.grad

    both(program)


NODE_RESULTS = {
    "a tensor alone": lambda lib: lib.ones(2),
    "a tuple": lambda lib: (lib.ones(2),),
    "()": lambda lib: (),
    "too many": lambda lib: (lib.ones(2), lib.ones(2)),
    "a list": lambda lib: [lib.ones(2)],
    "text": lambda lib: "text",
    "a number": lambda lib: (5,),
    "(None,)": lambda lib: (None,),
    "shape": lambda lib: (lib.ones(3),),
    "expanded shape": lambda lib: (lib.ones(3, 2),),
    "0-d": lambda lib: (lib.tensor(1.0),),
    "float64": lambda lib: (lib.ones(2, dtype=lib.float64),),
    "int64": lambda lib: (lib.ones(2, dtype=lib.int64),),
}


def judged(action, x):
    """The gradient, or the name of the exception, after which nothing was accumulated."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  its type is compared
        assert x.grad is None
        return type(error).__name__
    return x.grad


@pytest.mark.parametrize("kind", ["pre", "post"])
@pytest.mark.parametrize("result", NODE_RESULTS.values(), ids=NODE_RESULTS.keys())
def test_what_node_hooks_return_is_checked(kind, result):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x.exp()
        handle = REGISTER[kind](y, lambda *arguments: result(lib))
        loss = (y * 3).sum()
        found = judged(lambda: loss.backward(retain_graph=True), x)
        handle.remove()
        x.grad = None
        loss.backward()
        return found, x.grad

    both(program, ulps=2)


TENSOR_RESULTS = {
    "a tensor": lambda lib: lib.ones(2),
    "a tuple": lambda lib: (lib.ones(2),),
    "text": lambda lib: "text",
    "a number": lambda lib: 5.0,
    "False": lambda lib: False,
    "shape": lambda lib: lib.ones(3),
    "expanded shape": lambda lib: lib.ones(3, 2),
    "0-d": lambda lib: lib.tensor(1.0),
    "float64": lambda lib: lib.ones(2, dtype=lib.float64),
    "int64": lambda lib: lib.ones(2, dtype=lib.int64),
}


@pytest.mark.parametrize("on_leaf", [False, True])
@pytest.mark.parametrize("result", TENSOR_RESULTS.values(), ids=TENSOR_RESULTS.keys())
def test_what_tensor_hooks_return_is_checked(on_leaf, result):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x.exp()
        handle = (x if on_leaf else y).register_hook(lambda grad: result(lib))
        loss = (y * 3).sum()
        found = judged(lambda: loss.backward(retain_graph=True), x)
        handle.remove()
        x.grad = None
        loss.backward()
        return found, x.grad

    both(program, ulps=2)


@pytest.mark.parametrize("result", TENSOR_RESULTS.values(), ids=TENSOR_RESULTS.keys())
def test_hooks_after_accumulation_return_none(result):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        handle = x.register_post_accumulate_grad_hook(lambda t: result(lib))
        found = refused(lambda: (x * 3).sum().backward())
        accumulated = x.grad.tolist()
        handle.remove()
        (x * 3).sum().backward()
        return found, accumulated, x.grad

    both(program)


def test_words_for_results_of_hooks_after_accumulation():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        x.register_post_accumulate_grad_hook(lambda t: t.grad)
        (x * 3).sum().backward()

    both(program, raises="hooks should return None")


@pytest.mark.parametrize(
    ("result", "phrase"),
    [
        (lambda lib: lib.ones(3), "has changed the size of value"),
        (lambda lib: lib.ones(2, dtype=lib.float64), "has changed the type of value"),
        (lambda lib: "text", "expected Variable, but hook"),
    ],
)
def test_words_for_wrong_results(result, phrase):
    def program(lib):
        y = leaf(lib, 1.0, 2.0) * 2
        y.register_hook(lambda grad: result(lib))
        y.sum().backward()

    both(program, raises=phrase)


def test_hooks_must_be_callable():
    def program(lib):
        x = leaf(lib, 1.0)
        y = x * 2
        found = []
        for register in (*REGISTER.values(), lambda y, hook: x.register_post_accumulate_grad_hook(hook)):
            found.append(judged(lambda register=register: (register(y, 5), y.backward(retain_graph=True)), x))
        return found

    both(program)


# ------------------------------------------------------------------------------------------------------------
# No gradient


def vanishing(lib):
    """A Function without a gradient, so that what stands before it gets None."""

    class Vanishing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return None

    return Vanishing.apply


def test_hooks_where_no_gradient_arrives():
    def program(lib):
        seen = []

        def note(name):
            def hook(*arguments):
                seen.append((name, [a if a is None or isinstance(a, tuple) else type(a).__name__ for a in arguments]))

            return hook

        x = leaf(lib, 1.0, 2.0)
        y = x.exp()
        y.register_hook(note("tensor"))
        y.grad_fn.register_prehook(note("pre"))
        y.grad_fn.register_hook(note("post"))
        x.register_hook(note("leaf"))
        x.register_post_accumulate_grad_hook(note("accumulated"))
        y.retain_grad()
        vanishing(lib)(y).sum().backward()
        return seen, y.grad, x.grad

    both(program)


def test_a_hook_that_replaces_no_gradient():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x.exp()
        y.register_hook(lambda grad: lib.ones(2))
        vanishing(lib)(y).sum().backward()
        return x.grad

    both(program, raises="can't replace a None gradient")


def test_a_hook_of_an_output_that_was_not_used():
    def program(lib):
        seen = []
        a, b = (leaf(lib, 1.0, 2.0) * 1).unbind()
        b.register_hook(lambda grad: seen.append(grad is None))
        b.retain_grad()
        a.backward()
        return seen, b.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Raising


REGISTER_ANY = {
    **REGISTER,
    "leaf": lambda y, hook: y.grad_fn.next_functions[0][0].variable.register_hook(hook),
    "accumulated": lambda y, hook: y.grad_fn.next_functions[0][0].variable.register_post_accumulate_grad_hook(hook),
}


@pytest.mark.parametrize("register", REGISTER_ANY.values(), ids=REGISTER_ANY.keys())
def test_a_hook_that_raises(register):
    """The exception arrives as it is, the grad mode is what it was, and the graph still works."""

    def program(lib):
        seen = []
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        handle = register(y, stop)
        register(y, lambda *a: seen.append("after"))
        loss = (y * y).sum()
        with pytest.raises(Stop, match="hook"):
            loss.backward(retain_graph=True, create_graph=True)
        assert lib.is_grad_enabled()
        found = None if x.grad is None else x.grad.tolist(), list(seen)
        handle.remove()
        x.grad = None
        loss.backward()
        return found, seen, x.grad

    both(program)


def test_a_hook_that_raises_leaves_other_leaves():
    def program(lib):
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        z = x * y
        z.register_hook(stop)
        with pytest.raises(Stop):
            (z + x).backward()
        return y.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# After accumulation


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


# ------------------------------------------------------------------------------------------------------------
# Several tensors


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


# ------------------------------------------------------------------------------------------------------------
# Gradient edges


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


# ------------------------------------------------------------------------------------------------------------
# Backward inside hooks, threads, memory


@pytest.mark.parametrize("register", REGISTER_ANY.values(), ids=REGISTER_ANY.keys())
def test_backward_inside_a_hook(register):
    def program(lib):
        other = leaf(lib, 5.0)
        x = leaf(lib, 1.0, 2.0)
        y = x * 3

        def hook(*arguments):
            with lib.enable_grad():
                (other * other).sum().backward()

        register(y, hook)
        (y * y).sum().backward()
        return x.grad, other.grad

    both(program)


def test_backward_through_the_same_graph_inside_a_hook():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        depth = []

        def hook(grad):
            if len(depth) < 5:
                depth.append(grad.tolist())
                with lib.enable_grad():
                    y.sum().backward(retain_graph=True)

        y.register_hook(hook)
        (y * y).sum().backward(retain_graph=True)
        return depth, x.grad

    both(program)


def test_an_exception_in_a_backward_inside_a_hook():
    def program(lib):
        x, other = leaf(lib, 1.0), leaf(lib, 2.0)
        inner = other * 2
        handle = inner.register_hook(stop)
        y = x * 3
        y.register_hook(lambda grad: inner.backward(retain_graph=True))
        with pytest.raises(Stop):
            y.backward(retain_graph=True)
        handle.remove()
        y.backward()
        return x.grad, other.grad

    both(program)


def test_hooks_in_threads():
    def program(lib):
        counts = [0] * 3

        def work(number):
            x = leaf(lib, 1.0, 2.0)

            def hook(grad):
                counts[number] += 1
                return grad * 2

            x.register_hook(hook)
            for _ in range(30):
                (x * 3).sum().backward()
            grads[number] = x.grad

        grads = [None] * 3
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return counts, grads

    both(program)


@pytest.mark.parametrize("register", REGISTER_ANY.values(), ids=REGISTER_ANY.keys())
def test_hooks_go_with_their_tensors(register):
    """Without the cycle collector."""

    class Marker:
        def __call__(self, *arguments):
            pass

    def program(lib):
        gc.disable()
        try:
            y = leaf(lib, 1.0) * 2
            hook = Marker()
            found = weakref.ref(hook)
            register(y, hook)
            del hook
            alive = found() is not None
            del y
            return alive, found() is None
        finally:
            gc.enable()

    both(program)


def test_a_removed_hook_is_freed():
    class Marker:
        def __call__(self, grad):
            pass

    def program(lib):
        x = leaf(lib, 1.0)
        hook = Marker()
        found = weakref.ref(hook)
        handle = x.register_hook(hook)
        handle.remove()
        del hook
        gc.collect()
        return found() is None

    both(program)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 2], ids=["leaf", "result"])
def test_a_hook_that_holds_its_tensor_is_collected(make):
    """A cycle: the tensor owns the hook, the hook the tensor. (Torch does not find that of a result.)"""

    def hooked():
        t = make(leaf(gradcore, 1.0))
        t.register_hook(lambda grad: t)
        return weakref.ref(t)

    found = hooked()
    gc.collect()
    assert found() is None


# ------------------------------------------------------------------------------------------------------------
# Found by random programs


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


def test_a_node_without_gradient_is_used_up_too():
    """Torch frees what a node saved when its turn comes, even where no gradient reached it."""

    def program(lib):
        class First(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * 2, b * 3

            @staticmethod
            def backward(ctx, g, h):
                return g * 2, None

        x = leaf(lib, 1.0, 2.0)
        y = x.sin()
        a, b = First.apply(x, y)
        a.sum().backward()
        return [refused(lambda: y.sum().backward()), refused(lambda: (a + b).sum().backward()), x.grad.tolist()]

    both(program)


NUMBERED = {
    "masked_fill": lambda lib, x: x.masked_fill(x > 1, 0.5),
    "where": lambda lib, x: lib.where(x > 1, x, x * 2),
    "remainder": lambda lib, x: lib.remainder(x, 2),
    "rsub": lambda lib, x: 2 - x,
    "pow": lambda lib, x: 2**x,
    "lerp": lambda lib, x: x.lerp(x * 2, 0.25),
    "mul": lambda lib, x: x * 2,
    "written through a view": lambda lib, x: written_through_a_view(x.clone()),
}


def written_through_a_view(x):
    x[:1].masked_fill_(x[:1] > 0, 0.5)
    return x


@pytest.mark.parametrize("name", NUMBERED)
def test_node_hooks_see_as_many_gradients_as_torch_has(name):
    """A mask or a number among the operands has an edge here where torch's node has none."""

    def program(lib):
        x = leaf(lib, 0.5, 1.5)
        y = NUMBERED[name](lib, x)
        counts = []

        def hook(returned, incoming):
            counts.append((len(returned), len(incoming)))
            return tuple(g if g is None else g * 3 for g in returned)

        y.grad_fn.register_hook(hook)
        y.sum().backward()
        return counts, x.grad

    both(program, ulps=4)


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


def test_hooks_on_a_function_see_what_its_backward_returned():
    """Also the gradient of an input that does not require one."""

    def program(lib):
        class Product(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * b

            @staticmethod
            def backward(ctx, g):
                return g * 2, g * 3

        x = leaf(lib, 1.0, 2.0)
        y = Product.apply(x, lib.ones(2))
        seen = []
        y.grad_fn.register_hook(lambda returned, incoming: seen.append(values(returned)))
        y.sum().backward()
        return seen, x.grad

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Turns, callbacks, nodes that are called


REGISTRATIONS = {
    "tensor": lambda x, y: y.register_hook,
    "leaf": lambda x, y: x.register_hook,
    "after accumulation": lambda x, y: x.register_post_accumulate_grad_hook,
    "node": lambda x, y: y.grad_fn.register_hook,
    "node before": lambda x, y: y.grad_fn.register_prehook,
}


@pytest.mark.parametrize("kind", REGISTRATIONS)
def test_a_hook_that_is_removed_in_its_turn_is_called_still(kind):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 2
        seen, handles = [], {}
        register = REGISTRATIONS[kind](x, y)

        def first(*arguments):
            seen.append("first")
            handles["second"].remove()
            handles["third"].remove()

        register(first)
        handles["second"] = register(lambda *arguments: seen.append("second"))
        handles["third"] = register(lambda *arguments: seen.append("third"))
        handles["third"].remove()
        for _ in range(2):
            y.sum().backward(retain_graph=True)
        return seen

    both(program)


def test_what_a_removed_hook_held_is_freed_after_its_turn():
    def program(lib):
        x = leaf(lib, 1.0)
        y = x * 2
        held = type("Held", (), {})()
        handle = y.register_hook(lambda grad, held=held: None)
        gone = weakref.ref(held)
        del held
        y.register_hook(lambda grad: handle.remove())
        before = gone() is None
        y.backward(retain_graph=True)
        gc.collect()
        return before, gone() is None

    both(program)


def test_the_order_around_a_leaf():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        seen = []
        accumulator = x.view_as(x).grad_fn.next_functions[0][0]
        accumulator.register_hook(lambda returned, incoming: seen.append(("after", len(returned), x.grad.tolist())))
        x.register_post_accumulate_grad_hook(lambda leaf: seen.append(("accumulated", leaf.grad.tolist())))
        accumulator.register_prehook(lambda incoming: seen.append(("before", x.grad)) or (incoming[0] * 10,))
        x.register_hook(lambda grad: grad + 1)
        x.sum().backward()
        return seen

    both(program)


def test_callbacks_at_the_end_of_a_backward():
    def program(lib):
        queue = lib.autograd.Variable._execution_engine.queue_callback
        x = leaf(lib, 1.0, 2.0)
        seen = []

        def callback():
            seen.append(("end", x.grad is not None, lib.is_grad_enabled()))
            if len(seen) < 4:
                queue(callback)

        def hook(grad):
            seen.append("hook")
            queue(callback)

        (x * 2).register_hook(hook)
        y = x * 3
        y.register_hook(hook)
        y.sum().backward()
        seen.append("done")
        y = x * 3
        y.register_hook(lambda grad: queue(lambda: stop()))
        seen.append(refused(y.sum().backward))
        seen.append(refused(lambda: queue(callback)))
        return seen

    both(program)


def test_callbacks_belong_to_the_innermost_backward():
    def program(lib):
        queue = lib.autograd.Variable._execution_engine.queue_callback
        x, seen = leaf(lib, 1.0), []

        def inner(grad):
            seen.append("inner")
            queue(lambda: seen.append("inner end"))

        def outer(grad):
            seen.append("outer")
            queue(lambda: seen.append("outer end"))
            with lib.enable_grad():
                z = x.detach().requires_grad_() * 2
                z.register_hook(inner)
                z.backward()
            seen.append("outer goes on")

        y = x * 2
        y.register_hook(outer)
        y.backward()
        return seen

    both(program)


def test_nodes_can_be_called():
    def program(lib):
        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        z = x * y
        z.grad_fn.register_hook(stop)
        z.grad_fn.register_prehook(stop)
        grad = lib.tensor([10.0, 100.0])
        accumulator = z.grad_fn.next_functions[0][0]
        results = z.grad_fn(grad), (x * 2).grad_fn(grad)[0], x.sum().grad_fn(lib.tensor(2.0)), accumulator(grad)
        recorded = z.grad_fn(grad.clone().requires_grad_())[0].requires_grad
        wrong = [refused(functools.partial(z.grad_fn, *arguments)) for arguments in ((), (grad, grad), (1,))]
        return results, x.grad, recorded, wrong

    both(program)


def test_custom_functions_contexts_cannot_be_called():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, grad):
                return grad * 2

        Double.apply(leaf(lib, 1.0)).grad_fn(lib.ones(1))

    both(program, raises="object is not callable")


def test_nodes_tell_what_gradients_must_be():
    def program(lib):
        x = lib.ones(2, 3, requires_grad=True)

        class Two(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2, x.sum()

            @staticmethod
            def backward(ctx, grad, other):
                return grad

        nodes = [(x * 2).grad_fn, x.sum(0).grad_fn, Two.apply(x)[1].grad_fn, (x * 2).grad_fn.next_functions[0][0]]
        return [[(tuple(m.shape), str(m.dtype), str(m.device)) for m in node._input_metadata] for node in nodes]

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
