"""Making tensors, looking into them, and what is global: dtypes, seeds, threads, memory."""

import copy
import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest

import gradcore
from support import both, needs_torch, outcome, outcome_difference, torch


def test_shape_and_strides():
    t = gradcore.arange(24).reshape(2, 3, 4)
    assert t.shape == (2, 3, 4) and isinstance(t.shape, gradcore.Size) and repr(t.shape) == "torch.Size([2, 3, 4])"
    assert t.size() == t.shape and t.size(-1) == 4 and t.stride() == (12, 4, 1) and t.stride(1) == 4
    assert t.dim() == t.ndimension() == t.ndim == 3 and t.numel() == t.nelement() == gradcore.numel(t) == 24
    assert t[1:].storage_offset() == 12 and t[1:].data_ptr() == t.data_ptr() + 12 * t.element_size()
    assert t.is_contiguous() and not t.transpose(0, 1).is_contiguous()
    assert t.get_device() == -1 and not t.is_complex() and gradcore.is_tensor(t) and not gradcore.is_tensor([1])
    assert gradcore.empty_strided((2, 3), (1, 2)).stride() == (1, 2)
    assert [p.shape[0] for p in t.reshape(6, 4).split_with_sizes([1, 2, 3])] == [1, 2, 3]
    assert gradcore.tile(gradcore.tensor([1, 2]), (2,)).tolist() == [1, 2, 1, 2]


def test_values_come_out_as_they_went_in():
    for data in (3, 2.5, True, [1, 2], [[1.5], [2.5]], [], [[], []], [True, False]):
        assert gradcore.tensor(data).tolist() == data
    assert gradcore.tensor([[1, 2], [3, 4]])[1, 0].item() == 3
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        gradcore.ones(2).item()


@needs_torch
def test_dtype_of_data():
    both(
        lambda lib: [
            str(lib.tensor(d).dtype)
            for d in (
                1,
                1.0,
                True,
                [1, 2.0],
                [True, 2],
                [],
                np.float32(1),
                np.arange(2),
                [[], []],
                np.int32(1),
                np.float64(1),
                np.bool_(True),
                [np.int8(1)],
                [np.int32(1), np.int8(2)],
                [np.float64(1), 1],
                [np.float32(1), 1.5],
                [np.int8(1), 1.5],
                [lib.tensor(1, dtype=lib.int8)],
                [lib.tensor(1.0, dtype=lib.float64), 1],
                [lib.tensor([1.0]), lib.tensor([2.0])],
            )
        ]
    )


