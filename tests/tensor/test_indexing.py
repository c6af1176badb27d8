"""Subscripts: reading, writing and differentiating x[...] with every kind of index, against torch and NumPy.

INDICES lists the subscripts as source, in which `t` makes an integer tensor and `m` a bool mask of a shape; a
test checks the whole table in a loop.
"""

import numpy as np
import pytest

from support import Raised, both, collected, gradcore, libraries, needs_torch, outcome, outcome_difference, torch

# fmt: off
INDICES = {
    (5,): [
        "0", "-1", "4", "1:4", "::2", "1::3", ":0", "10:", "-3:", ":-1", "4:1", "...", "None", "None, 2", "2, None",
        "t([0, 2])", "[0, 4, 4]", "t([[0, 1], [2, 3]])", "t([-1, -5])", "m(5)", "[True, False, True, False, True]",
        "t(3)", "t([])", "()", "True", "False", "None, [1, 2]", "np.int64(2)", "np.array([1, 3])",
        "t([0, 1]).to(lib.int32)", "t([0, 1]).to(lib.uint8).long()", "slice(None)", "slice(np.int64(1), t(3))",
        "t(1):t(4)", "m(5), None", "range(2)", "(1,)", "..., ...", "..., 1", "1, ...", "np.array(1)", "np.array(-2)",
        "[0.0, 1.0]",
    ],
    (3, 4): [
        "0", "-1", "1, 2", "-1, -1", "0:2", "0:2, 1:3", ":, 1", "..., 1", "1, ...", ":, ::2", "::2, ::3", "None, 1",
        "1, None", ":, None", ":, None, 1", "..., None", "None, ..., None", "t([0, 2])", "t([0, 2]), t([1, 3])",
        "[0, 2], [1, 3]", "[[0], [2]], [1, 3]", "t([[0], [2]]), t([1, 3])", ":, t([1, 3])", "t([0, 2]), :",
        "1, t([1, 3])", "t([0, 2]), 1", "t([0, 2]), 1:3", "0:2, t([1, 1])", "m(3)", "m(3, 4)", "m(3), 1", "m(3), :",
        ":, m(4)", "m(3), t([1])", "t([0, 2]), None", "None, t([0, 2])", "t([0]), None, t([1])", "t([])",
        "t([]), t([])", "t(1), t(2)", "t(1)", ":, t(2)", "[1]", "..., t([0, 1])", "t([0, 1]), ...", "True", "None",
        "True, 1", "1, True", "0:0", "0:0, t([1])", "(0, 1)", "([0, 1],)", "t([-1, 0, -3])", "[True, False, True]",
        "np.array([0, 2]), 1", "np.array([True, False, True])", "m(3, 4) & m(3, 4)",
        "lib.zeros(3, 4, dtype=lib.bool)", "lib.ones(3, dtype=lib.bool)", "[[0], [2]]", "[[0, 1], 2]",
        "[[0], [1, 2]]", "[slice(0, 2), 1]", "[None]", "[..., 1]", "[t([0]), t([1])]", "[[True, False, True]]",
        "[[0]] * 32", "[[0], [1]]", "[[[0]]]", "[[]]", "[None, 1]", "[..., 0]", "[t([0, 1]), 2]", "[[0]] * 2",
    ],
    (2, 3, 4): [
        "0", "1, 2", "1, 2, 3", ":, 1", ":, :, 1", "..., 1", "0, ..., 1", "..., 1, :", "0:1, 1:, ::2", "t([0, 1])",
        "t([0, 1]), t([1, 2])", "t([0, 1]), :, t([1, 2])", "t([0, 1]), t([1, 2]), t([0, 3])",
        ":, t([1, 2]), t([0, 3])", ":, t([1, 2])", "..., t([1, 2])", "0, t([1, 2])", "0, :, t([1, 2])",
        "t([0, 1]), 1, :", "t([0, 1]), 1:, 2", "1:, t([0, 1]), 1:", "t([0, 1]), None, 1", "m(2)", "m(2, 3)",
        "m(2, 3, 4)", ":, m(3)", ":, m(3, 4)", "m(2, 3), 1", "m(2, 3), t([0])", "m(2), :, t([1])", "0, m(3)",
        "None, m(2), None", "t([[0, 1], [1, 0]])", "t([[0, 1], [1, 0]]), :, t([2])",
        "t([[0], [1]]), t([[0, 1, 2]]), 3", "..., None, 0:2", "t([0]), ..., t([1])", "[[0], [1]], [[1, 2]]",
        "[0, 1], [1, 2]", "t(0), :, t([1, 2])", "None, t([0, 1]), None, t([0, 2])", ":, 0, t([1])", "0, 0, m(4)",
    ],
    (): ["...", "None", "()", "True", "False", "None, ...", "t(True)", "m()"],
    (0, 3): [":", "t([])", ":, 1", "..., None", "m(0, 3)", "m(0)", ":, t([0, 2])"],
    (1, 3): ["0", ":, 0", "t([0, 0, 0])", "m(1)", "..., 0:0"],
}
# fmt: on

