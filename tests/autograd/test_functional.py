"""autograd.functional beside torch's: values, structures, graphs, what is refused and how."""

import numpy as np
import pytest

from support import both, gradcore, needs_torch

X = np.array([0.5, -1.25, 2.0])
Y = np.array([1.5, 0.25])
M = np.array([[0.3, 1.1, -0.7], [2.0, -0.4, 0.9]])


def tensors(lib, *arrays):
    return tuple(lib.from_numpy(array.copy()) for array in arrays)


# Functions of the inputs named beside them: one or several in, one or several out.
ONE_INPUT = {
    "elementwise": lambda lib, x: x.exp() * x,
    "to a scalar": lambda lib, x: (x**3).sum(),
    "itself": lambda lib, x: x,
    "matrix from vector": lambda lib, x: x.unsqueeze(0) * x.unsqueeze(1),
    "two outputs": lambda lib, x: (x.sin(), (x * x).sum()),
    "tuple of one": lambda lib, x: (x * 2,),
    "second output has no graph": lambda lib, x: (x * x, lib.ones(2, dtype=lib.float64)),
    "constant": lambda lib, x: lib.ones(2, dtype=lib.float64),
    "integer output": lambda lib, x: (x.sum(), lib.arange(2)),
    "view of the input": lambda lib, x: x.view(1, -1)[:, 1:],
}
TWO_INPUTS = {
    "outer product": lambda lib, x, y: x.unsqueeze(1) * y,
    "first only": lambda lib, x, y: x.cos(),
    "two outputs": lambda lib, x, y: (x.sum() * y, x * y.prod()),
}
SCALARS = {
    "polynomial": lambda lib, x: (x**3).sum(),
    "mixed": lambda lib, x: x[0] * x[1] ** 2 + x[2].exp() * x[0],
    "linear": lambda lib, x: x.sum(),
    "of one element, one dim": lambda lib, x: (x * x).sum().reshape(1),
    "constant": lambda lib, x: lib.ones((), dtype=lib.float64),
}
SCALARS_OF_TWO = {
    "mixed": lambda lib, x, y: (x.unsqueeze(1) * y**2).sum() + x.prod(),
    "first only": lambda lib, x, y: (x**3).sum(),
    "separable": lambda lib, x, y: (x**3).sum() + (y**4).sum(),
}


def bound(lib, function):
    return lambda *inputs: function(lib, *inputs)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ONE_INPUT)
def test_jacobian(name, create_graph):
    def program(lib):
        (x,) = tensors(lib, X)
        return lib.autograd.functional.jacobian(bound(lib, ONE_INPUT[name]), x.requires_grad_(), create_graph)

    both(program, ulps=4)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", TWO_INPUTS)
def test_jacobian_of_two_inputs(name, create_graph):
    def program(lib):
        inputs = tensors(lib, X, Y)
        return lib.autograd.functional.jacobian(bound(lib, TWO_INPUTS[name]), inputs, create_graph)

    both(program, ulps=4)


def test_jacobian_of_many_outputs():
    """More unit vectors than are made at a time."""

    def program(lib):
        x = lib.linspace(0, 1, 300, dtype=lib.float64)
        return lib.autograd.functional.jacobian(lambda x: x.sin() * x.sum(), x)

    both(program, ulps=8, scale=1.0)


def test_the_result_of_jacobian_owns_its_memory():
    def program(lib):
        (x,) = tensors(lib, X)
        jacobian = lib.autograd.functional.jacobian(lambda x: x.sum(), x)
        jacobian[0] = 5.0
        return jacobian

    both(program)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", SCALARS)
def test_hessian(name, create_graph):
    def program(lib):
        (x,) = tensors(lib, X)
        return lib.autograd.functional.hessian(bound(lib, SCALARS[name]), x.requires_grad_(), create_graph)

    both(program, ulps=4)


@pytest.mark.parametrize("name", SCALARS_OF_TWO)
def test_hessian_of_two_inputs(name):
    both(lambda lib: lib.autograd.functional.hessian(bound(lib, SCALARS_OF_TWO[name]), tensors(lib, X, Y)), ulps=4)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ONE_INPUT)
def test_vjp(name, create_graph):
    def program(lib):
        (x,) = tensors(lib, X)
        function = bound(lib, ONE_INPUT[name])
        outputs = function(x)
        several = isinstance(outputs, tuple)
        v = tuple(lib.ones_like(out) * 0.7 for out in (outputs if several else (outputs,)))
        return lib.autograd.functional.vjp(function, x.requires_grad_(), v if several else v[0], create_graph)

    both(program, ulps=4)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", [name for name in ONE_INPUT if name != "integer output"])
def test_jvp(name, create_graph):
    def program(lib):
        x, v = tensors(lib, X, X[::-1])
        return lib.autograd.functional.jvp(bound(lib, ONE_INPUT[name]), x.requires_grad_(), v, create_graph)

    both(program, ulps=4)


