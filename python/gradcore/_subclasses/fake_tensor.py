"""Tensors without memory, by which torch traces programs: gradcore traces nothing and has none."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(__name__, "FakeTensor FakeTensorMode", "gradcore does not trace programs")


def is_fake(x: object) -> bool:
    """False: every tensor has memory.

    >>> import gradcore
    >>> from gradcore._subclasses.fake_tensor import is_fake
    >>> is_fake(gradcore.ones(2))
    False
    """
    return False
