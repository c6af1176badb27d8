"""Helpers of torch's own optimizers, under torch's names: programs that hold copies of those optimizers call them. They are
found in optim.optimizer, too."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from .._lazy import Any, Callable

__all__: list[str] = []

# Parts of docstrings.
_params_doc = "params (iterable): the parameters, named parameters, or dicts that each make a group"
_foreach_doc = "foreach (bool, optional): accepted, and changes nothing (default: None)"
_fused_doc = "fused (bool, optional): accepted; a step is one call of the core in any case (default: None)"
_capturable_doc = "capturable (bool, optional): accepted, and changes nothing on the CPU (default: False)"
_maximize_doc = "maximize (bool, optional): whether the objective is to grow (default: False)"
_differentiable_doc = "differentiable (bool, optional): whether the step itself is recorded (default: False)"

_foreach_supported_types = [Tensor]


def _get_value(x: Any) -> Any:
    """The number in a tensor; what is a number already."""
    return x.item() if isinstance(x, Tensor) else x


def _stack_if_compiling(x: Any) -> Any:
    return x  # nothing is compiled


def _view_as_real(params: Any, *state_and_grads: Any) -> None:
    pass  # no parameter is complex


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """(fused, foreach): what an optimizer does that is told neither. On the CPU both are for those who ask."""
    is_plain = all(p is None or p.dtype.is_floating_point for p in params)
    return use_fused and not differentiable and is_plain, False


def _get_scalar_dtype(is_fused: bool | None = None) -> Any:
    """The dtype of a step counter."""
    is_double = not is_fused and _C.get_default_dtype() == _C.float64
    return _C.float64 if is_double else _C.float32


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    return ["cuda", "xpu", "hpu", "privateuseone"] + (["xla"] if supports_xla else [])


def _disable_dynamo_if_unsupported(single_tensor_fn: Any = None) -> Callable[[Any], Any]:
    return lambda function: function  # nothing is compiled
