"""Functions over lists of tensors, torch's _foreach_ functions: one table, from which all comparisons are generated.

A row says what may follow the first list, for each form that the function takes. Start at ROWS.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import gradcore
from opdb import Sample
from support import (
    FLOATS,
    D,
    both,
    build,
    collected,
    contiguous,
    flat_tensors,
    needs_torch,
    outcome,
    outcome_difference,
    strided,
    to_numpy,
    torch,
    transposed,
)

SHAPES = ((2, 3), (), (7,), (0, 2), (40, 50))
LAYOUTS = (contiguous, transposed, strided)


class Data:
    """Makes lists of arrays, the same ones every time."""

    def __init__(self, dtype, low, high, shapes=SHAPES):
        self.dtypes = [dtype] * len(shapes) if isinstance(dtype, str) else dtype
        self.low, self.high, self.shapes = low, high, shapes
        self.random = np.random.default_rng(5)

    def array(self, shape, dtype):
        if np.dtype(dtype).kind == "f":
            return np.asarray(self.random.uniform(self.low, self.high, shape), dtype)
        return np.asarray(self.random.integers(max(0, int(self.low)), int(self.high) + 1, shape), dtype)

    def __call__(self, shapes=None):
        return [self.array(shape, dtype) for shape, dtype in zip(shapes or self.shapes, self.dtypes, strict=True)]

    def numbers(self):
        return [0.5 + i for i in range(len(self.shapes))]

    def number(self):
        return np.asarray(0.75, self.dtypes[0])

    def packed(self):
        return np.linspace(0.5, 2, len(self.shapes)).astype("float32")


@dataclass
class Row:
    name: str
    forms: Callable[[Data], list]  # what follows the first list; a dict at the end holds keywords
    low: float = -2.0
    high: float = 2.0
    fresh: bool = True
    inplace: bool = True
    takes_list: bool = True
    ulps: int = 4
    strides: str = "significant"

    def calls(self, dtype, shapes=SHAPES):
        """(arguments, keywords) of each form."""
        count = len(self.forms(Data(dtype, self.low, self.high, shapes)))
        for k in range(count):
            d = Data(dtype, self.low, self.high, shapes)
            first = d()
            form = self.forms(d)[k]
            keywords = form[-1] if form and isinstance(form[-1], dict) else {}
            arguments = form[:-1] if keywords else form
            yield ((first, *arguments) if self.takes_list else tuple(arguments)), keywords


def unary(d):
    return [()]


def binary(d):
    return [(0.75,), (2,), (d.numbers(),), (d(),)]


def scaled(d):
    return [*binary(d), (d(), {"alpha": 2}), (d(), {"alpha": 0.5})]


def with_tensor(forms):
    return lambda d: [*forms(d), (d.number(),)]


def pointwise(d):
    return [
        (d(), d()),
        (d(), d(), 0.5),
        (d(), d(), {"value": -2}),
        (d(), d(), d.numbers()),
        (d(), d(), d.packed()),
        (d(), d(), {"scalars": d.packed()}),
    ]


# fmt: off
WHOLE_LINE = (
    "abs", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "neg", "round", "sigmoid", "sign",
    "sin", "sinh", "tanh", "trunc",
)
# fmt: on
ABOVE_ZERO = ("log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt")
ROWS = [
    *(Row(name, unary) for name in WHOLE_LINE),
    *(Row(name, unary, low=0.1) for name in ABOVE_ZERO),
    *(Row(name, unary, low=-0.9, high=0.9) for name in ("acos", "asin", "tan")),
    Row("add", lambda d: [*with_tensor(scaled)(d), (d.number(), {"alpha": 3})]),
    Row("sub", scaled),
    Row("mul", with_tensor(binary)),
    Row("div", with_tensor(binary), low=0.5),
    *(Row(name, binary) for name in ("maximum", "minimum", "clamp_min", "clamp_max")),
    Row("pow", lambda d: [*binary(d), (3,), (0.5,), (-1.5,), ([2, 3, 0.5, 1, 0],), ({"exponent": 2},)], low=0.5),
    # Of transposed exponents torch.pow makes a contiguous result; ours keeps their memory order, for one tensor too.
    Row("pow", lambda d: [(2.5, d()), (2, d())], inplace=False, takes_list=False, strides="any"),
    Row("addcmul", pointwise),
    Row("addcdiv", pointwise, low=0.5),
    Row(
        "lerp",
        lambda d: [(d(), 0.25), (d(), 0.75), (d(), [0.1, 0.3, 0.5, 0.7, 0.9]), (d(), d()), (d(), {"weights": d()})],
    ),
    Row(
        "norm",
        lambda d: [(), (1,), (2.0,), (0,), (3,), (2, {"dtype": D("float64")}), ({"ord": 1},)],
        inplace=False,
        ulps=64,
    ),
    Row("copy_", lambda d: [(d(),), (d(), True), (d([(3,), (), (1,), (1, 2), (50,)]),)], fresh=False),
    Row("zero_", unary, fresh=False),
]
MAX = Row("max", unary, inplace=False)  # not of an empty tensor
FRESH = [row for row in ROWS if row.fresh]
IN_PLACE = [row for row in ROWS if row.inplace]


def label(args, keywords):
    return repr(Sample(*args, **keywords))


def ids(row):
    return row.name if row.takes_list else row.name + " of a number"


def fresh(lib, row):
    return getattr(lib, f"_foreach_{row.name}")


def in_place(lib, row):
    return getattr(lib, f"_foreach_{row.name.rstrip('_')}_")


def compared(program, failures, name, **tolerances):
    if torch is None:
        outcome(program, gradcore)
        return
    ours, theirs = outcome(program, gradcore), outcome(program, torch)
    failures.add(name, outcome_difference(ours, theirs, **tolerances))


# ------------------------------------------------------------------------------------------------------------
# The table itself


def test_every_function_has_a_row():
    rows = {f"_foreach_{row.name}" for row in [*FRESH, MAX]} | {f"_foreach_{row.name.rstrip('_')}_" for row in IN_PLACE}
    assert {name for name in gradcore._C._op_names() if name.startswith("_foreach_")} == rows
    assert rows <= set(dir(gradcore))


@needs_torch
def test_what_torch_uses_itself_is_there():
    folders = [Path(module.__file__).parent for module in (torch.optim, torch.nn.utils)]
    sources = "".join(file.read_text() for folder in folders for file in folder.rglob("*.py"))
    used = set(re.findall(r"torch\.(_foreach_\w+)\(", sources))
    assert len(used) > 20
    assert not {name for name in used if not hasattr(gradcore, name)}


# ------------------------------------------------------------------------------------------------------------
# Values


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8", "bool"])
@pytest.mark.parametrize("row", FRESH, ids=ids)
def test_values(row, dtype):
    with collected() as failures:
        for layout in LAYOUTS:
            for args, keywords in row.calls(dtype):

                def program(lib, args=args, keywords=keywords, layout=layout):
                    result = fresh(lib, row)(*build(lib, args, layout), **build(lib, keywords))
                    assert type(result) is tuple
                    return result

                compared(
                    program,
                    failures,
                    f"{layout.__name__} {label(args, keywords)}",
                    ulps=row.ulps,
                    scale=1.0,
                    strides=row.strides,
                )


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "bool"])
@pytest.mark.parametrize("row", IN_PLACE, ids=ids)
def test_in_place(row, dtype):
    """The list itself is returned, each tensor is written once, and an error leaves all of them as they were."""
    with collected() as failures:
        for layout in LAYOUTS:
            for args, keywords in row.calls(dtype):

                def program(lib, args=args, keywords=keywords, layout=layout):
                    tensors, *rest = build(lib, args, layout)
                    before = [to_numpy(t) for t in tensors]
                    versions = [t._version for t in tensors]
                    try:
                        result = in_place(lib, row)(tensors, *rest, **build(lib, keywords))
                    except Exception:
                        if lib is gradcore:
                            assert [t._version for t in tensors] == versions
                            for t, values in zip(tensors, before, strict=True):
                                np.testing.assert_array_equal(to_numpy(t), values)
                        raise
                    assert result is tensors
                    return tensors, [t._version - v for t, v in zip(tensors, versions, strict=True)]

                compared(program, failures, f"{layout.__name__} {label(args, keywords)}", ulps=row.ulps, scale=1.0)


MIXED = ("float32", "float64", "int64", "bool", "uint8")


@pytest.mark.parametrize("row", FRESH, ids=ids)
def test_mixed_dtypes(row):
    with collected() as failures:
        for dtypes in (MIXED, MIXED[::-1]):
            for args, keywords in row.calls(dtypes):
                compared(
                    lambda lib, a=args, k=keywords: fresh(lib, row)(*build(lib, a), **build(lib, k)),
                    failures,
                    label(args, keywords),
                    ulps=row.ulps,
                    scale=1.0,
                )


CONVERTED = ("add", "mul", "maximum", "addcmul", "copy_")


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in CONVERTED], ids=ids)
def test_operands_of_other_dtypes(row):
    """The further lists have another dtype than the first."""
    with collected() as failures:
        for first, second in (("float32", "float64"), ("float64", "int64"), ("int64", "float32"), ("float32", "bool")):
            own, other = Data(first, 0, 2), row.calls(second)
            for (_, *rest), keywords in other:
                args = (own(), *rest)
                function = fresh if row.fresh else in_place
                compared(
                    lambda lib, f=function, a=args, k=keywords: f(lib, row)(*build(lib, a), **build(lib, k)),
                    failures,
                    f"{first} {second} {label(args, keywords)}",
                    ulps=row.ulps,
                    scale=1.0,
                )


def test_max():
    both(lambda lib: lib._foreach_max([lib.tensor([1.0, float("nan"), 2.0]), lib.tensor(3), lib.tensor([[True]])]))
    both(lambda lib: lib._foreach_max([lib.ones(2), lib.ones(0)]), raises="the maximum of an empty tensor")


@pytest.mark.parametrize("p", [float("inf"), -float("inf"), -1, 0.5])
def test_norms_without_an_empty_tensor(p):
    both(lambda lib: lib._foreach_norm([lib.arange(1.0, 8.0), lib.full((3, 2), -2.5)], p), ulps=8)


# ------------------------------------------------------------------------------------------------------------
# Gradients


def packed(keywords, args):
    """Factors as one tensor, for which torch has no derivative."""
    return any(isinstance(a, np.ndarray) and a.ndim == 1 for a in [*args, *keywords.values()])


def recorded(lib, row):
    """torch's derivative of _foreach_addcdiv fails (it indexes the factor); its addcdiv for one tensor does not."""
    if lib is gradcore or row.name != "addcdiv":
        return fresh(lib, row)

    def one_by_one(x, a, b, value=1):
        factors = value if isinstance(value, list) else [value] * len(x)
        return [lib.addcdiv(*tensors, value=factor) for *tensors, factor in zip(x, a, b, factors, strict=True)]

    return one_by_one