# fmt: off
REFUSED = {
    (5,): [
        "5", "-6", "t([5])", "t([0, -6])", "1.0", "'a'", "t([1.5])", "0, 0", "::-1", "::0", "m(4)", "m(5, 1)", "{}",
        "[[0], [1, 2]]", "t(1.5)", "lib.zeros(2)", "0:1.5", "2**70", "[[0], [1, 2]],", "None, None, 0, 0",
    ],
    (3, 4): [
        "3", "0, 4", "0, 0, 0", "t([3])", "t([0, 1]), t([0, 1, 2])", "m(4)", "m(3, 3)", ":, m(3)", ":, :, 0",
        "0, t([4])", "m(3), m(3)", "::-1",
    ],
    (): ["0", ":", "t([0])", "0:1", "m(1)", "..., 0"],
}
# fmt: on


def cases(table):
    return [(shape, source) for shape, sources in table.items() for source in sources]


def index(lib, source):
    """The subscript that `source` stands for."""

    def mask(*shape):
        return lib.from_numpy(np.asarray(np.random.default_rng(5).random(shape) < 0.6))

    def tensor(values):
        return lib.tensor(values, dtype=lib.int64 if values == [] else None)

    class Subscript:
        def __getitem__(self, item):
            return item

    return eval(f"Subscript()[{source}]", {"lib": lib, "np": np, "t": tensor, "m": mask, "Subscript": Subscript})


def tensor_of(lib, shape, dtype="float64", *, window=False):
    """Counts up; with `window` as a transposed, offset part of something larger."""
    size = int(np.prod(shape))
    if not window:
        return lib.arange(float(size)).reshape(shape).to(getattr(lib, dtype))
    whole = lib.arange(float(size * 2 + 3)).to(getattr(lib, dtype))
    return whole[3::2].reshape(shape[::-1]).permute(tuple(range(len(shape)))[::-1])


def compare(failures, label, program, **tolerances):
    failures.add(label, outcome_difference(outcome(program, gradcore), outcome(program, torch), **tolerances))


@needs_torch
@pytest.mark.parametrize("window", [False, True])
def test_get(window):
    """Values, shapes, and for views where they lie in memory."""

    def program(lib, shape, source):
        x = tensor_of(lib, shape, window=window)
        found = x[index(lib, source)]
        offset = found.data_ptr() - x.data_ptr() if found._is_view() and found.numel() else None
        strides = found.stride() if found._is_view() and found.numel() else None
        return found, found._is_view(), offset, strides

    with collected() as failures:
        for shape, source in cases(INDICES):
            compare(failures, f"{shape}[{source}]", lambda lib, s=shape, i=source: program(lib, s, i), strides="any")


@needs_torch
def test_refused():
    with collected() as failures:
        for shape, source in cases(REFUSED):
            label = f"{shape}[{source}]"
            compare(failures, label, lambda lib, s=shape, i=source: tensor_of(lib, s)[index(lib, i)])
            compare(
                failures, f"{label} = 1", lambda lib, s=shape, i=source: tensor_of(lib, s).__setitem__(index(lib, i), 1)
            )


