"""torch.onnx.symbolic_helper: decorators of functions that nobody calls, for nothing is exported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def parse_args(*arg_descriptors: str) -> Callable[[Any], Any]:
    """A decorator that changes nothing."""
    return lambda function: function


def quantized_args(*arg_q_descriptors: bool, **options: Any) -> Callable[[Any], Any]:
    """A decorator that changes nothing."""
    return lambda function: function
