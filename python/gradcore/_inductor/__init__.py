"""torch._inductor without a compiler: its settings are kept, and change nothing."""

from __future__ import annotations

from . import config as config
