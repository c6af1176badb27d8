"""The context of a custom Function: what it knows and saves, that it is grad_fn, and how long it lives."""

import copy
import gc
import importlib
import pickle
import weakref

import pytest
from custom_functions import custom, hand_on, square

from support import both, leaf, refused


def test_needs_input_grad():
    def program(lib):
        seen = []

        def forward(ctx, *inputs):
            seen.append(ctx.needs_input_grad)
            return inputs[0] * inputs[2]

        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            return tuple(grad if needed else None for needed in ctx.needs_input_grad)

        x, y = leaf(lib, 1.0), lib.ones(1)
        function = custom(lib, forward, backward)
        for inputs in [(x, 3, y), (y, "text", x), (x * 1, None, x)]:
            function.apply(*inputs).sum().backward()
        function.apply(y, y, y)
        with lib.no_grad():
            function.apply(x, x, y)
        return [list(flags) for flags in seen], x.grad

    both(program)


def test_needs_input_grad_when_only_some_gradients_are_asked_for():
    def program(lib):
        def backward(ctx, grad):
            seen.append(list(ctx.needs_input_grad))
            return grad, grad * 2

        seen = []
        x, y = leaf(lib, 1.0), leaf(lib, 2.0)
        result = custom(lib, lambda ctx, a, b: a + b, backward).apply(x, y)
        return lib.autograd.grad(result, y), seen, list(result.grad_fn.needs_input_grad)

    both(program)


def test_a_saved_output_has_its_history_though_backward_is_not_recorded():
    """Packages differentiate it, within enable_grad()."""

    def program(lib):
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(y, x)
            return y

        def backward(ctx, grad):
            y, x = ctx.saved_tensors
            seen.append([y.requires_grad, type(y.grad_fn).__name__, y.is_leaf, x.requires_grad])
            with lib.enable_grad():
                seen.append(lib.autograd.grad((y * y).sum(), y)[0])
            return grad

        seen = []
        custom(lib, forward, backward).apply(leaf(lib, 1.0, 2.0)).sum().backward()
        return seen

    both(program)


def test_attributes_of_ctx_are_those_of_grad_fn():
    def program(lib):
        def forward(ctx, x):
            ctx.note = "kept"
            ctx.save_for_backward(x)
            return x * 1

        y = custom(lib, forward, hand_on).apply(leaf(lib, 1.0, 2.0))
        y.grad_fn.more = 5
        assert y.grad_fn is y.grad_fn
        return y.grad_fn.note, y.grad_fn.more, y.grad_fn.saved_tensors

    both(program)


@pytest.mark.parametrize("kept", [5, "text", [1.0]])
def test_only_tensors_are_saved(kept):
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x, kept)
            return x * 1

        custom(lib, forward, hand_on).apply(leaf(lib, 1.0))

    both(program, raises="save_for_backward can only save variables, but argument 1 is of type")


def test_kinds_of_saved_tensors():
    """Inputs, outputs, what lies between them, and None; the last call of save_for_backward counts."""

    def program(lib):
        def forward(ctx, x, y):
            between = x.exp()
            output = between * y
            ctx.save_for_backward(y)
            ctx.save_for_backward(x, None, between, output)
            return output

        def backward(ctx, grad):
            x, nothing, between, output = ctx.saved_tensors
            seen.extend([x, nothing, between, output])
            return grad * output, grad * between

        seen = []
        x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        custom(lib, forward, backward).apply(x, y).sum().backward()
        return [s if s is None else s.detach() for s in seen], x.grad, y.grad

    both(program)


def test_saved_tensors_are_the_inputs():
    def program(lib):
        x = leaf(lib, 1.0)
        y = square(lib).apply(x)
        z = square(lib).apply(y)
        return y.grad_fn.saved_tensors[0] is x, z.grad_fn.saved_tensors[0].grad_fn is y.grad_fn

    both(program)


