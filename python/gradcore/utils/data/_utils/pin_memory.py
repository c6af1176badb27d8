"""pin_memory() of all tensors of a batch, in the structure that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .... import _C
from .collate import _like_mapping, _like_sequence


def pin_memory(data: Any, device: Any = None) -> Any:
    """The batch: what pin_memory() of its tensors, and of parts of the program's own classes that have one, gives.

    Raises RuntimeError for a tensor, as torch does where there is no GPU.

    >>> pin_memory({"x": [1, 2], "name": "one"})
    {'x': [1, 2], 'name': 'one'}
    """
    if isinstance(data, _C.Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: pin_memory(item, device) for key, item in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(item, device) for item in data))
    if isinstance(data, tuple):
        return type(data)(pin_memory(item, device) for item in data)
    if isinstance(data, Sequence):
        return _like_sequence(data, [pin_memory(item, device) for item in data])
    return data
