"""gradcore.nn.parallel: for programs that wrap their model whatever the machine; one process, and no GPUs."""

from .data_parallel import DataParallel as DataParallel
from .distributed import DistributedDataParallel as DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]