@needs_torch
@pytest.mark.parametrize("key", ["lib.tensor([True, False, True])", "lib.tensor([0, 2])"])
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_a_shape_is_refused_before_a_dtype(key, dtype):
    def program(lib):
        lib.zeros(3)[eval(key, {"lib": lib})] = lib.ones(3, dtype=getattr(lib, dtype))  # noqa: S307  (texts of ours)

    both(program, raises="cannot be broadcast to indexing result of shape [2]")


def test_no_indices_at_all():
    for lib in libraries():
        with pytest.raises(RuntimeError):
            lib.ones(2).index_put([], lib.tensor(1.0))


VALUES = {
    "a number": lambda lib, part: 7,
    "a float": lambda lib, part: 2.5,
    "a 0-d tensor": lambda lib, part: lib.tensor(3),
    "as large": lambda lib, part: lib.arange(100.0, 100.0 + part.numel()).reshape(part.shape),
    "another dtype": lambda lib, part: lib.full(part.shape, 5, dtype=lib.int32),
    "broadcast": lambda lib, part: lib.full(part.shape[-1:], -1.0),
    "leading ones": lambda lib, part: lib.full((1, 1, *part.shape), -2.0),
    "too long": lambda lib, part: lib.ones(7, 11),
}


@needs_torch
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "bool"])
def test_set(dtype):
    def program(lib, shape, source, value, window):
        x = tensor_of(lib, shape, dtype, window=window)
        subscript = index(lib, source)
        x[subscript] = VALUES[value](lib, x[subscript])
        return x, x._version

    with collected() as failures:
        for shape, source in cases(INDICES):
            for value in VALUES if dtype == "float64" else ("a number", "as large", "another dtype"):
                for window in (False, True) if value == "as large" else (False,):
                    compare(
                        failures,
                        f"{dtype}{shape}[{source}] = {value}",
                        lambda lib, s=shape, i=source, v=value, w=window: program(lib, s, i, v, w),
                    )


@needs_torch
def test_nothing_is_written_when_refused():
    def program(lib):
        x = lib.zeros(3, 4)
        for subscript, value in [
            ((0, [1, 9]), 1.0),
            (([0, 1], [0, 9]), 1.0),
            (slice(0, 2), lib.ones(3, 3)),
            (0, "text"),
            (lib.tensor([0, 1, 3]), lib.ones(3, 4)),
            ((slice(None), 5), 2.0),
        ]:
            with pytest.raises((IndexError, RuntimeError, TypeError, ValueError)):
                x[subscript] = value
        return x

    # torch itself leaves some of these half written.
    assert program(gradcore).tolist() == [[0.0] * 4] * 3


@needs_torch
def test_gradients_of_get():
    """First and second gradients, also where an element is taken several times."""

    def program(lib, shape, source):
        x = tensor_of(lib, shape).requires_grad_()
        found = x[index(lib, source)]
        if not found.requires_grad:
            return found
        weight = lib.arange(1.0, 1.0 + found.numel(), dtype=lib.float64).reshape(found.shape)
        (first,) = lib.autograd.grad((found**3 * weight).sum(), x, create_graph=True)
        (second,) = lib.autograd.grad((first**2).sum(), x)
        return first, second, found.grad_fn.name()

    with collected() as failures:
        for shape, source in cases(INDICES):
            compare(failures, f"{shape}[{source}]", lambda lib, s=shape, i=source: program(lib, s, i), ulps=16)


@needs_torch
def test_gradients_of_set():
    """x[index] = y: what was overwritten loses its gradient, y gains it."""

    def program(lib, shape, source, value):
        x = tensor_of(lib, shape).requires_grad_()
        target = x * 2
        subscript = index(lib, source)
        y = value(lib, target[subscript])
        target[subscript] = y
        outputs = (target**2 * lib.arange(1.0, 1.0 + target.numel(), dtype=lib.float64).reshape(shape)).sum()
        leaves = [x, y] if isinstance(y, lib.Tensor) else [x]
        return target, lib.autograd.grad(outputs, leaves, allow_unused=True), target.grad_fn.name()

    values = {
        "a number": lambda lib, part: 3.0,
        "a tensor": lambda lib, part: (
            lib.arange(1.0, 1.0 + part.numel(), dtype=lib.float64).reshape(part.shape).requires_grad_()
        ),
        "a row": lambda lib, part: lib.full(part.shape[-1:], 4.0, dtype=lib.float64, requires_grad=True),
        "a scalar": lambda lib, part: lib.tensor(5.0, dtype=lib.float64, requires_grad=True),
    }
    with collected() as failures:
        for shape, source in cases(INDICES):
            for name, value in values.items():
                compare(
                    failures,
                    f"{shape}[{source}] = {name}",
                    lambda lib, s=shape, i=source, v=value: program(lib, s, i, v),
                    ulps=64,
                )


