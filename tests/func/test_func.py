"""gradcore.func beside torch.func: values, structures, nesting, what is recorded outside, what is refused."""

import numpy as np
import pytest

from support import Raised, both, gradcore, needs_torch, outcome

X = np.array([0.5, -1.25, 2.0])
Y = np.array([1.5, 0.25, -0.75])


def t(lib, array=X, requires_grad=False):
    tensor = lib.from_numpy(array.copy())
    return tensor.requires_grad_() if requires_grad else tensor


def with_weights(lib):
    w = t(lib, Y, True)
    return lib.func.grad_and_value(lambda x: (x * w).sum())(t(lib))


def with_idle_weights(lib):
    w = t(lib, Y, True)
    return lib.func.grad(lambda x: (x**2).sum() + w.sum())(t(lib))


def perturbation(lib):
    """The derivative of x * d/dy (x + y) at y = 1 is 1: the inner derivative does not depend on x."""
    one, three = lib.tensor(1.0), lib.tensor(3.0)
    return lib.func.grad(lambda x: x * lib.func.grad(lambda y: x + y)(one))(three)


def constant_under_no_grad(lib):
    def inner(x):
        with lib.no_grad():
            return lib.func.grad(lambda x: (x**3).sum())(x).sum()

    return lib.func.grad(lambda x: (x * x).sum() * inner(x))(t(lib))


