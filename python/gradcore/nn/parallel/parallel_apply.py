"""torch.nn.parallel.parallel_apply."""

from .scatter_gather import parallel_apply as parallel_apply

__all__ = ["parallel_apply"]
