"""Dtypes: promotion without exceptions for arrays of no dims, kinds, limits."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from .. import _C, _type_info
from .._C import Tensor, dtype

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

SIGNED = (_C.int8, _C.int16, _C.int32, _C.int64)
UNSIGNED = (_C.uint8,)
REAL = (_C.float32, _C.float64)
NUMBERS = (bool, int, float, complex)
KINDS: dict[str, tuple[dtype, ...]] = {
    "bool": (_C.bool,),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": SIGNED + UNSIGNED,
    "real floating": REAL,
    "complex floating": (),
    "numeric": SIGNED + UNSIGNED + REAL,
}


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """`x` with elements of another dtype; with copy=False `x` itself where it has that dtype already."""
    return x.to(device=device, dtype=dtype, copy=copy)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether promotion may lead from a dtype, or that of an array, to another."""
    source = from_.dtype if isinstance(from_, Tensor) else from_
    return source == to or _rank(source) <= _rank(to) and _C.promote_types(source, to) == to


def _rank(of: Any) -> int:
    return 0 if of == _C.bool else 2 if of in REAL else 1


@dataclass(frozen=True)
class _FloatLimits:
    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


@dataclass(frozen=True)
class _IntLimits:
    bits: int
    max: int
    min: int
    dtype: Any


def finfo(type: Any, /) -> _FloatLimits:
    """The limits of a floating dtype."""
    of = type.dtype if isinstance(type, Tensor) else type
    found = _type_info.finfo(of)
    return _FloatLimits(found.bits, found.eps, found.max, found.min, found.smallest_normal, of)


def iinfo(type: Any, /) -> _IntLimits:
    """The limits of an integer dtype."""
    of = type.dtype if isinstance(type, Tensor) else type
    found = _type_info.iinfo(of)
    return _IntLimits(found.bits, found.max, found.min, of)


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is `kind`: a dtype, the name of a kind, or one of a tuple of them. ValueError for another name."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if not isinstance(kind, str):
        return bool(dtype == kind)
    if kind not in KINDS:
        raise ValueError(f"isdtype: {kind!r} is no kind: {', '.join(KINDS)}")
    return dtype in KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype of a result. Numbers of Python give way to arrays, arrays of no dims do not."""
    numbers = [item for item in arrays_and_dtypes if isinstance(item, NUMBERS)]
    types = [_dtype_of(item) for item in arrays_and_dtypes if not isinstance(item, NUMBERS)]
    if not types:
        raise ValueError("result_type: needs an array or a dtype")
    return functools.reduce(with_number, numbers, functools.reduce(_C.promote_types, types))


def _dtype_of(item: Any) -> Any:
    return item.dtype if isinstance(item, Tensor) else item


def with_number(of: Any, number: Any) -> Any:
    """The dtype of an array of this dtype after an op with a number of Python."""
    if isinstance(number, bool) or of in REAL:
        return of
    if isinstance(number, int):
        return _C.int64 if of == _C.bool else of
    return _C.get_default_dtype()
