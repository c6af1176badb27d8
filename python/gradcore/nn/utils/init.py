"""skip_init(): a module without the values that it starts with."""

from __future__ import annotations

import inspect

from ..modules.module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """module_cls(*args, **kwargs) with unspecified values in its parameters and buffers, and the generator as it was.

    Raises RuntimeError for what is no Module class and for one whose constructor takes no `device`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.skip_init.html

    >>> from gradcore import nn
    >>> nn.utils.skip_init(nn.Linear, 5, 1).weight.shape
    torch.Size([1, 5])
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
