"""torch.utils.tensorboard.writer: where programs that name the class look for it."""

from . import SummaryWriter as SummaryWriter

__all__ = ["SummaryWriter"]
