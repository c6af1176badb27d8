"""torch.backends.cpu: what the processor can do, and how convolutions use it."""

from __future__ import annotations

from .. import _C


def get_cpu_capability() -> str:
    """The instruction set that the kernels use, in torch's words: "DEFAULT", "AVX2" or "AVX512"."""
    return {"x86-64-v3": "AVX2", "x86-64-v4": "AVX512"}.get(_C._build_info()["isa"], "DEFAULT")


def winograd_enabled() -> bool:
    """Whether convolutions may use Winograd's algorithm; see enable_winograd().

    >>> import gradcore
    >>> gradcore.backends.cpu.winograd_enabled()
    True
    """
    return _C._winograd_enabled()


def enable_winograd(enabled: bool) -> None:
    """Lets convolutions of float32 with 3 x 3 or 5 x 5 windows, stride 1 and 16 channels or more, and their gradients, use
    Winograd's algorithm, or not.

    It is two to three times as fast as the plain sum, and its rounding errors are up to twice as large. torch has no such
    function. Source: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", 2016.

    >>> import gradcore
    >>> gradcore.backends.cpu.enable_winograd(False)  # the plain sum, as exact as float32 can be added
    >>> gradcore.backends.cpu.enable_winograd(True)
    """
    _C._enable_winograd(enabled)