RUNS = {
    "grad": lambda lib: lib.func.grad(lambda x: (x**3).sum())(t(lib)),
    "grad of a constant": lambda lib: lib.func.grad(lambda x: lib.ones(()))(t(lib)),
    "grad of the input": lambda lib: lib.func.grad(lambda x: x)(lib.tensor(2.0)),
    "grad, second argument": lambda lib: lib.func.grad(lambda x, y: (x * y**2).sum(), argnums=1)(t(lib), t(lib, Y)),
    "grad, last argument": lambda lib: lib.func.grad(lambda x, y: (x * y**2).sum(), argnums=-1)(t(lib), t(lib, Y)),
    "grad, two arguments": lambda lib: lib.func.grad(lambda x, y: (x * y**2).sum(), argnums=(1, 0))(t(lib), t(lib, Y)),
    "grad, a dict": lambda lib: lib.func.grad(lambda d: (d["a"] * d["b"][0]).sum())({"a": t(lib), "b": [t(lib, Y)]}),
    "grad, keywords": lambda lib: lib.func.grad(lambda x, *, y: (x * y).sum())(t(lib), y=t(lib, Y)),
    "grad, other arguments": lambda lib: lib.func.grad(lambda x, n, none: (x**n).sum())(t(lib), 2, None),
    "grad with aux": lambda lib: lib.func.grad(lambda x: ((x**2).sum(), {"y": x * 2}), has_aux=True)(t(lib)),
    "value": lambda lib: lib.func.grad_and_value(lambda x: (x**3).sum())(t(lib)),
    "value with aux": lambda lib: lib.func.grad_and_value(lambda x: (x.sum(), x), has_aux=True)(t(lib)),
    "second": lambda lib: lib.func.grad(lib.func.grad(lib.sin))(lib.tensor(0.7)),
    "third": lambda lib: lib.func.grad(lib.func.grad(lib.func.grad(lambda x: x**4)))(lib.tensor(2.0)),
    "closure over an outer level": lambda lib: lib.func.grad(
        lambda a: lib.func.grad(lambda b: (a * b * b).sum())(a).sum()
    )(t(lib)),
    "closure, constant inner input": lambda lib: lib.func.grad(
        lambda a: lib.func.grad(lambda b: (a * b * b).sum())(t(lib, Y)).sum()
    )(t(lib)),
    "perturbation": perturbation,
    "no_grad inside": constant_under_no_grad,
    "x requires grad": lambda lib: lib.func.grad(lambda x: (x**3).sum())(t(lib, X, True)),
    "w requires grad": with_weights,
    "w does not matter": with_idle_weights,
    "vjp": lambda lib: lib.func.vjp(lambda x: x**2, t(lib))[1](t(lib, Y)),
    "vjp, value": lambda lib: lib.func.vjp(lambda x: {"a": x**2, "b": (x, x.sum())}, t(lib))[0],
    "vjp of a nest": lambda lib: lib.func.vjp(lambda d: [d["a"] * d["b"]], {"a": t(lib), "b": t(lib, Y)})[1]([t(lib)]),
    "vjp with aux": lambda lib: lib.func.vjp(lambda x: (x**2, x), t(lib), has_aux=True)[2],
    "vjp, x requires grad": lambda lib: lib.func.vjp(lambda x: x**2, t(lib, X, True))[1](t(lib, Y)),
    "vjp, cotangent requires grad": lambda lib: lib.func.vjp(lambda x: x**2, t(lib))[1](t(lib, Y, True)),
    "vjp of the input": lambda lib: lib.func.vjp(lambda x: x, t(lib))[1](t(lib, Y)),
    "vjp without a cotangent": lambda lib: lib.func.vjp(lambda x: x.sum(), t(lib))[1](None),
    "jacrev": lambda lib: lib.func.jacrev(lambda x: x * x.sum())(t(lib)),
    "jacrev of a nest": lambda lib: lib.func.jacrev(lambda x: (x**2, {"s": [x.sum()]}))(t(lib)),
    "jacrev, two arguments": lambda lib: lib.func.jacrev(lambda x, y: lib.outer(x, y), argnums=(0, 1))(
        t(lib), t(lib, Y[:2])
    ),
    "jacrev, a dict": lambda lib: lib.func.jacrev(lambda d: d["a"] * d["b"])({"a": t(lib), "b": t(lib, Y)}),
    "jacrev of a constant": lambda lib: lib.func.jacrev(lambda x: lib.ones(2))(t(lib)),
    "jacrev with aux": lambda lib: lib.func.jacrev(lambda x: (x**2, x), has_aux=True)(t(lib)),
    "jacrev, chunks": lambda lib: lib.func.jacrev(lambda x: x**2, chunk_size=2)(t(lib)),
    "jacfwd": lambda lib: lib.func.jacfwd(lambda x: x * x.sum())(t(lib)),
    "jacfwd of a nest": lambda lib: lib.func.jacfwd(lambda x: (x**2, {"s": [x.sum()]}))(t(lib)),
    "jacfwd, two arguments": lambda lib: lib.func.jacfwd(lambda x, y: lib.outer(x, y), argnums=(0, 1))(
        t(lib), t(lib, Y[:2])
    ),
    "jacfwd of a constant": lambda lib: lib.func.jacfwd(lambda x: lib.ones(2))(t(lib)),
    "jacfwd with aux": lambda lib: lib.func.jacfwd(lambda x: (x**2, x), has_aux=True)(t(lib)),
    "jvp": lambda lib: lib.func.jvp(lambda x: x**3, (t(lib),), (t(lib, Y),)),
    "jvp, two": lambda lib: lib.func.jvp(lambda x, y: (x * y, x.sum()), (t(lib), t(lib, Y)), (t(lib, Y), t(lib))),
    "jvp of a nest": lambda lib: lib.func.jvp(lambda d: [d["a"] ** 2], ({"a": t(lib)},), ({"a": t(lib, Y)},)),
    "jvp of a constant": lambda lib: lib.func.jvp(lambda x: lib.ones(2), (t(lib),), (t(lib),)),
    "jvp with aux": lambda lib: lib.func.jvp(lambda x: (x**2, x), (t(lib),), (t(lib, Y),), has_aux=True),
    "jvp of grad": lambda lib: lib.func.jvp(lib.func.grad(lambda x: (x**3).sum()), (t(lib),), (t(lib, Y),)),
    "grad of jvp": lambda lib: lib.func.grad(lambda x: lib.func.jvp(lambda y: y**3, (x,), (t(lib, Y),))[1].sum())(
        t(lib)
    ),
    "hessian": lambda lib: lib.func.hessian(lambda x: (x**3).sum() * x[0])(t(lib)),
    "hessian of two arguments": lambda lib: lib.func.hessian(lambda x, y: (x**2 * y).sum(), argnums=(0, 1))(
        t(lib), t(lib, Y)
    ),
    "jacrev of jacrev": lambda lib: lib.func.jacrev(lib.func.jacrev(lambda x: (x**3).sum()))(t(lib)),
    "jacfwd of jacfwd": lambda lib: lib.func.jacfwd(lib.func.jacfwd(lambda x: (x**3).sum()))(t(lib)),
}


@pytest.mark.parametrize("name", RUNS)
def test_results(name):
    both(RUNS[name], ulps=8, strides=None)  # torch's Jacobians have the strides that vmap leaves


