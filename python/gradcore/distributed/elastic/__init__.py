"""torch.distributed.elastic starts and restarts processes, which gradcore does not; `multiprocessing.errors.record` is here."""

from ..._compat.absent import absent
from . import multiprocessing as multiprocessing

__getattr__ = absent(__name__, "agent events metrics rendezvous timer utils", "gradcore runs in a single process")
