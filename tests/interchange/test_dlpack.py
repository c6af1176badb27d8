"""DLPack both ways, with NumPy, torch and capsules of other versions: memory, flags, lives, and what is refused."""

import ctypes
import gc
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import gradcore
from gradcore.utils import dlpack
from support import ALL_DTYPES, both, needs_torch, torch

SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 3), (4, 1, 5)]


class Old:
    """An array of a library that knows no options of __dlpack__."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_numpy_both_ways(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    taken = gradcore.from_dlpack(array)
    assert tuple(taken.shape) == shape and str(taken.dtype) == f"torch.{dtype}" and taken.tolist() == array.tolist()
    given = np.from_dlpack(taken)
    assert given.dtype == array.dtype and given.tolist() == array.tolist()
    if array.size:
        assert taken.data_ptr() == array.ctypes.data == given.ctypes.data


@needs_torch
@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_torch_both_ways(dtype):
    theirs = torch.arange(12).reshape(3, 4).to(getattr(torch, dtype)).t()[1:, ::2]
    ours = gradcore.from_dlpack(theirs)
    assert (
        ours.data_ptr() == theirs.data_ptr() and ours.stride() == theirs.stride() and ours.tolist() == theirs.tolist()
    )
    again = torch.from_dlpack(ours)
    assert again.data_ptr() == theirs.data_ptr() and again.stride() == theirs.stride()
    ours[0, 0] = 1
    assert theirs[0, 0] == 1 and again[0, 0] == 1


@needs_torch
def test_bfloat16_is_no_float16():
    theirs, ours = torch.arange(3).bfloat16(), gradcore.arange(3).bfloat16()
    for taken in (gradcore.from_dlpack(theirs), gradcore.from_dlpack(ours), torch.from_dlpack(ours)):
        assert str(taken.dtype) == "torch.bfloat16" and taken.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises((BufferError, RuntimeError)):  # NumPy has no such numbers
        np.from_dlpack(ours)


def test_views_and_writes():
    x = gradcore.arange(24.0).reshape(2, 3, 4)
    view = np.from_dlpack(x.transpose(0, 2)[1:, :, 1])
    assert view.tolist() == x.transpose(0, 2)[1:, :, 1].tolist()
    repeated = gradcore.from_dlpack(np.broadcast_to(np.arange(3.0), (2, 3)).copy()[:1]).expand(4, 3)
    assert np.from_dlpack(repeated).tolist() == [[0.0, 1.0, 2.0]] * 4
    assert gradcore.from_dlpack(repeated).stride() == (0, 1)


def test_lives_in_any_order():
    array = np.arange(5.0)
    before = sys.getrefcount(array)
    taken = gradcore.from_dlpack(array)
    part = taken[1:]
    del taken
    gc.collect()
    assert part.tolist() == [1.0, 2.0, 3.0, 4.0] and sys.getrefcount(array) > before
    del part
    assert sys.getrefcount(array) == before
    capsule = gradcore.to_dlpack(gradcore.from_dlpack(array))  # nobody takes it
    assert sys.getrefcount(array) > before
    del capsule
    assert sys.getrefcount(array) == before
    x = gradcore.arange(1000.0)
    given = np.from_dlpack(x)
    x.set_(gradcore.zeros(1))
    del x
    assert given.sum() == 499500.0


def test_the_window_that_was_given_stays():
    x = gradcore.arange(6.0)
    given = np.from_dlpack(x)
    x.data = gradcore.zeros(2)
    assert given.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("version", [None, (0, 8), (1, 0), (1, 1), (2, 0)])
def test_versions_of_capsules(version):
    capsule = gradcore.ones(2).__dlpack__(max_version=version)
    name = "dltensor_versioned" if version and version[0] >= 1 else "dltensor"
    assert f'"{name}"' in repr(capsule)
    assert gradcore.from_dlpack(capsule).tolist() == [1.0, 1.0]
    assert f'"used_{name}"' in repr(capsule)
    with pytest.raises(RuntimeError, match="consumed only once"):
        gradcore.from_dlpack(capsule)


def test_read_only_memory():
    array = np.arange(3.0)
    array.flags.writeable = False
    x = gradcore.from_dlpack(array)
    with pytest.raises(RuntimeError, match="read-only"):
        x.add_(1)
    assert not np.from_dlpack(x).flags.writeable and gradcore.from_dlpack(x).tolist() == [0.0, 1.0, 2.0]
    for old in (x.__dlpack__, lambda: gradcore.to_dlpack(x)):
        with pytest.raises(BufferError, match="read-only"):
            old()
    copy = gradcore.from_dlpack(x, copy=True)
    copy.add_(1)
    assert copy.tolist() == [1.0, 2.0, 3.0] and array[0] == 0.0


def test_copies():
    array = np.zeros(2)
    for source in (array, Old(array)):
        copied, shared = gradcore.from_dlpack(source, copy=True), gradcore.from_dlpack(source, copy=False)
        assert copied.data_ptr() != array.ctypes.data and shared.data_ptr() == array.ctypes.data
    x = gradcore.zeros(2)
    capsule = x.__dlpack__(max_version=(1, 0), copy=True)
    ctypes.pythonapi.PyCapsule_GetPointer.restype = ctypes.c_void_p
    ctypes.pythonapi.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    managed = ctypes.pythonapi.PyCapsule_GetPointer(capsule, b"dltensor_versioned")
    version = ctypes.cast(managed, ctypes.POINTER(ctypes.c_uint32 * 2)).contents
    (flags,) = ctypes.cast(managed + 24, ctypes.POINTER(ctypes.c_uint64 * 1)).contents
    assert tuple(version) == (1, 0) and flags == 2  # is copied
    assert gradcore.from_dlpack(capsule).data_ptr() != x.data_ptr()


@needs_torch
@pytest.mark.parametrize(
    "program",
    [
        "lib.ones(2, requires_grad=True).__dlpack__()",
        "(lib.ones(2, requires_grad=True) * 2).__dlpack__(max_version=(1, 0))",
        "lib.from_dlpack(lib.ones(2, requires_grad=True))",
        "lib.ones(2).__dlpack__(stream=1)",
        "lib.ones(2).__dlpack__(stream=0)",
        "lib.ones(2).__dlpack__(stream='a')",
        "lib.ones(2).__dlpack__(1)",
        "lib.ones(2).__dlpack__(copy=3)",
        "lib.to_dlpack(3)",
        "lib.from_dlpack(3)",
        "lib.from_dlpack([1.0])",
        "lib.from_dlpack(np.array('a'))",
        "lib.from_dlpack(np.arange(3), device='cuda')",
        "lib.from_dlpack(np.arange(3), device=3)",
        "lib.func.vmap(lambda x: lib.from_dlpack(x.__dlpack__()))(lib.ones(2, 3))",
    ],
)
def test_what_both_refuse(program):
    both(lambda lib: eval(program, {"lib": lib, "np": np}), raises="")


@needs_torch
@pytest.mark.parametrize(
    "program",
    [
        "repr(lib.ones(2).__dlpack_device__())",
        "[repr(kind) for kind in lib.utils.dlpack.DLDeviceType]",
        "lib.from_dlpack(lib.to_dlpack(lib.ones(2, requires_grad=True))).requires_grad",
        "lib.from_dlpack(lib.ones(2).__dlpack__(stream=-1, dl_device=(1, 0)))",
        "lib.from_dlpack(np.arange(3), device='cpu')",
        "lib.asarray(lib.to_dlpack(lib.ones(2)))",
        "[f(Old(np.arange(3.0))) for f in (lib.asarray, lib.as_tensor, lib.tensor)]",
        "lib.tensor(Old(np.arange(3)), dtype=lib.float64)",
    ],
)
def test_what_both_give(program):
    both(lambda lib: eval(program, {"lib": lib, "np": np, "Old": Old}))


@pytest.mark.parametrize(
    "array, text",
    [
        (np.arange(3)[::-1], "negative strides"),
        (np.arange(3, dtype=np.complex64), "no tensors of this DLPack type"),
        (np.frombuffer(bytearray(9), dtype=np.uint8)[1:].view(np.float64), "aligned"),
    ],
)
def test_what_no_tensor_can_show(array, text):
    """(torch itself ends the process for negative strides.)"""
    with pytest.raises(BufferError, match=text):
        gradcore.from_dlpack(array)


def test_another_device():
    class Elsewhere(Old):
        def __dlpack_device__(self):
            return 2, 0

    with pytest.raises(BufferError, match="on the CPU"):
        gradcore.from_dlpack(Elsewhere(np.ones(2)))
    with pytest.raises(BufferError, match="on the CPU"):
        gradcore.ones(2).__dlpack__(dl_device=(2, 0))


class Managed(ctypes.Structure):
    """A capsule's content, made by hand."""

    _fields_ = [
        ("version", ctypes.c_uint32 * 2), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64), ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64),
    ]  # fmt: skip


