"""Every op against torch, NumPy and central differences: one test for each row of opdb/ and aspect.

A test loops over the row's dtypes and samples and reports its failures together. Where torch is not installed
the tests marked `needs_torch` are skipped and those at the end, which need none, still run.
"""

import inspect
import itertools

import numpy as np

import opdb
import support
from opdb import ROWS, Sample
from opdb.calls import (
    arrays_of,
    as_leaves,
    call,
    choices,
    compare,
    cotangents_for,
    gradient_tolerances,
    has_tensor,
    none_for_zeros,
    recorded,
    rows,
    takes_tensor_first,
)
from support import (
    ALL_DTYPES,
    FLOATS,
    Raised,
    build,
    collected,
    gradcore,
    needs_torch,
    outcome,
    outcome_difference,
    torch,
)

# ------------------------------------------------------------------------------------------------------------
# The table itself


def test_every_op_has_a_row():
    known = {name for row in ROWS for name in (row.core_name, *row.aliases)}
    known |= {name + "_" for row in ROWS if row.inplace for name in (row.attribute, *row.aliases)}
    known |= set().union(*opdb.TESTED_ELSEWHERE.values())
    core = gradcore._C
    public = {name for name in dir(core) if not name.startswith("_") and inspect.isroutine(getattr(core, name))}
    assert not (public | set(core._op_names())) - known


@needs_torch
def test_forms_are_those_of_torch():
    def forms(lib, row):
        name = row.attribute
        function, method, inplace = (
            getattr(row.home(lib), name, None),
            getattr(lib.Tensor, name, None),
            getattr(lib.Tensor, name + "_", None),
        )
        if row.module:  # a method of this name is that of another op
            return callable(function), row.method, row.inplace
        return callable(function), callable(method), callable(inplace)

    with collected() as failures:
        for row in ROWS:
            ours, theirs = forms(gradcore, row), forms(torch, row)
            if row.kind == "writer":  # torch has functions of some, for no reason
                ours, theirs = ours[1:], theirs[1:]
            failures.add(row.name, None if ours == theirs else f"(function, method, in-place) are {ours}, not {theirs}")


# ------------------------------------------------------------------------------------------------------------
# Values, shapes, dtypes and strides


def address(result, arguments):
    """Where a result lies in its first argument's memory, or that it has its own."""
    tensors, owners = support.flat_tensors(result), support.flat_tensors(arguments)
    if not tensors or not owners or not tensors[0].numel():
        return None
    offset = tensors[0].data_ptr() - owners[0].data_ptr()
    inside = 0 <= offset < max(1, owners[0].numel()) * owners[0].element_size()
    return offset if inside else "its own memory"


@needs_torch
@rows("forward")
def test_forward(row):
    with collected() as failures:
        for dtype in row.dtypes:
            for sample in row.calls(dtype):

                def program(lib, sample=sample):
                    args, kwargs = build(lib, sample.args), build(lib, sample.kwargs)
                    result = row.form(lib)(*args, **kwargs)
                    return result, address(result, args) if row.kind == "view" else None

                compare(failures, f"{dtype} {sample}", row, program)


@rows("unwritten", lambda row: not row.name.endswith("_"))
def test_results_count_no_writes(row):
    """However many steps a result was computed in: nobody has seen it before. (torch's vary with its steps.)"""
    with collected() as failures:
        for dtype in row.dtypes:
            for sample in row.calls(dtype):
                result = outcome(lambda sample=sample: versions_of(call(row, gradcore, sample)))
                if not isinstance(result, support.Raised) and any(result):
                    failures.add(f"{dtype} {sample}", f"versions {result}")


def versions_of(result):
    return [tensor._version for tensor in support.flat_tensors(result)]


@needs_torch
@rows("layouts", lambda row: row.kind not in ("creation", "random"))
def test_layouts(row):
    """Transposed, stepped and expanded inputs."""
    layouts = (support.transposed, support.strided, support.expanded)
    with collected() as failures:
        for dtype in ("float32", "int64") if "int64" in row.dtypes else row.dtypes[:1]:
            for sample, layout in itertools.product(filter(has_tensor, row.calls(dtype)), layouts):
                if layout is support.expanded and (row.kind == "writer" or "expanded" in row.skips):
                    continue  # a writer would write to memory that overlaps itself

                def program(lib, sample=sample, layout=layout):
                    args = [build(lib, arg, layout) for arg in sample.args]
                    return row.form(lib)(*args, **build(lib, sample.kwargs))

                def first_only(lib, sample=sample, layout=layout):
                    args = [build(lib, arg, support.contiguous if i else layout) for i, arg in enumerate(sample.args)]
                    return row.form(lib)(*args, **build(lib, sample.kwargs))

                compare(failures, f"{dtype} {layout.__name__} {sample}", row, program)
                if len(arrays_of(sample)) > 1:
                    compare(failures, f"{dtype} first {layout.__name__} {sample}", row, first_only)


