"""What the namespace has."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._types import device as Device
from ._dtypes import isdtype

_DTYPES = {
    str(of).removeprefix("torch."): of
    for of in (_C.bool, _C.int8, _C.int16, _C.int32, _C.int64, _C.uint8, _C.float32, _C.float64)
}


class _Info:
    """The standard's inspection."""

    def capabilities(self) -> dict[str, Any]:
        """What programs may rely on."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """The CPU."""
        return Device("cpu")

    def devices(self) -> list[Any]:
        """The CPU alone."""
        return [Device("cpu")]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of arrays that nobody gave one."""
        real = _C.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": real.to_complex(),
            "integral": _C.int64,
            "indexing": _C.int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes, or those of a kind, by name."""
        return {name: of for name, of in _DTYPES.items() if kind is None or isdtype(of, kind)}


def __array_namespace_info__() -> _Info:
    """What the namespace has: dtypes, devices, capabilities."""
    return _Info()
