"""The results of ops that give several tensors: tuples whose parts have names."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class _Named(tuple[Any, ...]):
    """A subclass lists its parts as properties, in order."""

    __slots__ = ()

    def __repr__(self) -> str:
        names = [name for name, value in vars(type(self)).items() if isinstance(value, property)]
        parts = ",\n".join(f"{name}={part!r}" for name, part in zip(names, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{parts})"


class max(_Named):
    """Of max(input, dim)."""

    __slots__ = ()
    values = property(itemgetter(0), doc="The largest elements.")
    indices = property(itemgetter(1), doc="Where they stand along the dim.")


class min(_Named):
    """Of min(input, dim)."""

    __slots__ = ()
    values = property(itemgetter(0), doc="The smallest elements.")
    indices = property(itemgetter(1), doc="Where they stand along the dim.")


class linalg_cholesky_ex(_Named):
    """Of linalg.cholesky_ex(A)."""

    __slots__ = ()
    L = property(itemgetter(0), doc="The factor.")
    info = property(itemgetter(1), doc="0, or the order of the leading minor that is not positive-definite.")


class linalg_solve_ex(_Named):
    """Of linalg.solve_ex(A, B)."""

    __slots__ = ()
    result = property(itemgetter(0), doc="The solution.")
    info = property(itemgetter(1), doc="0, or the number of the pivot that is zero.")


class linalg_inv_ex(_Named):
    """Of linalg.inv_ex(A)."""

    __slots__ = ()
    inverse = property(itemgetter(0), doc="The inverse.")
    info = property(itemgetter(1), doc="0, or the number of the pivot that is zero.")


class slogdet(_Named):
    """Of slogdet(input)."""

    __slots__ = ()
    sign = property(itemgetter(0), doc="The determinant's sign: 1, -1 or 0.")
    logabsdet = property(itemgetter(1), doc="The logarithm of its absolute value.")


class linalg_slogdet(_Named):
    """Of linalg.slogdet(A)."""

    __slots__ = ()
    sign = property(itemgetter(0), doc="The determinant's sign: 1, -1 or 0.")
    logabsdet = property(itemgetter(1), doc="The logarithm of its absolute value.")