@pytest.mark.parametrize("write", [lambda x: x.add_(1), lambda x: x[0:1].mul_(2), lambda x: x.detach().zero_()])
def test_modified_saved_tensors_are_noticed(write):
    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        y = square(lib).apply(x)
        write(x)
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_a_modified_saved_output_is_noticed():
    def program(lib):
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        y = custom(lib, forward, lambda ctx, grad: grad * ctx.saved_tensors[0]).apply(leaf(lib, 1.0, 2.0))
        y.add_(1)
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_saved_tensors_go_with_the_first_backward():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x)
        y.sum().backward(retain_graph=True)
        y.sum().backward()
        again = refused(lambda: y.grad_fn.saved_tensors)
        return x.grad, again, refused(lambda: y.sum().backward())

    both(program)


def test_backward_twice():
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0, 2.0)).sum()
        y.backward()
        y.backward()

    both(program, raises="backward through the graph a second time")


def test_names():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = square(lib).apply(x * 1)
        node = y.grad_fn
        edges = [(n.name(), nr) for n, nr in node.next_functions]
        return node.name(), type(node).__name__, repr(y).rpartition("=")[2], edges

    both(program)


def test_edges_leave_out_what_is_no_tensor():
    def program(lib):
        x = leaf(lib, 1.0)
        function = custom(lib, lambda ctx, *a: a[1] * a[3], lambda ctx, grad: (None, grad, None, grad, None))
        y = function.apply(3, x, None, lib.ones(1), "text")
        node = y.grad_fn
        return [(n if n is None else n.name(), nr) for n, nr in node.next_functions]

    both(program)


def test_classes_of_contexts():
    def program(lib):
        node = square(lib).apply(leaf(lib, 1.0)).grad_fn
        module = importlib.import_module(f"{lib.__name__}.autograd.function")
        return (
            isinstance(node, module.BackwardCFunction),
            isinstance(node, module.FunctionCtx),
            isinstance(node, importlib.import_module(f"{lib.__name__}.autograd.graph").Node),
        )

    both(program)


@pytest.mark.parametrize("action", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_contexts_are_not_pickled(action):
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0))
        action(y.grad_fn)

    both(program, raises="cannot pickle 'SquareBackward' object")


def kept(keep):
    """A forward that keeps what it is given by `keep(ctx, input, output)`."""

    def forward(ctx, x):
        y = x * 1
        keep(ctx, x, y)
        return y

    return forward


@pytest.mark.parametrize(
    "keep",
    [
        lambda ctx, x, y: ctx.save_for_backward(x),
        lambda ctx, x, y: ctx.save_for_backward(y),
        lambda ctx, x, y: ctx.save_for_backward(x, y, x * 2),
        lambda ctx, x, y: setattr(ctx, "x", x),
    ],
    ids=["input", "output", "all", "attribute"],
)
@pytest.mark.parametrize("run", [False, True], ids=["dropped", "after backward"])
def test_dropped_graphs_are_freed(keep, run):
    """Without the cycle collector."""

    def program(lib):
        gc.disable()
        try:
            x = leaf(lib, 1.0, 2.0)
            y = custom(lib, kept(keep), hand_on).apply(x)
            if run:
                y.sum().backward()
            tensor, node = weakref.ref(y), weakref.ref(y.grad_fn)
            del y
            return tensor() is None, node() is None
        finally:
            gc.enable()

    both(program)


def test_the_context_lives_as_long_as_the_graph():
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0))
        y.grad_fn.note = "kept"
        z = y * 2
        del y
        return z.grad_fn.next_functions[0][0].note

    both(program)


def test_a_context_that_outlives_its_graph_keeps_what_it_had():
    def program(lib):
        x = leaf(lib, 1.5)
        y = square(lib).apply(x)
        node = y.grad_fn
        calls = []
        node.register_hook(lambda returned, incoming: calls.append(len(returned)))
        node.metadata["note"] = 1
        del y
        seen = node.name(), node.metadata, node.saved_tensors[0] is x, node.next_functions[0][0].variable is x
        edge = lib.autograd.graph.GradientEdge(node, 0, None)
        grads = lib.autograd.grad((edge,), x, lib.ones(1))
        with pytest.raises(RuntimeError, match="second time"):
            getattr(node, "saved_tensors")  # noqa: B009  an attribute that raises
        return seen, grads, calls

    both(program)


