"""What programs ask of sizes that a tracer does not know: gradcore traces nothing, so that every size is a number.

The functions have torch's names and answer as torch's do for numbers and plain bools.
"""

from __future__ import annotations

from typing import Any

from ..._compat.absent import absent

__getattr__ = absent(
    __name__,
    "DimDynamic ShapeEnv StatelessSymbolicContext SymIntEqByExpr constrain_range",
    "gradcore does not trace programs",
)


def statically_known_true(x: Any) -> bool:
    """Whether `x` is true.

    >>> from gradcore.fx.experimental.symbolic_shapes import statically_known_true
    >>> statically_known_true(3 > 2)
    True
    """
    return bool(x)


guard_or_false = guard_or_true = guard_bool = definitely_true = guard_size_oblivious = statically_known_true


def definitely_false(x: Any) -> bool:
    """Whether `x` is false."""
    return not x


def is_symbolic(x: Any) -> bool:
    """False: every size is a number."""
    return False


def free_symbols(x: Any) -> set[Any]:
    """The symbols in a size: none."""
    return set()


free_unbacked_symbols = free_symbols
