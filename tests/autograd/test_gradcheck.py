"""gradcheck and gradgradcheck beside torch's: what passes, what fails and with which words."""

import numpy as np
import pytest

from support import both, gradcore, needs_torch, outcome

A = np.array([[0.3, 1.1, -0.7], [2.0, -0.4, 0.9]])
MODES = pytest.mark.parametrize("fast_mode", [False, True])


def leaf(lib, array=A, requires_grad=True):
    return lib.from_numpy(array.copy()).requires_grad_(requires_grad)


def hooked(hook):
    """x ** 2 of which `hook` changes the gradient on its way back."""

    def function(x):
        y = x * 1
        y.register_hook(hook)
        return y**2

    return function


RIGHT = {
    "one output": lambda lib, x: x.exp() * x,
    "a list": lambda lib, x: [x.sin(), x.sum()],
    "no elements": lambda lib, x: x[:0] * 2,
    "a scalar": lambda lib, x: (x**3).sum(),
    "an output without a graph": lambda lib, x: (x * 2, lib.ones(2, dtype=lib.float64)),
    "nothing to differentiate": lambda lib, x: lib.ones(2, dtype=lib.float64),
    "integers only": lambda lib, x: lib.arange(3),
    "memory shared with the input": lambda lib, x: (x, x.view(-1)[1:] * 2),
    "a transposed result": lambda lib, x: (x * x).t(),
}


@MODES
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name, fast_mode):
    both(lambda lib: lib.autograd.gradcheck(lambda x: RIGHT[name](lib, x), leaf(lib), fast_mode=fast_mode))


def test_an_output_without_a_graph_may_come_first():
    """In fast mode torch mixes up the outputs then, and fails."""
    ones = gradcore.ones(2, dtype=gradcore.float64)
    assert gradcore.autograd.gradcheck(lambda x: (ones, x * 2), leaf(gradcore), fast_mode=True)


@MODES
def test_inputs_that_are_not_checked(fast_mode):
    def program(lib):
        inputs = (leaf(lib), 2.0, leaf(lib, A[0], False), leaf(lib, A[1]), None)
        return lib.autograd.gradcheck(lambda x, n, y, z, none: (x * n + y) * z, inputs, fast_mode=fast_mode)

    both(program)


LAYOUTS = {
    "transposed": lambda x: x.t(),
    "every other": lambda x: x[:, ::2],
    "0-d": lambda x: x[0, 0],
    "empty": lambda x: x[:0],
}


@MODES
@pytest.mark.parametrize("name", LAYOUTS)
def test_inputs_of_any_layout(name, fast_mode):
    def program(lib):
        x = LAYOUTS[name](leaf(lib, A, False)).requires_grad_()
        return lib.autograd.gradcheck(lambda x: x**3, x, fast_mode=fast_mode), x

    both(program)


@MODES
def test_the_inputs_are_as_before(fast_mode):
    def program(lib):
        x = leaf(lib)
        passed = lib.autograd.gradcheck(lambda x: x**2, x, fast_mode=fast_mode)
        return passed, x, x.grad, x._version

    both(program)


@MODES
def test_the_inputs_are_as_before_when_func_raises(fast_mode):
    calls = []

    def function(x):
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("third call")
        return x**2

    x = leaf(gradcore)
    with pytest.raises(KeyError):
        gradcore.autograd.gradcheck(function, x, fast_mode=fast_mode)
    assert np.array_equal(x.detach().numpy(), A)


@MODES
def test_the_default_random_stream_is_left_alone(fast_mode):
    def program(lib):
        lib.autograd.gradcheck(lambda x: x**2, leaf(lib), fast_mode=fast_mode)
        return lib.rand(3)

    both(program)


