"""DataParallel without devices to spread over."""

from __future__ import annotations

from ..modules.module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls the module that it holds under the name `module`, as torch's does on a machine without GPUs.

    >>> import gradcore
    >>> model = gradcore.nn.DataParallel(gradcore.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """The module's result over several GPUs. Raises RuntimeError: there are none. DataParallel does without."""
    raise RuntimeError("device type could not be determined")