@needs_torch
def test_augmented_subscripts():
    def program(lib, source):
        x = lib.arange(12.0, requires_grad=True)
        y = (x * 1).reshape(3, 4)
        y[index(lib, source)] *= 3
        y[index(lib, source)] += x[0]
        (y**2).sum().backward()
        return y, x.grad, y._version

    with collected() as failures:
        for source in INDICES[(3, 4)]:
            compare(failures, source, lambda lib, i=source: program(lib, i), ulps=16)


# An int beside a tensor selects first here; NumPy takes it for an index tensor and moves the dims.
UNLIKE_NUMPY = {"0, :, t([1, 2])", "t(0), :, t([1, 2])"}
# A list of lists or tensors is a tuple of indices here, as it was in NumPy before 1.23.
STAND_FOR_TUPLES = ("[[", "[t")


def test_against_numpy():
    """Where the two agree on what a subscript means."""
    with collected() as failures:
        for shape, source in cases(INDICES):
            if source in UNLIKE_NUMPY or source.startswith(STAND_FOR_TUPLES):
                continue
            if any(word in source for word in ("True", "False", "lib")):
                continue
            x = tensor_of(gradcore, shape)
            subscript = index(gradcore, source)
            expected = outcome(lambda x=x, s=subscript: np.asarray(x.numpy()[as_numpy(s)]))
            if isinstance(expected, Raised):
                continue
            found = x[subscript].numpy()
            if found.shape != expected.shape or not np.array_equal(found, expected):
                failures.add(f"{shape}[{source}]", f"{found} is not NumPy's {expected}")


def as_numpy(subscript):
    if isinstance(subscript, tuple):
        return tuple(map(as_numpy, subscript))
    if isinstance(subscript, gradcore.Tensor):
        return subscript.numpy()
    if isinstance(subscript, slice):
        return slice(
            *(None if part is None else int(part) for part in (subscript.start, subscript.stop, subscript.step))
        )
    return subscript


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2,), (1, 2)], ids=str)
@pytest.mark.parametrize("value", ["itself", "flat", "under a dim"])
@pytest.mark.parametrize("key", [None, Ellipsis, slice(None), True, "mask"], ids=str)
def test_a_tensor_set_to_itself(shape, value, key):
    """Which overlaps are refused depends on the strides that the value is expanded to, and a mask with one value fills."""

    def program(lib):
        x = lib.ones(shape)
        given = {"itself": x, "flat": x.view(-1), "under a dim": x.unsqueeze(0)}[value]
        try:
            x[lib.ones(shape, dtype=lib.bool) if key == "mask" else key] = given
        except RuntimeError as error:
            return "refer to a single memory location" in str(error)
        return x

    both(program)


def test_strides_of_expanded_scalars():
    both(lambda lib: [lib.tensor(1.0).expand(shape).stride() for shape in [(1,), (1, 1), (2, 1), (1, 2, 1)]])


def test_iteration_and_unpacking():
    def program(lib):
        params = lib.tensor([1.0, 2.0], requires_grad=True)
        w, b = params
        (w * 3 + b).backward()
        rows = list(lib.arange(6).reshape(3, 2))
        with pytest.raises(TypeError):
            iter(lib.tensor(1.0))
        with pytest.raises(TypeError):
            len(lib.tensor(1.0))
        return (
            params.grad,
            rows,
            w.grad_fn.name(),
            len(lib.zeros(0, 3)),
            list(lib.zeros(0, 3)),
            2 in lib.arange(3),
            list(reversed(lib.arange(3))),
        )

    both(program)