@pytest.mark.parametrize("outer", ["forward-mode", "reverse-mode"])
@pytest.mark.parametrize("name", [*SCALARS, *SCALARS_OF_TWO])
def test_vectorized_hessian(name, outer):
    function, inputs = (SCALARS[name], (X,)) if name in SCALARS else (SCALARS_OF_TWO[name], (X, Y))

    def program(lib):
        found = lib.autograd.functional.hessian(
            bound(lib, function), tensors(lib, *inputs), vectorize=True, outer_jacobian_strategy=outer
        )
        return [block.detach() for row in found for block in row]  # torch's lists require grad in forward mode

    both(program, ulps=8, strides="ignored")


@pytest.mark.parametrize("name", TWO_INPUTS)
def test_jvp_of_two_inputs(name):
    def program(lib):
        return lib.autograd.functional.jvp(bound(lib, TWO_INPUTS[name]), tensors(lib, X, Y), tensors(lib, X * 2, Y + 1))

    both(program, ulps=4)


@pytest.mark.parametrize("product", ["vhp", "hvp"])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", SCALARS)
def test_products_with_the_hessian(product, name, create_graph):
    def program(lib):
        x, v = tensors(lib, X, X[::-1])
        function = getattr(lib.autograd.functional, product)
        return function(bound(lib, SCALARS[name]), x.requires_grad_(), v, create_graph)

    both(program, ulps=4)


@pytest.mark.parametrize("product", ["vhp", "hvp"])
@pytest.mark.parametrize("name", SCALARS_OF_TWO)
def test_products_with_the_hessian_of_two_inputs(product, name):
    def program(lib):
        inputs, v = tensors(lib, X, Y), tensors(lib, X + 1, Y * 3)
        return getattr(lib.autograd.functional, product)(bound(lib, SCALARS_OF_TWO[name]), inputs, v)

    both(program, ulps=4)


@pytest.mark.parametrize("product", ["vjp", "jvp", "vhp", "hvp"])
def test_v_may_be_left_out_for_single_elements(product):
    def program(lib):
        x = lib.tensor([[0.7]], dtype=lib.float64)
        return getattr(lib.autograd.functional, product)(lambda x: x**3, x)

    both(program, ulps=4)


@pytest.mark.parametrize("function", ["jacobian", "hessian"])
def test_results_with_a_graph_can_be_differentiated_again(function):
    def program(lib):
        (x,) = tensors(lib, X)
        x.requires_grad_()
        result = getattr(lib.autograd.functional, function)(lambda x: (x**4).sum() * x[0], x, create_graph=True)
        result.square().sum().backward()
        return x.grad

    both(program, ulps=16)


@pytest.mark.parametrize("function", ["vjp", "jvp", "vhp", "hvp"])
def test_products_with_a_graph_can_be_differentiated_with_respect_to_v(function):
    def program(lib):
        x, v = tensors(lib, X, X)
        x.requires_grad_()
        v.requires_grad_()
        scalar = function in ("vhp", "hvp")
        function_ = (lambda x: (x**4).sum() * x[0]) if scalar else (lambda x: x**3 * x[0])
        _, product = getattr(lib.autograd.functional, function)(function_, x, v, create_graph=True)
        product.square().sum().backward()
        return x.grad, v.grad

    both(program, ulps=16)


