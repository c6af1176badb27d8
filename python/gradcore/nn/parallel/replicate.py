"""torch.nn.parallel.replicate."""

from .scatter_gather import replicate as replicate

__all__ = ["replicate"]
