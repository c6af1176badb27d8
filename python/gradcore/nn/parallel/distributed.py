"""DistributedDataParallel in a group of one process."""

from __future__ import annotations

import contextlib

from ..modules.module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
else:
    from ..._lazy import Any, Iterator

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Calls the module that it holds under the name `module`; a group of one has no gradients to average.

    The other arguments of torch's class are about buckets and devices, and change nothing here. Raises ValueError where
    distributed.init_process_group() was not called, RuntimeError for a module without parameters that require grad.

    >>> import gradcore
    >>> gradcore.distributed.init_process_group("gloo", rank=0, world_size=1)
    >>> model = gradcore.nn.parallel.DistributedDataParallel(gradcore.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    >>> gradcore.distributed.destroy_process_group()
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool | None = None,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        **others: Any,
    ) -> None:
        super().__init__()
        from ... import distributed

        if process_group is None and not distributed.is_initialized():
            raise ValueError(
                "Default process group has not been initialized, please make sure to call init_process_group."
            )
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient."
            )
        self.module = module
        self.device_ids = device_ids
        self.process_group = process_group or distributed.group.WORLD
        self.find_unused_parameters = find_unused_parameters
        self.require_backward_grad_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A context in which torch does not average gradients; nothing is averaged in a group of one."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
