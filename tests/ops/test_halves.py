"""float16 and bfloat16: conversions of all values, every op of opdb/ against torch, numbers beside them, random numbers.

An op computes in float32 and rounds once, so that most results are torch's to the bit. Where torch rounds in between,
ours is nearer to what torch computes in float64: each element has to be within `OpRow.half_ulps` units in the last place of
one of the two.
"""

import numpy as np
import pytest

import support
from opdb.calls import arrays_of, as_leaves, choices, recorded, rows
from support import Raised, both, build, collected, gradcore, needs_torch, outcome, torch

HALVES = ("float16", "bfloat16")
DIGITS = {"float16": 10, "bfloat16": 7}  # of the fraction
LEAST = {"float16": 2.0**-24, "bfloat16": 2.0**-133}
BEYOND = {"float16": 2.0**16, "bfloat16": 2.0**128}  # the next value after the greatest


def as_half(dtype):
    """A layout of support.build(): floats become halves."""

    def layout(lib, array):
        built = support.contiguous(lib, array)
        return built.to(getattr(lib, dtype)) if array.dtype.kind == "f" else built

    return layout


def exactly(dtype):
    """The same values in float64."""

    def layout(lib, array):
        built = as_half(dtype)(lib, array)
        return built.double() if array.dtype.kind == "f" else built

    return layout


def far_apart(ours, theirs, dtype, ulps, scale):
    """Which elements differ by more than `ulps` units in the last place, or of `scale` where that is more."""
    a, b = (np.where(np.isinf(x), np.sign(x) * BEYOND[dtype], x).astype("float64") for x in (ours, theirs))
    with np.errstate(all="ignore"):
        a, b = (np.clip(x, -BEYOND[dtype], BEYOND[dtype]) for x in (a, b))
        size = np.maximum(np.maximum(np.abs(a), np.abs(b)), max(LEAST[dtype], scale))
        unit = np.maximum(2.0 ** (np.floor(np.log2(size)) - DIGITS[dtype]), LEAST[dtype])
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        return ~same & ~(np.abs(a - b) <= ulps * unit)


def difference(ours, theirs, exact, ulps, scale):
    """As support.difference(), but for the distance of halves."""
    if isinstance(theirs, support.Facts) and isinstance(ours, support.Facts) and theirs.dtype in HALVES:
        for name in ("dtype", "shape", "requires_grad"):
            if getattr(ours, name) != getattr(theirs, name):
                return f"{name} is {getattr(ours, name)}, not {getattr(theirs, name)}"
        wrong = far_apart(ours.array, theirs.array, theirs.dtype, ulps, scale)
        if isinstance(exact, support.Facts) and exact.shape == ours.shape:
            wrong = wrong & far_apart(ours.array, exact.array, theirs.dtype, ulps, scale)
        if not wrong.any():
            return None
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        values = f"{ours.array[first]}, not {theirs.array[first]}"
        return f"element {first} is {values} ({wrong.sum()} of {wrong.size} differ)"
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        parts = exact if isinstance(exact, list) and len(exact) == len(theirs) else [None] * len(theirs)
        found = [difference(x, y, z, ulps, scale) for x, y, z in zip(ours, theirs, parts, strict=True)]
        return next((f"[{i}] {text}" for i, text in enumerate(found) if text), None)
    return support.difference(ours, theirs, ulps=64, scale=1.0, strides="any")  # of float32 that halves were made of


def refuses(outcome_of_torch):
    text = str(outcome_of_torch.error)
    return any(
        words in text for words in ("not implemented for '", "Low precision dtypes", "types other than float and")
    )