WRONG = {
    "twice the gradient": (
        lambda lib: hooked(lambda g: g * 2),
        "Jacobian mismatch for output 0 with respect to input 0",
    ),
    "gradient of a part": (
        lambda lib: lambda x: (x.detach() * x).sum(),
        "Jacobian mismatch for output 0 with respect to input 0",
    ),
    "detached": (lambda lib: lambda x: x.detach() ** 2, "Numerical gradient for function expected to be zero"),
    "the second output": (lambda lib: lambda x: (x * 2, hooked(lambda g: -g)(x)), "Jacobian mismatch for output 1"),
    "not zero for zero": (
        lambda lib: hooked(lambda g: g if bool(g.any()) else g + 1),
        "backward not multiplied by grad_output",
    ),
    "not a number for zero": (lambda lib: lambda x: (x * 0).sqrt() + x.sum(), "Jacobian mismatch"),
}


@MODES
@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_fail(name, fast_mode):
    make, phrase = WRONG[name]
    both(lambda lib: lib.autograd.gradcheck(make(lib), leaf(lib), fast_mode=fast_mode), raises=phrase)


@MODES
@pytest.mark.parametrize("name", WRONG)
def test_without_exceptions_the_answer_is_false(name, fast_mode):
    make, _ = WRONG[name]
    both(lambda lib: lib.autograd.gradcheck(make(lib), leaf(lib), fast_mode=fast_mode, raise_exception=False))


@MODES
def test_backward_that_differs_from_run_to_run(fast_mode):
    def program(lib, **options):
        noise = iter(np.linspace(0, 1e-6, 1000))
        function = hooked(lambda g: g + next(noise) * g)
        return lib.autograd.gradcheck(function, leaf(lib), fast_mode=fast_mode, check_undefined_grad=False, **options)

    both(program, raises="Backward is not reentrant")
    both(lambda lib: program(lib, nondet_tol=1e-4))


def test_a_failure_in_fast_mode_shows_the_jacobians():
    def program(lib):
        return lib.autograd.gradcheck(hooked(lambda g: g * 2), leaf(lib), fast_mode=True)

    both(program, raises="in fast mode")
    both(program, raises="The max per-element difference (slow mode) is: ")


def test_the_message_shows_both_jacobians():
    error = outcome(lambda: gradcore.autograd.gradcheck(hooked(lambda g: g * 2), leaf(gradcore, A[0, :1]))).error
    assert "numerical:tensor([[0.6000]], dtype=gradcore.float64" in str(error).replace("torch.", "gradcore.")
    assert "analytical:tensor([[1.2000]]" in str(error)


def test_masked_allows_rounding_at_zero():
    def program(lib, **options):
        return lib.autograd.gradcheck(hooked(lambda g: g + 1e-12), leaf(lib), check_undefined_grad=False, **options)

    both(program, raises="backward not multiplied by grad_output")
    both(lambda lib: program(lib, masked=True))


@pytest.mark.parametrize("options", [{"atol": 1.0}, {"rtol": 1.0}, {"eps": 1e-3, "atol": 1e-4}], ids=str)
def test_tolerances(options):
    both(
        lambda lib: lib.autograd.gradcheck(
            hooked(lambda g: g * 1.2), leaf(lib), raise_exception=False, check_undefined_grad=False, **options
        )
    )


def doubled(lib, when_missing):
    """2 * x as a Function that does what it is told when its gradient is missing."""

    class Doubled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return when_missing(*ctx.saved_tensors) if gradient is None else gradient * 2

    return Doubled.apply


def refuse(x):
    raise RuntimeError("the gradient is missing")


@MODES
@pytest.mark.parametrize(
    ("when_missing", "phrase"),
    [
        (refuse, "Expected backward function to handle undefined output grads"),
        (
            lambda x: x + 1,
            "Expected all input grads to be undefined or zero when all output grads are undefined or zero",
        ),
    ],
    ids=["refused", "not zero"],
)
def test_missing_gradients(when_missing, phrase, fast_mode):
    def program(lib, **options):
        return lib.autograd.gradcheck(doubled(lib, when_missing), leaf(lib), fast_mode=fast_mode, **options)

    both(program, raises=phrase)
    both(lambda lib: program(lib, check_undefined_grad=False))