@pytest.mark.parametrize("function", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_no_grad_around_makes_no_difference(function):
    def program(lib):
        (x,) = tensors(lib, X)
        arguments = () if function in ("jacobian", "hessian", "vjp") else (x + 1,)
        with lib.no_grad():
            return getattr(lib.autograd.functional, function)(lambda x: (x**3).prod(), x, *arguments)

    both(program, ulps=8)


@pytest.mark.parametrize("function", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_inputs_keep_their_state(function):
    def program(lib):
        (x,) = tensors(lib, X)
        x.requires_grad_()
        arguments = () if function in ("jacobian", "hessian", "vjp") else (X,)
        getattr(lib.autograd.functional, function)(lambda x: (x**3).sum(), x, *tensors(lib, *arguments))
        return x.grad, x.requires_grad, x._version, x

    both(program)


def test_closures_may_use_tensors_that_require_grad():
    def program(lib):
        x, w = tensors(lib, X, X + 1)
        w.requires_grad_()
        plain = lib.autograd.functional.jacobian(lambda x: x * x * w, x)
        graph = lib.autograd.functional.jacobian(lambda x: x * x * w, x, create_graph=True)
        graph.sum().backward()
        return plain, graph, w.grad

    both(program, ulps=4)


# ---- strict mode and refusals ----------------------------------------------------------------------------------------

ALL = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
PRODUCTS = ("vjp", "jvp", "vhp", "hvp")


def run(lib, name, function, x, **options):
    """One of the six with a v of the size that it wants."""
    v = {"vjp": lambda: lib.ones_like(function(x)), **dict.fromkeys(PRODUCTS[1:], x.detach)}
    arguments = (v[name](),) if name in v else ()
    return getattr(lib.autograd.functional, name)(function, x, *arguments, **options)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_strict_allows_a_function_that_depends_on_all(name, create_graph):
    both(
        lambda lib: run(
            lib,
            name,
            lambda x: (x**4).prod(),
            tensors(lib, X)[0].requires_grad_(),
            strict=True,
            create_graph=create_graph,
        ),
        ulps=16,
    )


@pytest.mark.parametrize("name", ALL)
def test_strict_refuses_an_output_without_a_graph(name):
    phrase = "Output 0 of the user-provided function does not require gradients"
    both(lambda lib: run(lib, name, lambda x: x.detach().sum(), tensors(lib, X)[0], strict=True), raises=phrase)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("jacobian", "Output 0 of the user-provided function is independent of input 1"),
        ("hessian", "jacobian of the user-provided function with respect to input 1 is independent of the input"),
        ("vjp", "is independent of input 1. This is not allowed in strict mode"),
        ("jvp", "is independent of input 1. This is not allowed in strict mode"),
        ("vhp", "is independent of input 1. This is not allowed in strict mode"),
        ("hvp", "is independent of input 1. This is not allowed in strict mode"),
    ],
)
def test_strict_refuses_an_unused_input(name, phrase):
    def program(lib):
        inputs = tensors(lib, X, Y)
        arguments = () if name in ("jacobian", "hessian", "vjp") else (inputs,)
        return getattr(lib.autograd.functional, name)(lambda x, y: (x**3).sum(), inputs, *arguments, strict=True)

    both(program, raises=phrase)


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
def test_strict_refuses_a_linear_function_where_a_second_derivative_is_needed(name):
    phrase = "jacobian of the user-provided function with respect to input 0 is independent of the input"
    both(lambda lib: run(lib, name, lambda x: x.sum(), tensors(lib, X)[0], strict=True), raises=phrase)


@pytest.mark.parametrize(
    ("name", "power", "what"),
    [
        ("jacobian", 1, "jacobian"),
        ("vjp", 1, "jacobian"),
        ("hessian", 2, "jacobian"),
        ("vhp", 2, "hessian"),
        ("hvp", 2, "hessian"),
    ],
)
def test_strict_with_create_graph_refuses_a_derivative_that_is_constant(name, power, what):
    phrase = f"The {what} of the user-provided function is independent of input 0"

    def program(lib):
        (x,) = tensors(lib, X)
        return run(
            lib,
            name,
            lambda x: (x * x).sum() if power > 1 else x.sum(),
            x.requires_grad_(),
            strict=True,
            create_graph=True,
        )

    both(program, raises=phrase)