def capsule_of(**changes):
    """A capsule of six floats, two by three, with some fields changed; and what must live as long."""
    memory, shape = (ctypes.c_float * 8)(*range(8)), (ctypes.c_int64 * 2)(*changes.pop("sizes", (2, 3)))
    strides = changes.pop("steps", None)
    steps = (ctypes.c_int64 * 2)(*strides) if strides else None
    fields = {
        "version": (ctypes.c_uint32 * 2)(1, 0), "data": ctypes.addressof(memory), "device": (ctypes.c_int32 * 2)(1, 0),
        "ndim": 2, "code": 2, "bits": 32, "lanes": 1, "shape": ctypes.addressof(shape),
        "strides": ctypes.addressof(steps) if steps else None,
    }  # fmt: skip
    managed = Managed(**{**fields, **changes})
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return make(ctypes.addressof(managed), b"dltensor_versioned", None), (memory, shape, steps, managed)


def test_a_capsule_without_strides_and_with_an_offset():
    capsule, _kept = capsule_of(byte_offset=8)
    assert gradcore.from_dlpack(capsule).tolist() == [[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]
    capsule, _kept = capsule_of(steps=(1, 2))
    assert gradcore.from_dlpack(capsule).tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"version": (ctypes.c_uint32 * 2)(2, 0)}, "DLPack 2"),
        ({"device": (ctypes.c_int32 * 2)(2, 0)}, "not in the CPU's memory"),
        ({"ndim": 65}, "65 dims"),
        ({"ndim": -1}, "-1 dims"),
        ({"code": 5, "bits": 16}, "code 5, 16 bits"),
        ({"lanes": 4}, "4 lanes"),
        ({"sizes": (2, -3)}, "negative size"),
        ({"data": None}, "no memory"),
        ({"byte_offset": 1}, "aligned"),
        ({"sizes": (2, 2), "steps": (2**62, 2**62)}, "larger than memory"),
    ],
)
def test_capsules_that_are_refused_are_not_taken(changes, text):
    capsule, _kept = capsule_of(**changes)
    with pytest.raises(BufferError, match=text):
        gradcore.from_dlpack(capsule)
    assert '"dltensor_versioned"' in repr(capsule)