@MODES
def test_missing_gradients_of_one_of_two_outputs(fast_mode):
    def program(lib):
        return lib.autograd.gradcheck(lambda x: (doubled(lib, refuse)(x), x * 2), leaf(lib), fast_mode=fast_mode)

    both(program, raises="Expected backward function to handle undefined output grads")


@MODES
@pytest.mark.parametrize("answer", [lambda x: None, lambda x: x * 0], ids=["none", "zeros"])
def test_missing_gradients_that_are_taken_for_zero(answer, fast_mode):
    both(lambda lib: lib.autograd.gradcheck(doubled(lib, answer), leaf(lib), fast_mode=fast_mode))


def test_outputs_that_change_shape():
    def program(lib):
        return lib.autograd.gradcheck(lambda x: x[x > 0.3], leaf(lib))  # A[0, 0] is 0.3

    both(program, raises="outputs with the same shape when inputs are perturbed on index (0, 0) by 1e-06")


REFUSED = {
    "no input requires grad": (
        lambda lib, check: check(lambda x: x, leaf(lib, A, False)),
        "at least one input tensor to require",
    ),
    "no tensor": (
        lambda lib, check: check(lambda n: lib.ones(1) * n, 1.0),
        "at least one input tensor to require gradient",
    ),
    "shared elements": (
        lambda lib, check: check(lambda x: x, leaf(lib, A[:1]).detach().expand(2, 3).requires_grad_()),
        "The 0th input has a dimension with stride 0",
    ),
    "func raises": (lambda lib, check: check(lambda x: x.no_such_method(), leaf(lib)), "no_such_method"),
}


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, check):
    program, phrase = REFUSED[name]
    both(lambda lib: program(lib, getattr(lib.autograd, check)), raises=phrase)


@pytest.mark.parametrize(
    ("check", "options", "phrase"),
    [
        ("gradcheck", {"check_backward_ad": False}, "at least one of check_forward_ad or check_backward_ad"),
        (
            "gradcheck",
            {"check_forward_ad": True, "check_backward_ad": False, "check_batched_grad": True},
            "check_batched_grad=True",
        ),
        (
            "gradcheck",
            {"check_batched_forward_grad": True},
            "check_batched_forward_grad=True requires check_forward_ad",
        ),
        ("gradgradcheck", {"check_rev_over_rev": False}, "at least one of check_fwd_over_rev or check_rev_over_rev"),
        (
            "gradgradcheck",
            {"check_rev_over_rev": False, "check_fwd_over_rev": True},
            "check_undefined_grad=True requires",
        ),
        (
            "gradgradcheck",
            {
                "check_rev_over_rev": False,
                "check_fwd_over_rev": True,
                "check_undefined_grad": False,
                "check_batched_grad": True,
            },
            "check_batched_grad=True requires",
        ),
    ],
)
def test_options_that_contradict(check, options, phrase):
    both(lambda lib: getattr(lib.autograd, check)(lambda x: x, leaf(lib), **options), raises=phrase)


def test_other_precisions_are_warned_of():
    x = gradcore.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        assert gradcore.autograd.gradcheck(lambda x: x * 2, x, eps=1e-2, atol=1e-3)


@MODES
@pytest.mark.parametrize(
    "name", ["one output", "a list", "a scalar", "an output without a graph", "a transposed result"]
)
def test_right_second_derivatives_pass(name, fast_mode):
    both(lambda lib: lib.autograd.gradgradcheck(lambda x: RIGHT[name](lib, x), leaf(lib), fast_mode=fast_mode))


def test_second_derivatives_with_given_weights():
    def program(lib):
        weights = leaf(lib, A + 1), leaf(lib, np.array(2.0))
        return lib.autograd.gradgradcheck(lambda x: (x**3, x.prod()), leaf(lib), weights)

    both(program)


def test_second_derivatives_with_weights_that_are_not_contiguous():
    seen = []

    def program(lib):
        def function(x):
            y = x * 1
            y.register_hook(lambda g: seen.append(g.is_contiguous()))
            return y

        return lib.autograd.gradgradcheck(function, leaf(lib), gen_non_contig_grad_outputs=True)

    both(program)
    assert not all(seen)


