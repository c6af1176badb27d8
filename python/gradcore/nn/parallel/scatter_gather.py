"""torch.nn.parallel.scatter_gather: spreads inputs over GPUs, which are not here; every use raises NotImplementedError."""

from ..._compat.absent import absent

__getattr__ = absent(__name__, "gather scatter scatter_kwargs", "gradcore has no devices to spread over")