def compare(failures, label, program, dtype, ulps=1, scale=0.0, lenient=False, empty=False):
    """Runs program(lib, layout) in both libraries, and in torch with float64.

    `lenient`: gradcore may have what torch refuses for halves. `empty`: there is nothing to compute, so that torch looks for
    no kernel.
    """
    outcomes = []
    for lib, layout in ((gradcore, as_half(dtype)), (torch, as_half(dtype)), (torch, exactly(dtype))):
        lib.manual_seed(7)
        outcomes.append(outcome(program, lib, layout))
    ours, theirs, exact = outcomes
    refused = isinstance(ours, Raised) and "not implemented for" in str(ours.error)
    if isinstance(theirs, Raised):
        if refuses(theirs):
            failures.add(
                label, None if lenient or isinstance(ours, Raised) else f"gave {ours!r}, torch raises {theirs!r}"
            )
        else:
            failures.add(label, None if refused else support.error_difference(ours, theirs))
    elif isinstance(ours, Raised):
        if not (refused and (empty or any(t.array.size == 0 for t in flat_facts(theirs)))):
            failures.add(label, f"raised {ours!r}, torch gives {theirs!r:.200}")
    else:
        failures.add(label, difference(ours, theirs, exact, ulps, scale))


def flat_facts(found):
    if isinstance(found, support.Facts):
        return [found]
    return [facts for item in found for facts in flat_facts(item)] if isinstance(found, list) else []


def computes_floats(row):
    return "float32" in row.dtypes and row.kind not in ("creation", "view", "query")


def is_empty(sample):
    return any(array.size == 0 for array in arrays_of(sample))


