"""Parameter and Buffer: tensors that a Module registers when they are assigned to it, and their shapeless forms."""

from __future__ import annotations

from .. import _C, _class_names
from .._C import Tensor
from .._modes import no_grad
from .._tensor import _disabled_torch_function_impl, note_override

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class _ParameterMeta(type):
    """A subclass of Tensor that sets `_is_param` passes for a Parameter."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


@_class_names.note
class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a Module lists among its parameters. It shares the memory of `data` and is a leaf.

    data: a tensor, by default an empty one; requires_grad: whether gradients are wanted. Results of operations are plain
    tensors. Of an instance of another subclass of Tensor it makes one of that class, marked by `_is_param`. Raises
    RuntimeError where requires_grad is True and data is not of a float dtype.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html

    >>> import gradcore
    >>> gradcore.nn.Parameter(gradcore.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = _C.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            return _C._make_subclass(cls, data.detach(), requires_grad)
        # What belongs to a class of the program stays of that class, and is marked as a parameter.
        marked = data.detach().requires_grad_(requires_grad)
        if type(marked) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an "
                f"instance of the same type, but it returned one of type {type(marked).__name__}"
            )
        marked._is_param = True
        return marked

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass  # all is done in __new__, to which a subclass may add arguments

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class _BufferMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        return cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


@_class_names.note
class Buffer(Tensor, metaclass=_BufferMeta):
    """A plain tensor on the memory of `data` which a Module registers as a buffer when it is assigned to it.

    persistent: whether the buffer is part of the module's state dict.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html

    >>> import gradcore
    >>> module = gradcore.nn.Module()
    >>> module.count = gradcore.nn.Buffer(gradcore.zeros(1))
    >>> list(module.state_dict())
    ['count']
    """

    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        buffer: Any = (_C.empty(0) if data is None else data).detach()
        buffer.requires_grad = data is not None and data.requires_grad
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


_NO_SHAPE = (
    "Can't {} an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to load an "
    "uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their "
    "attributes."
)

# What may be called on a parameter that has no values and no shape.
_WITHOUT_VALUES = frozenset(
    ("__hash__", "size", "copy_", "is_complex", "is_floating_point", "half", "float", "double", "char", "short", "int")
    + ("long", "cuda", "cpu", "to", "get_device", "_has_compatible_shallow_copy_type")
)


class UninitializedTensorMixin:
    """What a parameter and a buffer without shape have in common: materialize() makes them real."""

    cls_to_become: type = Tensor

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if cls.__module__ != __name__:  # our own are noted by their first instance, because few programs make one
            super().__init_subclass__(**kwargs)

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Becomes an initialized parameter or buffer of this shape, with values yet to be set."""
        with no_grad():
            self.data = _C.empty(
                shape,
                dtype=self.dtype if dtype is None else dtype,
                device=self.data.device if device is None else device,
            )
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """Raises RuntimeError."""
        raise RuntimeError(_NO_SHAPE.format("access the shape of"))

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Raises ValueError for all that needs values or a shape; types and devices may be asked for and changed."""
        # A property's getter and setter come by that name: those of `data`, `requires_grad` and the like are answered.
        name = getattr(func, "__name__", "")
        if name in _WITHOUT_VALUES or name in ("__get__", "__set__", "__delete__"):
            return super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[misc]
        cls._refuse(func)

    @classmethod
    def _refuse(cls, used: Any) -> Any:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {used}. This error happens when you are using a `LazyModule` "
            f"or explicitly manipulating `torch.nn.parameter.{cls.__name__}` objects. When using LazyModules Call `forward` "
            "with a dummy batch to initialize the parameters before calling torch functions"
        )

    # These ask a tensor without passing by __torch_function__().

    def numel(self) -> int:
        """Raises ValueError."""
        return self._refuse("numel()")  # type: ignore[no-any-return]

    nelement = numel

    def dim(self) -> int:
        """Raises ValueError."""
        return self._refuse("dim()")  # type: ignore[no-any-return]

    def share_memory_(self) -> Any:
        """Raises RuntimeError."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return _rebuild_uninitialized, (type(self), self.dtype, self.requires_grad)


@_class_names.note
class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]  # two __torch_function__
    """A parameter whose shape is not known yet: lazy modules have them until their first call.

    >>> import gradcore
    >>> p = gradcore.nn.UninitializedParameter()
    >>> p
    <UninitializedParameter>
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', torch.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        note_override()
        parameter: UninitializedParameter = _C._make_subclass(
            cls, _C.empty(0, dtype=dtype, device=device), requires_grad
        )
        return parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        pass

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)
        return memo[id(self)]


@_class_names.note
class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet.

    >>> import gradcore
    >>> gradcore.nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    persistent: bool

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        note_override()
        buffer: UninitializedBuffer = _C._make_subclass(cls, _C.empty(0, dtype=dtype, device=device), requires_grad)
        buffer.persistent = persistent
        return buffer

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> None:
        pass

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, None, self.dtype, self.persistent)
        return memo[id(self)]


def _rebuild_uninitialized(cls: Any, dtype: Any, requires_grad: bool) -> Any:
    return cls(requires_grad, dtype=dtype)


def is_lazy(param: object) -> bool:
    """Whether the tensor is one without a shape yet.

    >>> import gradcore
    >>> gradcore.nn.parameter.is_lazy(gradcore.nn.UninitializedParameter())
    True
    """
    return isinstance(param, UninitializedTensorMixin)