@MODES
def test_wrong_second_derivatives_fail(fast_mode):
    def program(lib):  # the gradient looks as if it did not depend on x
        return lib.autograd.gradgradcheck(lambda x: x * x.detach() * 2, leaf(lib), fast_mode=fast_mode)

    both(program, raises="Jacobian mismatch for output 0 with respect to input 0")


def test_random_weights_are_those_of_torch():
    def program(lib):
        lib.autograd.gradgradcheck(lambda x: x**2, leaf(lib))
        return lib.rand(2)

    both(program)


def test_the_error_is_a_runtime_error():
    from gradcore.autograd.gradcheck import GradcheckError

    assert issubclass(GradcheckError, RuntimeError)
    with pytest.raises(GradcheckError):
        gradcore.autograd.gradcheck(lambda x: x.detach() * 2, leaf(gradcore))


def test_the_module_and_the_function_have_one_name():
    import importlib

    module = importlib.import_module("gradcore.autograd.gradcheck")
    assert module.gradcheck is not module
    assert gradcore.autograd.gradcheck(lambda x: x * 2, leaf(gradcore))
    assert module(lambda x: x * 2, leaf(gradcore))


@needs_torch
@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_signatures_are_those_of_torch(name):
    import inspect

    import torch

    ours = inspect.signature(getattr(gradcore.autograd, name)).parameters
    theirs = inspect.signature(getattr(torch.autograd, name)).parameters
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


# ---- Forward mode and batches ----------------------------------------------------------------------------------------

FORWARD = {"check_forward_ad": True, "check_backward_ad": False}
BATCHED = {"check_batched_grad": True}
BATCHED_FORWARD = {**FORWARD, "check_batched_forward_grad": True}
EVERYTHING = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}


@MODES
@pytest.mark.parametrize("options", [FORWARD, BATCHED, BATCHED_FORWARD, EVERYTHING], ids=" ".join)
@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_pass(name, options, fast_mode):
    def program(lib):
        return lib.autograd.gradcheck(lambda x: RIGHT[name](lib, x), leaf(lib), fast_mode=fast_mode, **options)

    both(program)


@MODES
def test_inputs_that_are_not_checked_in_forward_mode(fast_mode):
    def program(lib):
        inputs = (leaf(lib), 2.0, leaf(lib, A[0], False), leaf(lib, A[1]), None)

        def function(x, n, y, z, none):
            return (x * n + y) * z, x.t().sum(0)

        return lib.autograd.gradcheck(function, inputs, fast_mode=fast_mode, **EVERYTHING), inputs[0], inputs[3]

    both(program)


@MODES
@pytest.mark.parametrize("name", LAYOUTS)
def test_inputs_of_any_layout_in_forward_mode(name, fast_mode):
    def program(lib):
        x = LAYOUTS[name](leaf(lib, A, False)).requires_grad_()
        return lib.autograd.gradcheck(lambda x: x**3, x, fast_mode=fast_mode, **EVERYTHING), x

    both(program)


