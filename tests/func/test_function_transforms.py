"""Custom Functions under vmap, grad, jvp and the Jacobians, beside torch: rules for batches, generated or given."""

import importlib

import numpy as np
import pytest

from support import both, gradcore

A = np.array([[0.3, 1.1, -0.7], [2.0, -0.4, 0.9]])


def func(lib):
    return importlib.import_module(f"{lib.__name__}.func")


def data(lib, array=A):
    return lib.from_numpy(array.copy())


def cube(lib, *, generate=False, rule=None, seen=None):
    """(k x^3, x^2) as a Function. `seen` gets what is called with which shapes."""
    seen = [] if seen is None else seen

    class Cube(lib.autograd.Function):
        generate_vmap_rule = generate

        @staticmethod
        def forward(x, k=3.0):
            y = x * x
            return y * x * k, y

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.k = inputs
            ctx.save_for_backward(x, output[1])
            ctx.save_for_forward(x, output[1])

        @staticmethod
        def backward(ctx, of_cube, of_square):
            seen.append(("backward", tuple(of_cube.shape)))
            x, y = ctx.saved_tensors
            return of_cube * 3 * ctx.k * y + of_square * 2 * x, None

        @staticmethod
        def jvp(ctx, tangent, _):
            seen.append(("jvp", tuple(tangent.shape)))
            x, y = ctx.saved_tensors
            return tangent * 3 * ctx.k * y, tangent * 2 * x

    if rule:

        def vmap(info, in_dims, x, k):
            seen.append(("rule", tuple(x.shape), tuple(info), in_dims))
            return rule(Cube, in_dims, x, k)

        Cube.vmap = staticmethod(vmap)
    return Cube.apply


def by_itself(cls, in_dims, x, k):
    """The Function is elementwise: it can be applied to the whole batch."""
    return cls.apply(x, k), (in_dims[0], in_dims[0])


def without_history(cls, in_dims, x, k):
    """Only values: what a rule gives that leaves the library."""
    x = x.detach()
    return (x**3 * k, x**2), (in_dims[0], None if in_dims[0] is None else 0)


KINDS = {"generated": {"generate": True}, "a rule": {"rule": by_itself}}

