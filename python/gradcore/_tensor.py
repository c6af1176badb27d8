"""The methods of Tensor and Node that are better said in Python: NumPy, copying, pickling, hooks. Attached at import.

Besides _generator.py this is the only file that gives methods to the core's classes; those that torch has for other layouts stand
in _tensor_layouts.py.
"""

from __future__ import annotations

from . import _C, _overridable
from ._C import Node, Tensor
from ._handle import RemovableHandle
from ._lazy import TYPE_CHECKING
from ._tensor_layouts import _DenseMethods, refusing_methods
from ._types import check_device

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy import ndarray
else:
    from ._lazy import Any, Callable

_TYPE_NAMES = {name: scalar for _, name, scalar in _C._dtypes()}


class _CoreHandle(RemovableHandle):
    """The handle of a hook that the core holds, on a tensor, a leaf or a node."""

    def __init__(self, handle: _C._HookHandle) -> None:
        self._handle = handle
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self) -> None:
        """Takes the hook out; a second call does nothing."""
        self._handle.remove()


def _functions_of(handles: list[_C._HookHandle]) -> dict[int, Callable[..., Any]] | None:
    return {place: handle.function for place, handle in enumerate(handles)} or None


def _resized(t: Tensor, *sizes: int) -> Tensor:
    count = 1
    for size in sizes:
        count *= size
    if count != t.numel() or any(size < 0 for size in sizes):
        raise RuntimeError(
            f"requested resize to {'x'.join(map(str, sizes))} ({count} elements in total), but the given tensor has a size "
            f"of {'x'.join(map(str, t.shape))} ({t.numel()} elements). autograd's resize can only change the shape of a "
            "given tensor, while preserving the number of elements."
        )
    return t.contiguous().view(sizes)


# ---- __torch_function__: see Note [Overrides cost nothing until there is one] in bindings/torch_function.h


