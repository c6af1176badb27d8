"""FloatTensor and its like, Tensor.new, Tensor.type with names, storages."""

import numpy as np
import pytest

import gradcore
from support import both

PROGRAMS = [
    "lib.FloatTensor(2, 3).shape", "lib.FloatTensor([1, 2, 3])", "lib.FloatTensor()", "lib.FloatTensor(lib.Size([2, 2])).shape",
    "lib.LongTensor([1.5])", "lib.LongTensor([[1, 2], [3, 4]])", "lib.LongTensor(lib.tensor([1, 2]))", "lib.FloatTensor((2, 3))",
    "lib.FloatTensor([1], device='cpu')", "lib.FloatTensor(range(3))", "lib.FloatTensor(np.arange(3.0))", "lib.LongTensor(np.int64(3)).shape",
    "lib.FloatTensor(size=(2, 3)).shape", "lib.FloatTensor([])", "lib.FloatTensor([True, False])", "lib.ByteTensor([1, 0])",
    "lib.BoolTensor([1, 0])", "lib.DoubleTensor([1])", "lib.IntTensor([1])", "lib.ShortTensor([1])", "lib.CharTensor([1])",
    "isinstance(lib.zeros(1), lib.FloatTensor)", "isinstance(lib.zeros(1, dtype=lib.int64), lib.FloatTensor)",
    "isinstance(lib.zeros(1), lib.cuda.FloatTensor)", "issubclass(lib.FloatTensor, lib.Tensor)", "isinstance(3, lib.FloatTensor)",
    "lib.FloatTensor.dtype", "lib.FloatTensor.__name__", "lib.FloatTensor.__module__", "lib.FloatTensor.is_cuda", "str(lib.FloatTensor)",
    "lib.zeros(2).type(lib.LongTensor)", "lib.zeros(2).type('torch.LongTensor')", "lib.zeros(2).type()", "lib.zeros(2).type(lib.float64)",
    "lib.zeros(2, dtype=lib.float64).type(lib.Tensor)", "lib.ones(2, dtype=lib.int64).double().type()",
    "lib.zeros(2).new(2, 3).shape", "lib.zeros(2).new([1, 2])", "lib.zeros(2).new()", "lib.zeros(2).new(lib.zeros(3))",
    "lib.zeros(2, dtype=lib.int64).new([1.5])", "lib.zeros(2).new(device='cpu')", "lib.tensor([1.0], requires_grad=True).new([1])",
    "lib.FloatTensor(lib.FloatStorage([1, 2]))", "lib.FloatStorage([1, 2]).tolist()", "len(lib.zeros(2).storage())",
    "lib.zeros(2).storage().size()", "lib.zeros(2).untyped_storage().nbytes()", "lib.zeros(3)[1:].untyped_storage().size()",
    "lib.ones(1).untyped_storage().tolist()", "repr(lib.zeros(2).storage())", "repr(lib.zeros(1).untyped_storage())",
    "lib.is_storage(lib.zeros(1).untyped_storage())", "lib.FloatStorage(3).size()",
    "lib.tensor(lib.arange(4.0).untyped_storage(), dtype=lib.float32)", "lib.tensor(lib.arange(4.0).untyped_storage())",
    "lib.as_tensor(lib.arange(4.0).untyped_storage(), dtype=lib.int16)", "lib.as_tensor(lib.arange(4.0).storage())",
    "lib.tensor(lib.UntypedStorage(0), dtype=lib.float32)",
    "lib.IntTensor(lib.arange(3).untyped_storage())", "lib.zeros(2).new(lib.arange(3.0).storage())",
    "lib.ByteStorage.from_buffer(bytearray(b'abcd')).tolist()", "lib.ShortStorage.from_buffer(b'abcdef', 'big', 2, 2).tolist()",
    "lib.IntStorage.from_buffer(b'abcd', 'little').tolist()", "lib.ShortStorage.from_buffer(b'abcdef', 'native', offset=2).tolist()",
    "lib.UntypedStorage.from_buffer(b'abcd', byte_order='big', dtype=lib.int16).tolist()",
    "lib.ByteTensor(lib.ByteStorage.from_buffer(np.arange(6, dtype=np.uint8).tobytes()))",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_torch(program):
    both(lambda lib: eval(program))


REFUSED = [
    ("lib.FloatTensor(2.5)", "data must be a sequence (got float)"), ("lib.FloatTensor('a')", "invalid data type 'str'"),
    ("lib.LongTensor(lib.tensor([1.0, 2.0]))", "expected"), ("lib.FloatTensor([1], dtype=lib.float64)", "invalid combination of arguments"),
    ("lib.FloatTensor(None)", "data must be a sequence"), ("lib.FloatTensor(True)", "data must be a sequence"),
    ("lib.FloatTensor(-1)", "negative dimension"), ("lib.FloatTensor(2, 3.0)", "argument 'size' failed to unpack"),
    ("lib.IntTensor([2**40])", "without overflow"), ("lib.FloatTensor([[1, 2], [3]])", "expected sequence of length 2"),
    ("lib.FloatTensor(1, requires_grad=True)", "invalid combination of arguments"),
    ("lib.zeros(2).new(3, device='cuda')", "legacy constructor expects device type"),
    ("lib.zeros(2).new(lib.zeros(3, dtype=lib.int64))", "expected"),
    ("lib.zeros(2).new(lib.arange(3).storage())", "Expected a Storage of type"),
    ("lib.tensor(lib.zeros(2).storage(), dtype=lib.int64)", "Expected a Storage of type"),
    ("lib.IntStorage.from_buffer(b'abcde', 'little')", "buffer size (5) must be a multiple of element size (4)"),
    ("lib.IntStorage.from_buffer(b'abcd')", "missing required argument 'byte_order'"),
    ("lib.IntStorage.from_buffer(b'abcd', 'middle')", "invalid byte_order 'middle'"),
    ("lib.ShortStorage.from_buffer(b'abcdef', 'big', 3, 2)", "specified a size of 3"),
    ("lib.zeros(2).type('LongTensor')", "invalid type"), ("lib.zeros(2).type(int)", "invalid type"),
    ("lib.zeros(2).type(3)", "dtype must be a type, str, or dtype object"),
    ("lib.set_default_tensor_type(lib.LongTensor)", "only floating-point types"), ("lib.set_default_tensor_type(5)", "invalid type object"),
    ("lib.set_default_tensor_type('torch.cuda.FloatTensor')", "not available"),
]  # fmt: skip


@pytest.mark.parametrize("program, phrase", REFUSED)
def test_refused(program, phrase):
    assert np
    both(lambda lib: eval(program), raises=phrase)


def test_default_type():
    def program(lib):
        lib.set_default_tensor_type(lib.DoubleTensor)
        made = lib.zeros(1)
        lib.set_default_tensor_type("torch.FloatTensor")
        return made, lib.zeros(1)

    both(program)


def test_a_storage_is_the_tensors_memory():
    def program(lib):
        t = lib.arange(4.0)
        t.storage()[1] = 7.0
        t[2:].untyped_storage()[0:4] = 0
        new = lib.FloatTensor(t.storage())
        new[3] = 9.0
        return t, t.storage().data_ptr() == t.data_ptr()

    both(program)


def test_storages_on_one_memory_are_equal():
    def program(lib):
        t, other = lib.zeros(4), lib.zeros(4)
        bytes_of = lib.Tensor.untyped_storage
        pairs = [(t[1:], t), (t, other), (t.view(lib.int32), t)]
        equal = [(bytes_of(a) == bytes_of(b), bytes_of(a)._cdata == bytes_of(b)._cdata) for a, b in pairs]
        typed = [a._typed_storage()._cdata == b._typed_storage()._cdata for a, b in pairs]
        return equal, typed, len({bytes_of(x) for x in (t, t[2:], other)})

    both(program)


def test_bytes_are_written():
    def program(lib):
        t = lib.zeros(2)
        storage = t.untyped_storage()
        storage.copy_(lib.tensor([1.0, -2.0]).untyped_storage())
        copied = t.clone()
        with pytest.raises(RuntimeError, match="size does not match"):
            storage.copy_(lib.zeros(3).untyped_storage())
        return copied, storage.fill_(3).tolist(), t, storage.is_pinned(), storage.filename

    both(program)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bfloat16"])
def test_a_batch_in_shared_memory(dtype):
    """What programs copied from an old default_collate: the result of stack in memory that the parent sees."""

    def program(lib):
        items = [lib.ones(2, 3, dtype=getattr(lib, dtype)) * i for i in range(4)]
        storage = items[0]._typed_storage()._new_shared(24, device=items[0].device)
        out = items[0].new(storage).resize_(4, 2, 3)
        batch = lib.stack(items, 0, out=out)
        raw = items[0].new(items[0].untyped_storage()._new_shared(8 * items[0].element_size()))
        return batch, batch.is_shared(), batch.data_ptr() == storage.data_ptr(), storage._size(), raw.shape, raw.dtype

    both(program)


def test_storages_of_their_own_are_resized():
    def sizes(lib):
        storage = lib.UntypedStorage([1, 2, 3, 4])
        found = [
            storage.resizable(),
            storage.resize_(2).tolist(),
            len(storage),
            len(storage.resize_(9)),
            list(storage)[:2],
        ]
        copy = storage.clone()
        return [*found, len(copy.resize_(0)), copy.tolist(), len(storage), storage.resize_(1) is storage]

    both(sizes)

    def typed(lib):
        storage = lib.DoubleStorage([1, 2, 3])
        return (
            storage.resize_(2),
            storage.tolist(),
            storage.resize_(5),
            len(storage),
            storage.nbytes(),
            storage.resizable(),
        )

    both(typed)
    with pytest.raises(NotImplementedError, match="keeps its size"):
        gradcore.ones(2).untyped_storage().resize_(0)
    with pytest.raises(NotImplementedError, match="keeps its size"):
        gradcore.ones(2)._typed_storage().resize_(0)
    with pytest.raises(RuntimeError):
        gradcore.UntypedStorage(2).resize_(-1)


def test_a_tensor_of_a_storage_is_on_its_memory():
    def program(lib):
        x = lib.zeros(3)
        lib.tensor(x.untyped_storage(), dtype=lib.float32)[0] = 1
        lib.as_tensor(x.storage())[1] = 2
        return x

    both(program)


@pytest.mark.parametrize("name", "double float half bfloat16 long int short char byte bool".split())
def test_numbers_of_storages_in_other_dtypes(name):
    def program(lib):
        found = []
        for storage in (lib.FloatStorage([1.0, 0.0, 2.5]), lib.tensor([1.0, 2.0]).untyped_storage()):
            other = getattr(storage, name)()
            found += [other.dtype, other.tolist(), storage.tolist(), storage.type(), storage.get_device()]
        return found

    both(program)


def test_storages_of_another_class():
    """torch's own type() of a class fails where the sizes of the numbers differ."""
    assert gradcore.FloatStorage([1.5]).type(gradcore.LongStorage).tolist() == [1]


def test_the_base_of_untyped_storages():
    def program(lib):
        x = lib.ones(2)
        kinds = lib.StorageBase, lib._C.StorageBase
        found = [isinstance(s, kind) for s in (x.untyped_storage(), x.storage(), x) for kind in kinds]
        return found, issubclass(lib.UntypedStorage, lib.StorageBase), issubclass(lib.FloatStorage, lib.StorageBase)

    both(program)