# fmt: off
SPECIAL = [
    float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 2.0, -2.0, 3.0, 1e-3,
    -7.25, 88.0, -88.0, 104.0, -104.0, 710.0, -745.0, 1e10, -1e10, 3e38, -3e38, 1e-38, 1e-40, -1e-40, 2.0**23 + 1,
    0.9999999, 16777216.0, -8388609.0,
]
# fmt: on


@needs_torch
@rows("special", lambda row: row.kind in ("unary", "binary"))
def test_special_values(row):
    """NaN, infinities, signed zeros, subnormals, huge and half-way values, alone and in every pair."""
    with collected() as failures:
        for dtype in FLOATS:
            values = np.array([value for value in SPECIAL if not is_avoided(value, row)], dtype)
            pairs = np.array(list(itertools.product(values, values)), dtype)
            arrays = (
                [values]
                if row.kind == "unary"
                else [np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])]
            )

            def program(lib, arrays=arrays):
                return row.form(lib)(*build(lib, arrays))

            ours, theirs = outcome(program, gradcore), outcome(program, torch)
            if isinstance(theirs, Raised):
                failures.add(dtype, outcome_difference(ours, theirs))
                continue
            wrong = special_mismatch(ours, theirs, row)
            for index in np.flatnonzero(wrong)[:6]:
                inputs = [float(a[index]) for a in arrays]
                failures.add(f"{dtype} {row.name}{inputs}", f"{ours.array[index]!r}, not {theirs.array[index]!r}")


def is_avoided(value, row):
    return any(value == other or (value != value and other != other) for other in row.avoid)


def special_mismatch(ours, theirs, row):
    if isinstance(ours, Raised):
        raise ours.error
    wrong = support.wrong_elements(ours.array, theirs.array, row.ulps, row.scale)
    if ours.array.dtype.kind == "f":
        signs_differ = np.signbit(ours.array) != np.signbit(theirs.array)
        wrong |= (ours.array == 0) & (theirs.array == 0) & signs_differ
    return wrong


SIZES = {
    "float32": (*range(1, 19), 31, 33, 47, 63, 65, 1000, 70001),
    "float64": (1, 3, 7, 15, 17, 33, 1000, 40001),
    "int32": (1, 5, 17, 33, 1000),
    "uint8": (3, 31, 65, 129),
}


@needs_torch
@rows("sizes", lambda row: row.kind in ("unary", "binary"))
def test_sizes(row):
    """Lengths around every vector width, from an unaligned start, and one for all threads."""
    with collected() as failures:
        for dtype, lengths in SIZES.items():
            right = {"low": row.right[0], "high": row.right[1]} if row.kind == "binary" else {}
            data, most = row.data(dtype), lengths[-1] + 1
            sources = [data(most), *([data(most, **right)] if right else [])]
            for length in lengths:

                def program(lib, length=length, sources=sources):
                    return row.form(lib)(*[tensor[1 : length + 1] for tensor in build(lib, sources)])

                compare(failures, f"{dtype}[{length}]", row, program)


@needs_torch
@rows("sizes", lambda row: row.kind == "reduction")
def test_reduction_sizes(row):
    """Long rows, long columns and one that all threads share."""
    with collected() as failures:
        for dtype, shape in itertools.product(("float32", "float64", "int64"), row.large_shapes):
            if dtype not in row.dtypes:
                continue
            array = row.data(dtype)(*shape)
            samples = [Sample(array), Sample(array, dim=0), Sample(array, dim=1)]
            for sample in samples:
                compare(
                    failures,
                    f"{dtype} {sample}",
                    row,
                    lambda lib, sample=sample: call(row, lib, sample),
                    ulps=row.ulps and 64,
                    scale=1e3,
                )


# ------------------------------------------------------------------------------------------------------------
# Type promotion


CATEGORIES = {"1-d": (2,), "0-d": ()}


