"""The methods of Tensor that are better said in Python: NumPy, copying, pickling, hooks. Attached at import."""

from __future__ import annotations

from . import _C
from ._C import Tensor
from ._lazy import TYPE_CHECKING
from ._types import check_device

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy


class RemovableHandle:
    """What register_hook() returns. `remove()` takes the hook out; it also works as a context manager."""

    def __init__(self, handle: _C._HookHandle) -> None:
        self._handle = handle

    def remove(self) -> None:
        """Takes the hook out; a second call does nothing."""
        self._handle.remove()

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def numpy_(self: Tensor, *, force: bool = False) -> numpy.ndarray[Any, Any]:
    """The tensor as a NumPy array on the same memory.

    Raises RuntimeError for a tensor that requires grad, unless force=True, which detaches it, or recording is off.

    >>> import gradcore
    >>> gradcore.ones(2).numpy()
    array([1., 1.], dtype=float32)
    """
    if self.requires_grad:
        if not force and _C.is_grad_enabled():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        self = self.detach()
    import numpy

    return numpy.asarray(memoryview(self))


def array_(self: Tensor, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray[Any, Any]:
    """NumPy's conversion protocol."""

    array = numpy_(self)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError("a copy is needed to change the dtype, and copy=False forbids it")
        return array.astype(dtype)
    return array.copy() if copy else array


def array_wrap_(self: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
    """What a function of NumPy made of this tensor (np.exp(t), t + array) becomes a tensor again."""
    return _C.as_tensor(array)


def deepcopy_(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """copy.deepcopy: new memory. Refused for a tensor with a history, as in torch."""
    from ._serialization import deepcopy_tensor

    result: Tensor = deepcopy_tensor(self, memo)
    return result


def copy_(self: Tensor) -> Tensor:
    """copy.copy: another tensor on the same memory."""
    from ._serialization import copy_tensor

    result: Tensor = copy_tensor(self)
    return result


def reduce_(self: Tensor, protocol: int) -> Any:
    """pickle."""
    from ._serialization import reduce_tensor

    return reduce_tensor(self)


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Without an argument the type's name ('torch.FloatTensor'), else the tensor converted to a dtype or a legacy type.

    Raises ValueError for a name that is no type's, TypeError for what names no type at all.
    """
    if dtype is None:
        return f"torch.{_TYPE_NAMES[self.dtype._name]}Tensor"
    if dtype is Tensor:
        return self.to(_C.get_default_dtype())
    if isinstance(dtype, (str, type)):
        from ._compat.legacy import tensortype, type_named

        if isinstance(dtype, str):
            dtype = type_named(dtype)
        if not isinstance(dtype, tensortype):
            raise ValueError(f"invalid type: {dtype.__name__!r}")
        if dtype.is_cuda:
            return cuda_(self)
        if dtype.dtype is None:
            raise NotImplementedError(f"type(): gradcore has no tensors of torch.{dtype.__name__}")
        return self.to(dtype.dtype)
    if not isinstance(dtype, _C.dtype):
        raise TypeError("dtype must be a type, str, or dtype object")
    return self.to(dtype)


def cuda_(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """Refused as torch's CPU build does: AssertionError."""
    check_device("cuda")
    return self


def xpu_(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """Refused as torch's CPU build does: AssertionError."""
    check_device("xpu")
    return self


def new_(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """An uninitialised tensor of these sizes, or a tensor of this data, in the dtype of this one."""
    from ._compat.legacy import tensor_new

    return tensor_new(self, *args, **kwargs)


def storage_(self: Tensor) -> Any:
    """The memory below this tensor as a sequence of numbers."""
    from ._compat.legacy import tensor_storage

    return tensor_storage(self)


def untyped_storage_(self: Tensor) -> Any:
    """The memory below this tensor as bytes."""
    from ._compat.legacy import tensor_untyped_storage

    return tensor_untyped_storage(self)


def is_pinned_(self: Tensor, device: Any = None) -> bool:
    """False: memory is pinned for the sake of a GPU."""
    return False


def pin_memory_(self: Tensor, device: Any = None) -> Tensor:
    """Refused as in torch without a GPU: RuntimeError."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


def share_memory_(self: Tensor) -> Tensor:
    """The tensor itself: it is copied on its way to another process, and writes stay in the process that made them."""
    return self


def is_shared_(self: Tensor) -> bool:
    """False: see share_memory_()."""
    return False


_TYPE_NAMES = {
    "float32": "Float",
    "float64": "Double",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


def register_hook_(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Calls `hook` with the gradient of this tensor during backward; what it returns replaces the gradient.

    Raises RuntimeError for a tensor that does not require grad.
    """
    return RemovableHandle(_C._register_hook(self, hook))


def register_post_accumulate_grad_hook_(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Calls `hook` with this leaf after its .grad was written, once for each backward that reaches it.

    Raises RuntimeError for a tensor that is no leaf or does not require grad.
    """
    return RemovableHandle(_C._register_post_accumulate_grad_hook(self, hook))


def node_register_hook_(self: _C.Node, hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(grad_inputs, grad_outputs)` after this node ran in backward: what it returned, what it had got.

    A tuple that the hook returns replaces the gradients that the node returned.
    """
    return RemovableHandle(_C._register_node_hook(self, hook, False))


def node_register_prehook_(self: _C.Node, hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(grad_outputs)` before this node runs in backward; a tuple that it returns replaces them."""
    return RemovableHandle(_C._register_node_hook(self, hook, True))


def format_(self: Tensor, spec: str) -> str:
    """A single number formats as a number, anything else as its text."""
    if self.dim() == 0 and type(self) is Tensor:
        return format(self.item(), spec)
    return object.__format__(self, spec)


def reversed_(self: Tensor) -> Tensor:
    """reversed(t): flipped along the first dim."""
    return self if self.dim() == 0 else self.flip(0)


def conj_(self: Tensor) -> Tensor:
    """The tensor itself: all dtypes are real."""
    return self


def volatile_(self: Tensor) -> bool:
    """Always False: what it once was is no_grad() now."""
    _warn_of_volatile("volatile was removed (Variable.volatile is always False)")
    return False


def set_volatile_(self: Tensor, value: Any) -> None:
    _warn_of_volatile("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")


def _warn_of_volatile(text: str) -> None:
    from warnings import warn

    warn(text, stacklevel=3)


_METHODS: dict[str, Any] = {
    "numpy": numpy_,
    "__array__": array_,
    "__array_wrap__": array_wrap_,
    "__copy__": copy_,
    "__deepcopy__": deepcopy_,
    "__reduce_ex__": reduce_,
    "__format__": format_,
    "__reversed__": reversed_,
    "__array_priority__": 1000,  # NumPy leaves mixed arithmetic to us
    "conj": conj_,
    "type": type_,
    "cuda": cuda_,
    "xpu": xpu_,
    "new": new_,
    "storage": storage_,
    "untyped_storage": untyped_storage_,
    "is_pinned": is_pinned_,
    "pin_memory": pin_memory_,
    "share_memory_": share_memory_,
    "is_shared": is_shared_,
    "volatile": property(volatile_, set_volatile_),
    "register_hook": register_hook_,
    "register_post_accumulate_grad_hook": register_post_accumulate_grad_hook_,
}
_NODE_METHODS: dict[str, Any] = {"register_hook": node_register_hook_, "register_prehook": node_register_prehook_}


def _attach(cls: type, methods: dict[str, Any]) -> None:
    for name, function in methods.items():
        if callable(function):
            function.__name__ = name
            function.__qualname__ = f"{cls.__name__}.{name}"
        setattr(cls, name, function)


_attach(Tensor, _METHODS)
_attach(_C.Node, _NODE_METHODS)


def set_module(name: str) -> None:
    """What `Tensor.__module__` says: "torch" while a proxy stands for it."""
    Tensor.__module__ = name