@pytest.mark.parametrize("name", RUNS)
def test_results_under_no_grad(name):
    def program(lib):
        with lib.no_grad():
            return RUNS[name](lib)

    both(program, ulps=8, strides=None)


def test_linearize():
    value, push = gradcore.func.linearize(lambda x, d: (x**2, d["y"].sum() * x), t(gradcore), {"y": t(gradcore, Y)})
    tangents = t(gradcore, Y), {"y": t(gradcore)}
    for _ in range(2):
        expected = gradcore.func.jvp(
            lambda x, d: (x**2, d["y"].sum() * x), (t(gradcore), {"y": t(gradcore, Y)}), tangents
        )
        assert all(bool((a == b).all()) for a, b in zip(push(*tangents), expected[1], strict=True))
    assert not value[0].requires_grad
    with pytest.raises(RuntimeError, match="same argspec as the primals"):
        push(tangents[0])
    with pytest.raises(RuntimeError, match="with shape .* doesn't match the shape"):
        push(t(gradcore, Y[:2]), tangents[1])


@pytest.mark.parametrize("run", ["grad", "vjp", "jacrev", "jacfwd", "hessian"])
def test_an_outer_backward_goes_through(run):
    def program(lib):
        x, w = t(lib, X, True), t(lib, Y, True)
        function = {
            "grad": lambda: lib.func.grad(lambda x: (x**3 * w).sum())(x),
            "vjp": lambda: lib.func.vjp(lambda x: x**3 * w, x)[1](w)[0],
            "jacrev": lambda: lib.func.jacrev(lambda x: x**3 * w)(x),
            "jacfwd": lambda: lib.func.jacfwd(lambda x: x**3 * w)(x),
            "hessian": lambda: lib.func.hessian(lambda x: (x**4 * w).sum())(x),
        }[run]
        function().square().sum().backward()
        return x.grad, w.grad

    both(program, ulps=32)


def test_inputs_are_left_alone():
    def program(lib):
        x = t(lib, X, True)
        lib.func.grad(lambda x: (x**2).sum())(x)
        return x.grad, x.requires_grad, x._version, x

    both(program)


