"""torch.utils._python_dispatch: programs that see every op below autograd. gradcore has no such level."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent

__getattr__ = absent(__name__, "TorchDispatchMode BaseTorchDispatchMode", "gradcore has no dispatcher")


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """False: no tensor wraps others."""
    return False