def _disabled_torch_function_impl(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The __torch_function__ of classes whose results are plain tensors, as nn.Parameter's are."""
    with _C.DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


_C._set_disabled_torch_function(_disabled_torch_function_impl)
_C._disabled_torch_function_impl = _disabled_torch_function_impl


def _as_instances(result: Any, cls: type) -> Any:
    """The tensors in a result as instances of a subclass."""
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if isinstance(result, (tuple, list)) and any(isinstance(part, (Tensor, tuple, list)) for part in result):
        return type(result)([_as_instances(part, cls) for part in result])
    return result


def _is_getter_of_grad(func: Any) -> bool:
    owner: Any = getattr(func, "__self__", None)
    return getattr(owner, "__objclass__", None) is Tensor and owner.__name__ in ("grad", "_base")


def _warn_of_volatile(text: str) -> None:
    from warnings import warn

    warn(text, stacklevel=3)


class _TensorMethods(Tensor):
    """Tensor gets these methods."""

    __array_priority__ = 1000  # NumPy leaves mixed arithmetic to us

    @staticmethod
    def _make_subclass(cls: Any, data: Tensor, require_grad: bool = False) -> Any:
        """An instance of `cls` on the memory of `data`, without its history."""
        return _C._make_subclass(cls, data, require_grad)

    def numpy(self, *, force: bool = False) -> ndarray[Any, Any]:
        """The tensor as a NumPy array on the same memory.

        Raises RuntimeError for a tensor that requires grad, unless force=True, which detaches it, or recording is off;
        TypeError for one on the device meta.

        >>> import gradcore
        >>> gradcore.ones(2).numpy()
        array([1., 1.], dtype=float32)
        """
        if self.requires_grad and not force and _C.is_grad_enabled():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self.is_meta:
            raise TypeError(
                "can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
            )
        import numpy

        return numpy.asarray(memoryview(self.detach() if self.requires_grad else self))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray[Any, Any]:
        """NumPy's conversion protocol."""

        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError("a copy is needed to change the dtype, and copy=False forbids it")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
        """NumPy hands the result of its function (np.exp(t), t + array) back, and it becomes a tensor. Of truth
        values it becomes one of uint8, as in torch."""
        return _C.as_tensor(array.astype("uint8") if array.dtype == bool else array)

    def __dlpack__(
        self,
        *,
        stream: Any = -1,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """DLPack: a capsule with the tensor's memory, or with a copy of it. With `max_version` (1, 0) or later it says
        whether the memory is read-only.

        Raises BufferError for a tensor that requires grad.
        """
        from .utils.dlpack import give

        return give(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[Any, int]:
        """DLPack's name of the CPU."""
        from .utils.dlpack import DLDeviceType

        return DLDeviceType.kDLCPU, 0

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The array API standard's functions: gradcore.array_api. torch's tensors have no such method."""
        from . import array_api

        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise ValueError(f"gradcore has the array API of 2021.12 to 2024.12, not of {api_version!r}")
        return array_api

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The tensor on a device, which is the CPU; a method of the array API standard.

        >>> import gradcore
        >>> gradcore.ones(1).to_device("cpu")
        tensor([1.])
        """
        if stream is not None:
            raise ValueError("to_device: the CPU has no streams")
        return self.to(device)

    def __bytes__(self) -> bytes:
        """The elements' bytes. bytes() would take a tensor of one integer for a count, by its __index__."""
        return memoryview(self.detach()).tobytes()

    def __complex__(self) -> complex:
        """The only element as a complex number."""
        return complex(self.item())

    def __copy__(self) -> Tensor:
        """copy.copy: another tensor on the same memory."""
        from ._serialization import copy_tensor

        result: Tensor = copy_tensor(self)
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """copy.deepcopy: new memory. Refused for a tensor with a history, as in torch."""
        from ._serialization import deepcopy_tensor

        result: Tensor = deepcopy_tensor(self, memo)
        return result

    @staticmethod
    def _make_wrapper_subclass(*args: Any, **kwargs: Any) -> Tensor:
        """Raises NotImplementedError: a tensor without memory of its own lives by __torch_dispatch__."""
        raise NotImplementedError(
            "Tensor._make_wrapper_subclass: gradcore has no dispatcher, and calls no __torch_dispatch__; a subclass with "
            "__torch_function__ sees the program's calls"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """pickle."""
        from ._serialization import reduce_tensor

        return reduce_tensor(self)

    def _repr_html_(self) -> str:
        """For notebooks: a small picture of the values beside the text."""
        from ._html import tensor_html

        return tensor_html(self)

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        """The text that torch prints; tensor_contents: what stands there instead of the numbers."""
        from ._tensor_str import tensor_str

        return tensor_str(self, tensor_contents)

    def __format__(self, spec: str) -> str:
        """A single number formats as a number, anything else as its text."""
        if self.dim() == 0 and not self.is_meta and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __reversed__(self) -> Tensor:
        """reversed(t): flipped along the first dim."""
        return self if self.dim() == 0 else self.flip(0)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Without an argument the type's name ('torch.FloatTensor'), else the tensor converted to a dtype or a legacy type.

        Raises ValueError for a name that is no type's, TypeError for what names no type at all.

        >>> import gradcore
        >>> x = gradcore.tensor([1.0])
        >>> x.type()
        'torch.FloatTensor'
        >>> x.type(gradcore.int64), x.type("torch.DoubleTensor")
        (tensor([1]), tensor([1.], dtype=torch.float64))
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
                return self.cuda()
            return self.to(dtype.dtype)
        if not isinstance(dtype, _C.dtype):
            raise TypeError("dtype must be a type, str, or dtype object")
        return self.to(dtype)

    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Replaces each element, a Python number, by what `callable` makes of it. Slow: it is called for each of them.

        Raises RuntimeError for a tensor that requires grad.

        >>> import gradcore
        >>> gradcore.tensor([1, 2]).apply_(lambda x: x + 1)
        tensor([2, 3])
        """
        return self._map_with("apply_", callable)

    def map_(self, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replaces each element by what `callable` makes of it and the element of `other` there, which broadcasts. Slow.

        Raises RuntimeError for tensors that require grad, and where shapes do not fit.

        >>> import gradcore
        >>> gradcore.tensor([1, 2]).map_(gradcore.tensor([10, 20]), lambda x, y: x + y)
        tensor([11, 22])
        """
        return self._map_with("map_", callable, other)

    def map2_(self, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
        """map_() with two more tensors, which broadcast.

        >>> import gradcore
        >>> gradcore.tensor([1, 2]).map2_(gradcore.tensor([3, 4]), gradcore.tensor(10), lambda a, b, c: a + b * c)
        tensor([31, 42])
        """
        return self._map_with("map2_", callable, x, y)

    def _map_with(self, name: str, function: Callable[..., Any], *others: Tensor) -> Tensor:
        if any(tensor.requires_grad for tensor in (self, *others)):
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )
        numbers = [tensor.expand(self.shape).flatten().tolist() for tensor in (self, *others)]
        made = [function(*elements) for elements in zip(*numbers)]
        for number in made:
            if isinstance(number, (str, bytes)):  # which would be sequences
                raise TypeError(f"{name}(): must be real number, not {type(number).__name__}")
        return self.copy_(_C.tensor(made, dtype=self.dtype).view(self.shape))

    def hardshrink(self, lambd: float = 0.5) -> Tensor:
        """nn.functional.hardshrink() of this tensor.

        >>> import gradcore
        >>> gradcore.tensor([0.25, 1.0]).hardshrink()
        tensor([0., 1.])
        """
        from .nn.functional import hardshrink

        return hardshrink(self, lambd)

    def prelu(self, weight: Tensor) -> Tensor:
        """nn.functional.prelu() of this tensor.

        >>> import gradcore
        >>> gradcore.tensor([-2.0, 1.0]).prelu(gradcore.tensor(0.5))
        tensor([-1.,  1.])
        """
        from .nn.functional import prelu

        return prelu(self, weight)

    def dim_order(self, *, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dims as they lie in memory, the outermost first.

        Dims of one element, and those of expanded tensors, may stand at several places. ambiguity_check=True refuses a
        tensor of which that is so; a list of memory formats refuses it unless it is dense in exactly one of them. Raises
        RuntimeError where the order is not the only one, TypeError for another argument.

        >>> import gradcore
        >>> gradcore.empty(2, 3, 4).transpose(1, 2).dim_order()
        (0, 2, 1)
        """
        if not isinstance(ambiguity_check, (bool, list)):
            raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
        strides, order = self.stride(), list(range(self.dim()))
        for end in range(1, len(order)):
            for i in range(end, 0, -1):
                before, behind = strides[order[i - 1]], strides[order[i]]
                if before and behind and before >= behind:
                    break
                if before and behind:
                    order[i - 1 : i + 1] = order[i], order[i - 1]
        formats = ambiguity_check if isinstance(ambiguity_check, list) else []
        if ambiguity_check and [self.is_contiguous(memory_format=f) for f in formats].count(True) != 1:
            steps = [strides[d] for d in order]
            if min(self.shape, default=2) < 2 or 0 in steps or len(set(steps)) < len(steps):
                raise RuntimeError(
                    "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
                )
        return tuple(order)

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Refused as torch's CPU build does: AssertionError."""
        check_device("cuda")
        return self

    def xpu(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Refused as torch's CPU build does: AssertionError."""
        check_device("xpu")
        return self

    def resize(self, *sizes: Any) -> Tensor:
        """The same elements under another shape, which has as many; it warns. reshape() does the same.

        Raises RuntimeError for a shape of another number of elements.

        >>> import gradcore, warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     gradcore.arange(4).resize(2, 2)
        tensor([[0, 1],
                [2, 3]])
        """
        from warnings import warn

        warn("non-inplace resize is deprecated", stacklevel=2)
        return _resized(self, *sizes)

    def resize_as(self, tensor: Tensor) -> Tensor:
        """resize() to the shape of another tensor.

        >>> import gradcore, warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     gradcore.arange(4).resize_as(gradcore.ones(2, 2))
        tensor([[0, 1],
                [2, 3]])
        """
        from warnings import warn

        warn("non-inplace resize_as is deprecated", stacklevel=2)
        return _resized(self, *tensor.shape)

    def new(self, *args: Any, **kwargs: Any) -> Tensor:
        """An uninitialised tensor of these sizes, or a tensor of this data, in the dtype of this one.

        >>> import gradcore
        >>> gradcore.tensor([1.0]).new([2, 3])
        tensor([2., 3.])
        """
        from ._compat.legacy import tensor_new

        return tensor_new(self, *args, **kwargs)

    def storage(self) -> Any:
        """The memory below this tensor as a sequence of numbers.

        >>> import gradcore
        >>> gradcore.tensor([1.0, 2.0]).storage().tolist()
        [1.0, 2.0]
        """
        from ._compat.legacy import tensor_storage

        return tensor_storage(self)

    def _typed_storage(self) -> Any:
        from ._compat.legacy import typed_storage

        return typed_storage(self)

    def untyped_storage(self) -> Any:
        """The memory below this tensor as bytes.

        >>> import gradcore
        >>> gradcore.tensor([1.0, 2.0]).untyped_storage().nbytes()
        8
        """
        from ._compat.legacy import tensor_untyped_storage

        return tensor_untyped_storage(self)

    def is_pinned(self, device: Any = None) -> bool:
        """False: memory is pinned for the sake of a GPU.

        >>> import gradcore
        >>> gradcore.ones(1).is_pinned()
        False
        """
        return False

    def pin_memory(self, device: Any = None) -> Tensor:
        """Refused as in torch without a GPU: RuntimeError."""
        raise RuntimeError("Cannot access accelerator device when none is available.")

    def share_memory_(self) -> Tensor:
        """Moves the tensor to memory that other processes see, and returns it.

        Those that are forked have it, and it is sent as such to those that are spawned or at the other end of a
        multiprocessing.Queue. The tensor moves alone: views of it stay where they are.

        >>> import gradcore
        >>> gradcore.ones(1).share_memory_().is_shared()
        True
        """
        from .multiprocessing import _shared

        _shared.share(self)
        return self

    def is_shared(self) -> bool:
        """Whether other processes may see the tensor's memory, see share_memory_().

        >>> import gradcore
        >>> gradcore.ones(1).is_shared()
        False
        """
        from .multiprocessing import _shared

        return _shared.is_shared(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls `hook` with the gradient of this tensor during backward; what it returns replaces the gradient.

        Raises RuntimeError for a tensor that does not require grad.

        >>> import gradcore
        >>> x = gradcore.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: 10 * grad)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        return _CoreHandle(_C._register_hook(self, hook))

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls `hook` with this leaf after its .grad was written, once for each backward that reaches it.

        Raises RuntimeError for a tensor that is no leaf or does not require grad.

        >>> import gradcore
        >>> x = gradcore.ones(2, requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
        >>> x.sum().backward()
        tensor([1., 1.])
        """
        return _CoreHandle(_C._register_post_accumulate_grad_hook(self, hook))

    @property
    def _backward_hooks(self) -> dict[int, Callable[..., Any]] | None:
        """The hooks of register_hook() that are in, in order, or None. What is assigned takes the place of all of them."""
        return _functions_of(_C._tensor_hooks(self, False))

    @_backward_hooks.setter
    def _backward_hooks(self, hooks: dict[int, Callable[..., Any]] | None) -> None:
        for handle in _C._tensor_hooks(self, False):
            handle.remove()
        for hook in (hooks or {}).values():
            _C._register_hook(self, hook)

    @property
    def _post_accumulate_grad_hooks(self) -> dict[int, Callable[..., Any]] | None:
        """The hooks of register_post_accumulate_grad_hook() that are in, in order, or None."""
        return _functions_of(_C._tensor_hooks(self, True))

    @property
    def volatile(self) -> bool:
        """Always False: what it once was is no_grad() now."""
        _warn_of_volatile("volatile was removed (Variable.volatile is always False)")
        return False

    @volatile.setter
    def volatile(self, value: Any) -> None:
        _warn_of_volatile("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")


class _NodeMethods(Node):
    """Node gets these methods."""

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Calls `fn(grad_inputs, grad_outputs)` after this node ran in backward: what it returned, what it had got.

        A tuple that it returns replaces the gradients that the node returned.

        >>> import gradcore
        >>> y = gradcore.ones(1, requires_grad=True) * 2
        >>> handle = y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: print(grad_inputs))
        >>> y.backward()
        (tensor([2.]), None)
        """
        return _CoreHandle(_C._register_node_hook(self, fn, False))

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Calls `fn(grad_outputs)` before this node runs in backward; a tuple that it returns replaces them.

        >>> import gradcore
        >>> y = gradcore.ones(1, requires_grad=True) * 2
        >>> handle = y.grad_fn.register_prehook(lambda grad_outputs: print(grad_outputs))
        >>> y.backward()
        (tensor([1.]),)
        """
        return _CoreHandle(_C._register_node_hook(self, fn, True))


def _give(cls: type, methods: type) -> None:
    """Sets the attributes that the body of `methods` defines on `cls`."""
    for name, value in vars(methods).items():
        if name in ("__doc__", "__module__", "__dict__", "__weakref__"):
            continue
        if hasattr(value, "__qualname__"):
            value.__qualname__ = f"{cls.__name__}.{name}"
        setattr(cls, name, value)


def _torch_function(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Runs `func` on plain tensors; the tensors that it returns become instances of the subclass, as torch's do."""
    if not all(issubclass(cls, other) for other in types):
        return NotImplemented
    with _C.DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        return result if cls is Tensor or _is_getter_of_grad(func) else _as_instances(result, cls)


def _init_subclass(cls: Any, **kwargs: Any) -> None:
    super(Tensor, cls).__init_subclass__(**kwargs)
    if cls.__torch_function__ is not _disabled_torch_function_impl:
        note_override()


def note_override() -> None:
    """There may be arguments that take over calls: from now on calls ask them."""
    _C._note_override()
    _overridable.offer_waiting()


_give(Tensor, _TensorMethods)
_give(Tensor, _DenseMethods)
for _name, _method in refusing_methods().items():
    setattr(Tensor, _name, _method)
# torch lets classes answer for these methods too, though they are no ops.
_overridable.offer_methods(
    Tensor,
    "__array__", "__deepcopy__", "__dlpack__", "__dlpack_device__", "__format__", "__reduce_ex__", "__repr__", "__reversed__",
    "apply_", "dim_order", "is_pinned", "is_shared", "map_", "map2_", "new", "numpy", "pin_memory", "register_hook",
    "register_post_accumulate_grad_hook", "resize", "resize_as", "share_memory_", "storage", "type", "untyped_storage",
)  # fmt: skip
Tensor.__torch_function__ = classmethod(_torch_function)  # type: ignore[assignment, method-assign]
Tensor.__init_subclass__ = classmethod(_init_subclass)  # type: ignore[arg-type, assignment, method-assign]
_give(Node, _NodeMethods)


def set_module(name: str) -> None:
    """What `Tensor.__module__` says: "torch" while a proxy stands for it."""
    Tensor.__module__ = name