REFUSED = {
    "inputs: not a tensor": (ALL, lambda lib, f: f(lambda x: x, 1.0), "must be either a Tensor or a tuple of Tensors"),
    "inputs: a list": (
        ALL,
        lambda lib, f: f(lambda x: x, [lib.ones(1)]),
        "must be either a Tensor or a tuple of Tensors",
    ),
    "inputs: a number in a tuple": (ALL, lambda lib, f: f(lambda x, y: x, (lib.ones(1), 1.0)), "at index 1 has type"),
    "outputs: a number": (ALL, lambda lib, f: f(lambda x: 1.0, lib.ones(1)), "outputs of the user-provided function"),
    "outputs: a list": (ALL, lambda lib, f: f(lambda x: [x], lib.ones(1)), "outputs of the user-provided function"),
    "v: a number": (PRODUCTS, lambda lib, f: f(lambda x: x, lib.ones(1), 1.0), "The v given to"),
    "v: another size": (PRODUCTS, lambda lib, f: f(lambda x: x.sum(), lib.ones(2), lib.ones(3)), "v has invalid size"),
    "v: two for one": (
        PRODUCTS,
        lambda lib, f: f(lambda x: x, lib.ones(1), (lib.ones(1), lib.ones(1))),
        "should contain a single Tensor",
    ),
    "v: one for two": (
        ("jvp", "vhp", "hvp"),
        lambda lib, f: f(lambda x, y: x, (lib.ones(1), lib.ones(1)), lib.ones(1)),
        "invalid length: should be 2 but got 1",
    ),
    "v: entry of another size": (
        ("jvp", "vhp", "hvp"),
        lambda lib, f: f(lambda x, y: x, (lib.ones(1), lib.ones(1)), (lib.ones(1), lib.ones(2))),
        "Entry 1 in v has invalid size",
    ),
    "v: missing": (
        ("jvp", "vhp", "hvp"),
        lambda lib, f: f(lambda x: x.sum(), lib.ones(2)),
        "The vector v can only be None",
    ),
    "v: missing for outputs": (("vjp",), lambda lib, f: f(lambda x: x, lib.ones(2)), "The vector v can only be None"),
    "two outputs": (("hessian",), lambda lib, f: f(lambda x: (x, x), lib.ones(1)), "should return a single Tensor"),
    "two elements": (("hessian",), lambda lib, f: f(lambda x: x, lib.ones(2)), "should contain a single element"),
    "two elements for products": (
        ("vhp", "hvp"),
        lambda lib, f: f(lambda x: x, lib.ones(2), lib.ones(2)),
        "should contain a single element",
    ),
    "two outputs for products": (
        ("vhp", "hvp"),
        lambda lib, f: f(lambda x: (x, x), lib.ones(1), lib.ones(1)),
        "should return a single Tensor",
    ),
    "unknown strategy": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), strategy="sideways"),
        "Expected strategy to be either",
    ),
    "unknown outer strategy": (
        ("hessian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), outer_jacobian_strategy="up"),
        "Expected strategy to be either",
    ),
    "forward mode with create_graph": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), create_graph=True, strategy="forward-mode"),
        "`create_graph=True`",
    ),
    "forward mode, strict": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), strict=True, strategy="forward-mode"),
        "`strict=True`",
    ),
    "forward mode, one by one": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), strategy="forward-mode"),
        "implemented for `vectorize=True`",
    ),
    "strict and vectorize": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x, lib.ones(1), strict=True, vectorize=True),
        "`strict=True` and `vectorize",
    ),
    "the function itself": (
        ALL,
        lambda lib, f: f(
            lambda x: x @ lib.ones(5), lib.ones(2), **({"v": lib.ones(2)} if f.__name__ in PRODUCTS[1:] else {})
        ),
        "size",
    ),
    "an empty output": (
        ("jacobian",),
        lambda lib, f: f(lambda x: x[:0], lib.ones(2)),
        "stack expects a non-empty TensorList",
    ),
}


@pytest.mark.parametrize(("name", "case"), [(name, case) for case, (names, _, _) in REFUSED.items() for name in names])
def test_refused(name, case):
    _, program, phrase = REFUSED[case]
    both(lambda lib: program(lib, getattr(lib.autograd.functional, name)), raises=phrase)


@needs_torch
@pytest.mark.parametrize("name", ALL)
def test_signatures_are_those_of_torch(name):
    import inspect

    import torch

    ours = inspect.signature(getattr(gradcore.autograd.functional, name)).parameters
    theirs = inspect.signature(getattr(torch.autograd.functional, name)).parameters
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


# Private functions that packages import from this module.
PRIVATE = {
    "basis": lambda lib, f: f._construct_standard_basis_for(tensors(lib, X, Y), (3, 2)),
    "basis with an empty tensor": lambda lib, f: f._construct_standard_basis_for(tensors(lib, Y[:0], Y), (0, 2)),
    "one tensor as a tuple": lambda lib, f: f._as_tuple(*tensors(lib, X)),
    "checked": lambda lib, f: f._as_tuple(*tensors(lib, X), "inputs", "f")[1],
    "a tuple as it is": lambda lib, f: f._as_tuple(tensors(lib, X, Y)),
    "unpacked": lambda lib, f: f._tuple_postprocess(tensors(lib, X), False),
    "not unpacked": lambda lib, f: f._tuple_postprocess(tensors(lib, X, Y), True),
    "both levels unpacked": lambda lib, f: f._tuple_postprocess((tensors(lib, X),), (False, False)),
    "inner level unpacked": lambda lib, f: f._tuple_postprocess((tensors(lib, X), tensors(lib, Y)), (True, False)),
    "detached": lambda lib, f: f._grad_postprocess(
        tuple(t.requires_grad_() * 2 for t in tensors(lib, X)), create_graph=False
    ),
    "detached inside": lambda lib, f: f._grad_postprocess((tensors(lib, X), tensors(lib, Y)), create_graph=False)[1],
    "kept": lambda lib, f: f._grad_postprocess(tuple(t.requires_grad_() * 2 for t in tensors(lib, X)), True),
}


@pytest.mark.parametrize("case", PRIVATE)
def test_private_functions(case):
    def program(lib):
        result = PRIVATE[case](lib, lib.autograd.functional)
        result = result[0] if isinstance(result, tuple) and isinstance(result[0], tuple) else result
        result = result if isinstance(result, tuple) else (result,)
        return [t.tolist() for t in result], [t.requires_grad for t in result]

    both(program)


def test_a_private_function_names_what_is_no_tensor():
    program = lambda lib: lib.autograd.functional._as_tuple((X,), "inputs", "f")  # noqa: E731
    both(program, raises="inputs given to f must be either a Tensor or a tuple of Tensors")
