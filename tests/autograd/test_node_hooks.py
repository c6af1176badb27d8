"""Hooks of nodes, what hooks may return, and nodes that are called."""

import functools

import pytest
from hook_programs import REGISTER, stop, values

from support import both, leaf, refused


def test_a_post_hook_sees_what_nobody_needs():
    def program(lib):
        seen = []
        x, y = leaf(lib, 1.0, 2.0), lib.ones(2)
        z = x * y
        z.grad_fn.register_hook(lambda returned, incoming: seen.append((values(returned), values(incoming))))
        z.sum().backward()
        return seen

    both(program)


PRODUCTS = {
    "mul": lambda lib, x, w: x * w,
    "pow": lambda lib, x, w: x**w,
    "matmul": lambda lib, x, w: x @ w,
    "bmm": lambda lib, x, w: lib.bmm(x[None], w[None]),
    "linear": lambda lib, x, w: lib.nn.functional.linear(x, w, w[0]),
    "conv1d": lambda lib, x, w: lib.nn.functional.conv1d(x, w[:, :, None], w[0]),
    "layer_norm": lambda lib, x, w: lib.nn.functional.layer_norm(x, (3,), w[0], w[1]),
    "where": lambda lib, x, w: lib.where(x > w, x, w),
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("asked", ["x", "w", "both"])
@pytest.mark.parametrize("accumulates", [False, True])
def test_a_post_hook_sees_no_gradient_that_nobody_asked_for(name, asked, accumulates):
    def program(lib):
        seen = []
        x, w = (lib.rand(3, 3, generator=lib.Generator().manual_seed(seed)).requires_grad_() for seed in (1, 2))
        y = PRODUCTS[name](lib, x, w)
        y.grad_fn.register_hook(lambda returned, incoming: seen.append([g is None for g in returned]))
        inputs = {"x": [x], "w": [w], "both": [x, w]}[asked]
        if accumulates:
            y.sum().backward(inputs=inputs, create_graph=True)
        else:
            lib.autograd.grad(y.sum(), inputs, create_graph=True)
        return seen

    both(program)


def test_a_sweep_inside_a_sweep_leaves_out_edges_of_its_own():
    """The inner sweep asks for w alone, the outer one for x alone; what is left out ends with the node's turn."""

    def program(lib):
        x, w = leaf(lib, 2.0, 3.0), leaf(lib, 5.0, 7.0)
        inner = (x * w).sum()
        found = []
        y = x * w
        y.grad_fn.register_prehook(lambda g: found.append(values(lib.autograd.grad(inner, w, retain_graph=True))))
        found.append(values(lib.autograd.grad(y.sum(), x, retain_graph=True)))
        found.append(values(lib.autograd.grad(y.sum(), (x, w))))
        return found

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
