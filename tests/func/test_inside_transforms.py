"""What a program may not do inside of func's transforms, and what it still may, beside torch."""

import copy
import importlib
import warnings

import numpy as np
import pytest

from support import NO_TORCH, both, gradcore, outcome, outcome_difference, torch

X = np.array([0.5, -1.25, 2.0])


def t(lib, array=X):
    return lib.from_numpy(array.copy())


def func(lib):
    return importlib.import_module(f"{lib.__name__}.func")


REVERSE = {
    "grad": lambda lib, f: func(lib).grad(lambda x: f(x).sum())(t(lib)),
    "grad_and_value": lambda lib, f: func(lib).grad_and_value(lambda x: f(x).sum())(t(lib)),
    "vjp": lambda lib, f: func(lib).vjp(f, t(lib))[1](t(lib)),
    "jacrev": lambda lib, f: func(lib).jacrev(f)(t(lib)),
    "hessian": lambda lib, f: func(lib).hessian(lambda x: f(x).sum())(t(lib)),
    "vmap of grad": lambda lib, f: func(lib).vmap(func(lib).grad(lambda x: f(x).sum()))(t(lib, X[None])),
    "grad of vmap": lambda lib, f: func(lib).grad(lambda x: func(lib).vmap(f)(x).sum())(t(lib, X[None])),
}
FORWARD = {
    "jvp": lambda lib, f: func(lib).jvp(f, (t(lib),), (t(lib),)),
    "jacfwd": lambda lib, f: func(lib).jacfwd(f)(t(lib)),
}
DIFFERENTIATING = REVERSE | FORWARD
VMAP = {"vmap": lambda lib, f: func(lib).vmap(f)(t(lib, X[None]))}
LINEARIZE = {"linearize": lambda lib, f: func(lib).linearize(f, t(lib))[1](t(lib))}


def compared(transforms, name, f, **options):
    """Runs the transform called `name` of a function f(lib, x) in both libraries."""
    both(lambda lib: transforms[name](lib, lambda x: f(lib, x)), ulps=8, scale=1.0, **options)


# ---- Inference mode ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIFFERENTIATING)
@pytest.mark.parametrize("captured", ["before", "inside", "none"])
def test_inference_mode_is_off_in_what_differentiates(name, captured):
    """Else tangents would be zeros, and what the function captures could not be saved."""

    def program(lib):
        before = lib.full((3,), 1.5, dtype=lib.float64)
        with lib.inference_mode():
            factor = {"before": before, "inside": before.clone(), "none": 1.5}[captured]
            seen = []

            def f(x):
                seen.append((lib.is_inference_mode_enabled(), lib.ones(1).is_inference(), (x * 2).is_inference()))
                return (x * x).sin() * factor

            found = DIFFERENTIATING[name](lib, f)
            after = lib.is_inference_mode_enabled(), lib.is_grad_enabled()
        return found, seen[0], after, [part.is_inference() for part in (found if isinstance(found, tuple) else [found])]

    both(program, ulps=8, scale=1.0)


@pytest.mark.parametrize("name", DIFFERENTIATING)
def test_a_transform_that_fails_leaves_inference_mode_as_it_was(name):
    def program(lib):
        def fails(x):
            raise KeyError("mine")

        with lib.inference_mode():
            with pytest.raises(KeyError):
                DIFFERENTIATING[name](lib, fails)
            return lib.is_inference_mode_enabled(), lib.is_grad_enabled(), lib.ones(1).is_inference()

    both(program)


@pytest.mark.parametrize("name", DIFFERENTIATING)
def test_points_made_in_inference_mode(name):
    def program(lib):
        with lib.inference_mode():
            x = t(lib).clone()
            api, f = func(lib), lambda x: (x * x).sin()
            calls = {
                "grad": lambda: api.grad(lambda x: f(x).sum())(x),
                "vjp": lambda: api.vjp(f, x)[1](x)[0],
                "jacrev": lambda: api.jacrev(f)(x),
                "hessian": lambda: api.hessian(lambda x: f(x).sum())(x),
                "vmap of grad": lambda: api.vmap(api.grad(f))(x),
                "jvp": lambda: api.jvp(f, (x,), (x,))[1],
                "jacfwd": lambda: api.jacfwd(f)(x),
            }
            found = calls.get(name, calls["grad"])()
        x_unchanged = x.is_inference() and not x.requires_grad
        return found, found.is_inference(), x_unchanged

    both(program, ulps=8, scale=1.0)


