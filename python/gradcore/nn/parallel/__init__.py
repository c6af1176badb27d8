"""gradcore.nn.parallel: DataParallel, for programs that wrap their model whatever the machine."""

from .data_parallel import DataParallel as DataParallel

__all__ = ["DataParallel"]