@pytest.mark.parametrize("row", FRESH, ids=ids)
def test_gradients(row):
    with collected() as failures:
        for args, keywords in row.calls("float64"):
            if packed(keywords, args):
                continue
            if row.name == "norm" and keywords.get("ord", args[1] if len(args) > 1 else 2) == 0:
                continue  # torch records nothing that could be compared

            def program(lib, args=args, keywords=keywords):
                arguments = build(lib, args)
                leaves = [t.requires_grad_() for a in arguments if isinstance(a, list) for t in flat_tensors(a)]
                outputs = recorded(lib, row)(*arguments, **build(lib, keywords))
                sum((i + 1.0) * (y * y).sum() for i, y in enumerate(outputs)).backward()
                return [leaf.grad for leaf in leaves], [y.requires_grad for y in outputs]

            compared(program, failures, label(args, keywords), ulps=64, scale=1.0)


# torch has no derivative of these in place; ours is that of the op for one tensor.
NO_DERIVATIVE_IN_TORCH = ("maximum", "minimum", "copy_")


@pytest.mark.parametrize("row", [row for row in IN_PLACE if row.name not in NO_DERIVATIVE_IN_TORCH], ids=ids)
def test_gradients_in_place(row):
    with collected() as failures:
        for args, keywords in row.calls("float64"):
            if packed(keywords, args):
                continue

            def program(lib, args=args, keywords=keywords):
                arguments = build(lib, args)
                leaves = [t.requires_grad_() for a in arguments if isinstance(a, list) for t in flat_tensors(a)]
                tensors = [t * 1.0 for t in arguments[0]]
                in_place(lib, row)(tensors, *arguments[1:], **build(lib, keywords))
                sum((i + 1.0) * (y * y).sum() for i, y in enumerate(tensors)).backward()
                return [leaf.grad for leaf in leaves]

            compared(program, failures, label(args, keywords), ulps=64, scale=1.0)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_gradient_of_the_larger_and_smaller_in_place(name):
    x = gradcore.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    getattr(gradcore, f"_foreach_{name}_")([y], 2.0)
    y.sum().backward()
    assert x.grad.tolist() == ([0.0, 0.5, 1.0] if name == "maximum" else [1.0, 0.5, 0.0])