# ------------------------------------------------------------------------------------------------------------
# Conversions


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
def test_every_pattern_as_float(dtype):
    bits = np.arange(-(1 << 15), 1 << 15, dtype="int16")

    def program(lib):
        halves = lib.from_numpy(bits.copy()).view(getattr(lib, dtype))
        wide = halves.float()
        back = wide.to(halves.dtype)
        finite = ~wide.isnan()
        return (
            wide[finite],
            wide.isnan(),
            back[finite].view(lib.int16),
            halves.double()[finite],
            halves[finite].tolist(),
        )

    both(program)


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("towards", [0.0, -0.0, 1.0, -6e4, np.inf, -np.inf, np.nan, "itself"])
def test_neighbours_of_every_pattern(dtype, towards):
    bits = np.arange(-(1 << 15), 1 << 15, dtype="int16")

    def program(lib):
        halves = lib.from_numpy(bits.copy()).view(getattr(lib, dtype))
        target = halves if towards == "itself" else lib.full_like(halves[:1], towards)
        found = lib.nextafter(halves, target)
        return found.isnan(), found[~found.isnan()].view(lib.int16)

    both(program)


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
def test_neighbours_are_recorded_and_written(dtype):
    def program(lib):
        half = getattr(lib, dtype)
        x = lib.tensor([1.0, 2.0, 0.0], dtype=half, requires_grad=True)
        y = lib.nextafter(x, lib.tensor([2.0, 2.0, -1.0], dtype=half))
        (grad,) = lib.autograd.grad(y.sum(), x)
        z = x.detach().clone()
        return y, grad, z.nextafter_(lib.zeros(3, dtype=half)), lib.nextafter(x, lib.zeros(3)).dtype

    both(program)


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("source", ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"])
def test_rounding(dtype, source):
    random = np.random.default_rng(3)
    if source.startswith("float"):
        exact = np.arange(-(1 << 15), 1 << 15, dtype="int16")
        near = random.uniform(-1, 1, 4096) * 2.0 ** random.integers(-140, 130, 4096)
        ties = np.arange(1, 4097) * 2.0**-11 + 1 / 2
        values = np.concatenate([near, ties, ties * 1e-5, [np.inf, -np.inf, 65519.0, 65520.0, 3.4e38, 1e-45]])
        values = np.concatenate([values, exact.astype("float64") / 3]).astype(source)
    else:
        values = random.integers(0, 2, 1000) if source == "bool" else random.integers(-(1 << 40), 1 << 40, 4096)
        values = values.astype(source)

    def program(lib):
        halves = lib.from_numpy(values.copy()).to(getattr(lib, dtype))
        return halves.view(lib.int16), halves.clamp(-30000, 30000).to(
            getattr(lib, source)
        ) if source != "bool" else None

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Every op


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@rows("halves", computes_floats)
def test_forward(row, dtype):
    with collected() as failures:
        for sample in row.calls("float32"):

            def program(lib, layout, sample=sample):
                result = row.form(lib)(*build(lib, sample.args, layout), **build(lib, sample.kwargs, layout))
                return [x.dtype for x in support.flat_tensors(result)] if not row.values else result

            compare(failures, f"{sample}", program, dtype, row.half_ulps, row.scale, empty=is_empty(sample))


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@rows("halves in place", lambda row: computes_floats(row) and (row.inplace or row.kind == "writer"))
def test_in_place(row, dtype):
    name = row.attribute if row.kind == "writer" else row.attribute + "_"
    with collected() as failures:
        for sample in row.calls("float32"):

            def program(lib, layout, sample=sample):
                args = build(lib, sample.args, layout)
                result = getattr(args[0], name)(*args[1:], **build(lib, sample.kwargs, layout))
                return args[0], result is args[0]

            if arrays_of(sample) and hasattr(sample.args[0], "size"):
                compare(failures, f"{sample}", program, dtype, row.half_ulps, row.scale, empty=is_empty(sample))


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@rows(
    "half gradients",
    lambda row: (
        computes_floats(row) and row.grad and row.kind != "writer" and not row.skips.keys() & {"grad", "halves"}
    ),
)
def test_gradient(row, dtype):
    def gradients(lib, layout, sample, chosen):
        args, kwargs, leaves = as_leaves(lib, sample, chosen, layout)
        outputs = recorded(row.form(lib)(*args, **kwargs))
        if not outputs:
            return []
        random = np.random.default_rng(1)
        shapes = [tuple(output.shape) for output in outputs]
        cotangents = [
            layout(lib, np.asarray(random.uniform(-1, 1, shape), "float32")).to(output.dtype)
            for shape, output in zip(shapes, outputs, strict=True)
        ]
        return list(lib.autograd.grad(outputs, leaves, cotangents, allow_unused=True))

    with collected() as failures:
        for sample in row.calls("float32"):
            for chosen in choices(sample)[:1]:

                def program(lib, layout, sample=sample, chosen=chosen):
                    return gradients(lib, layout, sample, chosen)

                compare(
                    failures,
                    f"{sample}",
                    program,
                    dtype,
                    row.half_grad_ulps,
                    max(row.scale, 1.0),
                    lenient=True,
                    empty=is_empty(sample),
                )


# ------------------------------------------------------------------------------------------------------------
# Numbers, random numbers, promotion


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
def test_numbers_beside_halves(dtype):
    """torch rounds a number to the half first, but not one that multiplies or divides."""

    data = np.random.default_rng(0).normal(size=2000).astype("float32") * 3

    def program(lib, layout):
        x = layout(lib, data)
        c = 0.1037
        return [
            [x + c, x - c, c - x, x * c, x / c, x.abs() ** c, c**x, x // c, x % c, lib.fmod(x, c), x > c, x == c],
            [x.clamp(-c, c), lib.nn.functional.leaky_relu(x, c), lib.nn.functional.elu(x, c), x.lerp(x * 2, c)],
            [lib.addcmul(x, x, x, value=c), lib.add(x, x, alpha=c), lib.sub(x, x, alpha=c), x.masked_fill(x > 0, c)],
            [x[:3] + 1e6, lib.ones(1, dtype=x.dtype).fill_(1e39)],
        ]

    with collected() as failures:
        compare(failures, dtype, program, dtype)
    for function in ("full", "fill_", "masked_fill"):

        def refused(lib, function=function):
            x = lib.ones(3, dtype=getattr(lib, dtype))
            if function == "full":
                return lib.full((3,), 1e39, dtype=x.dtype)
            return x.fill_(1e39) if function == "fill_" else x.masked_fill(x > 0, 1e39)

        both(refused, raises="value cannot be converted to type c10::")


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
def test_random_numbers(dtype):
    def program(lib, layout):
        half = getattr(lib, dtype)
        fills = [lambda t: t.uniform_(-3, 5), lambda t: t.bernoulli_(0.3), lambda t: t.exponential_(2.0)]
        fills += [
            lambda t: t.cauchy_(),
            lambda t: t.log_normal_(),
            lambda t: t.geometric_(0.3),
            lambda t: t.normal_(1, 2),
        ]
        fills += [lambda t: t.random_(), lambda t: t.random_(10), lambda t: lib.poisson(lib.full_like(t, 3.0))]
        found = []
        for fill in fills:
            lib.manual_seed(1)
            found.append(fill(lib.empty(1000, dtype=half)))
        for n in (1, 5, 15, 16, 17, 100, 5000):
            lib.manual_seed(2)
            found += [lib.randn(n, dtype=half), lib.rand(n, dtype=half)]
        lib.manual_seed(3)
        p = lib.rand(200, dtype=half)
        found += [lib.bernoulli(p), lib.multinomial(p, 20), lib.multinomial(p, 20, True), lib.randperm(50, dtype=half)]
        found += [lib.nn.functional.dropout(lib.ones(100, dtype=half)), lib.randint(0, 9, (20,), dtype=half)]
        return found

    with collected() as failures:
        compare(failures, dtype, program, dtype, 0)


@needs_torch
def test_promotion_of_all_dtypes():
    """Of two dtypes, and of tensors with and without dims and numbers."""
    names = [*support.ALL_DTYPES, *HALVES, "uint16", "uint32", "uint64"]

    def answers(lib, x, y):
        yield lambda: lib.promote_types(x, y)
        yield lambda: lib.result_type(lib.ones(2, dtype=x), lib.ones((), dtype=y))
        yield lambda: lib.result_type(lib.ones(2, dtype=x), lib.ones(2, dtype=y))
        yield lambda: lib.result_type(lib.ones(2, dtype=x), 1.5)
        yield lambda: lib.can_cast(x, y)

    def program(lib):
        table = []
        for a in names:
            for b in names:
                for answer in answers(lib, getattr(lib, a), getattr(lib, b)):
                    try:
                        table.append(f"{a} {b} {answer()}")
                    except RuntimeError as error:
                        table.append(f"{a} {b} {error}")
        return table

    both(program)


@needs_torch
def test_sums_of_both_halves():
    def program(lib):
        x, y = lib.ones(3, dtype=lib.float16), lib.ones(3, dtype=lib.bfloat16)
        return (x + y).dtype, (x * lib.ones(3)).dtype, (x + lib.ones((), dtype=lib.float64)).dtype, (x + 1).dtype

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Layouts: the loops convert a block at a time, from any strides


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("shape", [(5,), (300,), (7, 3), (3, 700), (40, 40), (2, 3, 257), (1000, 2), (0, 3)])
def test_layouts_of_loops(dtype, shape):
    data = np.random.default_rng(5).uniform(-4, 4, shape).astype("float32")

    def program(lib):
        found = []
        half = getattr(lib, dtype)
        for layout in (support.contiguous, support.transposed, support.strided, support.expanded):
            x = layout(lib, data)
            y = support.contiguous(lib, data * 2).to(half)
            x = (
                x.to(half)
                if layout is not support.expanded
                else support.contiguous(lib, data[:1]).to(half).expand(shape)
            )
            found += [x + y, (x * y).exp(), x.where(x > 0, y), x > y, x.sum(), x.sum(0), x.mean(-1), x.float(), x * 0.1]
            found += [x.softmax(-1), x.cumsum(0)]
        return found

    with collected() as failures:
        compare(failures, f"{dtype} {shape}", program, dtype)


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    "sizes",
    [
        *[(1, 1, 1), (3, 4, 5), (1, 300, 200), (200, 300, 1), (2, 1000, 3), (64, 64, 64), (130, 70, 90), (17, 0, 3)],
        *[(50, 1100, 131), (20, 1101, 82), (9, 33, 30)],  # more than a block, odd lines, borders
    ],
)
def test_products(dtype, sizes):
    """Accumulated in float32 and rounded once, for operands in either memory order."""
    m, k, n = sizes
    random = np.random.default_rng(9)
    a, b = random.uniform(-1, 1, (m, k)).astype("float32"), random.uniform(-1, 1, (k, n)).astype("float32")

    def program(lib, layout):
        x, y = layout(lib, a), layout(lib, b)
        columns = y.t().contiguous().t()
        bias = layout(lib, np.linspace(-1, 1, n).astype("float32"))
        linear = lib.nn.functional.linear
        return (
            x @ y,
            x @ columns,
            x.t().contiguous().t() @ y,
            lib.addmm(bias, x, y),
            linear(x, y.t(), bias),
            linear(x, y.t()),
        )

    with collected() as failures:
        compare(failures, f"{dtype} {sizes}", program, dtype, scale=2.0**-6)


@pytest.mark.parametrize("operand", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["copysign_", "hypot_", "pow_", "ldexp_", "atan2_", "mul_", "div_"])
def test_gradients_of_what_is_written_in_another_type_than_computed(name, dtype, operand):
    """The saved result has the written tensor's dtype, whatever the op computed in: in float64 beside a float64 operand."""

    def gradients(dtype, operand):
        leaves = [
            (gradcore.arange(1.0, 41.0) / 16).to(getattr(gradcore, dtype)).requires_grad_(),
            (gradcore.arange(41.0, 1.0, -1) / 16).to(getattr(gradcore, operand)).requires_grad_(),
        ]
        written = leaves[0].clone()
        getattr(written, name)(leaves[1])
        return [g.double().numpy() for g in gradcore.autograd.grad(written.double().sum(), leaves)]

    tolerance = 2.0 ** -(min(DIGITS.get(dtype, 20), DIGITS.get(operand, 20)) - 2)
    for found, expected in zip(gradients(dtype, operand), gradients("float64", "float64"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_differences_of_differences_are_rounded_each_time(dtype):
    def program(lib):
        x = ((lib.arange(60.0) * 37 % 101) / 7).to(getattr(lib, dtype))
        return [lib.diff(x, n=n).tolist() for n in range(1, 12)] + [lib.diff(x, n=5, prepend=x, append=x).tolist()]

    assert program(gradcore) == program(torch)


@needs_torch
def test_bernoulli_into_any_dtype():
    def program(lib):
        lib.manual_seed(3)
        p = lib.rand(50)
        names = ("bool", "uint8", "int16", "int64", "float16", "float64")
        return [lib.bernoulli(p, out=lib.empty(50, dtype=getattr(lib, name))) for name in names]

    both(program)


@needs_torch
@pytest.mark.parametrize("other", ["lib.tensor(0.3)", "lib.tensor(0.3, dtype=lib.float64)", "lib.tensor(3001)"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_tensor_without_dims_beside_halves_is_not_rounded_to_one(dtype, other):
    """As the divisor or second factor; as the first one it is. To the bit, and so is the gradient of the halves."""

    def program(lib):
        x = (lib.arange(1.0, 400.0) / 7).to(getattr(lib, dtype)).requires_grad_()
        number = eval(other, {"lib": lib})  # noqa: S307  (texts of ours)
        made = [x * number, x / number, number * x, number / x, x // number, lib.div(x, number, rounding_mode="trunc"),
                x.detach().clone().mul_(number), x.detach().clone().div_(number)]  # fmt: skip
        return [*made, *(lib.autograd.grad(m.sum(), x)[0] for m in made[:2])]

    ours, theirs = program(gradcore), program(torch)
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        np.testing.assert_array_equal(a.detach().float().numpy(), b.detach().float().numpy(), err_msg=str(k))