# ---- Recording of one's own ------------------------------------------------------------------------------------------


def captured_leaf(lib):
    return lib.ones(3, dtype=lib.float64, requires_grad=True)


def after(action):
    """A function that acts and gives something differentiable."""

    def f(lib, x):
        action(lib, x)
        return x * 2

    return f


BACKWARD = "backward() called inside a functorch transform"
REQUIRES_GRAD = "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs)"
FORBIDDEN = {
    "backward": (lambda lib, x: captured_leaf(lib).sum().backward(), BACKWARD),
    "autograd.backward": (lambda lib, x: lib.autograd.backward(captured_leaf(lib).sum()), BACKWARD),
    "requires_grad_": (lambda lib, x: x.requires_grad_(), REQUIRES_GRAD),
    "requires_grad_(False)": (lambda lib, x: x.requires_grad_(False), REQUIRES_GRAD),
    "requires_grad_ of a new tensor": (lambda lib, x: lib.ones(2).requires_grad_(), REQUIRES_GRAD),
    "functional.jacobian": (lambda lib, x: lib.autograd.functional.jacobian(lib.sin, x), REQUIRES_GRAD),
    "functional.hessian": (lambda lib, x: lib.autograd.functional.hessian(lambda x: x.sum(), x), REQUIRES_GRAD),
    "functional.vjp": (lambda lib, x: lib.autograd.functional.vjp(lambda x: x.sum(), x), REQUIRES_GRAD),
    "functional.jvp": (lambda lib, x: lib.autograd.functional.jvp(lib.sin, x, x), REQUIRES_GRAD),
    "functional.vhp": (lambda lib, x: lib.autograd.functional.vhp(lambda x: x.sum(), x, x), REQUIRES_GRAD),
    "functional.hvp": (lambda lib, x: lib.autograd.functional.hvp(lambda x: x.sum(), x, x), REQUIRES_GRAD),
}


@pytest.mark.parametrize("transform", DIFFERENTIATING | VMAP)
@pytest.mark.parametrize("name", FORBIDDEN)
def test_recording_of_one_s_own_is_refused(name, transform):
    action, phrase = FORBIDDEN[name]
    compared(DIFFERENTIATING | VMAP, transform, after(action), raises=phrase)


def test_forward_jacobians_of_autograd_functional_are_refused():
    """They would not see what the transform around them differentiates. torch refuses them each in other words."""

    def f(lib, x):
        return lib.autograd.functional.jacobian(lambda x: x.sin().sum(), x, strategy="forward-mode", vectorize=True)

    for transform in (*DIFFERENTIATING, *VMAP):
        with pytest.raises(RuntimeError, match="torch.autograd.functional"):
            (DIFFERENTIATING | VMAP)[transform](gradcore, lambda x: f(gradcore, x))


@pytest.mark.parametrize("transform", DIFFERENTIATING | VMAP)
def test_retain_grad_is_refused(transform):
    def f(lib, x):
        captured_leaf(lib).mul(2).retain_grad()
        return x * 2

    compared(DIFFERENTIATING | VMAP, transform, f, raises="You are attempting to call Tensor.retain_grad() inside")
    compared(
        DIFFERENTIATING | VMAP,
        transform,
        after(lambda lib, x: lib.ones(2).retain_grad()),
        raises="can't retain_grad on Tensor that has requires_grad=False",
    )


ALLOWED = {
    "requires_grad = True": lambda lib, x: setattr(lib.ones(3), "requires_grad", True),
    "a new leaf": lambda lib, x: captured_leaf(lib),
    "asarray": lambda lib, x: lib.asarray([1.0], requires_grad=True),
}


@pytest.mark.parametrize("transform", DIFFERENTIATING | VMAP | LINEARIZE)
@pytest.mark.parametrize("name", ALLOWED)
def test_other_ways_to_a_leaf_are_allowed(name, transform):
    compared(DIFFERENTIATING | VMAP | LINEARIZE, transform, after(ALLOWED[name]))


@pytest.mark.parametrize("transform", ["grad", "vjp", "jacrev", "hessian", "vmap of grad"])
def test_autograd_grad_is_allowed(transform):
    compared(REVERSE, transform, lambda lib, x: x * lib.autograd.grad((x**3).sum(), x, create_graph=True)[0])


