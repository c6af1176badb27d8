"""torch.library: operators of a program's own."""

import itertools
from collections.abc import Sequence

import pytest

import gradcore
from support import both

torch = pytest.importorskip("torch")
numbers = itertools.count()


def fresh(op="op"):
    """A name that no test has used."""
    return f"gc_tests_{next(numbers)}::{op}"


def power(lib, name):
    @lib.library.custom_op(name, mutates_args=())
    def sq(x: lib.Tensor, k: float = 2.0) -> lib.Tensor:
        return lib.from_numpy(x.detach().numpy() ** k)

    return sq


def with_gradient(lib, name):
    sq = power(lib, name)

    def keep(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.k = inputs[1]

    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.k * x ** (ctx.k - 1), None

    sq.register_autograd(backward, setup_context=keep)
    return sq


def test_values_and_gradients():
    name = fresh()

    def program(lib):
        sq = with_gradient(lib, name)
        x = lib.tensor([1.0, 2.0, -3.0], requires_grad=True)
        y = sq(x, 3.0)
        y.sum().backward()
        with lib.no_grad():
            plain = sq(x)
        return y, x.grad, type(y.grad_fn).__name__, plain.requires_grad, sq(x.detach(), k=1.0)

    both(program)


def test_without_a_formula_backward_refuses():
    name = fresh()

    def program(lib):
        y = power(lib, name)(lib.ones(2, requires_grad=True))
        assert y.requires_grad
        y.sum().backward()

    both(program, raises="no autograd formula was registered. Please use register_autograd")


def test_by_name():
    name = fresh("square")

    def program(lib):
        with_gradient(lib, name)
        op = getattr(lib.ops, name.split("::")[0]).square
        return op(lib.ones(2) * 3), op.default(lib.ones(2)), str(op), str(op.default), repr(op), op.default.__name__

    both(program)
    both(lambda lib: getattr(lib.ops, name.split("::")[0]).nothing, raises="object has no attribute 'nothing'")


def test_lists_of_tensors():
    name = fresh()

    def program(lib):
        @lib.library.custom_op(name, mutates_args=())
        def scaled(xs: list[lib.Tensor], n: int) -> list[lib.Tensor]:
            return [x * n for x in xs]

        scaled.register_autograd(lambda ctx, grads: ([g * 3 for g in grads], None))
        a = lib.ones(2, requires_grad=True)
        first, second = scaled([a, a * 2], 3)
        (first.sum() + second.sum()).backward()
        return first, second, a.grad

    both(program)


def test_several_results_and_keywords():
    name = fresh()

    def program(lib):
        @lib.library.custom_op(name, mutates_args=())
        def parts(x: lib.Tensor, *, shift: float = 1.0) -> tuple[lib.Tensor, lib.Tensor]:
            return x + shift, x * 2

        def keep(ctx, inputs, keyword_only_inputs, output):
            ctx.shift = keyword_only_inputs["shift"]

        parts.register_autograd(lambda ctx, g, h: g + 2 * h * ctx.shift, setup_context=keep)
        x = lib.ones(2, requires_grad=True)
        a, b = parts(x, shift=3.0)
        (a.sum() + b.sum()).backward()
        return a, b, x.grad

    both(program)


def test_an_argument_that_is_written_to():
    name = fresh()

    def program(lib):
        @lib.library.custom_op(name, mutates_args={"x"})
        def increased(x: lib.Tensor) -> None:
            x.add_(1)

        x = lib.zeros(2)
        return increased(x), x, x._version > 0

    both(program)


def test_a_result_is_not_an_argument():
    name = fresh()

    def program(lib):
        @lib.library.custom_op(name, mutates_args=())
        def same(x: lib.Tensor) -> lib.Tensor:
            return x

        same(lib.ones(2))

    both(program, raises="may not alias any inputs to this custom operator")


def test_vmap():
    name = fresh()

    def program(lib):
        sq = with_gradient(lib, name)

        def rule(info, in_dims, x, k=2.0):
            return sq(x, k), in_dims[0]

        sq.register_vmap(rule)
        return lib.vmap(sq)(lib.arange(6.0).reshape(3, 2)), lib.vmap(lambda x: sq(x) + 1, in_dims=1)(lib.ones(2, 3))

    both(program)


@pytest.mark.parametrize(
    "call, phrase",
    [
        (lambda op, lib: op(), "is missing value for argument 'x'"),
        (lambda op, lib: op(1), "Expected a value of type 'Tensor' for argument 'x' but instead found type 'int'"),
        (lambda op, lib: op(lib.ones(1), 2.0, 3), "expected at most 2 argument"),
        (lambda op, lib: op(lib.ones(1), other=3), "Unknown keyword argument 'other'"),
    ],
)
def test_arguments_that_do_not_fit(call, phrase):
    name = fresh()
    both(lambda lib: call(power(lib, name), lib), raises=phrase)


def test_libraries():
    name = fresh("doubled")

    def program(lib):
        library = lib.library.Library(name.split("::")[0], "DEF")
        library.define("doubled(Tensor x, int n=2) -> Tensor")
        library.impl("doubled", lambda x, n=2: x * n, "CompositeImplicitAutograd")
        op = getattr(lib.ops, name.split("::")[0]).doubled
        x = lib.ones(2, requires_grad=True)
        op(x, n=5).sum().backward()
        return op(x.detach()), x.grad, library  # kept: torch forgets a library's operators with it

    assert all(
        gradcore.equal(ours, gradcore.from_numpy(theirs.numpy()))
        for ours, theirs in zip(program(gradcore)[:2], program(torch)[:2])
    )


def test_functions_that_define_and_implement():
    name = fresh("sine")

    def program(lib):
        lib.library.define(name, "(Tensor x) -> Tensor")

        @lib.library.impl(name, "cpu")
        def sine(x):
            return x.sin()

        @lib.library.register_fake(name)
        def fake(x):
            return lib.empty_like(x)

        return getattr(lib.ops, name.split("::")[0]).sine(lib.ones(2))

    both(program)


def test_extensions_are_not_loaded(tmp_path):
    both(
        lambda lib: lib.ops.load_library("//somewhere:metric_ops"),
        raises="Could not load this library: /somewhere:metric_ops",
    )
    there = tmp_path / "extension.so"
    there.write_bytes(b"")
    with pytest.raises(OSError, match="built for torch's own tensors"):
        gradcore.ops.load_library(str(there))


def test_schemas():
    def program(lib):
        def f(
            x: lib.Tensor, n: int, ys: list[lib.Tensor], z: lib.Tensor | None = None, *, s: str = "a"
        ) -> tuple[lib.Tensor, int]: ...

        def g(x: lib.Tensor, b: bool = True) -> None: ...

        infer = lib.library.infer_schema
        return infer(f, mutates_args=()), infer(g, mutates_args={"x"})

    both(program)
    both(lambda lib: lib.library.infer_schema(lambda x: x, mutates_args=()), raises="must have a type annotation")


def schema_or_refusal(lib, function):
    try:
        return lib.library.infer_schema(function, mutates_args=())
    except ValueError:
        return "refused"


TYPES = """
T; T | None; list[T]; list[T | None]; Sequence[T]; list[T] | None; int; int | None; list[int]; Sequence[int] | None;
list[int | None]; float; bool; str; str | None; list[str]; int | float | bool; int | float | bool | None; int | float;
list[int | float | bool]; list[int | float | bool] | None; lib.dtype; lib.dtype | None; list[lib.dtype]; lib.device;
lib.device | None; list[list[int]]; tuple[int, int]; dict[str, int]; object; T2
"""


@pytest.mark.parametrize("annotation", TYPES.replace("\n", " ").split(";"))
@pytest.mark.filterwarnings("ignore")
def test_schemas_of_each_type(annotation):
    def program(lib):
        def f(x, *, y): ...

        def g(): ...

        scope = {"T": lib.Tensor, "lib": lib, "Sequence": Sequence, "T2": "T2"}
        f.__annotations__ = {"x": lib.Tensor, "y": eval(annotation, scope), "return": lib.Tensor}
        g.__annotations__ = {"return": f.__annotations__["y"]}
        taken = schema_or_refusal(lib, f)
        given = schema_or_refusal(lib, g) if "Sequence" not in annotation else None
        return taken, given

    both(program)


def test_schemas_name_what_is_written_to():
    def program(lib):
        def f(a: int, x: lib.Tensor, *, y: list[lib.Tensor], z: lib.Tensor | None = None) -> None: ...

        infer = lib.library.infer_schema
        return [infer(f, mutates_args=names, op_name="mine::f") for names in (("x",), ("y", "z"), "unknown")]

    both(program)


def test_schemas_show_defaults():
    def program(lib):
        cpu = lib.device("cpu")

        def f(
            a: float = float("inf"), b: str = "s", c: lib.dtype = lib.float32, d: lib.device = cpu, e: bool = True
        ) -> tuple[lib.Tensor]: ...

        return lib.library.infer_schema(f, mutates_args=())

    both(program)


REFUSED = {
    "in mutable_args but only Tensors": ("def f(x: T, n: int) -> T: ...", ["n"]),
    "in mutates_args were not found": ("def f(x: T) -> T: ...", ["y"]),
    "We do not support positional-only args, varargs, or varkwargs": ("def f(*x: T) -> T: ...", []),
    "We do not support Tuple inputs in schema": ("def f(x: tuple[int, int]) -> T: ...", []),
    "unsupported default value type": ("def f(x: list[int] = [1]) -> T: ...", []),
    "No return type annotation was provided": ("def f(x: T): ...", []),
    "Return has unsupported type": ("def f(x: T) -> str: ...", []),
    "Unsupported type annotation": ("def f(x: 'Missing') -> T: ...", []),
    "mutates_args": ("def f(x: T) -> T: ...", "x"),
}


@pytest.mark.parametrize("phrase", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_schemas_that_are_refused(phrase):
    source, mutates_args = REFUSED[phrase]

    def program(lib):
        scope = {"T": lib.Tensor}
        exec(source, scope)
        lib.library.infer_schema(scope["f"], mutates_args=mutates_args)

    both(program, raises=phrase)


def test_an_operator_knows_itself_in_ops():
    name = fresh()

    def program(lib):
        @lib.library.custom_op(name, mutates_args=())
        def op(x: lib.Tensor, factor: int | float | bool) -> lib.Tensor:
            return x * factor

        overload = getattr(lib.ops, name.partition("::")[0]).op.default
        return op._opoverload(lib.ones(2), 3), type(op._opoverload).__name__, str(op._opoverload) == str(overload)

    both(program)


def test_autocast():
    name = fresh()

    def program(lib):
        seen = []

        @lib.library.custom_op(name, mutates_args=())
        def op(x: lib.Tensor) -> lib.Tensor:
            seen.append(str(x.dtype))
            return x.clone()

        op.register_autocast("cpu", lib.bfloat16)
        with lib.autocast("cpu"):
            result = op(lib.ones(2))
        op(lib.ones(2))
        return seen, str(result.dtype)

    both(program)
