"""torch.cuda as a program sees it on a machine without a GPU: nothing is available, seeds and caches do nothing.

What would need a GPU raises AssertionError("Torch not compiled with CUDA enabled ..."), as torch's CPU build does.
"""

from __future__ import annotations

from typing import Any

from .. import _C
from .._compat.settings import AcceleratorError as AcceleratorError
from .._compat.settings import OutOfMemoryError as OutOfMemoryError
from .._types import check_device
from .._types import device as _device
from . import amp as amp
from . import nvtx as nvtx
from . import random as random
from .random import get_rng_state as get_rng_state
from .random import get_rng_state_all as get_rng_state_all
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import manual_seed_all as manual_seed_all
from .random import seed as seed
from .random import seed_all as seed_all
from .random import set_rng_state as set_rng_state
from .random import set_rng_state_all as set_rng_state_all

has_half = False
has_magma = False
default_generators: tuple[_C.Generator, ...] = ()


def is_available() -> bool:
    """False: gradcore runs on the CPU only.

    >>> import gradcore
    >>> gradcore.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """0."""
    return 0


_initialized = False  # packages that keep the states of all generators ask


def is_initialized() -> bool:
    """False."""
    return _initialized


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


is_tf32_supported = is_available


def get_arch_list() -> list[str]:
    """An empty list."""
    return []


def empty_cache() -> None:
    """Does nothing. `gradcore.release_unused_memory()` returns the CPU's unused memory to the system."""


def memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated
memory_cached = max_memory_cached = memory_allocated


def memory_stats(device: Any = None) -> dict[str, Any]:
    """An empty dict."""
    return {}


def reset_peak_memory_stats(device: Any = None) -> None:
    """Does nothing. (torch's CPU build fails here with an AttributeError.)"""


reset_max_memory_allocated = reset_max_memory_cached = reset_accumulated_memory_stats = reset_peak_memory_stats


def _needs_gpu(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        check_device("cuda")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Needs a GPU: raises AssertionError."
    return refuse


_NEED_GPU = (
    "init synchronize current_device current_stream default_stream get_device_name get_device_capability "
    "get_device_properties mem_get_info memory_summary memory_snapshot set_stream can_device_access_peer ipc_collect "
    "set_per_process_memory_fraction get_sync_debug_mode set_sync_debug_mode current_blas_handle utilization "
    "caching_allocator_alloc caching_allocator_delete cudart graph make_graphed_callables"
).split()
globals().update({name: _needs_gpu(name) for name in _NEED_GPU})


def is_current_stream_capturing() -> bool:
    """False. (torch's CPU build fails here with a RuntimeError.)"""
    return False


def set_device(device: Any) -> None:
    """Raises AssertionError, unless `device` is negative, which means none."""
    if isinstance(device, int) and device < 0:
        return
    if not isinstance(device, int) and _device(device).type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {device}")
    check_device("cuda")


class device:
    """`with torch.cuda.device(-1):` or None does nothing; any other index raises AssertionError on entering."""

    def __init__(self, device: Any) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is None or (isinstance(self.idx, int) and self.idx < 0):
            return
        check_device("cuda")

    def __exit__(self, *exc: object) -> None:
        pass


class device_of(device):
    """`with torch.cuda.device_of(tensor):` does nothing for a tensor of the CPU."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


class StreamContext:
    """What stream() returns: it does nothing for None, and there is no other stream."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """A context in which nothing changes: `stream` can only be None."""
    return StreamContext(stream)


class Stream:
    """Needs a GPU: raises RuntimeError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"torch.cuda.{type(self).__name__} requires CUDA support")


class ExternalStream(Stream):
    """Needs a GPU: raises RuntimeError."""


class Event(Stream):
    """Needs a GPU: raises RuntimeError."""


class CUDAGraph(Stream):
    """Needs a GPU: raises RuntimeError."""


def __getattr__(name: str) -> Any:
    if name.endswith("Tensor"):
        from .._compat.legacy import CUDA_TYPES

        if name.removesuffix("Tensor") in CUDA_TYPES:
            return CUDA_TYPES[name.removesuffix("Tensor")]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
