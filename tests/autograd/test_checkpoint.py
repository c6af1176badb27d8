"""utils.checkpoint beside torch's."""

import contextlib
import functools
import importlib
import warnings

import numpy as np
import pytest

from support import both, gradcore, outcome

X = np.array([0.5, -1.25, 2.0])


def module(lib):
    return importlib.import_module(f"{lib.__name__}.utils.checkpoint")


def leaf(lib, array=X):
    return lib.from_numpy(array.copy()).requires_grad_()


WAYS = pytest.mark.parametrize("reentrant", [True, False])


FUNCTIONS = {
    "one output": lambda lib, x, w: (x * w).exp(),
    "a tuple": lambda lib, x, w: (x * w, (x + w).sin()),
    "one output without a graph": lambda lib, x, w: (x * w, x.detach() * 2),
    "closure": lambda lib, x, w: x * w * lib.ones(3, requires_grad=True).double(),
}


@WAYS
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name, reentrant):
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        outputs = module(lib).checkpoint(lambda *a: FUNCTIONS[name](lib, *a), x, w, use_reentrant=reentrant)
        loss = sum(out.sum() for out in (outputs if isinstance(outputs, tuple) else (outputs,)))
        loss.backward()
        return outputs, x.grad, w.grad

    both(program, ulps=4)


@WAYS
def test_the_function_runs_once_forward_and_once_backward_under_the_right_modes(reentrant):
    def program(lib):
        modes = []

        def function(x):
            modes.append(lib.is_grad_enabled())
            return x * 2

        x = leaf(lib)
        y = module(lib).checkpoint(function, x, use_reentrant=reentrant)
        before = list(modes)
        y.sum().backward()
        return before, modes

    both(program)


@WAYS
@pytest.mark.parametrize("preserve", [True, False])
def test_random_numbers(preserve, reentrant):
    def program(lib):
        lib.manual_seed(3)
        x = leaf(lib)
        y = module(lib).checkpoint(
            lambda x: x * lib.rand(3, dtype=lib.float64), x, use_reentrant=reentrant, preserve_rng_state=preserve
        )
        lib.rand(1)
        y.sum().backward()
        return y, x.grad, lib.rand(2)

    both(program)


@WAYS
def test_arguments_that_are_not_tensors(reentrant):
    def program(lib):
        x = leaf(lib)
        module(lib).checkpoint(
            lambda x, n, s, none: x * n * len(s), x, 3, "ab", None, use_reentrant=reentrant
        ).sum().backward()
        return x.grad

    both(program)


@WAYS
def test_the_parameters_of_a_closure_get_gradients(reentrant):
    def program(lib):
        x, w = leaf(lib), leaf(lib, X + 1)
        module(lib).checkpoint(lambda x: x * w, x, use_reentrant=reentrant).sum().backward()
        return x.grad, w.grad

    both(program)


@WAYS
def test_checkpoints_inside_checkpoints(reentrant):
    def program(lib):
        checkpoint = module(lib).checkpoint
        x = leaf(lib)
        checkpoint(
            lambda x: checkpoint(lambda x: x.exp(), x * 2, use_reentrant=reentrant).sin(), x, use_reentrant=reentrant
        ).sum().backward()
        return x.grad

    both(program, ulps=4)


@WAYS
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(segments, reentrant):
    def program(lib):
        calls = []

        def step(i):
            def run(x):
                calls.append(i)
                return (x * 0.9).sin() + 0.1 * i

            return run

        x = leaf(lib)
        y = module(lib).checkpoint_sequential([step(i) for i in range(5)], segments, x, use_reentrant=reentrant)
        y.sum().backward()
        return y, x.grad, calls

    both(program, ulps=8)


@WAYS
def test_inputs_that_change_before_backward_are_noticed(reentrant):
    def program(lib):
        x = leaf(lib) * 1
        y = module(lib).checkpoint(lambda x: x**2, x, use_reentrant=reentrant)
        x.add_(1)
        y.sum().backward()

    both(program, raises="has been modified by an inplace operation")


