"""Functions and constants of torch's namespace that are left from older versions, or tell of its build."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from .. import _C
from .._C import Tensor
from .._types import contiguous_format

has_cuda = has_cudnn = has_mps = has_mkldnn = has_mkl = has_openmp = False
has_spectral = False  # Fourier transforms give complex numbers
has_lapack = True  # torch.linalg works
legacy_contiguous_format = contiguous_format


def compiled_with_cxx11_abi() -> bool:
    """True: libstdc++'s newer layout of strings is in use.

    >>> import gradcore
    >>> gradcore.compiled_with_cxx11_abi()
    True
    """
    return True


def init_num_threads() -> None:
    """Nothing is left to do: the number of threads is chosen at import.

    >>> import gradcore
    >>> gradcore.init_num_threads()
    """


def is_distributed(input: Tensor) -> bool:
    """False: one process computes.

    >>> import gradcore
    >>> gradcore.is_distributed(gradcore.ones(1))
    False
    """
    return False


def is_vulkan_available() -> bool:
    """False: gradcore runs on the CPU.

    >>> import gradcore
    >>> gradcore.is_vulkan_available()
    False
    """
    return False


def dequantize(input: Tensor) -> Tensor:
    """The tensor as float32.

    >>> import gradcore
    >>> gradcore.dequantize(gradcore.tensor([1]))
    tensor([1.])
    """
    return input.dequantize()


def dsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """mm(): a product of matrices, of which torch's first one may be sparse.

    >>> import gradcore
    >>> gradcore.dsmm(gradcore.eye(1), gradcore.ones(1, 1))
    tensor([[1.]])
    """
    return _C.mm(input, mat2)


spmm = dsmm


def thread_safe_generator() -> None:
    """None outside of a loader's worker threads, of which gradcore has none: the default generator is to be used.

    >>> import gradcore
    >>> gradcore.thread_safe_generator() is None
    True
    """


def from_file(
    filename: str | os.PathLike[str],
    shared: bool | None = None,
    size: int = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """The first `size` numbers that a file holds, as bytes in this machine's order. The memory is mapped, not read.

    shared: writes to the tensor go to the file, which is made, or made longer, where it is too short. Without it they stay
    with the tensor. Raises RuntimeError for a file that cannot be opened, or is too short; ValueError for a negative size.

    >>> import gradcore, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "numbers")
    ...     gradcore.from_file(path, shared=True, size=3).fill_(2)
    tensor([2., 2., 2.])
    """
    made = _C.empty(0, dtype=dtype, device=device, pin_memory=pin_memory, layout=layout)
    if size < 0:
        raise ValueError(f"from_file: size cannot be negative, got {size}")
    count = size * made.element_size()
    flags = os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY
    try:
        descriptor = os.open(filename, flags, 0o666)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(
            f"unable to open file <{filename}> in {mode} mode: {error.strerror} ({error.errno})"
        ) from None
    try:
        return _mapped(descriptor, os.fspath(filename), count, bool(shared), made)
    finally:
        os.close(descriptor)


def _mapped(descriptor: int, filename: str, count: int, shared: bool, like: Tensor) -> Tensor:
    import mmap

    length = os.fstat(descriptor).st_size
    if length < count and not shared:
        raise RuntimeError(f"file <{filename}> size <{length}> is smaller than the required mapping size <{count}>")
    if length < count:
        os.truncate(descriptor, count)
    if count == 0:
        return like
    access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
    return _C.frombuffer(mmap.mmap(descriptor, count, access=access), dtype=like.dtype)


# ---- gone in torch as well


def _gone(name: str, advice: str) -> Any:
    text = f"This function was deprecated since version 1.9 and is now removed. {advice}"

    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(text)

    function.__name__ = function.__qualname__ = name
    call = f"gradcore.{name}()\nTraceback (most recent call last):\nRuntimeError: {text}"
    function.__doc__ = (
        f"Raises RuntimeError, as in torch, where it is gone. {advice}\n\n>>> import gradcore\n>>> {call}\n"
    )
    return function


eig = _gone("eig", "Use torch.linalg.eigh for a symmetric matrix.")
lstsq = _gone("lstsq", "Use torch.linalg.lstsq, whose arguments are the other way round.")
matrix_rank = _gone("matrix_rank", "Use torch.linalg.matrix_rank.")
solve = _gone("solve", "Use torch.linalg.solve, whose arguments are the other way round.")
symeig = _gone("symeig", "Use torch.linalg.eigh.")


# ---- autocast on devices that are not there


def is_autocast_ipu_enabled() -> bool:
    """False: gradcore runs on the CPU.

    >>> import gradcore
    >>> gradcore.is_autocast_ipu_enabled()
    False
    """
    return False


is_autocast_xla_enabled = is_autocast_ipu_enabled
