"""torch.backends.cuda: not there; its switches are remembered and do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Matmul:
    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True
    fp32_precision = "none"


matmul = _Matmul()


class _Attention:
    """Which kinds of attention are switched on. None of them is there."""

    flash = mem_efficient = math = cudnn = True


def is_built() -> bool:
    """False."""
    return False


def flash_sdp_enabled() -> bool:
    """What enable_flash_sdp() was told last."""
    return _Attention.flash


def enable_flash_sdp(enabled: bool) -> None:
    """Remembered, and no more."""
    _Attention.flash = enabled


def mem_efficient_sdp_enabled() -> bool:
    """What enable_mem_efficient_sdp() was told last."""
    return _Attention.mem_efficient


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Remembered, and no more."""
    _Attention.mem_efficient = enabled


def math_sdp_enabled() -> bool:
    """What enable_math_sdp() was told last."""
    return _Attention.math


def enable_math_sdp(enabled: bool) -> None:
    """Remembered, and no more."""
    _Attention.math = enabled


def cudnn_sdp_enabled() -> bool:
    """What enable_cudnn_sdp() was told last."""
    return _Attention.cudnn


def enable_cudnn_sdp(enabled: bool) -> None:
    """Remembered, and no more."""
    _Attention.cudnn = enabled


@contextmanager
def sdp_kernel(*args: Any, **kwargs: Any) -> Iterator[None]:
    """A context that changes nothing."""
    yield


def preferred_linalg_library(backend: Any = None) -> str:
    """'default'."""
    return "default"
