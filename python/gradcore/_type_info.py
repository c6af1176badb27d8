"""finfo and iinfo: the limits of a dtype, as torch.finfo and torch.iinfo give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _C
from ._class_names import belongs_to

if TYPE_CHECKING:
    from typing import Any, Self
else:
    from ._lazy import Any, Self

# bits, bits of the fraction, largest exponent, decimal digits that survive
_FLOATS = {
    "float16": (16, 10, 15, 3),
    "bfloat16": (16, 7, 127, 2),
    "float32": (32, 23, 127, 6),
    "float64": (64, 52, 1023, 15),
}
# smallest, largest, step at 1, smallest normal number: their exponents keep no place for infinities, or not the usual one
_EIGHT_BIT_FLOATS = {
    "float8_e4m3fn": (-448.0, 448.0, 0.125, 2.0**-6),
    "float8_e5m2": (-57344.0, 57344.0, 0.25, 2.0**-14),
    "float8_e4m3fnuz": (-240.0, 240.0, 0.125, 2.0**-7),
    "float8_e5m2fnuz": (-57344.0, 57344.0, 0.125, 2.0**-15),
    "float8_e8m0fnu": (2.0**-127, 2.0**127, 1.0, 2.0**-127),
}
# bits, signed
_INTEGERS = {f"{sign}int{bits}": (bits, not sign) for bits in (8, 16, 32, 64) for sign in ("", "u")}
_DEFAULT = object()


class _TypeInfo:
    __slots__ = ("bits", "dtype", "max", "min")
    bits: int
    dtype: str
    _known: dict[_C.dtype, _TypeInfo]

    # One object for each dtype: nobody can change it, and programs ask for it in their loops.
    def __new__(cls, type: _C.dtype = _DEFAULT) -> Self:  # type: ignore[assignment]
        try:
            return cls._known[type]  # type: ignore[return-value]
        except (KeyError, TypeError):
            pass
        self = super().__new__(cls)
        self._find(type)
        if type is not _DEFAULT:
            cls._known[type] = self
        return self

    def _find(self, type: _C.dtype) -> None:
        raise NotImplementedError

    def _fill(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        if not hasattr(self, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise AttributeError(f"attribute {name!r} of {type(self).__name__!r} objects is not writable")

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle 'torch.{type(self).__name__}' object")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TypeInfo) and self.dtype == other.dtype

    def _show(self, *names: str) -> str:
        limits = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"{type(self).__name__}({limits}, dtype={self.dtype})"


@belongs_to("gradcore")
class finfo(_TypeInfo):
    """Limits of a floating-point dtype, or of a complex one's parts; of the default dtype when none is given.

    >>> import gradcore
    >>> gradcore.finfo(gradcore.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")
    _known = {}
    max: float
    min: float
    eps: float
    resolution: float
    smallest_normal: float
    tiny: float

    def _find(self, type: _C.dtype) -> None:
        name = _dtype_name("finfo", type)
        if name in _EIGHT_BIT_FLOATS:
            smallest, largest, eps, normal = _EIGHT_BIT_FLOATS[name]
            self._fill(dtype=name, bits=8, min=smallest, max=largest, eps=eps)
            self._fill(tiny=normal, smallest_normal=normal, resolution=1.0)
            return
        if name not in _FLOATS:
            raise TypeError(
                f"finfo() requires a floating point input type, got torch.{name}. Use iinfo for an integer one."
            )
        bits, fraction, exponent, digits = _FLOATS[name]
        largest = (2.0 - 2.0**-fraction) * 2.0**exponent
        smallest = 2.0 ** (1 - exponent)
        self._fill(dtype=name, bits=bits, max=largest, min=-largest, eps=2.0**-fraction)
        self._fill(tiny=smallest, smallest_normal=smallest, resolution=float(f"1e-{digits}"))

    def __repr__(self) -> str:
        return self._show("resolution", "min", "max", "eps", "smallest_normal", "tiny")


@belongs_to("gradcore")
class iinfo(_TypeInfo):
    """Limits of an integer dtype.

    >>> import gradcore
    >>> gradcore.iinfo(gradcore.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ()
    _known = {}
    max: int
    min: int

    if TYPE_CHECKING:

        def __new__(cls, type: _C.dtype) -> Self: ...

    def _find(self, type: _C.dtype) -> None:
        name = _dtype_name("iinfo", type)
        if name == "bool":
            raise TypeError("torch.bool is not supported by iinfo")
        if name.startswith(("qint", "quint")):
            raise NotImplementedError(f'iinfo: "dtype" not implemented for torch.{name}')
        if name not in _INTEGERS:
            raise TypeError(f"iinfo() requires an integer input type, got torch.{name}. Use finfo for a float one.")
        bits, signed = _INTEGERS[name]
        smallest = -(2 ** (bits - 1)) if signed else 0
        self._fill(dtype=name, bits=bits, min=smallest, max=2**bits - 1 + smallest)

    def __repr__(self) -> str:
        return self._show("min", "max")


def _dtype_name(function: str, given: object) -> str:
    from . import get_default_dtype

    if given is _DEFAULT:
        given = get_default_dtype()
    if given is float or given is int or given is bool:
        return {float: "float64", int: "int64", bool: "bool"}[given]
    if not isinstance(given, _C.dtype):
        raise TypeError(f"{function}(): argument 'type' must be torch.dtype, not {type(given).__name__}")
    if function == "finfo":
        given = given.to_real()
    return str(given).removeprefix("torch.")