def detached(lib):
    module(lib).checkpoint(lambda x: x.detach(), leaf(lib), use_reentrant=True).sum().backward()


def through_grad(lib):
    x = leaf(lib)
    return lib.autograd.grad(module(lib).checkpoint(lambda x: x * 2, x, use_reentrant=True).sum(), x)


REFUSED = {
    "autograd.grad": (through_grad, "is incompatible with .grad() or passing an `inputs`"),
    "unknown keyword": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, no=1),
        "Unexpected keyword",
    ),
    "context_fn": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, context_fn=lambda: 1),
        "only supported when use_reentrant=False",
    ),
    "debug": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=True, debug=True),
        "only supported when use_reentrant=False",
    ),
    "sequential, unknown keyword": (
        lambda lib: module(lib).checkpoint_sequential([lambda x: x], 1, leaf(lib), use_reentrant=True, no=1),
        "Unexpected keyword",
    ),
    "no output has a graph": (detached, "none of output has requires_grad=True"),
    "the function raises": (
        lambda lib: module(lib).checkpoint(lambda x: x.no_such(), leaf(lib), use_reentrant=True),
        "no_such",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    program, phrase = REFUSED[name]
    both(program, raises=phrase)


def test_warnings():
    checkpoint = module(gradcore).checkpoint
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(lambda x: x * 2, leaf(gradcore))
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(lambda x: x * 2, gradcore.ones(2), use_reentrant=True)


# ---- use_reentrant=False ---------------------------------------------------------------------------------------------


def test_grad_keywords_and_second_derivatives():
    def program(lib):
        x = leaf(lib)
        y = module(lib).checkpoint(lambda x, *, n: x**n, x, use_reentrant=False, n=3)
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(first.sum(), x)
        return y, first, second

    both(program, ulps=4)


def test_backward_twice_runs_the_function_twice():
    def program(lib):
        calls = []

        def function(x):
            calls.append(1)
            return x.exp()

        x = leaf(lib)
        y = module(lib).checkpoint(function, x, use_reentrant=False).sum()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad, len(calls)

    both(program, ulps=4)


@pytest.mark.parametrize("options", [{}, {"early_stop": False}], ids=str)
@pytest.mark.parametrize("forced", [None, True, False])
def test_early_stop(options, forced):
    def program(lib):
        ends = []

        def function(x):
            y = x.exp() * x
            ends.append(1)
            return y + 1

        x = leaf(lib)

        def run():
            return module(lib).checkpoint(function, x, use_reentrant=False, **options)

        if forced is None:
            y = run()
        else:
            with module(lib).set_checkpoint_early_stop(forced):
                y = run()
        y.sum().backward()
        return x.grad, len(ends)

    both(program, ulps=4)


def test_contexts_around_both_runs():
    def program(lib):
        entered = []

        @contextlib.contextmanager
        def note(name):
            entered.append(name)
            yield
            entered.append(f"end of {name}")

        x = leaf(lib)
        y = module(lib).checkpoint(
            lambda x: x.exp(), x, use_reentrant=False, context_fn=lambda: (note("first"), note("second"))
        )
        entered.append("between")
        y.sum().backward()
        return entered

    both(program)


def test_without_recording_it_is_a_call():
    def program(lib):
        with lib.no_grad():
            return module(lib).checkpoint(lambda x: x.exp(), leaf(lib), use_reentrant=False)

    both(program, ulps=4)


def changing(lib, first, second, **options):
    """Backward through a checkpoint whose function does something else the second time."""
    runs = iter([first, second])
    x = leaf(lib)
    module(lib).checkpoint(lambda x: next(runs)(x), x, use_reentrant=False, **options).sum().backward()
    return x.grad


DIFFERENT = {
    "fewer": (lambda x: x.exp().exp(), lambda x: x.exp(), "A different number of tensors was saved"),
    "shape": (lambda x: x.exp(), lambda x: x[:2].exp(), "have different metadata"),
    "dtype": (lambda x: x.exp(), lambda x: x.float().exp(), "have different metadata"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_runs_that_differ_are_refused(name):
    first, second, phrase = DIFFERENT[name]
    both(lambda lib: changing(lib, first, second), raises=phrase)


def test_more_tensors_than_the_first_time():
    both(
        lambda lib: changing(lib, lambda x: x.exp(), lambda x: x.exp().exp(), early_stop=False),
        raises="trying to save more tensors",
    )


def test_the_memory_of_the_graph_is_free_in_between():
    x = gradcore.ones(100_000, requires_grad=True)
    before = gradcore.memory_stats()["in_use"]
    y = module(gradcore).checkpoint(lambda x: x.exp().exp().exp().sum(), x, use_reentrant=False)
    assert gradcore.memory_stats()["in_use"] - before < 100_000
    y.backward()
    assert x.grad is not None


REFUSED_TOO = {
    "check": (
        lambda lib: module(lib).checkpoint(lambda x: x, leaf(lib), use_reentrant=False, determinism_check="no"),
        "determinism_check should be one of",
    ),
    "the function raises": (
        lambda lib: module(lib).checkpoint(lambda x: x.no_such(), leaf(lib), use_reentrant=False),
        "no_such",
    ),
}


@pytest.mark.parametrize("name", REFUSED_TOO)
def test_refused_without_reentrance(name):
    program, phrase = REFUSED_TOO[name]
    both(program, raises=phrase)


def test_a_context_that_hides_an_exception():
    def program(lib):
        def contexts():
            return contextlib.suppress(KeyError), contextlib.nullcontext()

        def function(x):
            raise KeyError

        return module(lib).checkpoint(function, leaf(lib), use_reentrant=False, context_fn=contexts)

    both(program, raises="suppressed an exception raised during the checkpointed forward")


@pytest.mark.parametrize("early_stop", [True, False])
def test_backwards_within_the_function(early_stop):
    """They run it again before its first run is over, when not all is saved that the second run will save."""

    def program(lib):
        checkpoint = module(lib).checkpoint

        def function(x):
            (slope,) = lib.autograd.grad(x.sin().exp().sum(), x, create_graph=True)
            return slope * x.cos()

        def nested(x):
            return checkpoint(function, x, use_reentrant=False, early_stop=early_stop) * x

        x = leaf(lib)
        y = checkpoint(nested, x, use_reentrant=False, early_stop=early_stop).sum()
        (first,) = lib.autograd.grad(y, x, create_graph=True)
        return first, lib.autograd.grad(first.sum(), x)

    both(program, ulps=16)


def test_the_second_run_saves_what_has_no_history_as_it_is():
    def program(lib):
        saved = []

        class Scaled(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, factor):
                ctx.save_for_backward(factor)
                return x * factor

            @staticmethod
            def backward(ctx, gradient):
                saved.extend(ctx.saved_tensors)
                return gradient * saved[0], None

        x, factor = leaf(lib), leaf(lib).detach()
        module(lib).checkpoint(Scaled.apply, x, factor, use_reentrant=False).sum().backward()
        return saved[0].data_ptr() == factor.data_ptr(), x.grad

    both(program)


# ---- debug -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def quiet_log(caplog, monkeypatch):
    """torch writes what it found into a log, in a form that pytest's handlers cannot read."""
    monkeypatch.setattr(type(caplog.handler), "emit", lambda *_: None)


DEBUG = "You are seeing this error because you passed `debug=True` to checkpoint"


@pytest.mark.parametrize("name", DIFFERENT)
def test_debug_says_more_of_runs_that_differ(name, quiet_log):
    first, second, phrase = DIFFERENT[name]
    both(lambda lib: changing(lib, first, second, debug=True), raises=DEBUG)
    error = outcome(lambda: changing(gradcore, first, second, debug=True)).error
    assert phrase in str(error.__cause__)


def test_debug_says_more_of_too_many_tensors(quiet_log):
    both(
        lambda lib: changing(lib, lambda x: x.exp(), lambda x: x.exp().exp(), early_stop=False, debug=True),
        raises=DEBUG,
    )


def test_debug_shows_what_saved_which_tensor():
    def first(x):
        return x.sin().sum()

    def second(x):
        return x[:2].exp().sum()

    text = str(outcome(lambda: changing(gradcore, first, second, debug=True)).error)
    forward, again = text.split("Saved during recomputation:")
    assert "1 of 1: torch.float64 (3,)" in forward and "in first: return x.sin().sum()" in forward
    assert "in second: return x[:2].exp().sum()" in again
    assert "in program" not in text and "in test_" not in text  # the lines that led to checkpoint() and to backward()


def test_runs_that_agree_need_no_debugging(quiet_log):
    both(lambda lib: changing(lib, lambda x: x.exp(), lambda x: x.exp(), debug=True))


@pytest.mark.parametrize(("enabled", "debug"), [(True, False), (False, True), (None, True), (None, False)])
def test_debug_for_every_checkpoint(enabled, debug, quiet_log):
    first, second, phrase = DIFFERENT["fewer"]

    def program(lib):
        with module(lib).set_checkpoint_debug_enabled(not enabled):
            pass
        with module(lib).set_checkpoint_debug_enabled(enabled):
            changing(lib, first, second, debug=debug)

    both(program, raises=DEBUG if enabled or (debug and enabled is None) else phrase)


def test_debug_has_its_own_contexts():
    def program(lib):
        def contexts():
            return contextlib.nullcontext(), contextlib.nullcontext()

        checkpoint = module(lib).checkpoint
        return checkpoint(lambda x: x, leaf(lib), use_reentrant=False, context_fn=contexts, debug=True)

    both(program, raises="debug=True is incompatible with non-default context_fn")


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_message_points_to_debug(name):
    first, second, _ = DIFFERENT[name]
    both(lambda lib: changing(lib, first, second), raises="Tip: To see a more detailed error message, ")


# ---- Several backwards, one second run -------------------------------------------------------------------------------


@pytest.mark.parametrize("grouped", [True, False])
def test_backwards_of_a_group_share_the_second_run(grouped):
    def program(lib):
        runs = []

        def function(x):
            runs.append(1)
            return x.sin(), x.exp()

        x = leaf(lib)
        outputs = module(lib).checkpoint(function, x, use_reentrant=False, early_stop=False)
        with module(lib).GraphExecGroup() if grouped else contextlib.nullcontext():
            for out in outputs:
                out.sum().backward()
        return len(runs), x.grad

    both(program, ulps=4)


def test_backwards_of_a_group_need_different_tensors():
    def program(lib):
        y = module(lib).checkpoint(lambda x: x.sin(), leaf(lib), use_reentrant=False).sum()
        with module(lib).GraphExecGroup():
            y.backward(retain_graph=True)
            y.backward()

    both(program, raises="Unpack is being triggered for a tensor that was already unpacked once")


def test_groups_do_not_nest():
    def program(lib):
        with module(lib).GraphExecGroup():
            with module(lib).GraphExecGroup():
                pass

    both(program, raises="GraphExecGroup contexts cannot be nested")
    with module(gradcore).GraphExecGroup():  # the refused one has left nothing open
        pass


# ---- The parts of the reentrant way ----------------------------------------------------------------------------------


def test_detached_variables():
    def program(lib):
        x = leaf(lib)
        inputs = x * 2, x.detach(), 5, None, lib.arange(3)
        outputs = module(lib).detach_variable(inputs)
        shared = [out.data_ptr() == value.data_ptr() for out, value in zip(outputs, inputs) if hasattr(out, "data_ptr")]
        return outputs, outputs[0].is_leaf, shared

    both(program)
    both(lambda lib: module(lib).detach_variable([leaf(lib)]), raises="Only tuple of tensors is supported")


def test_inputs_that_give_no_gradients_are_warned_of():
    def program(lib):
        with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
            module(lib).check_backward_validity([leaf(lib).detach(), 3])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            module(lib).check_backward_validity([leaf(lib).detach(), leaf(lib)])

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Selective checkpoints


def kept(lib, ops_or_policy, **options):
    contexts = module(lib).create_selective_checkpoint_contexts
    return functools.partial(contexts, ops_or_policy, **options)


SELECTIONS = {
    "products": ["mm", "addmm", "bmm"],
    "functions": ["sigmoid", "exp", "convolution", "native_layer_norm", "layer_norm"],
    "all": ["mm", "addmm", "sigmoid", "exp", "relu", "convolution", "t", "view", "clone"],
    "none": [],
}
REGIONS = {
    "products": lambda lib, x, w: lib.sigmoid(lib.matmul(lib.matmul(x, w), w)) * w,
    "linear": lambda lib, x, w: lib.nn.functional.linear(x, w, w[0]).exp().relu(),
    "in place": lambda lib, x, w: (x @ w).mul(2).exp_() @ w.exp(),
    "a view": lambda lib, x, w: (x @ w).t().reshape(-1).exp().sum() * (w @ x),
    "softmax": lambda lib, x, w: lib.softmax(x @ w, -1) @ x,
    "convolution": lambda lib, x, w: lib.nn.functional.conv2d(
        x.reshape(1, 1, 3, 3), w[:2, :2].reshape(1, 1, 2, 2)
    ).exp(),
    "without grad": lambda lib, x, w: (x @ w).exp() * (x.detach() @ w.detach()),
}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_selective_checkpoints_have_the_gradients_of_plain_ones(selection, region):
    def program(lib):
        x, w = leaf(lib, np.linspace(-1, 1, 9).reshape(3, 3)), leaf(lib, np.linspace(-0.5, 2, 9).reshape(3, 3))
        ops = [getattr(lib.ops.aten, name).default for name in SELECTIONS[selection] if lib is gradcore]
        options = {"context_fn": kept(lib, ops)} if lib is gradcore else {}
        out = module(lib).checkpoint(lambda x, w: REGIONS[region](lib, x, w), x, w, use_reentrant=False, **options)
        out.sum().backward()
        return out, x.grad, w.grad

    both(program, ulps=8, scale=1.0)


def test_what_is_kept_is_not_computed_again():
    """The policy sees the ops of the first run alone, by torch's names; of the second, a mode counts the products."""

    def program(lib):
        seen = []

        def policy(ctx, op, *args, **kwargs):
            seen.append((str(op), ctx.is_recompute, tuple(ctx.op_output.shape)))
            keep = op == lib.ops.aten.mm.default
            return module(lib).CheckpointPolicy.MUST_SAVE if keep else module(lib).CheckpointPolicy.PREFER_RECOMPUTE

        x, w = leaf(lib, np.ones((2, 2))), leaf(lib, np.eye(2))
        out = module(lib).checkpoint(
            lambda x, w: ((x @ w).sigmoid() @ w).exp(), x, w, use_reentrant=False, context_fn=kept(lib, policy)
        )
        out.sum().backward()
        return seen, x.grad, w.grad

    both(program, ulps=4, scale=1.0)


@pytest.mark.parametrize("names, expected", [(["mm"], ["matmul", "exp", "exp"]), ([], ["matmul", "exp"] * 2)])
def test_second_run_takes_kept_results(names, expected):
    runs = []

    class Count(gradcore.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            runs.append(func.__name__)
            return func(*args, **(kwargs or {}))

    def contexts():
        ops = [getattr(gradcore.ops.aten, name).default for name in names]
        return [Under(context, Count()) for context in kept(gradcore, ops)()]

    x = gradcore.eye(2, requires_grad=True)
    out = module(gradcore).checkpoint(lambda x: (x @ x).exp(), x, use_reentrant=False, context_fn=contexts)
    out.sum().backward()
    assert [name for name in runs if name in ("matmul", "exp")] == expected


class Under:
    """A mode below another one: it sees the calls that the other one makes."""

    def __init__(self, above, below):
        self.stack = contextlib.ExitStack()
        self.modes = below, above

    def __enter__(self):
        for mode in self.modes:
            self.stack.enter_context(mode)

    def __exit__(self, *error):
        return self.stack.__exit__(*error)


def test_selective_checkpoints_that_go_wrong():
    def run(lib, region, second=False, change=None, **options):
        x = leaf(lib, np.eye(2))
        ops = [lib.ops.aten.mm.default]
        out = module(lib).checkpoint(region, x, use_reentrant=False, context_fn=kept(lib, ops, **options))
        out.sum().backward(retain_graph=second)
        if second:
            out.sum().backward()
        return x.grad

    both(lambda lib: run(lib, lambda x: (x @ x).exp() * x, second=True), raises="Trying to backward an extra time")
    both(lambda lib: run(lib, lambda x: (x @ x).mul_(2).exp()), raises="has been mutated")
    both(lambda lib: run(lib, lambda x: (x @ x).mul_(1).exp(), allow_cache_entry_mutation=True), ulps=4)
    both(lambda lib: kept(lib, [lib.ops.aten.mm])(), raises="Expected op in `op_list` to be an OpOverload")
    both(lambda lib: kept(lib, [len])(), raises="Expected op in `op_list` to be an OpOverload")
    both(lambda lib: kept(lib, 3)(), raises="must be either a function or a list of ops")

    def changing(lib):
        functions = iter([lambda x: (x @ x).exp(), lambda x: (x + x).exp()])
        return run(lib, lambda x: next(functions)(x))

    both(changing, raises="encountered during backward but not found in storage")


@WAYS
@pytest.mark.parametrize("enabled", [True, False])
def test_the_second_run_is_under_the_autocast_of_the_first(enabled, reentrant):
    def program(lib):
        x, seen = leaf(lib, np.eye(2, dtype=np.float32)), []

        def region(x):
            out = x @ x
            seen.append(str(out.dtype))
            return (out @ out).float()

        with lib.autocast("cpu", dtype=lib.bfloat16, enabled=enabled):
            loss = module(lib).checkpoint(region, x, use_reentrant=reentrant).sum()
        with lib.autocast("cpu", dtype=lib.float16):  # what holds where backward runs does not count
            loss.backward()
        return seen, x.grad, lib.is_autocast_enabled("cpu")

    both(program)


VMAPPED = {
    "an output": lambda lib, x: lib.func.vmap(lambda row: row.exp())(x),
    "an input": lambda lib, x: lib.func.vmap(lambda row: row * row * 2)(x),
    "nested": lambda lib, x: lib.func.vmap(lib.func.vmap(lambda a: a * a * a))(x),
    "nested over two": lambda lib, x: lib.func.vmap(lambda a: lib.func.vmap(lambda b: a.sum() * b * b)(x))(x),
    "another dim": lambda lib, x: lib.func.vmap(lambda row: row * row, in_dims=1, out_dims=1)(x) * x,
}


@pytest.mark.parametrize("how", VMAPPED)
def test_a_vmap_inside(how):
    """The second run's vmap is another one than that which the graph was made in."""

    def program(lib):
        x = lib.tensor([[1.0, 2.0, -1.0], [0.5, 3.0, 4.0]], requires_grad=True)
        out = importlib.import_module(f"{lib.__name__}.utils.checkpoint").checkpoint(
            VMAPPED[how], lib, x, use_reentrant=False
        )
        out.sum().backward()
        return x.grad

    both(program, ulps=2)


def test_a_vmap_around():
    def program(lib):
        x = lib.tensor([[1.0, 2.0, -1.0], [0.5, 3.0, 4.0]])

        def loss(row):
            inner = lambda r: lib.func.vmap(lambda a: a * a * a)(r)  # noqa: E731
            return (
                importlib.import_module(f"{lib.__name__}.utils.checkpoint")
                .checkpoint(inner, row, use_reentrant=False)
                .sum()
            )

        return lib.func.vmap(loss)(x)

    both(program)