def test_an_overflow_of_sizes():
    for sizes in ((2**40, 2**40), (0, 2**62)):
        capsule, _kept = capsule_of(sizes=sizes)
        with pytest.raises(RuntimeError, match="overflowed"):
            gradcore.from_dlpack(capsule)
    capsule, _kept = capsule_of(sizes=(0, 2**40))
    assert gradcore.from_dlpack(capsule).shape == (0, 2**40)


def test_capsules_that_live_at_the_end_of_the_process():
    program = """
        import gradcore, numpy as np
        x = gradcore.ones(1000)
        kept = [x.__dlpack__(), np.from_dlpack(x), gradcore.from_dlpack(np.ones(1000)), gradcore.to_dlpack(x)]
        class Cycle: pass
        cycle = Cycle(); cycle.self, cycle.kept = cycle, kept
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_the_modules_names():
    assert dlpack.from_dlpack is gradcore.from_dlpack and dlpack.to_dlpack is gradcore.to_dlpack


USED_NAME = ctypes.create_string_buffer(b"used_dltensor_versioned")  # capsules look at it when they go


def test_memory_is_let_go_by_threads_that_know_nothing_of_python():
    array = np.arange(4.0)
    before = sys.getrefcount(array)
    taken = [gradcore.from_dlpack(array).__dlpack__(max_version=(1, 0)) for _ in range(20)]
    api = ctypes.pythonapi
    api.PyCapsule_GetPointer.restype, api.PyCapsule_GetPointer.argtypes = (
        ctypes.c_void_p,
        [ctypes.py_object, ctypes.c_char_p],
    )
    api.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_void_p]
    pointers = [api.PyCapsule_GetPointer(capsule, b"dltensor_versioned") for capsule in taken]
    for capsule in taken:  # as who takes it does
        api.PyCapsule_SetName(capsule, ctypes.addressof(USED_NAME))
    assert sys.getrefcount(array) == before + 20

    def let_go(pointer):
        deleter = Managed.from_address(pointer).deleter
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(deleter)(pointer)  # it is called without the GIL

    threads = [threading.Thread(target=let_go, args=(pointer,)) for pointer in pointers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getrefcount(array) == before
    del taken