RAGGED = [
    "[1, []]", "[[], 1]", "[[1], []]", "[[], [1]]", "[[[]], [[1]]]", "[1, [1]]", "[[1], 1]", "[[1, 2], [3]]", "[[1], [[2]]]",
    "[[1, 2], lib.tensor([3, 4])]", "[[1, 2], lib.tensor([3.5, 4])]", "[[1, 2], lib.tensor([3])]", "[[1], lib.tensor(2)]",
    "[[[1]], lib.ones(1, 1)]", "[[1, 2], (lib.tensor(3), lib.tensor([4]))]",
    "[[1, 2], lib.ones(2, requires_grad=True) * 2]", "[[1, 2], np.array([3, 4])]", "[[1, 2], range(2)]",
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("data", RAGGED)
@pytest.mark.parametrize("call", ["lib.tensor({})", "lib.tensor({}, dtype=lib.float64)", "lib.as_tensor({})"])
def test_rows_of_lists(data, call):
    """The shape is that of the first elements; a tensor among them is a row of numbers, or one number."""
    outcomes = [outcome(lambda lib: eval(call.format(data), {"lib": lib, "np": np}), lib) for lib in (gradcore, torch)]
    assert not outcome_difference(*outcomes)


@needs_torch
def test_ints_beyond_int64_become_floats():
    both(
        lambda lib: [
            lib.tensor([2**70, 1.5]),
            lib.tensor(2**64, dtype=lib.float64),
            lib.tensor(-(2**100), dtype=lib.float32),
        ]
    )


@needs_torch
def test_copies_of_arrays_keep_their_order():
    array = np.arange(24.0).reshape(4, 6)
    both(lambda lib: [lib.tensor(a).stride() for a in (array, array.T, array[:, ::2], array[:, ::2].T)])


@needs_torch
def test_numpy_functions_give_tensors_back():
    def program(lib):
        x = lib.arange(3.0)
        return [
            np.exp(x),
            np.add(x, 1),
            x + np.ones(3, np.float32),
            x * np.ones(3),
            np.maximum(x, 1),
            np.float64(2) * x,
        ]

    both(program, ulps=2)


def test_memory_is_shared_with_numpy():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    t = gradcore.from_numpy(a)
    t[0, 0] = 7
    assert a[0, 0] == 7
    b = t.numpy()
    b[1, 1] = -1
    assert t[1, 1].item() == -1 and a[1, 1] == -1
    assert gradcore.as_tensor(a).data_ptr() == t.data_ptr() and gradcore.tensor(a).data_ptr() != t.data_ptr()
    assert np.asarray(t.t()).strides == (4, 12)
    with pytest.raises(ValueError, match="negative"):
        gradcore.from_numpy(a[::-1])
    with pytest.raises(RuntimeError, match="requires grad"):
        gradcore.ones(1, requires_grad=True).numpy()
    read_only = np.zeros(2)
    read_only.flags.writeable = False
    with pytest.raises(RuntimeError, match="read-only"):
        gradcore.from_numpy(read_only).add_(1)


def test_frombuffer():
    data = bytearray(np.arange(4, dtype=np.int32).tobytes())
    assert gradcore.frombuffer(data, dtype=gradcore.int32, offset=4, count=2).tolist() == [1, 2]
    with pytest.raises(ValueError):
        gradcore.frombuffer(data, dtype=gradcore.int32, count=5)


def test_copies():
    t = gradcore.tensor([1.0, 2.0], requires_grad=True)
    for other in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert other.tolist() == t.tolist() and other.requires_grad and other.data_ptr() != t.data_ptr()


@needs_torch
def test_default_dtype_and_promotion():
    def program(lib):
        lib.set_default_dtype(lib.float64)
        names = [
            str(lib.tensor(1.0).dtype),
            str(lib.get_default_dtype()),
            str((lib.ones(1, dtype=lib.int32) * 1.5).dtype),
        ]
        return names + [
            str(lib.promote_types(lib.uint8, lib.int8)),
            lib.can_cast(lib.float32, lib.int64),
            str(lib.result_type(lib.ones(1, dtype=lib.int8), 2.0)),
            lib.float32.is_signed,
            lib.bool.is_signed,
        ]

    both(program)


@needs_torch
def test_seeds():
    def program(lib):
        lib.manual_seed(3)
        state = lib.get_rng_state()
        first = [lib.rand(3), lib.randn(3), lib.randperm(9), lib.randint(0, 9, (4,))]
        lib.set_rng_state(state)
        return first, lib.rand(3), lib.initial_seed()

    both(program)
    assert isinstance(gradcore.seed(), int)


# Calls whose forms the tables of ops do not show: arguments by torch's names, numbers on the left, out= of every kind.
# Of a Size `a`.
SIZES = (
    "a[0]", "a[-1]", "a[:1]", "a[::2]", "a[lib.tensor(1)]", "a + (1,)", "a + a", "a + ()", "a * 2", "2 * a", "a * True",
    "lib.Size()", "lib.Size(a)", "lib.Size((True, 2))", "lib.Size([lib.tensor(3)])", "lib.Size(iter([1, 2]))",
    "lib.Size([-1])", "a.numel()", "lib.Size().numel()", "str(a)", "a == (2, 3)", "hash(a) == hash((2, 3))",
    "copy.deepcopy(a)", "pickle.loads(pickle.dumps(a))",
)  # fmt: skip


FORMS = [
    "lib.mul(2, x)",
    "lib.div(2.5, x)",
    "lib.floor_divide(7, x)",
    "lib.mul(2, 3)",
    "lib.bitwise_and(6, ints)",
    "1 + lib.bitwise_left_shift(1, ints)",
    "lib.swapaxes(x, axis0=0, axis1=1)",
    "x.swapaxes_(axis0=0, axis1=1)",
    "lib.split(x, split_size_or_sections=2, dim=1)",
    "lib.split(tensor=x, split_size_or_sections=[1, 2], dim=1)",
    "x.size(None)",
    "x.stride(None)",
    "lib.tile(x, (2,))",
    "x.tile(2)",
    "x.tile((2, 1, 1))",
    "lib.gather(x, 1, ints[:1], sparse_grad=True)",
    "lib.any(x, dim=())",
    "x.all(())",
    "ints.byte().any(dim=())",
    "lib.lerp(x, x + 1, lib.tensor(0.5, dtype=lib.float64))",
    "x.copy_(2)",
    "ints.copy_(2.5)",
    "x.unsqueeze(0).unsqueeze(0).squeeze(0, 1)",
    "ints.squeeze_(0, -1)",
    "x[0].requires_grad_().ravel()",
    "lib.add(x, 2, x)",
    "x.add_(-1, x)",
    "lib.sub(x, 2, x)",
    "x.sub_(0.5, x)",
    "lib.addcmul(x, 2, x, x)",
    "x.addcmul_(2, x, x)",
    "lib.addcdiv(x, 2, x, x + 9)",
    "x.addcdiv_(2, x, x + 9)",
    "lib.where(lib.tensor(1))",
    "lib.tensor(0).nonzero(as_tuple=True)",
    "lib.mean(x, out=lib.empty(0))",
    "lib.max(x, out=lib.empty(0))",
    "lib.argmax(x, 1, out=lib.empty(0, dtype=lib.int64))",
    "lib.softmax(x, 1, out=lib.empty(0))",
    "lib.max(x, 1, out=(lib.empty(0), lib.empty(0, dtype=lib.int64)))",
    "[lib.manual_seed(1), lib.randn(4, out=lib.empty(0, dtype=lib.float64))][1]",
    "[lib.manual_seed(1), lib.rand(2, 3, out=lib.empty(3, 2).t())][1]",
    "lib.arange(6, out=lib.empty(3, 2).t())",
    "[lib.exp(x, out=out[2:8]) for out in [lib.zeros(9)]][0].storage_offset()",
    "lib.linspace(0, 1, 6, out=lib.empty(2, 3))",
    "[[out, lib.exp(x, out=out[2:8])] for out in [lib.zeros(9)]]",
    "lib.zeros(2, out=lib.empty(0, dtype=lib.int64))",
    "lib.empty(2, memory_format=lib.contiguous_format).shape",
    "lib.zeros_like(x.t(), memory_format=lib.contiguous_format, pin_memory=False)",
    "[lib.manual_seed(1), lib.rand_like(x.t())][1]",
    "[lib.manual_seed(1), lib.randn_like(x.t(), dtype=lib.float64)][1]",
    "[lib.manual_seed(1), lib.randint_like(x.t(), 9)][1]",
    "repr(lib.max(x, 1))",
    "repr(x.min(0))",
    "copy.deepcopy(lib.max(x, 1))",
    "pickle.loads(pickle.dumps(x.min(0)))",
    "lib.tensor([np.uint64(3)], dtype=lib.float32)",
    "lib.tensor(2**63, dtype=lib.bool)",
    "x == np.ones(3, 'float32')",
    "lib.Tensor(lib.Size([2, 0]))",
    "[type(f(lib.ones(2, requires_grad=True) * 2).grad_fn).__name__ for f in (lib.Tensor, lib.FloatTensor)]",
    "lib.autograd.grad(lib.Tensor(y := lib.ones(2, requires_grad=True)).square().sum(), y)",
    "lib.Tensor(x).data_ptr() == x.data_ptr()",
    "complex(lib.tensor([2.0]))",
    "lib.Size([1, 2]) + Adds()",
    "Adds() + lib.Size([1, 2])",
    "lib.Size([1, 2]) * 2",
    "(1,) + lib.Size([2])",
    *(f"(lambda a: ({text}, type({text}) is lib.Size))(lib.Size([2, 3]))" for text in SIZES),
    "lib.finfo(float).dtype",
    "lib.iinfo(int).max",
    "str(lib.get_default_device())",
    "[lib.device(lib.device('cpu')), lib.device('cuda:1') == lib.device('cuda', 1), lib.device(type='cuda', index=2).index]",
    "str(lib.Generator().device)",
    "lib.Generator().manual_seed(3).clone_state().initial_seed()",
    "pickle.loads(pickle.dumps(lib.Generator().manual_seed(4))).initial_seed()",
    "lib.set_rng_state(new_state=lib.get_rng_state())",
    "(lambda g: [g.set_state(g.get_state()) is g, g.manual_seed(1) is g])(lib.Generator())",
    "lib.default_generator.set_state(lib.get_rng_state()) is lib.default_generator",
    "lib.asarray([1, 2], dtype=lib.float32)",
    "lib.asarray(x) is x",
    "lib.asarray(x, copy=True) is x",
    "lib.asarray(x, dtype=lib.float64, requires_grad=True)",
    "lib.asarray((x.requires_grad_() * 2))",
    "lib.asarray(bytearray(8), dtype=lib.int32)",
    "lib.asarray(np.float32(1.5))",
]


@needs_torch
@pytest.mark.parametrize(
    ("text", "error", "phrase"),
    [
        ("a[5]", IndexError, "out of range"),
        ("a['x']", TypeError, "must be integers or slices"),
        ("a + [1]", TypeError, "can only concatenate tuple (not list) to torch.Size"),
        ("[1] + a", TypeError, "can only concatenate list"),
        ("a + 3", TypeError, "can only concatenate tuple (not int) to torch.Size"),
        ("3 + a", TypeError, "unsupported operand type(s) for +"),
        ("a + ('x',)", TypeError, "torch.Size() takes an iterable of 'int' (item 2 is 'str')"),
        ("a * 1.5", TypeError, "can't multiply sequence by non-int of type 'float'"),
        ("lib.Size(3)", TypeError, "'int' object is not iterable"),
        ("lib.Size([1.5])", TypeError, "torch.Size() takes an iterable of 'int' (item 0 is 'float')"),
    ],
)
def test_what_sizes_refuse(text, error, phrase):
    both(lambda lib: eval(text, {"lib": lib, "a": lib.Size([2, 3])}), raises=phrase)
    with pytest.raises(error):
        eval(text, {"lib": gradcore, "a": gradcore.Size([2, 3])})


@pytest.mark.parametrize(
    ("name", "phrase"),
    [("type", "attribute 'type' of 'torch.device' objects is not writable"), ("name", "no attribute 'name'")],
)
def test_devices_do_not_change(name, phrase):
    both(lambda lib: setattr(lib.device("cpu"), name, "cuda"), raises=phrase)


class Adds:
    """What a shape can be added to by this class's own rules."""

    def __add__(self, other):
        return "added"

    __radd__ = __add__


@needs_torch
@pytest.mark.parametrize("source", FORMS)
def test_forms_of_calls(source):
    both(
        lambda lib: eval(
            source,
            {
                "lib": lib,
                "np": np,
                "Adds": Adds,
                "copy": copy,
                "pickle": pickle,
                "ints": lib.tensor([[2, 0, 1]]),
                "x": lib.tensor([[0.5, -1.5, 2.0], [3.0, 0.0, 1.0]]),
            },
        ),
        ulps=2,
    )


def test_a_shallow_copy_shares_memory():
    x = gradcore.zeros(3)
    x.attribute = 1
    y = copy.copy(x)
    y[0] = 5
    assert x.tolist() == [5.0, 0.0, 0.0] and y is not x and y.attribute == 1


def test_asarray_shares_memory():
    array = np.zeros(2)
    gradcore.asarray(array)[0] = 1
    gradcore.asarray(array, copy=True)[0] = 2
    assert array.tolist() == [1.0, 0.0]


def test_threads_memory_config():
    before = gradcore.get_num_threads()
    gradcore.set_num_threads(1)
    assert gradcore.get_num_threads() == 1
    gradcore.set_num_threads(before)
    with pytest.raises(RuntimeError, match="positive"):
        gradcore.set_num_threads(0)
    used = gradcore.memory_stats()["in_use"]
    t = gradcore.empty(1 << 20)
    assert gradcore.memory_stats()["in_use"] >= used + t.nbytes
    del t
    assert gradcore.memory_stats()["in_use"] < used + (1 << 20)
    many = [gradcore.empty(1000) for _ in range(5000)]  # small ones count for the peak as well
    used = gradcore.memory_stats()["in_use"]
    del many
    assert used >= 5000 * 4000 and gradcore.memory_stats()["peak"] >= used - (64 << 10)
    gradcore.release_unused_memory()
    assert any(f"instruction set: x86-64-{isa}\n" in gradcore.show_config() for isa in gradcore.available_isas())


def test_out_is_written_where_it_lies():
    def program(lib):
        a, b = lib.arange(6.0).view(2, 3), lib.arange(6.0, 12.0).view(2, 3)
        seen = []
        for run in (
            lambda o: lib.add(a, b, alpha=2, out=o),
            lambda o: lib.exp(a, out=o),
            lambda o: lib.mul(a, 3, out=o),
            lambda o: lib.sub(b, a[0, 1], out=o),
            lambda o: lib.pow(a, 2, out=o),
            lambda o: lib.lt(a, b, out=o.bool()),
        ):
            out = lib.zeros(4, 3)
            part = out[1:3]  # a window: what is written is seen through its base
            at = part.data_ptr()
            result = run(part)
            seen += [result, out.clone(), part.data_ptr() == at, out._version]
        return seen

    both(program, ulps=1)


@pytest.mark.parametrize("out, refusal", [
    ("a", None), ("a.double()", None), ("torch.zeros(0)", None), ("torch.zeros(3)", None),
    ("a[:1].expand(2, 3)", "more than one element of the written-to tensor"),
    ("base[1:].view(2, 3)", "some elements of the input tensor and the written-to tensor"),
    ("w", "don't support automatic differentiation"),
])  # fmt: skip
def test_out_beside_or_upon_the_operands(out, refusal):
    """Memory that an operand lies in, repeated, of another type or shape, or with a history."""

    def program(lib):
        base = lib.arange(7.0)
        names = {"torch": lib, "base": base, "a": base[:6].view(2, 3), "w": lib.ones(2, 3, requires_grad=True)}
        target = eval(out, names)  # noqa: S307
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of resizing
            result = lib.add(names["a"], lib.ones(2, 3), out=target)
        return result, result is target, base

    both(program, raises=refusal)


def test_operands_that_repeat_one_element():
    """An expanded number, with others and alone: values, layout and history."""

    def program(lib):
        x = lib.arange(6.0).view(2, 3).requires_grad_()
        one = lib.tensor(2.0, requires_grad=True)
        wide = one.expand(2, 3)
        results = [
            wide * 2,
            wide + x,
            x - wide,
            wide.exp(),
            wide > x,
            lib.addcmul(x, wide, wide),
            wide / wide,
            wide.t() * x.t(),
        ]
        total = sum(r.sum() for r in results if r.is_floating_point())
        total.backward()
        return results, x.grad, one.grad, [lib.autograd.grad((x * x).sum(), x), lib.autograd.grad((x * x).mean(), x)]

    both(program, ulps=2, strides="exact")


class Finding:
    """Looks a leaf up through the graph while the leaf's own Python object goes."""

    def __init__(self, node, found):
        self.node, self.found = node, found

    def __del__(self):
        self.found.append(self.node.variable)


@pytest.mark.parametrize("cls", [gradcore.Tensor, type("Sub", (gradcore.Tensor,), {})])
def test_a_tensor_found_again_while_its_object_dies(cls):
    found = []
    x = gradcore._C._make_subclass(cls, gradcore.ones(2), True)
    with gradcore._C.DisableTorchFunctionSubclass():
        y = x * 2
    node = y.grad_fn.next_functions[0][0]
    x.attribute = Finding(node, found)
    reference = weakref.ref(x, lambda _: found.append(node.variable))
    del x
    gc.collect()
    assert reference() is None and len(found) == 2
    assert found[0] is found[1] is node.variable
    y.sum().backward()
    assert found[0].grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("to, source", [((3,), (2,)), ((3,), (2, 3)), ((2, 3), (2,)), ((2,), (3, 2)), ((3,), (1,))])
def test_what_copy_refuses_is_said_in_torchs_words(to, source):
    def program(lib):
        try:
            return lib.ones(to).copy_(lib.zeros(source))
        except RuntimeError as error:
            return str(error)

    both(program)


@needs_torch
def test_copies_of_a_parameter_and_its_attributes():
    def program(lib):
        p, t = lib.nn.Parameter(lib.ones(2)), lib.ones(2, requires_grad=True)
        b = lib.nn.Buffer(lib.ones(2))
        p.grad, t.grad = lib.ones(2), lib.ones(2)
        p.name_of_mine = t.name_of_mine = b.name_of_mine = [1]
        copies = [c(x) for c in (copy.deepcopy, copy.copy) for x in (p, t, b)]
        return [[type(x).__name__, x.grad is not None, sorted(vars(x))] for x in copies]

    both(program)