REFUSED = {
    "grad: two elements": (
        lambda lib: lib.func.grad(lambda x: x)(t(lib)),
        "to return a scalar Tensor, got tensor with 1 dims",
    ),
    "grad: a number": (lambda lib: lib.func.grad(lambda x: 1.0)(t(lib)), "Expected f(*args) to return a Tensor, got"),
    "grad: a tuple": (
        lambda lib: lib.func.grad(lambda x: (x.sum(),))(t(lib)),
        "Expected f(*args) to return a Tensor, got",
    ),
    "grad: not of a tensor": (
        lambda lib: lib.func.grad(lambda x: x)(1.0),
        "Thing passed to transform API must be Tensor",
    ),
    "grad: of integers": (lambda lib: lib.func.grad(lambda x: x.sum())(lib.ones(2, dtype=lib.int64)), "floating point"),
    "grad: no aux": (
        lambda lib: lib.func.grad(lambda x: x.sum(), has_aux=True)(t(lib)),
        "should be a tuple: (output, aux)",
    ),
    "grad: aux of text": (
        lambda lib: lib.func.grad(lambda x: (x.sum(), "a"), has_aux=True)(t(lib)),
        "unsupported type",
    ),
    "grad: in place": (
        lambda lib: lib.func.grad(lambda x: x.mul_(2).sum())(t(lib)),
        "a leaf Variable that requires grad",
    ),
    "argnums: too large": (
        lambda lib: lib.func.grad(lambda x: x, argnums=3)(t(lib)),
        "Got argnum=3, but only 1 positional",
    ),
    "argnums: none": (lambda lib: lib.func.grad(lambda x: x, argnums=())(t(lib)), "argnums must be non-empty"),
    "argnums: a list": (
        lambda lib: lib.func.grad(lambda x: x, argnums=[0])(t(lib)),
        "argnums must be int or Tuple[int, ...]",
    ),
    "argnums: twice": (
        lambda lib: lib.func.grad(lambda x: x, argnums=(0, 0))(t(lib)),
        "argnums elements must be unique",
    ),
    "argnums: a text": (lambda lib: lib.func.grad(lambda x: x, argnums=("0",))(t(lib)), "argnum must be int, got"),
    "vjp: structure": (
        lambda lib: lib.func.vjp(lambda x: (x, x), t(lib))[1](t(lib)),
        "cotangents: *, primal output: (*, *)",
    ),
    "vjp: shape": (lambda lib: lib.func.vjp(lambda x: x, t(lib))[1](lib.ones(2)), "Mismatch in shape: grad_output[0]"),
    "vjp: integers": (lambda lib: lib.func.vjp(lambda x: x.long(), t(lib)), "All outputs of f must be floating-point"),
    "vjp: a number": (lambda lib: lib.func.vjp(lambda x: 1.0, t(lib)), "to return only tensors, got unsupported type"),
    "vjp: nothing": (lambda lib: lib.func.vjp(lambda x: None, t(lib)), "non-empty output"),
    "vjp: no aux": (lambda lib: lib.func.vjp(lambda x: x, t(lib), has_aux=True), "should be a tuple: (output, aux)"),
    "vjp: cotangent missing": (
        lambda lib: lib.func.vjp(lambda x: x, t(lib))[1](None),
        "implicitly created only for scalar",
    ),
    "jacrev: chunks": (lambda lib: lib.func.jacrev(lambda x: x, chunk_size=0), "`chunk_size` should be greater than 0"),
    "jvp: no tuple": (lambda lib: lib.func.jvp(lambda x: x, t(lib), t(lib)), "Expected primals to be a tuple"),
    "jvp: structure": (lambda lib: lib.func.jvp(lambda x: x, (t(lib),), (t(lib), t(lib))), "the same python structure"),
    "jvp: shape": (lambda lib: lib.func.jvp(lambda x: x, (t(lib),), (lib.ones(2),)), "that has a different size"),
    "jvp: a number": (lambda lib: lib.func.jvp(lambda x: 1.0, (t(lib),), (t(lib),)), "to return only tensors"),
    "jvp: integers": (
        lambda lib: lib.func.jvp(lambda x: x * 2.0, (lib.arange(2),), (lib.ones(2),)),
        "Expected primal to be floating",
    ),
    "jvp: integer tangent": (
        lambda lib: lib.func.jvp(lambda x: x, (lib.ones(2),), (lib.arange(2),)),
        "Expected tangent to be floating",
    ),
    "jacfwd: integers": (
        lambda lib: lib.func.jacfwd(lambda x: x * 2.0)(lib.arange(2)),
        "Expected primal to be floating",
    ),
    "jvp: number in": (lambda lib: lib.func.jvp(lambda x: x, (1.0,), (1.0,)), "to only contain Tensors"),
    "jvp: nothing in": (lambda lib: lib.func.jvp(lambda: 1, (), ()), "to contain at least one Tensor"),
    "jvp: strict": (
        lambda lib: lib.func.jvp(lambda x: lib.ones(1), (t(lib),), (t(lib),), strict=True),
        "independent of the inputs",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    program, phrase = REFUSED[name]
    both(program, raises=phrase)


@pytest.mark.parametrize("name", ["grad", "grad_and_value", "jacrev", "jacfwd", "hessian"])
def test_names_are_kept(name):
    def loss(x):
        """What it is."""
        return x.sum()

    made = getattr(gradcore.func, name)(loss)
    assert (made.__name__, made.__doc__) == ("loss", "What it is.")


# ---- functional_call -------------------------------------------------------------------------------------------------


class Layer:
    """As much of a module as functional_call needs."""

    training = True

    def __init__(self, w, inner=None):
        self.w = w
        self.inner = inner

    def named_parameters(self, remove_duplicate=True):
        yield "w", self.w
        for name, value in self.inner.named_parameters() if self.inner else ():
            yield f"inner.{name}", value

    def named_buffers(self, remove_duplicate=True):
        return iter(())

    def __call__(self, x, scale=1.0):
        x = x * self.w * scale
        return self.inner(x) if self.inner else x


def layers():
    return Layer(gradcore.tensor(2.0), Layer(gradcore.tensor(3.0)))


def test_functional_call():
    model, x = layers(), gradcore.tensor(1.0)
    new = {"inner.w": gradcore.tensor(10.0)}
    assert gradcore.func.functional_call(model, new, (x,)).item() == 20.0
    assert gradcore.func.functional_call(model, ({"w": x}, new), x, {"scale": 7.0}).item() == 70.0
    assert model(x).item() == 6.0


def test_functional_call_differentiates():
    model = layers()
    parameters = dict(model.named_parameters())
    found = gradcore.func.grad(lambda p: gradcore.func.functional_call(model, p, gradcore.tensor(5.0)))(parameters)
    assert {name: g.item() for name, g in found.items()} == {"w": 15.0, "inner.w": 10.0}


def test_functional_call_puts_back_what_it_replaced_when_the_module_raises():
    model = layers()
    error = outcome(lambda: gradcore.func.functional_call(model, {"w": gradcore.tensor(1.0)}, ("text", 1.0, 2.0))).error
    assert isinstance(error, TypeError)
    assert model.w.item() == 2.0


def test_functional_call_ties_weights():
    w = gradcore.tensor(2.0)
    model = Layer(w, Layer(w))
    new, x = gradcore.tensor(5.0), gradcore.tensor(1.0)
    assert gradcore.func.functional_call(model, {"w": new}, x).item() == 25.0
    assert gradcore.func.functional_call(model, {"w": new}, x, tie_weights=False).item() == 10.0
    with pytest.raises(ValueError, match="tied"):
        gradcore.func.functional_call(model, {"w": new, "inner.w": x}, x)


class Counter:
    """Modules that assign to their attributes, beside torch's."""

    def __new__(cls, lib):
        class Module(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("count", lib.zeros(1))
                self.factor = self.tied = lib.nn.Parameter(lib.ones(1))
                self.size = 3.0

            def forward(self, x):
                self.count = self.count + 1
                return x * self.factor * self.tied + self.count, [name for name, _ in self.named_parameters()]

        return Module()


@needs_torch
@pytest.mark.parametrize("given", [{"count": 2.0}, {"factor": 3.0}, {"size": 2.0}, {"new": 2.0}, {"factor": 1.0, "tied": 2.0},
                                   {"count": 2.0, "size": 1.0}])  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"tie_weights": False}, {"strict": True}])
