"""Tracing through operations: gradcore traces nothing."""

from __future__ import annotations

from ..._compat.absent import absent

__getattr__ = absent(__name__, "make_fx ProxyTorchDispatchMode", "gradcore does not trace programs")


def get_proxy_mode() -> None:
    """None: no program is traced.

    >>> from gradcore.fx.experimental.proxy_tensor import get_proxy_mode
    >>> get_proxy_mode() is None
    True
    """
    return None