@pytest.mark.parametrize("name", ["add", "mul", "div"])
def test_gradient_to_a_tensor_for_all(name):
    """As from one tensor after the other. (torch fails here for lists of more than one.)"""
    x, grads = [gradcore.ones(2), gradcore.full((3,), 4.0)], []
    for function in (getattr(gradcore, f"_foreach_{name}"), lambda x, f: [getattr(t, name)(f) for t in x]):
        factor = gradcore.tensor(2.0, requires_grad=True)
        sum(y.sum() for y in function(x, factor)).backward()
        grads.append(factor.grad.item())
    assert grads[0] == grads[1] != 0


def test_packed_factors_are_constants():
    """torch has no derivative here; ours is that of the same numbers in a list."""
    grads = []
    for factors in ([1.0, 3.0], gradcore.tensor([1.0, 3.0])):
        x = [gradcore.full((2,), 2.0, requires_grad=True), gradcore.full((3,), 5.0, requires_grad=True)]
        sum(y.sum() for y in gradcore._foreach_addcmul(x, x, x, factors)).backward()
        grads.append([t.grad.tolist() for t in x])
    assert grads == [[[5.0] * 2, [31.0] * 3]] * 2


def test_gradient_of_copy_in_place():
    x, y = (gradcore.ones(3, requires_grad=True) for _ in range(2))
    z = x * 2
    gradcore._foreach_copy_([z], [y])
    (z * 3).sum().backward()
    assert x.grad.tolist() == [0.0] * 3
    assert y.grad.tolist() == [3.0] * 3