def test_large_gather_and_scatter():
    """Sizes that are shared among threads, with many collisions."""

    def program(lib):
        generator = np.random.default_rng(1)
        rows = lib.from_numpy(generator.integers(0, 50, 20_000))
        values = lib.from_numpy(generator.random((20_000, 8)))
        table = lib.zeros(50, 8, dtype=lib.float64, requires_grad=True)
        (table[rows] * values).sum().backward()
        summed = lib.zeros(50, 8, dtype=lib.float64).index_put_((rows,), values, accumulate=True)
        return table.grad, summed

    both(program, ulps=4096)


def test_an_index_without_elements_may_have_any_type():
    """As the float tensor that a program's empty list becomes: nothing is read or written."""

    def program(lib):
        x, none = lib.arange(12.0).reshape(3, 4).requires_grad_(), lib.tensor([])
        found = [x.gather(0, none), x.scatter(0, none, x), x.scatter(1, none, 5.0), x.scatter_add(0, none, x)]
        found += [x.scatter_reduce(0, none, x, "sum"), x.gather(1, lib.zeros(0, 4, dtype=lib.bool))]
        return [*found, lib.autograd.grad(x.gather(0, none).sum() + x.sum(), x)[0]]

    both(program)


def test_take_along_dim_counts_around_the_dim():
    def program(lib):
        x = lib.arange(12.0).reshape(3, 4)
        return lib.take_along_dim(x, lib.tensor([[-1], [-4], [7]]), 0), lib.take_along_dim(x, lib.tensor([[-1, 9]]), 1)

    both(program)


SEQUENCES = {
    "ints": "[0, 2]", "mask": "[True, False, True]", "tensors": "[lib.tensor(1), lib.tensor(2)]", "slice": "[slice(0, 2), 1]",
    "lists": "[[0, 1], [1, 2]]", "none": "[None]", "ellipsis": "[..., 1]", "empty": "[]", "floats": "[0.0, 1.5]",
    "many": "[0] * 40", "many lists": "[[0]] * 40",
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("source", SEQUENCES.values(), ids=SEQUENCES.keys())
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
def test_sequences_of_other_classes(source, fails):
    """They stand for a tuple where a list would: fastai's lists are no Python lists."""

    class Sequence:
        def __init__(self, items):
            self.items, self.asked = items, 0

        def __len__(self):
            return len(self.items)

        def __getitem__(self, i):
            self.asked += 1
            if fails and self.items and self.asked == 1:
                raise KeyError(i)
            return self.items[i]

    def program(lib):
        x = lib.arange(12).reshape(3, 4)
        y = x.clone()
        y[Sequence(eval(source))] = 50
        return x[Sequence(eval(source))], y

    ours, theirs = outcome(program, gradcore), outcome(program, torch)
    assert isinstance(ours, Raised) == isinstance(theirs, Raised), (ours, theirs)
    if not isinstance(ours, Raised):
        both(program)


@needs_torch
@pytest.mark.parametrize(
    "dtype", ["int16", "int8", "uint16", "uint32", "uint64", "int64", "float32", "float64", "float16"]
)
def test_arrays_of_any_dtype_count(dtype):
    """torch converts their numbers to int64. tsai's indices are of the smallest dtype that holds them."""

    def program(lib):
        x = lib.arange(12).reshape(3, 4)
        where = np.array([2, 0], dtype=dtype)
        y = x.clone()
        y[:, where] = 50
        return x[where], x[where[:0]], x[1:, where], y

    both(program)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "bool_"])
@pytest.mark.parametrize("beside", [False, True])
def test_numpy_s_scalars_but_integers_are_no_indices(kind, beside):
    value = getattr(np, kind)(1)
    both(lambda lib: lib.ones(2, 3)[(value, 0) if beside else value], raises="only integers, slices")


@needs_torch
@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
@pytest.mark.parametrize("shape", [(), (2, 3)], ids=str)
@pytest.mark.parametrize("value", [0, 1])
def test_a_byte_alone_is_a_mask(shape, value):
    def program(lib):
        x, mask = lib.ones(shape), lib.tensor(value, dtype=lib.uint8)
        read = x[mask]
        x[mask] = 5.0
        return read, x[..., mask], x

    both(program)