def small_operands(dtypes, shapes):
    """Values every dtype holds and no op divides by zero with."""
    values = (3, 2)
    return [np.full(shape, value, dtype) for value, dtype, shape in zip(values, dtypes, shapes, strict=True)]


@needs_torch
@rows("promotion", lambda row: row.operands_for_promotion)
def test_promotion(row):
    """Every pair of dtypes as dimensioned and 0-d tensors, and in place."""
    with collected() as failures:
        for left, right in itertools.product(ALL_DTYPES, ALL_DTYPES):
            for left_kind, right_kind in itertools.product(CATEGORIES, CATEGORIES):
                operands = small_operands((left, right), (CATEGORIES[left_kind], CATEGORIES[right_kind]))
                arrays = row.operands_for_promotion(*operands)
                if arrays is None:
                    continue
                label = f"{left_kind} {left}, {right_kind} {right}"

                def program(lib, arrays=arrays):
                    return row.form(lib)(*build(lib, arrays))

                def inplace(lib, arrays=arrays):
                    tensors = build(lib, arrays)
                    getattr(tensors[0], row.name + "_")(*tensors[1:])
                    return tensors[0]

                compare(failures, label, row, program)
                if row.inplace:
                    compare(failures, f"in place, {label}", row, inplace)


@needs_torch
@rows("promotion", lambda row: row.kind == "binary" and row.operator)
def test_promotion_with_python_numbers(row):
    """tensor op number and number op tensor, with each default dtype."""

    def both_sides(lib, number, array, swap):
        operands = [lib.from_numpy(array.copy()), number]
        return opdb.apply_operator(row.operator, *(operands[::-1] if swap else operands))

    with collected() as failures:
        for default, dtype, number in itertools.product(FLOATS, ALL_DTYPES, (True, 2, 2.5)):
            for lib in (gradcore, torch):
                lib.set_default_dtype(getattr(lib, default))
            for shape, swap in itertools.product(((2,), ()), (False, True)):
                array = np.full(shape, 3, dtype)
                order = f"{number!r}, {dtype}{shape}" if swap else f"{dtype}{shape}, {number!r}"
                compare(
                    failures,
                    f"{order} (default {default})",
                    row,
                    lambda lib, number=number, array=array, swap=swap: both_sides(lib, number, array, swap),
                )


# ------------------------------------------------------------------------------------------------------------
# Method, operator, in-place and out= forms agree with the function


def with_first(sample, lib, layout=support.contiguous):
    args = build(lib, sample.args, layout)
    return args[0], args[1:], build(lib, sample.kwargs, layout)


@rows("method", lambda row: row.method and row.function)
def test_method(row):
    with collected() as failures:
        for sample in filter(takes_tensor_first, row.calls(row.dtypes[0])):

            def program(lib, sample=sample):
                first, rest, kwargs = with_first(sample, lib)
                return getattr(first, row.attribute)(*rest, **kwargs)

            same_as_function(failures, row, sample, program)


def same_as_function(failures, row, sample, program):
    gradcore.manual_seed(7)
    ours = outcome(program, gradcore)
    gradcore.manual_seed(7)
    expected = outcome(call, row, gradcore, sample)
    failures.add(repr(sample), outcome_difference(ours, expected))


@rows("operator", lambda row: row.operator)
def test_operator(row):
    with collected() as failures:
        for sample in filter(takes_tensor_first, row.calls("int64" if row.integer_only else "float32")):
            same_as_function(
                failures,
                row,
                sample,
                lambda lib, sample=sample: opdb.apply_operator(row.operator, *build(lib, sample.args)),
            )


@needs_torch
@rows("inplace", lambda row: row.inplace)
def test_inplace(row):
    """The same object comes back, with torch's content and version, for whole tensors and for windows."""

    def program(lib, sample, layout, name):
        first, rest, kwargs = with_first(sample, lib, layout)
        before = first._version
        result = getattr(first, name)(*rest, **kwargs)
        assert result is first
        return first, first._version - before

    layouts = (support.contiguous, support.strided, support.transposed)
    with collected() as failures:
        for dtype, layout in itertools.product(row.dtypes, layouts):
            if layout is not support.contiguous and (dtype != row.dtypes[0] or "layouts" in row.skips):
                continue
            for sample in filter(takes_tensor_first, row.calls(dtype)):
                compare(
                    failures,
                    f"{dtype} {layout.__name__} {sample}",
                    row,
                    lambda lib, sample=sample, layout=layout: program(lib, sample, layout, row.attribute + "_"),
                )


