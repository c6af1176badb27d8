"""torch.overrides: gradcore does not dispatch through __torch_function__, and says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """False: __torch_function__ is never called."""
    return False


def has_torch_function_unary(obj: Any) -> bool:
    """False: __torch_function__ is never called."""
    return False


def has_torch_function_variadic(*args: Any) -> bool:
    """False: __torch_function__ is never called."""
    return False


def is_tensor_like(inp: Any) -> bool:
    """Whether `inp` is a tensor or its class has a __torch_function__."""
    from ._C import Tensor

    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def handle_torch_function(*args: Any, **kwargs: Any) -> Any:
    """Refused: __torch_function__ is never called."""
    raise NotImplementedError("gradcore does not dispatch through __torch_function__")
