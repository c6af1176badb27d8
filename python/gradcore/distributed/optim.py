"""torch.distributed.optim: optimizers over several processes; every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "DistributedOptimizer PostLocalSGDOptimizer ZeroRedundancyOptimizer",
    "gradcore runs in a single process and sends nothing",
)