def squared(lib, jvp=lambda x, tangent: 2 * x * tangent, backward=lambda x, gradient: 2 * x * gradient):
    """x ** 2 as a Function with the rules given."""
    rules = {"jvp": jvp, "backward": backward}

    class Squared(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def jvp(ctx, tangent):
            return rules["jvp"](*ctx.saved_tensors, tangent)

        @staticmethod
        def backward(ctx, gradient):
            return rules["backward"](*ctx.saved_tensors, gradient)

    return Squared.apply


@MODES
def test_a_function_with_its_own_rules(fast_mode):
    def program(lib):
        return lib.autograd.gradcheck(squared(lib), leaf(lib), check_forward_ad=True, fast_mode=fast_mode)

    both(program)


FORWARD_MISMATCH = "Jacobian computed with forward mode mismatch for output 0 with respect to input 0"
WRONG_FORWARD = {
    "twice the tangent": (lambda lib: squared(lib, jvp=lambda x, t: 4 * x * t), FORWARD_MISMATCH),
    "tangent of a part": (lambda lib: lambda x: x.detach() * x, FORWARD_MISMATCH),
    "the second output": (
        lambda lib: lambda x: (x * 2, squared(lib, jvp=lambda x, t: -t)(x)),
        "Jacobian computed with forward mode mismatch for output 1 with respect to input 0",
    ),
}


@MODES
@pytest.mark.parametrize("name", WRONG_FORWARD)
def test_wrong_tangents_fail(name, fast_mode):
    make, phrase = WRONG_FORWARD[name]

    def program(lib, **options):
        return lib.autograd.gradcheck(make(lib), leaf(lib), fast_mode=fast_mode, **FORWARD, **options)

    both(program, raises=phrase)
    both(lambda lib: program(lib, raise_exception=False))
    if fast_mode:
        both(program, raises="The max per-element difference (slow mode) is: ")


@MODES
def test_backward_is_compared_before_forward_mode(fast_mode):
    def program(lib):
        function = squared(lib, jvp=lambda x, t: -t, backward=lambda x, g: g)
        return lib.autograd.gradcheck(function, leaf(lib), check_forward_ad=True, fast_mode=fast_mode)

    both(program, raises="Jacobian mismatch for output 0")


@MODES
def test_a_function_without_a_jvp(fast_mode):
    def program(lib):
        return lib.autograd.gradcheck(doubled(lib, refuse), leaf(lib), fast_mode=fast_mode, **FORWARD)

    both(program, raises="You must implement the jvp function for custom autograd.Function")


def test_an_output_without_a_graph_may_come_first_in_forward_mode():
    """In slow mode torch mixes up the outputs then, and fails."""
    ones = gradcore.ones(2, dtype=gradcore.float64)
    assert gradcore.autograd.gradcheck(lambda x: (ones, x * 2), leaf(gradcore), **FORWARD)


def test_missing_tangents():
    """A jvp that takes a missing tangent for something else than zero."""

    def program(lib, **options):
        class Sum(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.set_materialize_grads(False)
                return x + y

            @staticmethod
            def jvp(ctx, of_x, of_y):
                of_x = of_y * 5 if of_x is None else of_x
                return of_x if of_y is None else of_x + of_y

        return lib.autograd.gradcheck(Sum.apply, (leaf(lib), leaf(lib, A + 1)), **FORWARD, **options)

    both(program, raises="Mismatch in tangent values for output with index: ")
    both(lambda lib: program(lib, check_undefined_grad=False))


@pytest.mark.parametrize(
    ("options", "rule"), [(BATCHED, "backward"), (BATCHED_FORWARD, "jvp")], ids=["backward", "forward"]
)
def test_rules_that_ask_for_values_fail_under_vmap(options, rule):
    def program(lib, **more):
        function = squared(lib, **{rule: lambda x, t: 2 * x * t if t[0, 0].item() else 2 * x * t})
        return lib.autograd.gradcheck(function, leaf(lib), **options, **more)

    both(program, raises="While computing batched gradients, got: ")
    both(lambda lib: program(lib, raise_exception=False))


class Unruled:
    """Functions that func.vmap would refuse, or run a rule of: here their forward, backward and jvp run on batches."""

    @staticmethod
    def without_rules(lib):
        return squared(lib)

    @staticmethod
    def with_a_rule_that_fails(lib):
        class Squared(lib.autograd.Function):
            @staticmethod
            def forward(x):
                return x**2

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)
                ctx.save_for_forward(*inputs)

            @staticmethod
            def backward(ctx, gradient):
                return 2 * ctx.saved_tensors[0] * gradient

            @staticmethod
            def jvp(ctx, tangent):
                return 2 * ctx.saved_tensors[0] * tangent

            @staticmethod
            def vmap(info, in_dims, x):
                raise AssertionError("no rule is needed")

        return Squared.apply


@MODES
@pytest.mark.parametrize("options", [BATCHED, BATCHED_FORWARD, EVERYTHING], ids=" ".join)
@pytest.mark.parametrize("make", [Unruled.without_rules, Unruled.with_a_rule_that_fails])
def test_functions_need_no_rules_for_batches(make, options, fast_mode):
    def program(lib):
        return lib.autograd.gradcheck(make(lib), leaf(lib), fast_mode=fast_mode, **options)

    both(program)


def test_second_derivatives_of_functions_without_rules():
    both(lambda lib: lib.autograd.gradgradcheck(squared(lib), leaf(lib), check_batched_grad=True))


def test_a_transform_inside_of_a_batch_wants_rules():
    def program(lib):
        func = __import__(f"{lib.__name__}.func").func
        return lib.autograd.gradcheck(lambda x: func.vmap(squared(lib))(x), leaf(lib), **BATCHED_FORWARD)

    both(program, raises="must override the setup_context staticmethod")


@pytest.mark.parametrize(
    ("options", "rule"), [(BATCHED, "backward"), (BATCHED_FORWARD, "jvp")], ids=["backward", "forward"]
)
def test_rules_that_draw_numbers_fail_in_batches(options, rule):
    def program(lib):
        function = squared(lib, **{rule: lambda x, t: 2 * x * t + 0 * lib.rand_like(t)})
        return lib.autograd.gradcheck(function, leaf(lib), **options)

    both(program, raises="vmap: We do not yet support calling random operations inside of vmap")


def test_programs_can_ask_for_the_level():
    levels = []

    def program(lib):
        forward_ad = lib.autograd.forward_ad

        def function(x):
            levels.append((lib.__name__, forward_ad._current_level))
            return x * 2

        passed = lib.autograd.gradcheck(function, leaf(lib), **FORWARD)
        return passed, [level for name, level in levels if name == lib.__name__], forward_ad._current_level

    both(program)


def test_missing_gradients_are_warned_of():
    def program(lib):
        with pytest.warns(
            UserWarning, match="Backwards compatibility: New undefined gradient support checking feature"
        ):
            return lib.autograd.gradcheck(doubled(lib, refuse), leaf(lib), raise_exception=False)

    both(program)


def test_gradients_that_differ_under_vmap():
    """A hook that changes the third gradient: the first two are those of single samples."""

    def program(lib):
        factors = iter([1, 1, 2, 1, 1, 1])
        function = hooked(lambda g: g * next(factors))
        # The first two backwards are those of the one column of the Jacobian, and of the check that it stays the same.
        return lib.autograd.gradcheck(function, leaf(lib, A[0, :1]), **BATCHED)

    both(program, raises="For output 0 and input 0:")
    both(program, raises="failed while testing batched gradient computation")


@pytest.mark.parametrize("options", [BATCHED, BATCHED_FORWARD, EVERYTHING], ids=" ".join)
def test_random_vectors_are_those_of_torch(options):
    def program(lib):
        lib.manual_seed(5)
        lib.autograd.gradcheck(lambda x, y: (x**2, x * y), (leaf(lib), leaf(lib, A[0])), **options)
        return lib.rand(3)

    both(program)


FORWARD_OVER_REVERSE = {"check_fwd_over_rev": True, "check_rev_over_rev": False, "check_undefined_grad": False}


@MODES
@pytest.mark.parametrize(
    "options",
    [FORWARD_OVER_REVERSE, {"check_fwd_over_rev": True}, {"check_fwd_over_rev": True, "check_batched_grad": True}],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["one output", "a list", "a scalar", "a transposed result"])
def test_right_second_derivatives_pass_in_forward_mode(name, options, fast_mode):
    def program(lib):
        return lib.autograd.gradgradcheck(lambda x: RIGHT[name](lib, x), leaf(lib), fast_mode=fast_mode, **options)

    both(program)


@MODES
def test_wrong_second_derivatives_fail_in_forward_mode(fast_mode):
    def program(lib):
        return lib.autograd.gradgradcheck(
            lambda x: x * x.detach() * 2, leaf(lib), fast_mode=fast_mode, **FORWARD_OVER_REVERSE
        )

    both(program, raises=FORWARD_MISMATCH)
    both(lambda lib: lib.autograd.gradgradcheck(lambda x: x * x.detach(), leaf(lib), raise_exception=False))


def test_second_derivatives_under_vmap_that_ask_for_values():
    def program(lib, **options):
        def backward(x, gradient):
            y = x * 1
            if y.requires_grad:
                y.register_hook(lambda g: (g.sum().item(), None)[1])
            return 2 * y * gradient

        return lib.autograd.gradgradcheck(
            squared(lib, backward=backward), leaf(lib), check_undefined_grad=False, **options
        )

    both(program)
    both(lambda lib: program(lib, check_batched_grad=True), raises="While computing batched gradients, got: ")


def test_levels_are_closed_when_func_raises():
    def function(x):
        if gradcore.autograd.forward_ad.unpack_dual(x).tangent is not None:
            raise KeyError("with a tangent")
        return x**2

    with pytest.raises(KeyError):
        gradcore.autograd.gradcheck(function, leaf(gradcore), check_forward_ad=True)
    with gradcore.autograd.forward_ad.dual_level():  # another level would be refused
        assert gradcore.autograd.forward_ad.unpack_dual(leaf(gradcore)).tangent is None


# ---- What torch once showed of its insides ---------------------------------------------------------------------------


def insides(lib):
    import importlib

    return importlib.import_module(f"{lib.__name__}.autograd.gradcheck")


def pair(inputs):
    x, y = inputs
    return 2 * x.t() + y.sum(), x * y


@pytest.mark.parametrize("target", ["all", "the second", "one tensor"])
def test_numeric_jacobians(target):
    def program(lib):
        inputs = leaf(lib), leaf(lib, A + 1)
        chosen = {"all": None, "the second": inputs[1:], "one tensor": inputs[0]}[target]
        with pytest.warns(FutureWarning, match="`get_numerical_jacobian` was part of PyTorch's private API"):
            found = insides(lib).get_numerical_jacobian(pair, inputs, chosen)
        return len(found), [t.round(decimals=6) for t in found], inputs

    both(program, scale=1.0, ulps=4)


def test_numeric_jacobians_of_one_input():
    def program(lib):
        inputs = leaf(lib), leaf(lib, A + 1)
        found = insides(lib).get_numerical_jacobian_wrt_specific_input(
            lambda *inputs: pair(inputs), 1, inputs, pair(inputs), 1e-3
        )
        return [t.round(decimals=6) for t in found]

    both(program, scale=1.0, ulps=4)


def test_numeric_jacobians_are_of_what_requires_grad():
    def program(lib):
        x = leaf(lib, A, False)
        return insides(lib).get_numerical_jacobian_wrt_specific_input(lambda x: x, 0, (x,), (x,), 1e-3)

    both(program, raises="Expected input to have requires_grad=True")


def test_analytic_jacobians():
    def program(lib):
        inputs = leaf(lib), leaf(lib, A + 1), leaf(lib, A, False)
        with pytest.warns(FutureWarning, match="`get_analytical_jacobian` was part of PyTorch's private API"):
            return insides(lib).get_analytical_jacobian(inputs, pair(inputs[:2])[1])

    both(program)


@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_analytic_jacobians_that_differ_from_run_to_run(tolerance):
    def program(lib):
        noise = iter(range(100))
        x = leaf(lib)
        y = hooked(lambda g: g * (1 + 1e-3 * next(noise)))(x)
        with pytest.warns(FutureWarning):
            return insides(lib).get_analytical_jacobian((x,), y, nondet_tol=tolerance)[1:]

    both(program)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", ["get_numerical_jacobian", "get_analytical_jacobian"])
def test_jacobians_have_no_weights(name):
    def program(lib):
        x = leaf(lib)
        first = (lambda inputs: inputs[0]) if name == "get_numerical_jacobian" else (x,)
        second = (x,) if name == "get_numerical_jacobian" else x * 2
        return getattr(insides(lib), name)(first, second, grad_out=2.0)

    both(program, raises="Expected grad_out to be 1.0")