@needs_torch
@rows("inplace", lambda row: row.kind == "binary" and row.operator and row.inplace)
def test_augmented_assignment(row):
    def program(lib, arrays):
        target = build(lib, arrays[0])
        alias = target
        target = opdb.apply_operator("i" + row.operator.rstrip("_"), target, build(lib, arrays[1]))
        return target, alias, target is alias

    with collected() as failures:
        for dtype in ("float32", "int64", "bool"):
            data = row.data(dtype)
            target = data(3, 4)
            for other in (data(4, low=1), data(3, 1, low=1), data(low=1), 2, True, 1.5):
                label = f"{dtype}, {opdb.describe(other)}"
                compare(failures, label, row, lambda lib, pair=(target, other): program(lib, pair))


@needs_torch
@rows("out", lambda row: row.out)
def test_out(row):
    """out= is filled and returned: of the right size, resized from nothing or converted. Where torch refuses
    to convert (it does for some ops only) we may or may not; an out that requires grad is always refused.
    """

    def program(lib, sample, make_out):
        args, kwargs = build(lib, sample.args), build(lib, sample.kwargs)
        plain = row.form(lib)(*args, **kwargs)
        if not support.is_tensor(plain):
            return None
        out = make_out(lib, plain)
        result = row.form(lib)(*args, **kwargs, out=out)
        assert result is out
        return result

    outs = {
        "right size": lambda lib, plain: lib.empty_like(plain),
        "empty": lambda lib, plain: lib.empty(0, dtype=plain.dtype),
        "float64": lambda lib, plain: lib.empty(plain.shape, dtype=lib.float64),
        "int32": lambda lib, plain: lib.empty(plain.shape, dtype=lib.int32),
        "stepped": lambda lib, plain: lib.zeros((*plain.shape, 2), dtype=plain.dtype)[..., 0],
        "requires grad": lambda lib, plain: lib.zeros(plain.shape, dtype=lib.float32, requires_grad=True),
    }
    with collected() as failures:
        dtype = "int64" if row.integer_only else row.dtypes[0]
        if "out that requires grad" in row.skips:
            del outs["requires grad"]
        for sample, (label, make) in itertools.product(row.calls(dtype), outs.items()):
            # A wider out may hold the narrow result or one computed wide: torch does either.
            ulps = {"ulps": 16 * 2**29, "scale": max(1, row.scale)} if label == "float64" else {}
            theirs = outcome(program, torch, sample, make)
            if isinstance(theirs, Raised) and label != "requires grad":
                continue
            ours = outcome(program, gradcore, sample, make)
            if isinstance(theirs, Raised) and isinstance(ours, Raised):
                continue
            failures.add(
                f"{label} {sample}", outcome_difference(ours, theirs, **(row.tolerances() | ulps | {"strides": "any"}))
            )


# ------------------------------------------------------------------------------------------------------------
# Gradients against torch


def first_gradients(lib, row, sample, chosen, layout=support.contiguous):
    args, kwargs, leaves = as_leaves(lib, sample, chosen, layout)
    result = row.form(lib)(*args, **kwargs)
    outputs = recorded(result)
    if not outputs:
        return result
    cotangents = build(lib, cotangents_for(outputs, 1))
    return result, lib.autograd.grad(outputs, leaves, cotangents, allow_unused=True)


def second_gradients(lib, row, sample, chosen):
    """Gradients of the gradients, also with respect to the cotangents."""
    args, kwargs, leaves = as_leaves(lib, sample, chosen)
    outputs = recorded(row.form(lib)(*args, **kwargs))
    if not outputs or not all(output.numel() for output in outputs):
        return None
    cotangents = [c.requires_grad_() for c in build(lib, cotangents_for(outputs, 1))]
    gradients = lib.autograd.grad(outputs, leaves, cotangents, allow_unused=True, create_graph=True)
    differentiable = recorded(gradients)
    if not differentiable or any(tensor.isnan().any() for tensor in differentiable):
        return gradients
    seeds = build(lib, cotangents_for(differentiable, 2))
    seconds = lib.autograd.grad(differentiable, leaves + cotangents, seeds, allow_unused=True)
    return gradients, [none_for_zeros(second) for second in seconds]