TRANSFORMS = {
    "vmap": lambda f, op: f.vmap(op),
    "vmap twice": lambda f, op: f.vmap(f.vmap(op)),
    "vmap along the last": lambda f, op: f.vmap(op, out_dims=(-1, 0)),
    "vmap of grad": lambda f, op: f.vmap(f.grad(lambda x: op(x)[0].sum())),
    "vmap of grad of grad": lambda f, op: f.vmap(f.grad(lambda x: f.grad(lambda x: op(x)[0].sum())(x).sum())),
    "grad of vmap": lambda f, op: f.grad(lambda x: f.vmap(op)(x)[0].sum()),
    "grad of grad of vmap": lambda f, op: f.grad(lambda x: f.grad(lambda x: f.vmap(op)(x)[0].sum())(x).sum()),
    "grad of vmap of grad": lambda f, op: f.grad(lambda x: f.vmap(f.grad(lambda x: op(x)[0].sum()))(x).sum()),
    "vmap of grad of vmap": lambda f, op: f.vmap(f.grad(lambda x: f.vmap(op)(x)[0].sum())),
    "vmap of jvp": lambda f, op: f.vmap(lambda x: f.jvp(op, (x,), (x + 1,))),
    "jvp of vmap": lambda f, op: lambda x: f.jvp(f.vmap(op), (x,), (x + 1,)),
    "grad of jvp": lambda f, op: f.grad(lambda x: f.jvp(op, (x,), (x * 0 + 1,))[1][0].sum()),
    "jvp of grad": lambda f, op: lambda x: f.jvp(f.grad(lambda x: op(x)[0].sum()), (x,), (x + 1,)),
    "jacrev": lambda f, op: f.jacrev(op),
    "jacfwd": lambda f, op: f.jacfwd(op),
    "jacfwd of jacrev": lambda f, op: f.jacfwd(f.jacrev(lambda x: op(x)[0])),
    "jacrev of jacfwd": lambda f, op: f.jacrev(f.jacfwd(lambda x: op(x)[0])),
    "hessian": lambda f, op: f.hessian(lambda x: op(x)[0].sum()),
    "vmap of hessian": lambda f, op: f.vmap(f.hessian(lambda x: op(x)[0].sum())),
    "vmap of what is shared": lambda f, op: lambda x: f.vmap(lambda y: (*op(x[0]), y), out_dims=(None, None, 0))(x),
    "vmap within a vmap that maps something else": lambda f, op: (
        lambda x: f.vmap(lambda s: f.vmap(op)(x)[0] * s.sum(), out_dims=0)(x)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_of_a_function(name, kind):
    """Its results, and what of it is called with which shapes."""

    def program(lib):
        seen = []
        result = TRANSFORMS[name](func(lib), cube(lib, seen=seen, **KINDS[kind]))(data(lib))
        # Here torch differentiates what the rule does as well, and we the Function once more.
        return result, () if (name, kind) == ("grad of vmap of grad", "a rule") else seen

    both(program, ulps=8)


def test_jvp_of_jvp():
    """torch takes what a Function saved for forward mode for constants then, and gives zeros."""
    op, f, x = cube(gradcore), gradcore.func, data(gradcore)
    ones = gradcore.ones_like(x)
    (first, second), (of_first, of_second) = f.jvp(lambda x: f.jvp(op, (x,), (ones,))[1], (x,), (x + 1,))
    for found, expected in ((first, 9 * x**2), (second, 2 * x), (of_first, 18 * x * (x + 1)), (of_second, 2 * (x + 1))):
        assert gradcore.allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_through_a_vmap_that_is_over(kind):
    def program(lib):
        x = data(lib).requires_grad_()
        op = cube(lib, **KINDS[kind])
        first, second = func(lib).vmap(op)(x)
        (gradient,) = lib.autograd.grad(first.sum(), x, create_graph=True)
        gradient.pow(2).sum().backward(retain_graph=True)
        second.sum().backward()
        return x.grad, gradient, first, second

    both(program, ulps=8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_leaf_that_all_samples_share(kind):
    def program(lib):
        weight = data(lib, A[0]).requires_grad_()
        op = cube(lib, **KINDS[kind])
        func(lib).vmap(lambda x: (op(weight)[0] * x).sum() + op(weight * x)[1].sum())(data(lib)).sum().backward()
        return weight.grad

    both(program, ulps=8)


def test_a_rule_without_history():
    """Transforms inside the vmap use the Function's own backward and jvp; those around it see what the rule does."""

    def program(lib, name):
        return TRANSFORMS[name](func(lib), cube(lib, rule=without_history))(data(lib))

    for name in ("vmap", "vmap twice", "vmap of grad", "vmap of jvp", "grad of vmap", "jvp of vmap", "vmap of hessian"):
        both(lambda lib, name=name: program(lib, name), ulps=8)


def test_jacobians_of_autograd_functional():
    def program(lib, strategy):
        jacobian = lib.autograd.functional.jacobian
        return jacobian(cube(lib, generate=True), data(lib), vectorize=True, strategy=strategy)

    both(lambda lib: program(lib, "reverse-mode"), ulps=8)
    both(lambda lib: program(lib, "forward-mode"), ulps=8)


def test_batched_gradients_need_no_rule():
    def program(lib):
        x = data(lib).requires_grad_()
        y = cube(lib)(x)[0]
        weights = lib.stack([lib.ones_like(y), y.detach()])
        return lib.autograd.grad(y, x, weights, is_grads_batched=True)

    both(program, ulps=8)


def doubled(lib):
    """2 x, recorded also in backward, as Functions were before there were rules for batches."""

    class Doubled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return Doubled.apply(gradient)

    return Doubled.apply


def test_batched_gradients_run_functions_as_they_are():
    """Those of a Function that func.vmap refuses, whose backward is a call of it; and one with a rule, which is not called."""

    def program(lib):
        seen = []
        x = data(lib).requires_grad_()
        weights = lib.stack([lib.ones_like(x.detach()), x.detach()])
        of_doubled = lib.autograd.grad(doubled(lib)(x), x, weights, is_grads_batched=True)
        ruled = cube(lib, rule=by_itself, seen=seen)
        y = x * 1
        y.register_hook(lambda g: ruled(g)[1])
        return of_doubled, lib.autograd.grad(y, x, weights, is_grads_batched=True), seen

    both(program, ulps=8)


def test_vectorized_jacobians_and_hessians_run_functions_as_they_are():
    def program(lib):
        function, functional = doubled(lib), lib.autograd.functional
        jacobian = functional.jacobian(function, data(lib), vectorize=True)
        return jacobian, functional.hessian(lambda x: (function(x) ** 2).sum(), data(lib), vectorize=True)

    both(program)


# ---- What a rule is given and may return -----------------------------------------------------------------------------


def ruled(lib, rule, forward=lambda x, y: x * y):
    """x * y with a rule that is given everything."""
    given = forward

    class Product(lib.autograd.Function):
        forward = staticmethod(given)

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def vmap(info, in_dims, *args):
            return rule(lib, info, in_dims, *args)

    return Product.apply


def mapped(lib, rule, forward=lambda x, y: x * y, **options):
    return func(lib).vmap(ruled(lib, rule, forward), **options)


@pytest.mark.parametrize("randomness", ["error", "same", "different"])
def test_a_rule_is_told_of_the_vmap(randomness):
    seen = []

    def rule(lib, info, in_dims, x, y):
        seen.append((info.batch_size, info.randomness, in_dims, tuple(x.shape), y))
        return x * y, 0

    both(lambda lib: mapped(lib, rule, in_dims=(0, None), randomness=randomness)(data(lib), 2.0))
    assert seen[:1] * len(seen) == seen
    assert seen[0] == (2, randomness, (0, None), (2, 3), 2.0)


def test_a_rule_may_use_random_numbers():
    """It runs outside of the level."""

    def program(lib, outer):
        lib.manual_seed(3)
        f = func(lib).vmap(
            mapped(lib, lambda lib, info, dims, x, y: (x * lib.rand(3), 0)), randomness=outer, in_dims=(0, None)
        )
        return f(data(lib, A[None]), data(lib))

    both(lambda lib: program(lib, "same"))
    both(lambda lib: program(lib, "different"))
    both(lambda lib: program(lib, "error"), raises="called random operation while in randomness error mode")
    both(lambda lib: mapped(lib, lambda lib, info, dims, x, y: (x + lib.rand(3), 0))(data(lib), data(lib)))


def test_arguments_that_are_nests():
    def rule(lib, info, in_dims, pair, scale):
        assert in_dims == ((0, None), None)
        return (pair[0] * pair[1] * scale, pair[0].sum(0)), (0, None)

    def program(lib):
        op = ruled(lib, rule, lambda pair, scale: (pair[0] * pair[1] * scale, pair[0]))
        return func(lib).vmap(lambda x: op((x, data(lib, A[1])), 2.0), out_dims=(0, None))(data(lib))

    both(program)


def test_outputs_along_any_dim():
    both(lambda lib: mapped(lib, lambda lib, i, d, x, y: ((x * y).t(), 1), in_dims=(0, None))(data(lib), 2.0))
    both(lambda lib: mapped(lib, lambda lib, i, d, x, y: (x[0], None), in_dims=(0, None))(data(lib), 2.0))
    both(lambda lib: mapped(lib, lambda lib, i, d, x, y: ([x, x.t()], [0, 1]), in_dims=(0, None))(data(lib), 2.0))


def test_an_input_that_is_written_to_and_returned():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(x):
                return x.mul_(2)

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.mark_dirty(*inputs)

            @staticmethod
            def backward(ctx, gradient):
                return gradient * 2

            @staticmethod
            def vmap(info, in_dims, x):
                return x.mul_(2), in_dims[0]

        def function(x):
            y = x * 1
            return Double.apply(y) is y, y

        same = []

        def noted(x):
            result = function(x)
            same.append(result[0])
            return result[1]

        return func(lib).vmap(noted)(data(lib)), same

    both(program)


REFUSED = {
    "one result": (lambda lib, i, d, x, y: x, "Expected the vmap staticmethod to have two returns"),
    "three results": (lambda lib, i, d, x, y: (x, 0, 0), "Expected the vmap staticmethod to have two returns"),
    "dims of another structure": (
        lambda lib, i, d, x, y: (x, (0, 0)),
        "vmap staticmethod returned an incompatible (output, out_dims) tuple",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_results_that_are_refused(name):
    rule, phrase = REFUSED[name]
    both(lambda lib: mapped(lib, rule, in_dims=(0, None))(data(lib), 2.0), raises=phrase)


def test_a_batch_of_another_size_is_refused():
    """torch goes on, with whatever comes of it."""
    f = mapped(gradcore, lambda lib, i, d, x, y: (lib.ones(5, 3), 0), in_dims=(0, None))
    with pytest.raises(RuntimeError, match="which has not the batch size 2 in its dim 0"):
        f(data(gradcore), 2.0)


def test_an_error_in_a_rule_leaves_the_levels_as_they_were():
    def rule(lib, info, in_dims, x, y):
        raise KeyError("from the rule")

    def program(lib):
        op = ruled(lib, rule)

        def function(x):
            with pytest.raises(KeyError, match="from the rule"):
                op(x, 2.0)
            return x.sum()

        return func(lib).vmap(function)(data(lib)), func(lib).vmap(func(lib).grad(function))(data(lib))

    both(program)


# ---- Functions that cannot be mapped ---------------------------------------------------------------------------------


def test_a_function_without_a_rule():
    both(lambda lib: func(lib).vmap(cube(lib))(data(lib)), raises="but it does not have vmap support")
    both(
        lambda lib: func(lib).vmap(func(lib).grad(lambda x: cube(lib)(x)[0].sum()))(data(lib)),
        raises="You tried to vmap over Cube, but it does not have vmap support",
    )
    both(lambda lib: func(lib).jacfwd(cube(lib))(data(lib)), raises="override and implement the vmap staticmethod")


def test_a_function_without_a_rule_that_sees_nothing_mapped():
    both(lambda lib: func(lib).vmap(lambda x: cube(lib)(data(lib))[0] * x)(data(lib)), raises="vmap support")


def test_a_function_with_both_rules():
    def program(lib):
        return func(lib).vmap(cube(lib, generate=True, rule=by_itself))(data(lib))

    both(program, raises="it has both generate_vmap_rule=True and an overridden vmap staticmethod")


def test_a_function_without_setup_context():
    def program(lib):
        class Old(lib.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(ctx, x):
                return x * 2

        return func(lib).vmap(Old.apply)(data(lib))

    both(program, raises="it must override the setup_context staticmethod")


def test_the_inherited_rule():
    both(lambda lib: lib.autograd.Function.vmap(None, (), 1), raises="override the vmap staticmethod or set")


def test_a_backward_that_is_differentiated_once_can_be_mapped():
    def program(lib):
        class Square(lib.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(x):
                return x * x

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            @staticmethod
            @lib.autograd.function.once_differentiable
            def backward(ctx, gradient):
                return 2 * ctx.saved_tensors[0] * gradient

        return func(lib).vmap(func(lib).grad(lambda x: Square.apply(x).sum()))(data(lib))

    both(program)


OUTSIDE = {
    "frozen": lambda lib, x: (x * 1, x.requires_grad_(False))[0],
    "detached": lambda lib, x: (x * 1, x.detach_())[0],
    "view made without grad": lambda lib, x: _without_grad(lib, lambda: x.view(-1)),
    "of such a view": lambda lib, x: _without_grad(lib, lambda: x.view(-1)).sin(),
    "constant": lambda lib, x: x.detach(),
}


def _without_grad(lib, make):
    with lib.no_grad():
        return make()


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("transform", ["grad", "vjp", "jacrev", "jacfwd", "vmap of grad", "grad of grad"])
def test_what_the_program_records_is_seen_from_outside(outside, transform):
    """A result requires grad exactly if the argument did, also where the argument's history takes no gradient."""

    def program(lib):
        transforms = func(lib)

        def f(t):
            return (t.sum() * t).sin().sum()

        x = OUTSIDE[outside](lib, lib.tensor([0.3, 0.6], requires_grad=True))
        results = {
            "grad": lambda: transforms.grad(f)(x),
            "vjp": lambda: transforms.vjp(f, x)[1](lib.tensor(1.0))[0],
            "jacrev": lambda: transforms.jacrev(f)(x),
            "jacfwd": lambda: transforms.jacfwd(f)(x),
            "vmap of grad": lambda: transforms.vmap(transforms.grad(f))(x.unsqueeze(0)),
            "grad of grad": lambda: transforms.grad(lambda t: transforms.grad(f)(t).sum())(x),
        }
        result = results[transform]()
        return result.requires_grad, result.detach()

    both(program, ulps=16, scale=1.0)
