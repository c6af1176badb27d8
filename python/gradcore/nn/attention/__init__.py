"""Which kernel computes scaled_dot_product_attention(): names to choose with. gradcore has one for all of them."""

from __future__ import annotations

import enum
from contextlib import contextmanager

from ...backends import cuda

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
else:
    from ..._lazy import Iterable, Iterator

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.IntEnum):
    """torch's names of attention kernels.

    >>> import gradcore.nn.attention
    >>> gradcore.nn.attention.SDPBackend.MATH.value
    0
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_SWITCHES = {
    SDPBackend.MATH: (cuda.math_sdp_enabled, cuda.enable_math_sdp),
    SDPBackend.FLASH_ATTENTION: (cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
    SDPBackend.EFFICIENT_ATTENTION: (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
    SDPBackend.CUDNN_ATTENTION: (cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp),
}


@contextmanager
def sdpa_kernel(backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """A context in which these kernels are switched on, and the others off, as backends.cuda tells. The results are the same.

    Raises TypeError for what is no SDPBackend.

    >>> import gradcore
    >>> from gradcore.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     gradcore.backends.cuda.flash_sdp_enabled()
    False
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else list(backends)
    for backend in chosen:
        if not isinstance(backend, SDPBackend):
            raise TypeError(f"sdpa_kernel() takes members of SDPBackend, not {type(backend).__name__}")
    before = [is_on() for is_on, _ in _SWITCHES.values()]
    try:
        for backend, (_, enable) in _SWITCHES.items():
            enable(backend in chosen)
        yield
    finally:
        for (_, enable), was_on in zip(_SWITCHES.values(), before):
            enable(was_on)
