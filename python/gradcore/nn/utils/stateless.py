"""The old place of func.functional_call()."""

from __future__ import annotations

import contextlib
import warnings

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
else:
    from ..._lazy import Any, Iterator

__all__ = ["functional_call"]


def functional_call(
    module: Any,
    parameters_and_buffers: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """gradcore.func.functional_call().

    >>> import gradcore
    >>> net = gradcore.nn.Linear(1, 1, bias=False)
    >>> weight = {"weight": gradcore.tensor([[3.0]])}
    >>> gradcore.nn.utils.stateless.functional_call(net, weight, gradcore.tensor([[2.0]]))
    tensor([[6.]])
    """
    from ...func import functional_call as call

    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future version "
        "of PyTorch. Please use `torch.func.functional_call` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


@contextlib.contextmanager
def _reparametrize_module(
    module: Any,
    parameters_and_buffers: dict[str, Any],
    *,
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> Iterator[None]:
    """A block in which the module has other tensors in place of its parameters and buffers.

    The arguments are functional_call()'s, as are the errors. stack_weights changes nothing: each tensor has its name.

    >>> import gradcore
    >>> net = gradcore.nn.Linear(1, 1, bias=False)
    >>> weight = {"weight": gradcore.tensor([[3.0]])}
    >>> with gradcore.nn.utils.stateless._reparametrize_module(net, weight):
    ...     net(gradcore.tensor([[2.0]]))
    tensor([[6.]])
    """
    from ...func._stateless import replaced

    with replaced(module, parameters_and_buffers, tie_weights, strict):
        yield
