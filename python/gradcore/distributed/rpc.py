"""torch.distributed.rpc: calls between processes, which gradcore does not make; every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "PyRRef RRef TensorPipeRpcBackendOptions WorkerInfo functions get_worker_info init_rpc remote rpc_async rpc_sync shutdown",
    "gradcore runs in a single process and sends nothing",
)


def is_available() -> bool:
    """False: there are no calls between processes.

    >>> from gradcore.distributed import rpc
    >>> rpc.is_available()
    False
    """
    return False
