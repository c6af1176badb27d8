"""torch.distributed.autograd: gradients across processes; every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(__name__, "backward context get_gradients", "gradcore runs in a single process and sends nothing")


def is_available() -> bool:
    """False: there are no gradients across processes.

    >>> from gradcore.distributed import autograd
    >>> autograd.is_available()
    False
    """
    return False