LEAVES = {
    "made inside": lambda lib, x: lib.ones(3, dtype=lib.float64, requires_grad=True),
    "marked inside": lambda lib, x: marked(lib.ones(3, dtype=lib.float64)),
    "from data": lambda lib, x: lib.tensor([1.0, 2.0, 3.0], requires_grad=True),
    "a detached point": lambda lib, x: marked(x.detach()),
}


def marked(tensor):
    tensor.requires_grad = True
    return tensor


@pytest.mark.parametrize("transform", ["grad", "grad_and_value", "vjp", "jacrev", "vmap of grad", "grad of vmap"])
@pytest.mark.parametrize("name", LEAVES)
def test_leaves_of_a_transform_end_with_it(name, transform):
    compared(REVERSE, transform, lambda lib, x: (x**2).mul(LEAVES[name](lib, x)))


def test_captured_leaves_do_not_end():
    def program(lib):
        weight = t(lib).requires_grad_()
        inner = func(lib).grad(lambda y: (y * y * weight * captured_leaf(lib)).sum())
        (gradient,) = lib.autograd.grad(inner(t(lib)).sum(), weight)
        nested = func(lib).grad(lambda x: func(lib).grad(lambda y: (y**2 * weight).sum())(x).sum())(t(lib))
        return gradient, nested.requires_grad, nested.detach()

    both(program)


def test_a_refusal_leaves_nothing_behind():
    def program(lib):
        for transform in DIFFERENTIATING.values():
            assert "backward()" in str(outcome(transform, lib, after(lambda x, _: captured_leaf(lib).sum().backward())))
        x = t(lib).requires_grad_()
        (x * 2).sum().backward()
        x.detach().add_(1)
        return x, x.grad

    def after(action):
        return lambda x: action(x, None)

    both(program)


def test_linearize_refuses_nothing():
    def f(lib, x):
        leaf = captured_leaf(lib)
        (leaf * 2).sum().backward()
        leaf.mul(2).retain_grad()
        lib.ones(2).requires_grad_()
        return x * leaf.grad

    compared(LINEARIZE, "linearize", f)


# ---- Hooks for saved tensors -----------------------------------------------------------------------------------------