def test_a_saved_output_gives_the_context_back_to_the_graph():
    def program(lib):
        def forward(ctx, x):
            y = x * 2
            ctx.save_for_backward(y)
            return y

        y = custom(lib, forward, lambda ctx, grad: grad * 3).apply(leaf(lib, 1.0))
        node = y.grad_fn
        del y
        (y,) = node.saved_tensors
        first = y.grad_fn is node
        note = weakref.ref(node)
        del node
        again = y.grad_fn.saved_tensors[0].item(), y.grad_fn is note()
        del y
        return first, again, note() is None

    both(program)


@pytest.mark.parametrize("how", ["alone", "itself", "a hook", "an output"])
def test_a_context_that_outlives_its_graph_is_collected(how):
    def program(lib):
        y = square(lib).apply(leaf(lib, 1.0) * 1)
        node, note = y.grad_fn, type("Note", (), {})()
        node.note = note
        if how == "itself":
            node.me = node
        elif how == "a hook":
            node.register_hook(lambda returned, incoming, node=node: None)
        elif how == "an output":
            node.y = y
        del y
        gone = weakref.ref(note)
        del node, note
        gc.collect()
        return gone() is None

    both(program)


@pytest.mark.parametrize(
    "keep",
    [
        lambda ctx, x, y: setattr(ctx, "y", y),
        lambda ctx, x, y: setattr(ctx, "all", [y, {"y": (y,)}]),
        lambda ctx, x, y: setattr(ctx, "self", ctx),
    ],
    ids=["output", "container", "ctx"],
)
def test_cycles_are_collected(keep):
    def program(lib):
        y = custom(lib, kept(keep), hand_on).apply(leaf(lib, 1.0, 2.0))
        node = weakref.ref(y.grad_fn)
        del y
        gc.collect()
        return node() is None

    both(program)


def test_a_cycle_that_is_reachable_stays():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = custom(lib, kept(lambda ctx, x, y: setattr(ctx, "y", y)), lambda ctx, grad: grad * 3).apply(x)
        z = y * 2
        del y
        gc.collect()
        z.sum().backward()
        return x.grad

    both(program)


def test_a_long_chain_is_freed():
    def program(lib):
        function = custom(lib, lambda ctx, x: (ctx.save_for_backward(x), x * 1)[1], hand_on)
        x = leaf(lib, 1.0)
        y = x
        for _ in range(20_000):
            y = function.apply(y)
        y.backward()
        del y
        return x.grad

    both(program)


def test_saved_variables_is_the_old_name_of_saved_tensors():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * 2

            @staticmethod
            def backward(ctx, g):
                with pytest.warns(DeprecationWarning, match="'saved_variables' is deprecated; use 'saved_tensors'"):
                    (x,) = ctx.saved_variables
                return g * x

        x = lib.tensor([1.0, 3.0], requires_grad=True)
        Double.apply(x).sum().backward()
        return x.grad

    both(program)


def test_raw_saved_tensors():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * 2

        y = custom(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(leaf(lib, 1.0, 2.0))
        first, second = y.grad_fn._raw_saved_tensors
        with pytest.raises(RuntimeError, match="None is forbidden"):
            second.register_hooks(lambda t: t, lambda t: t)
        first.register_hooks(lambda t: t * 2, lambda t: t)
        del first, second
        (grad,) = lib.autograd.grad(y.sum(), y.grad_fn.saved_tensors[0], allow_unused=True)
        with pytest.raises(RuntimeError, match="freed"):
            getattr(y.grad_fn, "_raw_saved_tensors")  # noqa: B009
        return grad

    both(program)
