"""torch.utils._python_dispatch: programs that see every op below autograd. gradcore has no such level."""

from __future__ import annotations

from typing import Any

from .._compat.absent import absent, refusal

_WHY = "gradcore has no dispatcher"
__getattr__ = absent(__name__, "BaseTorchDispatchMode", _WHY)

TorchDispatchMode = refusal(__name__, "TorchDispatchMode", _WHY)
# For modes of programs that do not call __init__ of this class: what super() finds in theirs refuses too.
TorchDispatchMode.__enter__ = TorchDispatchMode.__exit__ = TorchDispatchMode.__init__


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """False: no tensor wraps others."""
    return False
