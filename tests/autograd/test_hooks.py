"""What hooks of all kinds do together: their order, removal, exceptions, threads. Each program runs in gradcore and in torch.

The plain hooks of a tensor are in test_tensor_hooks.py; other files have those of nodes, leaves and several tensors.
"""

import gc
import threading
import weakref

import pytest
from hook_programs import REGISTER, Stop, stop, values

from support import both, gradcore, leaf, refused


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


def test_the_mode_hooks_of_a_leaf_that_is_the_root_run_in():
    def program(lib):
        modes = []
        x = leaf(lib, 1.0)
        x.register_hook(lambda grad: modes.append(lib.is_grad_enabled()))
        x.register_post_accumulate_grad_hook(lambda t: modes.append(lib.is_grad_enabled()))
        x.backward(lib.ones(1))
        x.register_post_accumulate_grad_hook(lambda t: t.sub_(t.grad))
        x.backward(lib.ones(1))
        return modes, x

    both(program)


def test_a_hook_after_accumulation_may_return_its_leaf():
    def program(lib, returned):
        x = leaf(lib, 1.0)
        x.register_post_accumulate_grad_hook(returned)
        x.backward(lib.ones(1))
        return x.grad

    both(lambda lib: program(lib, lambda t: t))
    both(lambda lib: program(lib, lambda t: t.grad), raises="hooks should return None")


def test_hooks_are_differentiated():
    def program(lib):
        x, weight = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        y = x * x
        y.register_hook(lambda grad: grad * weight)
        y.grad_fn.register_prehook(lambda incoming: (incoming[0] * weight,))
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return first, lib.autograd.grad(first.sum(), [x, weight])

    both(program)


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
