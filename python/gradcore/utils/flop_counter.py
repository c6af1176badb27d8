"""torch.utils.flop_counter counts what its dispatcher sees; gradcore has none, and every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(__name__, "FlopCounterMode", "gradcore has no dispatcher; its profiler counts bytes and calls")