@needs_torch
@rows("grad", lambda row: row.kind not in ("creation", "writer"))
def test_gradient(row):
    """Also for ops without a gradient: their results must not require one."""
    with collected() as failures:
        for dtype in FLOATS:
            for sample in row.calls(dtype):
                for chosen in choices(sample):
                    compare(
                        failures,
                        f"{dtype} {sample} leaves {chosen}",
                        row,
                        lambda lib, sample=sample, chosen=chosen: first_gradients(lib, row, sample, chosen),
                        **gradient_tolerances(row),
                    )


@needs_torch
@rows("layouts", lambda row: row.grad and row.kind not in ("creation", "writer"))
def test_gradient_of_layouts(row):
    layouts = (support.transposed, support.strided, support.expanded)
    with collected() as failures:
        for sample, layout in itertools.product(row.calls("float64"), layouts):
            if layout is support.expanded and "expanded" in row.skips:
                continue
            for chosen in choices(sample)[:1]:
                compare(
                    failures,
                    f"{layout.__name__} {sample}",
                    row,
                    lambda lib, s=sample, c=chosen, layout=layout: first_gradients(lib, row, s, c, layout),
                    **gradient_tolerances(row),
                )


@needs_torch
@rows("gradgrad", lambda row: row.grad and row.gradgrad and row.kind not in ("creation", "writer"))
def test_gradient_of_gradient(row):
    with collected() as failures:
        for sample in row.calls("float64"):
            if not all(array.size for array in arrays_of(sample)):
                continue
            for chosen in choices(sample):
                compare(
                    failures,
                    f"{sample} leaves {chosen}",
                    row,
                    lambda lib, sample=sample, chosen=chosen: second_gradients(lib, row, sample, chosen),
                    **gradient_tolerances(row),
                )


@needs_torch
@rows("gradgrad", lambda row: row.grad and row.gradgrad and row.kind not in ("creation", "writer"))
def test_gradients_that_require_grad(row):
    """Under create_graph, from a constant cotangent: where torch's gradient has a graph, ours has one."""

    def program(lib, sample):
        args, kwargs, leaves = as_leaves(lib, sample, choices(sample)[0])
        outputs = recorded(row.form(lib)(*args, **kwargs))
        if not outputs:
            return []
        cotangents = build(lib, cotangents_for(outputs, 1))
        gradients = lib.autograd.grad(outputs, leaves, cotangents, allow_unused=True, create_graph=True)
        return [gradient is not None and gradient.requires_grad for gradient in gradients]

    with collected() as failures:
        for sample in filter(choices, row.calls("float64")):
            if not all(array.size for array in arrays_of(sample)):
                continue
            ours, theirs = outcome(program, gradcore, sample), outcome(program, torch, sample)
            if isinstance(ours, Raised) or isinstance(theirs, Raised):
                continue  # test_gradient compares those
            missing = [i for i in range(len(theirs)) if theirs[i] and not ours[i]]
            failures.add(repr(sample), f"gradients of inputs {missing} have no graph" if missing else None)


@needs_torch
@rows("inplace_grad", lambda row: row.grad and row.inplace_grad and (row.inplace or row.kind == "writer"))
def test_inplace_gradient(row):
    """In place on a copy, and on a window of a copy whose other elements keep their own gradient."""
    name = row.attribute if row.kind == "writer" else row.attribute + "_"

    def whole(lib, sample, chosen):
        args, kwargs, leaves = as_leaves(lib, sample, chosen)
        target = args[0].clone()
        getattr(target, name)(*args[1:], **kwargs)
        return gradients_of(lib, target, leaves)

    def window(lib, sample, chosen):
        args, kwargs, leaves = as_leaves(lib, sample, chosen)
        base = lib.stack([args[0], args[0] * 2])
        getattr(base[1], name)(*args[1:], **kwargs)
        return gradients_of(lib, base, leaves)

    def gradients_of(lib, target, leaves):
        if not target.requires_grad:
            return target
        (cotangent,) = cotangents_for([target], 3)
        return target, lib.autograd.grad(target, leaves, lib.from_numpy(cotangent), allow_unused=True)

    with collected() as failures:
        for sample in filter(takes_tensor_first, row.calls("float64")):
            for chosen, program in itertools.product(choices(sample), (whole, window)):
                if row.kind == "view" and program is window:
                    continue  # these change the window's shape, not its elements
                compare(
                    failures,
                    f"{program.__name__} {sample} leaves {chosen}",
                    row,
                    lambda lib, s=sample, c=chosen, program=program: program(lib, s, c),
                    **gradient_tolerances(row),
                )


# ------------------------------------------------------------------------------------------------------------
# Without torch


