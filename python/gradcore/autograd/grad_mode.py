"""gradcore.autograd.grad_mode: the switches for recording, under torch's module name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, inference_mode, no_grad, set_grad_enabled, set_multithreading_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]


@contextmanager
def _unsafe_preserve_version_counter(tensors: Tensor | Iterable[Tensor]) -> Iterator[None]:
    """A block whose in-place operations on the tensors backward does not see: it computes with the new values.

    >>> import gradcore
    >>> x = gradcore.ones(2)
    >>> with gradcore.autograd._unsafe_preserve_version_counter(x):
    ...     x = x.add_(1)
    >>> x._version
    0
    """
    kept = [(t, t._version) for t in ((tensors,) if isinstance(tensors, Tensor) else tensors)]
    try:
        yield
    finally:
        for tensor, version in kept:
            _C._set_version(tensor, version)
