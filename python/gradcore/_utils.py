"""What programs take from torch's private module of this name: many gradients as one vector and back, and tensors made of
storages, as files name them."""

from __future__ import annotations

from . import _C

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._C import Tensor
else:
    from ._lazy import Any, Sequence


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """Their elements in one vector. They have one dtype.

    >>> import gradcore
    >>> gradcore._utils._flatten_dense_tensors([gradcore.ones(1, 2), gradcore.zeros(1)])
    tensor([1., 1., 0.])
    """
    return _C.cat([tensor.reshape(-1) for tensor in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Views of the vector with the shapes of these tensors, one after the other."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape) for part, tensor in zip(parts, tensors))


def _rebuild_tensor(storage: Any, storage_offset: int, size: Sequence[int], stride: Sequence[int]) -> Tensor:
    """A tensor on a typed storage.

    >>> import gradcore
    >>> storage = gradcore.FloatStorage([1.0, 2.0, 3.0])
    >>> gradcore._utils._rebuild_tensor(storage, 1, (2,), (1,))
    tensor([2., 3.])
    """
    return _C.empty(0, dtype=storage.dtype).set_(storage, storage_offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: int,
    size: Sequence[int],
    stride: Sequence[int],
    requires_grad: bool,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    """The same with hooks, as _backward_hooks gives them; `metadata` is about complex numbers and is not looked at."""
    tensor = _rebuild_tensor(storage, storage_offset, size, stride)
    tensor.requires_grad = requires_grad
    if backward_hooks:
        tensor._backward_hooks = backward_hooks
    return tensor


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Tensor:
    """A parameter on the tensor's memory."""
    from .nn import Parameter

    parameter: Tensor = Parameter(data, requires_grad)
    if backward_hooks:
        parameter._backward_hooks = backward_hooks
    return parameter


def _element_size(dtype: Any) -> int:
    """How many bytes an element has. Raises RuntimeError for what is no dtype."""
    if not isinstance(dtype, _C.dtype):
        raise RuntimeError(f"expected torch.dtype, but got {type(dtype)}")
    return dtype.itemsize


def _get_available_device_type() -> str | None:
    """The kind of accelerator that is there: None."""
    return None