@pytest.mark.parametrize("bound", ["clamp_min", "clamp_max"])
def test_gradient_at_a_bound(bound):
    """A tensor as bound: at equality the gradient is the operand's, a NaN has none; in clamp() too."""

    def program(lib):
        grads = []
        for call in (
            lambda x, b: getattr(lib, f"_foreach_{bound}")([x], [b])[0],
            getattr(lib, bound),
            lambda x, b: lib.clamp(x, **{bound[-3:]: b}),
        ):
            x = lib.tensor([1.0, 2.0, 3.0, float("nan")], requires_grad=True)
            b = lib.full((4,), 2.0, requires_grad=True)
            call(x, b).sum().backward()
            grads += [x.grad, b.grad]
        return grads

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Lists that are run together


def big(lib):
    random = np.random.default_rng(3)
    sizes = (200000, 3, 17, 16384, 1, 16385, 90000)
    return [lib.from_numpy(random.uniform(0.5, 2, n).astype("float32")) for n in sizes]


def test_long_lists_give_the_bits_of_single_tensors():
    threads = gradcore.get_num_threads()
    try:
        for count in (1, 2, 3):
            gradcore.set_num_threads(count)
            a, b, c = big(gradcore), big(gradcore), big(gradcore)
            for ours, x, y in zip(gradcore._foreach_addcdiv(a, b, c, value=0.3), a, b, strict=True):
                np.testing.assert_array_equal(to_numpy(ours), to_numpy(x.addcdiv(y, y, value=0.3)))
            for name in ("exp", "sqrt", "sigmoid"):
                for ours, x in zip(getattr(gradcore, f"_foreach_{name}")(a), a, strict=True):
                    np.testing.assert_array_equal(to_numpy(ours), to_numpy(getattr(gradcore, name)(x)))
            for ours, x in zip(gradcore._foreach_norm(a), a, strict=True):
                np.testing.assert_array_equal(to_numpy(ours), to_numpy(gradcore.norm(x)))
            expected = [to_numpy(x + 2 * y) for x, y in zip(a, b, strict=True)]
            gradcore._foreach_add_(a, b, alpha=2)
            for ours, theirs in zip(a, expected, strict=True):
                np.testing.assert_array_equal(to_numpy(ours), theirs)
    finally:
        gradcore.set_num_threads(threads)