def test_functional_call_beside_torch(given, options):
    """The dict that was given has what the module assigned; the module is as it was. Parameters are some even if unknown."""

    def program(lib):
        module = Counter(lib)
        values = {name: lib.nn.Parameter(lib.tensor([value])) if name == "new" else lib.tensor([value])
                  for name, value in given.items()}  # fmt: skip
        found = outcome(lambda: lib.func.functional_call(module, values, lib.ones(1), **options))
        return (
            str(found) if isinstance(found, Raised) else found,
            values,
            module.count,
            module.factor,
            module.size,
            hasattr(module, "new"),
        )

    both(program)


def test_functional_call_of_a_module_in_itself():
    module = gradcore.nn.Sequential(gradcore.nn.Linear(1, 1))
    module[0].again = module
    new = {"0.again.0.weight": gradcore.ones(1, 1), "0.bias": gradcore.zeros(1)}
    assert gradcore.func.functional_call(module, new, gradcore.ones(1), tie_weights=False).item() == 1.0


@pytest.mark.parametrize(
    ("dicts", "strict", "error", "phrase"),
    [
        (1.0, False, ValueError, "to be a dict, or a list/tuple of dicts"),
        ([1.0], False, ValueError, "to be dictionaries"),
        ([{"w": 1}, {"w": 2}], False, ValueError, "appeared in multiple dictionaries"),
        ({"other.w": gradcore.ones(())}, False, AttributeError, "Layer has no attribute `other`"),
        ({"w": 1}, False, TypeError, "1 is not an instance of torch.Tensor"),
        ({"w": 1}, True, RuntimeError, "Missing key"),
        ({"w": 1, "inner.w": 2, "b": 3}, True, RuntimeError, "Unexpected key"),
    ],
)
def test_functional_call_refuses(dicts, strict, error, phrase):
    with pytest.raises(error, match=phrase):
        gradcore.func.functional_call(layers(), dicts, gradcore.tensor(1.0), strict=strict)


def test_functional_call_with_a_name_that_the_module_does_not_have():
    class WithShift(Layer):
        def __call__(self, x):
            return super().__call__(x) + getattr(self, "shift", 0.0)

    model, x = WithShift(gradcore.tensor(2.0)), gradcore.tensor(1.0)
    assert gradcore.func.functional_call(model, {"shift": gradcore.tensor(10.0)}, x).item() == 12.0
    assert not hasattr(model, "shift")


def test_stack_module_state():
    parameters, buffers = gradcore.func.stack_module_state([layers(), layers()])
    assert {name: value.tolist() for name, value in parameters.items()} == {"w": [2.0, 2.0], "inner.w": [3.0, 3.0]}
    assert buffers == {}
    with pytest.raises(RuntimeError, match="at least one model"):
        gradcore.func.stack_module_state([])
