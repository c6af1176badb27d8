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


def _get_device_module(device_type: str) -> Any:
    """The module of a kind of device, such as gradcore.cpu. Raises RuntimeError for a kind that has none."""
    import gradcore

    module = getattr(gradcore, device_type, None)
    if not isinstance(module, type(gradcore)):
        raise RuntimeError(
            f"Device '{device_type}' does not have a corresponding module registered as 'torch.{device_type}'."
        )
    return module


class KeyErrorMessage(str):
    """A message whose repr, which KeyError shows, has its line ends."""

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception on its way from one process or thread to another: the class, and its traceback as text.

    exc_info: as sys.exc_info() gives it, which is asked where it is None; where: what the message says of the place.

    >>> try:
    ...     raise ValueError("odd")
    ... except ValueError:
    ...     wrapped = ExceptionWrapper(where="in thread 1")
    >>> wrapped.exc_type.__name__, wrapped.exc_msg.splitlines()[-1]
    ('ValueError', 'ValueError: odd')
    """

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        import sys
        import traceback

        given: Any = sys.exc_info() if exc_info is None else exc_info
        self.exc_type, self.where = given[0], where
        self.exc_msg = "".join(traceback.format_exception(*given))

    def reraise(self) -> None:
        """Raises the exception with the traceback as its message; RuntimeError where its class takes no message."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            raise KeyError(KeyErrorMessage(text))
        if getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            error = self.exc_type(text)
        except Exception:  # its class wants other arguments
            raise RuntimeError(text) from None
        raise error


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int | None:
    """The number of an accelerator: that of a device, or the number itself. None stands for the one in use, and there is none.

    >>> _get_device_index("cpu", allow_cpu=True)
    -1

    Raises ValueError for the CPU without allow_cpu, and where no number is said without `optional`.
    """
    from ._types import device as device_class

    place = device_class(device) if isinstance(device, str) else device
    if isinstance(place, int):
        return place
    if isinstance(place, device_class) and place.type == "cpu":
        if not allow_cpu:
            raise ValueError(f"Expected a non cpu device, but got: {place}")
        return -1
    number = place.index if isinstance(place, device_class) else None
    if number is None and not optional:
        raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{place}")
    return number


def _get_all_device_indices() -> list[int] | None:
    """The numbers of all accelerators: None."""
    return None


def _handle_complex(tensor: Tensor) -> Tensor:
    """The tensor, which is real."""
    return tensor
