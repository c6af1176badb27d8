"""Making tensors, looking into them, and what is global: dtypes, seeds, threads, memory."""

import copy
import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest

import gradcore
from support import both, needs_torch


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
    both(lambda lib: [str(lib.tensor(d).dtype) for d in (
        1, 1.0, True, [1, 2.0], [True, 2], [], np.float32(1), np.arange(2), [[], []], np.int32(1), np.float64(1), np.bool_(True),
        [np.int8(1)], [np.int32(1), np.int8(2)], [np.float64(1), 1], [np.float32(1), 1.5], [np.int8(1), 1.5],
        [lib.tensor(1, dtype=lib.int8)], [lib.tensor(1.0, dtype=lib.float64), 1], [lib.tensor([1.0]), lib.tensor([2.0])])])


@needs_torch
def test_ints_beyond_int64_become_floats():
    both(lambda lib: [lib.tensor([2**70, 1.5]), lib.tensor(2**64, dtype=lib.float64), lib.tensor(-2**100, dtype=lib.float32)])


@needs_torch
def test_copies_of_arrays_keep_their_order():
    array = np.arange(24.0).reshape(4, 6)
    both(lambda lib: [lib.tensor(a).stride() for a in (array, array.T, array[:, ::2], array[:, ::2].T)])


@needs_torch
def test_numpy_functions_give_tensors_back():
    def program(lib):
        x = lib.arange(3.0)
        return [np.exp(x), np.add(x, 1), x + np.ones(3, np.float32), x * np.ones(3), np.maximum(x, 1), np.float64(2) * x]

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
        names = [str(lib.tensor(1.0).dtype), str(lib.get_default_dtype()), str((lib.ones(1, dtype=lib.int32) * 1.5).dtype)]
        return names + [str(lib.promote_types(lib.uint8, lib.int8)), lib.can_cast(lib.float32, lib.int64),
                        str(lib.result_type(lib.ones(1, dtype=lib.int8), 2.0)), lib.float32.is_signed, lib.bool.is_signed]
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
    many = [gradcore.empty(200) for _ in range(2000)]
    assert gradcore.memory_stats()["in_use"] >= used + 2000 * 800
    del many
    assert gradcore.memory_stats()["peak"] >= used + 2000 * 800
    gradcore.release_unused_memory()
    assert "instruction set" in gradcore.show_config()
    assert "v2" in gradcore._C.available_isas()


def test_out_is_written_where_it_lies():
    def program(lib):
        a, b = lib.arange(6.0).view(2, 3), lib.arange(6.0, 12.0).view(2, 3)
        seen = []
        for run in (lambda o: lib.add(a, b, alpha=2, out=o), lambda o: lib.exp(a, out=o), lambda o: lib.mul(a, 3, out=o),
                    lambda o: lib.sub(b, a[0, 1], out=o), lambda o: lib.pow(a, 2, out=o), lambda o: lib.lt(a, b, out=o.bool())):
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
        results = [wide * 2, wide + x, x - wide, wide.exp(), wide > x, lib.addcmul(x, wide, wide), wide / wide, wide.t() * x.t()]
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
