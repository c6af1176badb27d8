"""torch._C._nn: the functions that layers are made of, which packages also take from there."""

from __future__ import annotations

from typing import Any


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """(device, dtype, non_blocking, memory_format) of the arguments of Module.to(). Raises what to() raises."""
    from .. import _C, _types

    _C.empty(0).to(*args, **kwargs)
    place = dtype = None
    for given in (*args, *kwargs.values()):
        if isinstance(given, _C.Tensor):
            place, dtype = given.device, given.dtype
        elif isinstance(given, _C.dtype):
            dtype = given
        elif isinstance(given, (str, _types.device)):
            place = _types.device(given)
    return place, dtype, bool(kwargs.get("non_blocking", False)), kwargs.get("memory_format")


def __getattr__(name: str) -> Any:
    from ..nn import functional

    if name.startswith("__") or not hasattr(functional, name):
        raise AttributeError(f"module 'torch._C._nn' has no attribute {name!r}")
    return getattr(functional, name)