@rows("numpy", lambda row: row.numpy)
def test_numpy(row):
    with collected() as failures:
        for sample in row.calls("float64"):
            if sample.kwargs.keys() & {"dtype", "out"}:
                continue
            with np.errstate(all="ignore"):
                try:
                    expected = np.asarray(row.numpy(*sample.args, **sample.kwargs))
                except (TypeError, ValueError, IndexError, np.exceptions.AxisError):
                    continue  # a call that NumPy does not know
            found = outcome(call, row, gradcore, sample)
            if isinstance(found, Raised):
                continue  # whether it may be refused is test_forward's question
            array = np.asarray(getattr(found, "array", found))
            if array.shape != expected.shape:
                failures.add(repr(sample), f"shape is {array.shape}, not {expected.shape}")
            elif not np.allclose(array, expected, rtol=1e-12, atol=1e-12, equal_nan=True):
                failures.add(repr(sample), f"{array} is not NumPy's {expected}")


def differentiable_functions(row):
    """(sample, function, inputs) that central differences can judge: in float64, with a gradient."""
    for sample in row.calls("float64"):
        inputs = [array for array in arrays_of(sample) if support.is_float(array)]
        low_precision = "float32" in repr(sample)
        if not inputs or low_precision or not all(array.size for array in inputs):
            continue
        function = function_of_leaves(row, sample)
        if isinstance(found := outcome(function, *leaves_of(inputs)), Raised) or not found:
            continue  # refused, or without a gradient
        yield sample, function, inputs


def leaves_of(arrays):
    return [gradcore.from_numpy(array.copy()).requires_grad_() for array in arrays]


def function_of_leaves(row, sample):
    """The op as a function of the sample's float tensors alone, giving a list of tensors."""

    def function(*leaves):
        given = iter(leaves)

        def fill(value):
            if isinstance(value, (list, tuple)):
                return type(value)(fill(item) for item in value)
            return next(given) if support.is_float(value) else build(gradcore, value)

        args = [fill(arg) for arg in sample.args]
        kwargs = {name: fill(value) for name, value in sample.kwargs.items()}
        return recorded(row.form(gradcore)(*args, **kwargs))

    return function


def gradient_function(function):
    """The gradients that `function` gives along fixed cotangents, themselves differentiable."""

    def gradient(*leaves):
        outputs = function(*leaves)
        cotangents = build(gradcore, cotangents_for(outputs, 1))
        return recorded(gradcore.autograd.grad(outputs, leaves, cotangents, allow_unused=True, create_graph=True))

    return gradient


@rows("numeric", lambda row: row.grad and row.kind not in ("creation", "writer"))
def test_numeric_gradient(row):
    with collected() as failures:
        for sample, function, inputs in differentiable_functions(row):
            failures.add(repr(sample), support.numeric_gradient_error(function, inputs))


@rows("numeric", lambda row: row.grad and row.gradgrad and row.kind not in ("creation", "writer", "view"))
def test_numeric_gradient_of_gradient(row):
    with collected() as failures:
        for sample, function, inputs in differentiable_functions(row):
            gradient = gradient_function(function)
            if gradient(*leaves_of(inputs)):
                failures.add(repr(sample), support.numeric_gradient_error(gradient, inputs, tolerance=1e-5))


@rows("layouts", lambda row: row.kind in ("unary", "binary", "reduction"))
def test_layouts_agree(row):
    """A transposed or stepped input gives what the contiguous one gives."""
    with collected() as failures:
        for sample, layout in itertools.product(row.calls("float32"), (support.transposed, support.strided)):
            plain, other = (outcome(call, row, gradcore, sample, chosen) for chosen in (support.contiguous, layout))
            for item in (plain, other):
                if isinstance(item, support.Facts):
                    item.strides = ()
            failures.add(
                f"{layout.__name__} {sample}",
                outcome_difference(other, plain, ulps=row.ulps, scale=row.scale, strides="any"),
            )


@rows("threads", lambda row: row.large_call)
def test_threads_do_not_change_bits(row):
    """One thread and two, on sizes that are shared among threads."""
    sample = row.large_call(row.data("float32"))
    before = gradcore.get_num_threads()

    def run(threads):
        gradcore.set_num_threads(threads)
        try:
            return outcome(call, row, gradcore, sample)
        finally:
            gradcore.set_num_threads(before)

    failure = outcome_difference(run(2), run(1))
    assert not failure or isinstance(run(1), Raised), failure