def saved_hooks(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.graph").saved_tensors_hooks(lambda t: t, lambda t: t)


def save_on_cpu(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.graph").save_on_cpu()


def allow_mutation(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.graph").allow_mutation_on_saved_tensors()


def within(context):
    def f(lib, x):
        with context(lib):
            return x * x

    return f


def checkpointed(lib, x):
    return importlib.import_module(f"{lib.__name__}.utils.checkpoint").checkpoint(
        lambda x: x * x, x, use_reentrant=False
    )


HOOKED = {
    "saved_tensors_hooks": within(saved_hooks),
    "save_on_cpu": within(save_on_cpu),
    "allow_mutation_on_saved_tensors": within(allow_mutation),
    "checkpoint": checkpointed,
}
NO_HOOKS = "torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks"


@pytest.mark.parametrize("transform", REVERSE)
@pytest.mark.parametrize("name", HOOKED)
def test_reverse_mode_refuses_hooks_for_saved_tensors(name, transform):
    compared(REVERSE, transform, HOOKED[name], raises=NO_HOOKS)


@pytest.mark.parametrize("transform", FORWARD | VMAP | LINEARIZE)
@pytest.mark.parametrize("name", HOOKED)
def test_other_transforms_take_hooks_for_saved_tensors(name, transform):
    if name == "allow_mutation_on_saved_tensors" and transform in LINEARIZE:
        pytest.skip("ours goes back through the graph when the linear function is called, which that context refuses")
    compared(FORWARD | VMAP | LINEARIZE, transform, HOOKED[name])


@pytest.mark.parametrize("transform", DIFFERENTIATING | VMAP | LINEARIZE)
@pytest.mark.parametrize("context", [saved_hooks, save_on_cpu, allow_mutation])
def test_hooks_that_are_active_already(context, transform):
    def program(lib):
        with context(lib):
            return (DIFFERENTIATING | VMAP | LINEARIZE)[transform](lib, lambda x: x * x)

    both(program, raises=NO_HOOKS if transform in REVERSE else None, ulps=8)


def test_hooks_are_allowed_again_afterwards():
    def program(lib):
        outcome(REVERSE["grad"], lib, lambda x: HOOKED["checkpoint"](lib, x))
        _, pull = func(lib).vjp(lambda x: x * x, t(lib))
        with saved_hooks(lib):
            y = t(lib).requires_grad_() ** 2
            return pull(y)[0].detach()

    both(program)


# ---- Custom Functions ------------------------------------------------------------------------------------------------


def old_style(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * 2

    return Double.apply


@pytest.mark.parametrize("transform", DIFFERENTIATING | VMAP)
def test_a_function_without_setup_context_is_refused(transform):
    phrase = "it must override the setup_context staticmethod"
    compared(DIFFERENTIATING | VMAP, transform, lambda lib, x: old_style(lib)(x), raises=phrase)
    compared(DIFFERENTIATING | VMAP, transform, after(lambda lib, x: old_style(lib)(lib.ones(2))), raises=phrase)


@pytest.mark.parametrize("transform", DIFFERENTIATING)
def test_the_forward_of_a_function_runs_outside(transform):
    """What is refused in a transform is allowed in there, and what it makes is not captured."""

    def f(lib, x):
        memory = lib.zeros(3, dtype=lib.float64)

        class Square(lib.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(x):
                if "vmap" not in transform and transform not in ("jacfwd", "hessian"):  # no map runs around it
                    memory.add_(1)
                    leaf = lib.ones(1).requires_grad_()
                    with lib.enable_grad():
                        (leaf * 2).sum().backward()
                    old_style(lib)(leaf.grad)
                return x * x

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)
                ctx.save_for_forward(*inputs)

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * 2 * x

            @staticmethod
            def jvp(ctx, tangent):
                (x,) = ctx.saved_tensors
                return tangent * 2 * x

        return Square.apply(x).mul_(3)

    compared(DIFFERENTIATING, transform, f)


def numpy_cube(lib):
    """A Function whose values leave the library."""

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(x):
            kept = x.numpy().copy()
            return lib.from_numpy(kept**3), kept

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.kept = output[1]

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx, g, _):
            return lib.from_numpy(g.numpy() * 3 * ctx.kept**2)

    return lambda x: Cube.apply(x)[0]


def test_a_function_in_numpy():
    def program(lib):
        x, weight = t(lib).requires_grad_(), t(lib).requires_grad_()
        value, pull = func(lib).vjp(numpy_cube(lib), x)
        (gradient,) = pull(weight)
        return value.detach(), gradient.detach(), outcome(lambda: gradient.sum().backward()).error

    both(lambda lib: program(lib)[:2])
    assert "marked with @once_differentiable" in str(program(gradcore)[2])


def test_numpy_where_nothing_is_recorded():
    def program(lib):
        x = t(lib).requires_grad_()
        with lib.no_grad():
            return np.asarray(x).tolist(), x.numpy().tolist()

    both(program)
    both(lambda lib: t(lib).requires_grad_().numpy(), raises="Can't call numpy() on Tensor that requires grad")


def test_a_backward_that_is_pulled_within_a_transform_may_be_differentiable_once():
    def program(lib):
        class Double(lib.autograd.Function):
            @staticmethod
            def forward(x):
                return x * 2

            @staticmethod
            def setup_context(ctx, inputs, output):
                pass

            @staticmethod
            @lib.autograd.function.once_differentiable
            def backward(ctx, g):
                return g * 2

        def inner(y):
            return func(lib).vjp(Double.apply, t(lib))[1](y)[0].detach()

        return func(lib).grad(lambda y: (y * inner(y)).sum())(t(lib))

    both(program)


def test_a_rule_is_told_where_the_batch_stands():
    def program(lib, in_dims, array):
        seen = []

        class Same(lib.autograd.Function):
            @staticmethod
            def forward(x):
                return x.clone()

            @staticmethod
            def setup_context(ctx, inputs, output):
                pass

            @staticmethod
            def vmap(info, in_dims, x):
                seen.append((in_dims, tuple(x.shape)))
                return x.clone(), in_dims[0]

        return func(lib).vmap(Same.apply, in_dims=in_dims)(t(lib, array)), seen

    wide = np.arange(24.0).reshape(2, 3, 4)
    for in_dims in (0, 1, 2, -1, (1,)):
        both(lambda lib, in_dims=in_dims: program(lib, in_dims, wide))


def test_keywords_of_functions():
    def program(lib, transform, y):
        class Sum(lib.autograd.Function):
            @staticmethod
            def forward(x, *, y):
                return x + y

            @staticmethod
            def setup_context(ctx, inputs, output):
                pass

        return transform(lambda x: Sum.apply(x, y=y(lib)))

    both(
        lambda lib: program(lib, lambda f: func(lib).vmap(f)(t(lib)), lambda lib: lib.tensor(1.0)),
        raises="kwarg-only Tensor args",
    )
    both(lambda lib: program(lib, lambda f: f(t(lib)), lambda lib: 2.0), raises="unexpected keyword argument 'y'")
    both(lambda lib: program(lib, lambda f: func(lib).grad(f)(t(lib)), lambda lib: 2.0), raises="argument 'y'")


# ---- Writes to captured tensors --------------------------------------------------------------------------------------

CAPTURED = "that would mutate a captured Tensor"
WRITES = {
    "add_": lambda lib, c, x: c.add_(1),
    "a new value": lambda lib, c, x: c.copy_(lib.ones(3)),
    "zero_": lambda lib, c, x: c.zero_(),
    "fill_": lambda lib, c, x: c.fill_(2),
    "exp_": lambda lib, c, x: c.exp_(),
    "clamp_": lambda lib, c, x: c.clamp_(0, 1),
    "an element": lambda lib, c, x: c.__setitem__(0, 1.0),
    "index_put_": lambda lib, c, x: c.index_put_((lib.tensor([0]),), lib.tensor([5.0], dtype=lib.float64)),
    "scatter_": lambda lib, c, x: c.scatter_(0, lib.tensor([0]), 1.0),
    "index_add_": lambda lib, c, x: c.index_add_(0, lib.tensor([0]), lib.ones(1, dtype=lib.float64)),
    "masked_fill_": lambda lib, c, x: c.masked_fill_(lib.tensor([True, False, False]), 1.0),
    "a view": lambda lib, c, x: c.view(3, 1).add_(1),
    "a slice": lambda lib, c, x: c[1:].add_(1),
    "a piece": lambda lib, c, x: c.split(1)[0].add_(1),
    "detach": lambda lib, c, x: c.detach().add_(1),
    "data": lambda lib, c, x: c.data.add_(1),
    "itself": lambda lib, c, x: c.contiguous().to(lib.float64).reshape(3).add_(1),
    "detach_": lambda lib, c, x: c.detach_(),
    "unsqueeze_": lambda lib, c, x: c.unsqueeze_(0),
    "t_": lambda lib, c, x: c.t_(),
    "under no_grad": lambda lib, c, x: lib.no_grad()(lambda: c.add_(1))(),
}


@pytest.mark.parametrize("transform", ["grad", "jvp", "vmap of grad", "grad of vmap"])
@pytest.mark.parametrize("name", WRITES)
def test_writes_to_captured_tensors_are_refused(name, transform):
    def program(lib):
        captured = t(lib)
        result = outcome(
            DIFFERENTIATING[transform], lib, lambda x: (WRITES[name](lib, captured, x), x * captured.sum())[1]
        )
        assert np.array_equal(captured.numpy(), X)
        raise result.error

    both(program, raises=CAPTURED)


@pytest.mark.parametrize("transform", ["vmap", "linearize"])
@pytest.mark.parametrize("name", WRITES)
def test_vmap_and_linearize_take_writes_to_captured_tensors(name, transform):
    def program(lib):
        captured = t(lib)
        (VMAP | LINEARIZE)[transform](lib, after(lambda lib_, x: WRITES[name](lib, captured, x)).__get__(lib))
        return captured if transform == "vmap" else None  # torch's linearize runs the function twice

    both(program)


def test_integers_are_captured_too():
    def program(lib, transform):
        counter = lib.zeros(1, dtype=lib.int64)
        return transform(lib, lambda x: (counter.add_(1), x * 2)[1])

    for transform in ("grad", "jvp"):
        both(lambda lib, transform=transform: program(lib, DIFFERENTIATING[transform]), raises=CAPTURED)


OWN = {
    "a copy": lambda lib, c, x: c.clone().add_(1),
    "a result": lambda lib, c, x: (c + 0).add_(1),
    "a new tensor": lambda lib, c, x: lib.ones(3).add_(1),
    "from data": lambda lib, c, x: lib.tensor([1.0, 2.0]).add_(1),
    "of the same kind": lambda lib, c, x: lib.ones_like(c).mul_(2),
    "from NumPy": lambda lib, c, x: t(lib).add_(1),
    "the point itself": lambda lib, c, x: x.detach().add_(1),
    "a result of the point": lambda lib, c, x: (x * 2).add_(1),
    "a deep copy": lambda lib, c, x: copy.deepcopy(c).add_(1),
    "out=": lambda lib, c, x: lib.add(lib.ones(3, dtype=lib.float64), 1, out=c),
    "out= of something else": lambda lib, c, x: lib.cat([lib.ones(3, dtype=lib.float64)], out=c),
    "a list": lambda lib, c, x: lib._foreach_add_([c], 1),
    "a gradient": lambda lib, c, x: setattr(c, "grad", lib.ones_like(c)),
    "an inner result": lambda lib, c, x: func(lib).grad(lambda y: (y * y).sum())(x).add_(1),
}


@pytest.mark.parametrize("transform", ["grad", "jvp", "vjp", "jacrev", "jacfwd"])
@pytest.mark.parametrize("name", OWN)
def test_other_writes_are_allowed(name, transform):
    def program(lib):
        captured = t(lib)
        found = DIFFERENTIATING[transform](lib, lambda x: (OWN[name](lib, captured, x), x * 2)[1])
        return found, captured

    both(program)


def test_the_point_of_jvp_may_be_written_to():
    compared(FORWARD, "jvp", lambda lib, x: x.mul_(3))
    compared(FORWARD, "jvp", lambda lib, x: (x.view(3, 1).mul_(3), x)[1])


NESTED = {
    "an outer point": lambda lib, write: func(lib).grad(
        lambda x: func(lib).grad(lambda y: (write(x), y.sum())[1])(x * 1).sum()
    ),
    "an outer result": lambda lib, write: func(lib).grad(
        lambda x: (lambda made: func(lib).grad(lambda y: (write(made), y.sum())[1])(x).sum())(x * 1)
    ),
    "a point on a captured tensor": lambda lib, write: (
        lambda c: func(lib).grad(lambda x: func(lib).grad(lambda y: (write(y), y.sum())[1])(c).sum())
    )(t(lib)),
}


@pytest.mark.parametrize("name", NESTED)
def test_what_an_inner_transform_captures(name):
    both(lambda lib: NESTED[name](lib, lambda c: c.detach().add_(1))(t(lib)), raises=CAPTURED)


def test_what_a_finished_transform_made_is_captured_by_the_next():
    def program(lib):
        kept = []
        func(lib).grad(lambda x: (kept.append(x.detach() * 2), x.sum())[1])(t(lib))
        return func(lib).grad(lambda x: (kept[0].add_(1), x.sum())[1])(t(lib))

    both(program, raises=CAPTURED)


def test_an_inner_point_on_an_outer_point_may_be_written_to():
    def program(lib):
        x = t(lib)
        return func(lib).grad(lambda x: func(lib).jvp(lambda y: y.detach().add_(1) * y, (x,), (x,))[1].sum())(x), x

    both(program)


# ---- Gradients under another switch than the value's -----------------------------------------------------------------


def test_a_pull_of_a_vjp_made_under_no_grad_is_recorded():
    def program(lib):
        x = t(lib).requires_grad_()
        with lib.no_grad():
            value, pull = func(lib).vjp(lambda x: x**3, x)
        (gradient,) = pull(lib.ones(3, dtype=lib.float64))
        (second,) = lib.autograd.grad(gradient.sum(), x)
        with lib.no_grad():
            (constant,) = pull(lib.ones(3, dtype=lib.float64))
        return value, gradient.detach(), gradient.requires_grad, second, constant

    both(program, ulps=4)


def test_one_row_at_a_time_is_computed_without_vmap():
    def program(lib, chunk_size):
        class Same(lib.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(x):
                return x.clone()

            @staticmethod
            def setup_context(ctx, inputs, output):
                pass

            @staticmethod
            def backward(ctx, g):
                g.nonzero()
                return g

        return func(lib).jacrev(lambda x: (Same.apply(x), (x * 2).sum()), chunk_size=chunk_size)(t(lib))

    both(lambda lib: program(lib, 1))
    both(lambda lib: program(lib, 2), raises="We do not support batching operators that can output dynamic shape")


# ---- Bad arguments ---------------------------------------------------------------------------------------------------

BAD = {
    "grad: argnums None": lambda lib, f: f.grad(lambda x: x.sum(), argnums=None)(t(lib)),
    "vjp: a pull of a number": lambda lib, f: f.vjp(lambda x: x * 2, t(lib))[1](3.0),
    "vjp: two cotangents": lambda lib, f: f.vjp(lambda x: x * 2, t(lib))[1](t(lib), t(lib)),
    "jacrev: no tensor": lambda lib, f: f.jacrev(lambda d: t(lib))({}),
    "jacfwd: a number": lambda lib, f: f.jacfwd(lambda x: x)(3.0),
    "jacfwd: no tensor": lambda lib, f: f.jacfwd(lambda d: t(lib))({}),
    "hessian: a number": lambda lib, f: f.hessian(lambda x: x)(3.0),
    "linearize: integers": lambda lib, f: f.linearize(lambda x: x * 2, lib.tensor([1, 2])),
    "vmap: nothing mapped": lambda lib, f: f.vmap(lambda x: x, in_dims=(None,))(t(lib)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    ours = outcome(BAD[name], gradcore, func(gradcore))
    if torch is None:
        pytest.skip(NO_TORCH)
    found = outcome_difference(ours, outcome(BAD[name], torch, func(torch)))
    assert not found, found


UNUSUAL = {
    "jvp of integers": lambda lib, f: f.jvp(lambda x: x.long(), (t(lib),), (t(lib),)),
    "jvp of truth": lambda lib, f: f.jvp(lambda x: x > 0, (t(lib),), (t(lib),)),
    "jacfwd of integers": lambda lib, f: f.jacfwd(lambda x: (x.long(), x * 2))(t(lib)),
    "linearize of anything": lambda lib, f: f.linearize(lambda x: (x * 2, 3.0, None, "a", {"b": x}), t(lib))[0],
    "linearize of a number": lambda lib, f: f.linearize(lambda x: 3.0, t(lib))[1](t(lib)),
    "linearize, its derivative": lambda lib, f: f.linearize(lambda x: (x * 2, 3.0, None), t(lib))[1](t(lib)),
    "linearize of nothing": lambda lib, f: f.linearize(lambda x: (), t(lib))[1](t(lib)),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_outputs_that_have_no_derivative(name):
    both(lambda lib: UNUSUAL[name](lib, func(lib)))


def test_linearize_of_integers():
    """torch's zeros require grad there."""
    value, push = gradcore.func.linearize(lambda x: (x.long(), x * 2), t(gradcore))
    (of_integers, derivative) = push(t(gradcore))
    assert of_integers.tolist() == [0, 0, 0]
    assert of_integers.dtype == value[0].dtype == gradcore.int64
    assert gradcore.equal(derivative, t(gradcore) * 2)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ---- What else the function is given --------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["grad", "grad_and_value", "jacrev", "jacfwd", "hessian"])
def test_arguments_that_are_not_differentiated_may_be_written_to(transform):
    def program(lib):
        def function(x, y, *, z=None):
            y.copy_(x * x)
            if z is not None:
                z.mul_(2)
            return (y * x).sum() if transform != "jacrev" else y

        y, z = lib.zeros(3), lib.ones(3)
        f = getattr(func(lib), transform)(function)
        found = f(t(lib), y, z=z) if transform.startswith("grad") else f(t(lib), y)
        return found, y, y.requires_grad, y._version > 0, z

    both(program, ulps=4)


def test_a_pulled_gradient_is_differentiated_by_a_later_transform():
    """Whose leaves have larger numbers than those that were made in the first."""

    def program(lib):
        _, pull = func(lib).vjp(lib.sin, t(lib))
        first = func(lib).grad(lambda v: pull(v)[0].sum())(t(lib) + 1)
        _, pull = func(lib).vjp(func(lib).grad(lambda x: x.exp().sum()), t(lib))
        return first, func(lib).grad(lambda v: (pull(v)[0] * v).sum())(t(lib)).detach()

    both(program, ulps=4)
