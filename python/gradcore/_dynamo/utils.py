"""What programs ask of torch._dynamo.utils."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator

from .._compat.absent import absent

__getattr__ = absent(__name__, "CompileProfiler", "gradcore does not compile programs")


def is_compile_supported(device_type: str) -> bool:
    """False: nothing is compiled."""
    return False


@contextlib.contextmanager
def disable_cache_limit() -> Iterator[None]:
    """Changes nothing: there is no cache of compiled programs."""
    yield


counters: defaultdict[str, Counter[str]] = defaultdict(Counter)  # what the compiler did: nothing