@pytest.mark.parametrize("n", [4, 300000])
def test_lists_that_share_memory_are_run_in_order(n):
    def program(lib):
        x, y = lib.arange(float(n)), lib.ones(n)
        lib._foreach_add_([x, x, x], [x, y, x])  # the same tensor again
        lib._foreach_mul_([x, y], [y, x])  # each other's operand
        lib._foreach_add_([y, y[: n // 2], y[n // 2 :]], 1.0)  # views beside their base
        rows = lib.ones(3, n)
        lib._foreach_add_([rows[0], rows[1], rows[2]], [rows[2], rows[0], rows[1]])
        lib._foreach_mul_([x[1:], x[:1]], y[3])  # the views are neighbours: nothing is shared
        return x, y, rows

    both(program)


def test_arrays_that_share_memory_are_run_in_order():
    def program(lib):
        array = np.ones(300000, "float32")
        lib._foreach_add_([lib.from_numpy(array), lib.from_numpy(array)], [lib.from_numpy(array[:]), lib.ones(300000)])
        return lib.from_numpy(array)

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Errors


def pair(lib):
    return [lib.ones(2), lib.ones(3)]


# Calls on lists made by `pair`, and the phrase that both libraries raise.
REFUSED = {
    "empty list": (lambda lib: lib._foreach_add_([], 1), "at least one tensor"),
    "empty lists": (lambda lib: lib._foreach_mul([], []), "at least one tensor"),
    "empty list of copies": (lambda lib: lib._foreach_copy_([], []), "at least one tensor"),
    "empty list of exponents": (lambda lib: lib._foreach_pow(2, []), "at least one tensor"),
    "empty norm": (lambda lib: lib._foreach_norm([]), "at least one tensor"),
    "empty zero_": (lambda lib: lib._foreach_zero_([]), "at least one tensor"),
    "fewer tensors": (lambda lib: lib._foreach_add(pair(lib), [lib.ones(2)]), "same number of tensors, got 2 and 1"),
    "fewer numbers": (lambda lib: lib._foreach_add(pair(lib), [1.0]), "same number of elements as scalar list"),
    "nothing beside tensors": (lambda lib: lib._foreach_add(pair(lib), []), "same number of elements as scalar list"),
    "fewer factors": (
        lambda lib: lib._foreach_addcmul(pair(lib), pair(lib), pair(lib), [1.0]),
        "same number of elements as scalar list",
    ),
    "second list": (lambda lib: lib._foreach_addcdiv(pair(lib), pair(lib)[:1], pair(lib)), "got 2 and 1"),
    "third list": (lambda lib: lib._foreach_addcdiv(pair(lib), pair(lib), pair(lib)[:1]), "got 2 and 1"),
    "weights": (lambda lib: lib._foreach_lerp(pair(lib), pair(lib), pair(lib)[:1]), "got 2 and 1"),
    "sources": (lambda lib: lib._foreach_copy_(pair(lib), pair(lib)[:1]), "got 2 and 1"),
    "packed, 0-d": (
        lambda lib: lib._foreach_addcmul(pair(lib), pair(lib), pair(lib), lib.tensor(2.0)),
        "packed scalar Tensor to be of dimension 1",
    ),
    "packed, long": (
        lambda lib: lib._foreach_addcmul(pair(lib), pair(lib), pair(lib), lib.ones(3)),
        "match input of length 2 but got 3",
    ),
    "packed, strided": (
        lambda lib: lib._foreach_addcmul(pair(lib), pair(lib), pair(lib), lib.ones(4)[::2]),
        "scalars to be contiguous",
    ),
    "tensor with a dim": (lambda lib: lib._foreach_mul(pair(lib), lib.ones(1)), "expected to be 0 dim"),
    "alpha of a number": (lambda lib: lib._foreach_add(pair(lib), 1, alpha=2), "invalid combination of arguments"),
    "numbers and tensors": (lambda lib: lib._foreach_add(pair(lib), [lib.tensor(1.0), 2.0]), ""),
    "not a list": (lambda lib: lib._foreach_add(lib.ones(3), 1), "invalid combination of arguments"),
    "not tensors": (lambda lib: lib._foreach_add([1, 2], 1), ""),
    "None in the list": (lambda lib: lib._foreach_sqrt([None]), ""),
    "a generator": (lambda lib: lib._foreach_sqrt(x for x in pair(lib)), ""),
    "a word": (lambda lib: lib._foreach_mul(pair(lib), "2"), "invalid combination of arguments"),
    "input=": (lambda lib: lib._foreach_mul(input=pair(lib), other=pair(lib)), "invalid combination of arguments"),
    "shapes": (lambda lib: lib._foreach_add(pair(lib), pair(lib)[::-1]), "must match the size of tensor b"),
    "ord None": (lambda lib: lib._foreach_norm(pair(lib), None), "must be Number"),
    "ord bool": (lambda lib: lib._foreach_norm(pair(lib), True), "expects ord to be integer or float"),
    "ord word": (lambda lib: lib._foreach_norm(pair(lib), "fro"), "must be Number"),
    "norm of integers": (lambda lib: lib._foreach_norm([lib.ones(2), lib.tensor([1])]), "Expected a floating point"),
    "norm as integer": (lambda lib: lib._foreach_norm(pair(lib), 2, dtype=lib.int64), "dtype should be floating point"),
    "narrow norm": (lambda lib: lib._foreach_norm([lib.ones(2).double()], dtype=lib.float32), "without narrowing"),
    "largest of nothing": (
        lambda lib: lib._foreach_norm([lib.ones(2), lib.ones(0)], float("inf")),
        "infinity norm on an empty",
    ),
    "negative integer power": (
        lambda lib: lib._foreach_pow([lib.ones(1), lib.tensor([2])], -1),
        "negative integer powers",
    ),
    "float alpha of integers": (
        lambda lib: lib._foreach_add([lib.tensor([1])], [lib.tensor([1])], alpha=1.5),
        "must not be a floating point number",
    ),
    "integer addcdiv": (lambda lib: lib._foreach_addcdiv(*[[lib.tensor([2])]] * 3), "Integer division with addcdiv"),
    "dtype of the end": (lambda lib: lib._foreach_lerp(pair(lib), [t.double() for t in pair(lib)], 0.5), "for `end`"),
    "dtype of the weight": (
        lambda lib: lib._foreach_lerp(pair(lib), pair(lib), [t.double() for t in pair(lib)]),
        "for `weight`",
    ),
    "bool difference": (lambda lib: lib._foreach_sub([lib.tensor([True])], 1), "Subtraction, the `-` operator"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    program, phrase = REFUSED[name]
    both(program, raises=phrase)


# A list whose last tensor cannot be written as asked, and the call.
LATE = {
    "shape": (
        lambda lib: lib.ones(3),
        lambda lib, x: lib._foreach_add_(x, [lib.ones(2), lib.ones(2, 3)]),
        "doesn't match the broadcast shape",
    ),
    "source": (
        lambda lib: lib.ones(3),
        lambda lib, x: lib._foreach_copy_(x, [lib.zeros(2), lib.ones(2)]),
        "must match",
    ),
    "integers": (lambda lib: lib.tensor([1, 2]), lambda lib, x: lib._foreach_mul_(x, 1.5), "can't be cast"),
    "integer root": (lambda lib: lib.tensor([1, 2]), lambda lib, x: lib._foreach_sqrt_(x), "can't be cast"),
    "leaf": (lambda lib: lib.ones(3, requires_grad=True), lambda lib, x: lib._foreach_mul_(x, 2.0), "leaf Variable"),
    "zeroed leaf": (lambda lib: lib.ones(3, requires_grad=True), lambda lib, x: lib._foreach_zero_(x), "leaf Variable"),
    "copied leaf": (
        lambda lib: lib.ones(3, requires_grad=True),
        lambda lib, x: lib._foreach_copy_(x, [lib.zeros(2), lib.ones(3)]),
        "leaf Variable",
    ),
    "expanded": (lambda lib: lib.ones(1).expand(3), lambda lib, x: lib._foreach_mul_(x, 2.0), "single memory location"),
    "expanded, added": (
        lambda lib: lib.ones(1).expand(3),
        lambda lib, x: lib._foreach_add_(x, [lib.ones(2), lib.ones(3)]),
        "single memory location",
    ),
    "own window": (
        lambda lib: lib.ones(4)[1:],
        lambda lib, x: lib._foreach_add_(x, [lib.ones(2), x[1]._base[:-1]]),
        "single memory location",
    ),
    "bool": (lambda lib: lib.tensor([True]), lambda lib, x: lib._foreach_neg_(x), "on a bool tensor is not supported"),
}


@pytest.mark.parametrize("name", LATE)
def test_an_error_leaves_the_first_tensors_alone(name):
    last, call, phrase = LATE[name]

    def program(lib):
        return call(lib, [lib.full((2,), 3.0), last(lib)])

    tensors = [gradcore.full((2,), 3.0), last(gradcore)]
    before = [(t._version, t.tolist()) for t in tensors]
    with pytest.raises(RuntimeError, match=re.escape(phrase)):
        call(gradcore, tensors)
    assert [(t._version, t.tolist()) for t in tensors] == before
    both(program, raises=phrase)


def test_a_list_that_its_own_numbers_change():
    """Reading a number may run Python code: what it does to the list is seen, and nothing else."""

    class Number:
        def __index__(self):
            numbers.clear()
            return 1

        __float__ = __index__

    numbers = [Number(), 2.0]
    with pytest.raises((RuntimeError, TypeError)):
        gradcore._foreach_add(pair(gradcore), numbers)


def test_packed_scalars_that_require_grad_are_refused():
    """torch goes on, and has no derivative for them later."""
    with pytest.raises(NotImplementedError, match="detach"):
        gradcore._foreach_addcmul(*[pair(gradcore)] * 3, gradcore.ones(2, requires_grad=True))


# ------------------------------------------------------------------------------------------------------------
# Programs


def adam(lib, params, grads, steps):
    """Adam as optimizers write it over lists."""
    m, v = ([lib.zeros_like(p) for p in params] for _ in range(2))
    step = [lib.tensor(0.0, dtype=p.dtype) for p in params]
    for _ in range(steps):
        lib._foreach_add_(step, 1)
        lib._foreach_lerp_(m, grads, 0.1)
        lib._foreach_mul_(v, 0.999)
        lib._foreach_addcmul_(v, grads, grads, 0.001)
        first, second = lib._foreach_pow(0.9, step), lib._foreach_pow(0.999, step)
        lib._foreach_sub_(first, 1)
        lib._foreach_sub_(second, 1)
        lib._foreach_neg_(second)
        lib._foreach_div_(first, 0.01)
        lib._foreach_reciprocal_(first)
        lib._foreach_sqrt_(second)
        denominator = lib._foreach_sqrt(v)
        lib._foreach_div_(denominator, second)
        lib._foreach_add_(denominator, 1e-8)
        lib._foreach_div_(denominator, first)
        lib._foreach_addcdiv_(params, m, denominator)
    return params


@pytest.mark.parametrize("layout", LAYOUTS)
def test_adam_over_lists(layout):
    def program(lib):
        d = Data("float64", -1, 1)
        return adam(lib, build(lib, d(), layout), build(lib, d(), layout), 30)

    both(program, ulps=64, scale=1.0)


def test_gradients_are_clipped_together():
    def program(lib):
        grads = [lib.arange(float(n)).reshape(shape) for n, shape in ((6, (2, 3)), (1, ()), (4, (4,)), (0, (0,)))]
        norm = lib.stack(lib._foreach_norm(grads)).norm()
        lib._foreach_mul_(grads, (1.0 / (norm + 1e-6)).clamp(max=1.0))
        return grads, norm

    both(program, ulps=8)
