"""Module: the base of all layers and models, a tree of submodules with parameters and buffers. Start at Module."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple

from ... import _C, _class_names
from ..._C import Tensor
from ..._modes import no_grad
from ..._types import device
from ...utils.hooks import RemovableHandle
from ..parameter import Buffer, Parameter, is_lazy
from . import _hooks
from ._hooks import EVERYWHERE, call_with_hooks, register

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Self

    from ..._types import memory_format
else:
    from ..._lazy import Any, Callable, Iterable, Iterator, Mapping, Self

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _new_state() -> dict[str, Any]:
    """The attributes that Module.__init__ sets."""
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_backward_pre_hooks": OrderedDict(),
        "_backward_hooks": OrderedDict(),
        "_is_full_backward_hook": None,
        "_forward_hooks": OrderedDict(),
        "_forward_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks_always_called": OrderedDict(),
        "_forward_pre_hooks": OrderedDict(),
        "_forward_pre_hooks_with_kwargs": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
        "_modules": {},
    }


_STATE_NAMES = _new_state().keys()


class _TypeOfStates:
    """A type variable for what state_dict() fills, which programs write into annotations; made once it is asked for."""

    def __get__(self, instance: Any, owner: type) -> Any:
        from typing import Any, TypeVar

        if _TypeOfStates.made is None:
            _TypeOfStates.made = TypeVar("T_destination", bound=dict[str, Any])
        return _TypeOfStates.made

    made: Any = None


class _SignatureOfCalls:
    """What inspect.signature(module) asks for: that of __call__, which Python cannot read from C."""

    def __get__(self, module: Module | None, cls: type) -> Any:
        if module is None or cls.__call__ is not Module.__call__:
            raise AttributeError("__signature__")
        from inspect import Parameter, Signature

        return Signature([Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD)])


class Module:
    """Base class of everything in gradcore.nn. A subclass calls super().__init__(), assigns parameters, buffers and other
    modules to attributes, and defines forward(); calling the module calls forward().

    training: a bool that train() and eval() set in the whole tree, and that dropout and batch normalisation read.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html

    >>> import gradcore
    >>> from gradcore import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(gradcore.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> scale = Scale()
    >>> scale(gradcore.ones(2))
    tensor([2., 2.], grad_fn=<MulBackward0>)
    >>> [name for name, _ in scale.named_parameters()]
    ['factor']
    """

    __signature__ = _SignatureOfCalls()
    T_destination = _TypeOfStates()

    if TYPE_CHECKING:  # these are in C: see cpp/bindings/nn_module.cpp

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    # Annotations are evaluated by typing.get_type_hints(), of programs' subclasses too: names of typing stay out of them.
    if TYPE_CHECKING:
        forward: Callable[..., Any]  # so, subclasses choose its arguments
        _backward_pre_hooks: OrderedDict[int, Any]
        _backward_hooks: OrderedDict[int, Any]
        _forward_hooks: OrderedDict[int, Any]
        _forward_hooks_with_kwargs: OrderedDict[int, Any]
        _forward_hooks_always_called: OrderedDict[int, Any]
        _forward_pre_hooks: OrderedDict[int, Any]
        _forward_pre_hooks_with_kwargs: OrderedDict[int, Any]
        _state_dict_hooks: OrderedDict[int, Any]
        _state_dict_pre_hooks: OrderedDict[int, Any]
        _load_state_dict_pre_hooks: OrderedDict[int, Any]
        _load_state_dict_post_hooks: OrderedDict[int, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _class_names.note(cls)

    dump_patches = False
    _version = 1
    call_super_init = False
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _is_full_backward_hook: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(f"Module.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"Module.__init__() takes 1 positional argument but {len(args) + 1} were given")
        self.__dict__.update(_new_state())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def _forward_unimplemented(self, *input: Any, **kwargs: Any) -> Any:
        """What a call computes: subclasses define it. Raises NotImplementedError."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    if not TYPE_CHECKING:
        forward = _forward_unimplemented

    # ---- attributes ----

    def _assign_member(self, name: str, value: Any) -> None:
        """What __setattr__ leaves to Python: a value or a name that may be that of a parameter, buffer or submodule."""
        state = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in state:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
            return
        parameters = state.get("_parameters")
        if parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
            return
        if isinstance(value, Module):
            if "_modules" not in state:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameters", "_buffers")
            state["_modules"][name] = _registered(EVERYWHERE.module_registration, self, name, value)
            return
        modules = state.get("_modules")
        if modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            modules[name] = _registered(EVERYWHERE.module_registration, self, name, value)
            return
        buffers = state.get("_buffers")
        if (buffers is not None and name in buffers) or isinstance(value, Buffer):
            self._set_buffer(name, value)
            return
        object.__setattr__(self, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{_kind(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        if name not in self._buffers:
            self._forget(name, "_parameters", "_modules")
            self.register_buffer(name, value, getattr(value, "persistent", True))
            return
        self._buffers[name] = _registered(EVERYWHERE.buffer_registration, self, name, value)

    def _forget(self, name: str, *kinds: str) -> None:
        """Another kind of thing comes under this name."""
        state = self.__dict__
        state.pop(name, None)
        for kind in kinds:
            state[kind].pop(name, None)
        state["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not _STATE_NAMES <= self.__dict__.keys():  # a pickle of an older version lacks some
            self.__dict__.update({**_new_state(), **self.__dict__})

    # ---- registration ----

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the state but no parameter, such as a running mean.

        persistent: whether state_dict() holds it. Raises TypeError for a name that is no string and for what is neither a
        tensor nor None, KeyError for a name that is empty, has a dot or is taken.

        >>> import gradcore
        >>> module = gradcore.nn.Module()
        >>> module.register_buffer("mean", gradcore.zeros(2))
        >>> module.mean
        tensor([0., 0.])
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name(name, "buffer", "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_kind(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = _registered(EVERYWHERE.buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, or a place for one. Raises as register_buffer does, and TypeError for a tensor that is no
        Parameter.

        >>> import gradcore
        >>> module = gradcore.nn.Module()
        >>> module.register_parameter("bias", None)
        >>> print(module.bias)
        None
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name(name, "parameter", "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_kind(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
                f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = _registered(EVERYWHERE.parameter_registration, self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child. Raises as register_buffer does, and TypeError for what is no Module.

        >>> import gradcore
        >>> module = gradcore.nn.Module()
        >>> module.add_module("act", gradcore.nn.ReLU())
        >>> module.act
        ReLU()
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_kind(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {type(name).__name__}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = _registered(EVERYWHERE.module_registration, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as add_module()."""
        self.add_module(name, module)

    def _check_name(self, name: Any, kind: str, members: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[members]:
            raise KeyError(f"attribute '{name}' already exists")

    # ---- members by path ----

    def get_submodule(self, target: str) -> Module:
        """The submodule at a path such as "encoder.0.conv"; "" is the module itself.

        Raises AttributeError where the path leads nowhere or to something that is no module.

        >>> from gradcore import nn
        >>> nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU())).get_submodule("1.0")
        ReLU()
        """
        module: Module = self
        for name in target.split(".") if target else ():
            found = module._member(name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def _member(self, name: str) -> Any:
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts a module at a path. strict: something must be there already.

        Raises ValueError for an empty path and for what is no module, AttributeError where the path leads nowhere.

        >>> from gradcore import nn
        >>> net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        >>> net.set_submodule("1", nn.Tanh())
        >>> net[1]
        Tanh()
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and not isinstance(parent._member(name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path. Raises AttributeError where there is none.

        >>> from gradcore import nn
        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.weight").shape
        torch.Size([3, 2])
        """
        path, _, name = target.rpartition(".")
        parameter = self.get_submodule(path)._member(name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path. Raises AttributeError where there is none.

        >>> from gradcore import nn
        >>> nn.Sequential(nn.BatchNorm1d(2)).get_buffer("0.running_mean")
        tensor([0., 0.])
        """
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        buffer = owner._member(name)
        if name not in owner._buffers or buffer is None:
            raise AttributeError(f"`{name}` is not a buffer")
        found: Tensor = buffer
        return found

    # ---- iteration ----

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules: Iterable[tuple[str, Module]] = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Each parameter once; recurse: those of submodules too.

        >>> from gradcore import nn
        >>> [p.shape for p in nn.Linear(2, 3).parameters()]
        [torch.Size([3, 2]), torch.Size([3])]
        """
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Pairs of path and parameter. A shared one comes once, under its first name, unless remove_duplicate=False.

        >>> from gradcore import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(1, 1)).named_parameters(prefix="net")]
        ['net.0.weight', 'net.0.bias']
        """
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Pairs of path and buffer; see named_parameters().

        >>> from gradcore import nn
        >>> [name for name, _ in nn.BatchNorm1d(1).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """Each direct submodule once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Pairs of name and direct submodule, each module once.

        >>> from gradcore import nn
        >>> list(nn.Sequential(nn.ReLU()).named_children())
        [('0', ReLU())]
        """
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """The module itself, then all below it, each once unless remove_duplicate=False."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Pairs of path and module: the module itself, then all below it. memo: modules that are left out.

        >>> from gradcore import nn
        >>> [name for name, _ in nn.Sequential(nn.Sequential(nn.ReLU())).named_modules()]
        ['', '0', '0.0']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is None:
                continue
            path = f"{prefix}.{name}" if prefix else name
            if module._modules or type(module).named_modules is not Module.named_modules:
                yield from module.named_modules(memo, path, remove_duplicate)
            elif module not in memo:  # a generator for a single module would cost more than all else
                if remove_duplicate:
                    memo.add(module)
                yield path, module

    # ---- changes to the whole tree ----

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Calls fn with every submodule, then with the module itself, and returns the module.

        >>> from gradcore import nn
        >>> _ = nn.Sequential(nn.ReLU()).apply(print)
        ReLU()
        Sequential(
          (0): ReLU()
        )
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces the data of every parameter, gradient and buffer by what fn makes of it; parameters stay the same
        objects unless they come to or from the device "meta"; buffers are new ones."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, parameter in self._parameters.items():
            if parameter is None:
                continue
            with no_grad():
                data = fn(parameter)
                grad = None if parameter.grad is None else fn(parameter.grad)
                if data.is_meta != parameter.is_meta:  # a tensor stays on its device
                    self._parameters[name] = parameter = Parameter(data, parameter.requires_grad)
                    parameter.grad = grad
                    continue
                parameter.data = data
                if parameter.grad is not None and grad is not None:
                    parameter.grad.data = grad
        for name, buffer in self._buffers.items():
            if buffer is None:
                continue
            if is_lazy(buffer):  # its class is to stay
                buffer.data = fn(buffer.data)
            else:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Converts parameters and buffers of float dtypes in place, and returns the module. Called as to(dtype),
        to(device), to(device, dtype) or to(tensor), whose dtype is taken. memory_format= orders those of 4 or 5 dims.

        Raises TypeError for an integer dtype, RuntimeError for a device other than the CPU and "meta", or for tensors of dims
        that the memory order is not for; NotImplementedError for tensors on "meta" that were to come back.

        >>> import gradcore
        >>> gradcore.nn.Linear(1, 1).to(gradcore.float64).weight.dtype
        torch.float64
        """
        order = kwargs.pop("memory_format", None)
        moved = _C.empty(0, device="cpu").to(*args, **kwargs)  # raises where the arguments are wrong
        dtype, place = None, None
        for given in (*args, *kwargs.values()):
            if isinstance(given, _C.dtype):
                dtype = given
            elif isinstance(given, Tensor):
                dtype, place = given.dtype, moved.device
            elif isinstance(given, (str, device)):
                place = moved.device
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if order is not None:
            return self._to_memory_format(order, dtype)
        if place is not None and (moved.is_meta or any(t.is_meta for t in (*self.parameters(), *self.buffers()))):
            return self._to_device(place, dtype)
        return self if dtype is None else self._to_dtype(dtype)

    def _to_device(self, place: device, dtype: _C.dtype | None) -> Self:
        def moved(t: Tensor) -> Tensor:
            if t.is_meta and place.type != "meta":
                raise NotImplementedError(
                    "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of "
                    "torch.nn.Module.to() when moving module from meta to a different device."
                )
            return t.to(place, dtype if t.is_floating_point() else None)

        return self._apply(moved)

    def _to_memory_format(self, order: memory_format, dtype: _C.dtype | None) -> Self:
        """Of tensors with the dims of images or volumes; the others change their dtype alone."""

        def converted(t: Tensor) -> Tensor:
            to = dtype if t.is_floating_point() else None
            return t.to(to or t.dtype, memory_format=order) if t.dim() in (4, 5) else t.to(to or t.dtype)

        for t in (*self.parameters(), *self.buffers()):
            if t.dim() in (4, 5):
                converted(t.detach()[..., :0])  # raises where the order is for other dims, before anything is changed
        return self._apply(converted)

    def _to_dtype(self, dtype: _C.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Parameters and buffers of float dtypes become float32."""
        return self._to_dtype(_C.float32)

    def double(self) -> Self:
        """Parameters and buffers of float dtypes become float64.

        >>> from gradcore import nn
        >>> nn.Linear(1, 1).double().bias.dtype
        torch.float64
        """
        return self._to_dtype(_C.float64)

    def half(self) -> Self:
        """Parameters and buffers of float dtypes become float16.

        >>> from gradcore import nn
        >>> nn.Linear(1, 1).half().bias.dtype
        torch.float16
        """
        return self._to_dtype(_C.float16)

    def bfloat16(self) -> Self:
        """Parameters and buffers of float dtypes become bfloat16.

        >>> from gradcore import nn
        >>> nn.Linear(1, 1).bfloat16().bias.dtype
        torch.bfloat16
        """
        return self._to_dtype(_C.bfloat16)

    def type(self, dst_type: Any) -> Self:
        """Converts all parameters and buffers, integer ones too, to the dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Self:
        """The module itself: everything is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """The module itself if it holds no tensors, else raises AssertionError: there is no other device than the CPU."""
        return self._moved("cuda", device)

    def _moved(self, method: str, device: Any) -> Self:
        return self._apply(lambda t: getattr(t, method)(device))

    def xpu(self, device: Any = None) -> Self:
        """As cuda()."""
        return self._moved("xpu", device)

    def mtia(self, device: Any = None) -> Self:
        """As cuda()."""
        return self._moved("mtia", device)

    def ipu(self, device: Any = None) -> Self:
        """As cuda(), but RuntimeError."""
        return self._moved("ipu", device)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Gives all parameters and buffers new memory with unspecified values."""
        return self._apply(lambda t: _C.empty_like(t, device=device), recurse=recurse)

    def train(self, mode: bool = True) -> Self:
        """Sets `training` in the module and all below it. Raises ValueError where mode is no bool.

        >>> from gradcore import nn
        >>> nn.Dropout().train(False).training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """train(False).

        >>> import gradcore
        >>> gradcore.nn.Dropout(0.9).eval()(gradcore.ones(2))
        tensor([1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets requires_grad of all parameters.

        >>> from gradcore import nn
        >>> nn.Linear(1, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Takes the gradients of all parameters away, or fills them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if parameter.grad.grad_fn is not None:
                parameter.grad.detach_()
            else:
                parameter.grad.requires_grad_(False)
            parameter.grad.zero_()

    def share_memory(self) -> Self:
        """Moves parameters and buffers to memory that other processes see: what one writes all read.

        Views of them stay where they are. Raises RuntimeError for a module that does not know its shapes yet.
        """
        for t in (*self.parameters(), *self.buffers()):
            if is_lazy(t):
                t.share_memory_()  # raises
        return self._apply(lambda t: t.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: there is no compiler, and forward runs as it is."""

    # ---- hooks ----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """hook(module, args) runs before forward; what it returns replaces the arguments.

        prepend: before the hooks that are there; with_kwargs: hook(module, args, kwargs) returns None or both anew.

        >>> import gradcore
        >>> module = gradcore.nn.Identity()
        >>> with module.register_forward_pre_hook(lambda module, args: args[0] + 1):
        ...     module(gradcore.ones(1))
        tensor([2.])
        """
        marks = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return register(self._forward_pre_hooks, hook, prepend, marks)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """hook(module, args, output) runs after forward; what it returns replaces the output.

        prepend: before the hooks that are there; with_kwargs: hook(module, args, kwargs, output); always_call: also where
        forward raises.

        >>> import gradcore
        >>> module = gradcore.nn.Identity()
        >>> handle = module.register_forward_hook(lambda module, args, output: output * 3)
        >>> module(gradcore.ones(1))
        tensor([3.])
        >>> handle.remove()
        """
        marks = [self._forward_hooks_with_kwargs] if with_kwargs else []
        if always_call:
            marks.append(self._forward_hooks_always_called)
        return register(self._forward_hooks, hook, prepend, tuple(marks))

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """hook(module, grad_output) runs before the module's backward; what it returns replaces grad_output."""
        return register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """hook(module, grad_input, grad_output) runs when the gradients of the inputs are known; what it returns
        replaces grad_input. Raises RuntimeError beside hooks of register_backward_hook().

        >>> import gradcore
        >>> module = gradcore.nn.Identity()
        >>> _ = module.register_full_backward_hook(lambda module, grad_in, grad_out: print(grad_in, grad_out))
        >>> module(gradcore.ones(1, requires_grad=True)).backward()
        (tensor([1.]),) (tensor([1.]),)
        """
        self._set_kind_of_backward_hooks(True)
        return register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The old kind of backward hook, which sees the gradients of the last operation only."""
        self._set_kind_of_backward_hooks(False)
        return register(self._backward_hooks, hook)

    def _set_kind_of_backward_hooks(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one "
                "of them."
            )
        self._is_full_backward_hook = full

    def _get_backward_hooks(self) -> tuple[list[Any], list[Any]]:
        """The full backward hooks of a call, of all modules and of this one, and those of the old kind."""
        return _hooks.full_backward_hooks(self), _hooks.old_backward_hooks(self)

    def _get_backward_pre_hooks(self) -> list[Any]:
        """The backward pre-hooks of a call, of all modules and of this one."""
        return _hooks.backward_pre_hooks(self)

    def _slow_forward(self, *input: Any, **kwargs: Any) -> Any:
        """forward(), without hooks: no tracer looks on."""
        return self.forward(*input, **kwargs)

    def _replicate_for_data_parallel(self) -> Self:
        """A module with the same attributes and no parameters of its own: who asks for it puts tensors in their place.
        Its dicts of buffers and of submodules are its own."""
        replica = type(self).__new__(type(self))
        changed = {"_parameters": {}, "_buffers": self._buffers.copy(), "_modules": self._modules.copy()}
        replica.__dict__.update(self.__dict__, **changed, _is_replica=True)
        return replica

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, prefix, keep_vars) runs before state_dict() collects."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata) runs after state_dict() collected, may change the dict, and
        must return None."""
        hook._from_public_api = True  # the mark that torch uses
        return register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs) runs before
        the module loads its own part."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        return register(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, incompatible_keys) runs after loading, may change the lists of keys, and must return None."""
        return register(self._load_state_dict_post_hooks, hook)

    # ---- state ----

    def get_extra_state(self) -> Any:
        """What else state_dict() is to hold: subclasses that define it define set_extra_state() too."""
        raise RuntimeError("Module.get_extra_state: only a class that defines it has an extra state")

    def set_extra_state(self, state: Any) -> None:
        """Takes what get_extra_state() gave back from a state dict."""
        raise RuntimeError(
            "Module.set_extra_state: the state dict has an extra state, and the class does not define this"
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        members: list[tuple[str, Any]] = list(self._parameters.items())
        members += [item for item in self._buffers.items() if item[0] not in self._non_persistent_buffers_set]
        for name, tensor in members:
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers by path, in the order of registration, as an OrderedDict whose `_metadata`
        holds the version of each module.

        The tensors are detached and share their memory with the module's; keep_vars: the parameters themselves.

        >>> from gradcore import nn
        >>> list(nn.Sequential(nn.Linear(1, 1), nn.ReLU()).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: state_dict(destination=, prefix=, keep_vars=).",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, local_metadata)
            if getattr(hook, "_from_public_api", False):
                if changed is not None:
                    raise RuntimeError("state_dict post-hook must return None")
            elif changed is not None:
                destination = changed
        return destination

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copies values by path into parameters and buffers. Returns the missing and the unexpected keys.

        strict: such keys are an error; assign: the given tensors take the place of the module's, with their dtypes.
        Raises TypeError for what is no mapping, RuntimeError that lists all missing and unexpected keys and all sizes
        that do not fit; then the values are as before, where torch has loaded a part.

        >>> from gradcore import nn
        >>> net = nn.Linear(2, 1)
        >>> net.load_state_dict(nn.Linear(2, 1).state_dict())
        <All keys matched successfully>
        """
        from collections.abc import Mapping

        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = _Loading(state_dict, assign)
        loading.visit(self, loading.state_dict, "")
        errors = loading.errors
        if strict:
            for kind, keys in (("Unexpected", loading.unexpected), ("Missing", loading.missing)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            loading.undo()
            listed = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return _IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads what belongs to this module and not to its children. Subclasses override it to read older formats."""
        for hook, with_module in list(self._load_state_dict_pre_hooks.values()):
            given = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
            if with_module:
                hook(self, *given)
            else:
                hook(*given)
        members: dict[str, Any] = {name: p for name, p in self._parameters.items() if p is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                members[name] = buffer
        for name, tensor in members.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_tensor(name, tensor, key, state_dict[key], local_metadata)
                if problem:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA_STATE_KEY_SUFFIX
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            self._find_unexpected(state_dict, prefix, members, unexpected_keys)

    def _load_tensor(
        self, name: str, tensor: Tensor, key: str, value: Any, local_metadata: dict[str, Any]
    ) -> str | None:
        """Loads one parameter or buffer; returns what is wrong with the value."""
        if not isinstance(value, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
                f"but received {type(value)}"
            )
        lazy = is_lazy(tensor)
        if not lazy and tensor.dim() == 0 and tuple(value.shape) == (1,):
            value = value[0]  # scalars were once saved as vectors of one
        if not lazy and value.shape != tensor.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
                f"model is {tensor.shape}."
            )
        undo = getattr(local_metadata, "done", None)
        if local_metadata.get("assign_to_params_buffers", False):
            if undo is not None:
                undo.append((self, name, tensor, None))
            if isinstance(tensor, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad_(tensor.requires_grad)
                else:
                    value = Parameter(value, requires_grad=tensor.requires_grad)
            setattr(self, name, value)
            return None
        if undo is not None and not lazy:
            undo.append((self, name, tensor, tensor.detach().clone()))
        if tensor.is_meta and not value.is_meta:
            warnings.warn(
                f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, "
                "which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their "
                "corresponding key in the module instead of copying them in place?)",
                stacklevel=2,
            )
        with no_grad():
            tensor.copy_(value)
        return None

    def _find_unexpected(
        self, state_dict: Any, prefix: str, members: dict[str, Any], unexpected_keys: list[str]
    ) -> None:
        for key in state_dict:
            if not key.startswith(prefix) or key == prefix + _EXTRA_STATE_KEY_SUFFIX:
                continue
            first, *rest = key[len(prefix) :].split(".", 1)
            if first not in (self._modules if rest else members):
                unexpected_keys.append(key)

    # ---- text ----

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the text of the module says between its brackets; subclasses define it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        inside = "\n  ".join(lines + children)
        return f"{self._get_name()}(\n  {inside}\n)"

    def _repr_html_(self) -> str:
        """For notebooks: the tree of modules, with their numbers of parameters."""
        from ..._html import module_html

        return module_html(self)


_class_names.note(Module)
_C._complete_module(
    Module,
    call_with_hooks,
    Module._assign_member,
    (EVERYWHERE.forward, EVERYWHERE.forward_pre, EVERYWHERE.backward, EVERYWHERE.backward_pre),
    _new_state(),
)


def _kind(value: object) -> str:
    """What torch.typename says of a value."""
    if isinstance(value, Tensor) and type(value) is Tensor:
        return str(value.type())
    cls = type(value)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{_class_names.torch_module(cls.__module__)}.{cls.__qualname__}"


def _addindent(text: str, spaces: int) -> str:
    """All lines but the first, further in. Packages that print modules import it by torch's name."""
    return text.replace("\n", "\n" + " " * spaces)


def _registered(hooks: OrderedDict[int, Any], module: Module, name: str, value: Any) -> Any:
    """The value as the global registration hooks would have it."""
    for hook in hooks.values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


class _LocalMetadata(dict):  # type: ignore[type-arg]
    """What load_state_dict() tells a module; hooks see what torch's do, and `done` stands beside it."""

    done: list[tuple[Module, str, Tensor, Tensor | None]] | None = None


class _Loading:
    """One load_state_dict."""

    def __init__(self, state_dict: Mapping[str, Any], assign: bool) -> None:
        self.state_dict = OrderedDict(state_dict)
        self.metadata = getattr(state_dict, "_metadata", None)
        if self.metadata is not None:
            self.state_dict._metadata = self.metadata  # type: ignore[attr-defined]  # where torch has it too
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []
        self.done: list[tuple[Module, str, Tensor, Tensor | None]] = []  # for undo()

    def visit(self, module: Module, state_dict: Any, prefix: str) -> None:
        local_metadata = _LocalMetadata(self.metadata.get(prefix[:-1], {}) if self.metadata is not None else {})
        local_metadata.done = self.done
        if self.assign:
            local_metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state_dict, prefix, local_metadata, True, self.missing, self.unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                self.visit(child, {key: value for key, value in state_dict.items() if key.startswith(path)}, path)
        keys = _IncompatibleKeys(self.missing, self.unexpected)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                    "if incompatible_keys need to be modified, it should be done inplace."
                )

    def undo(self) -> None:
        """Puts everything that was loaded back."""
        for module, name, tensor, before in reversed(self.done):
            if before is None:
                setattr(module, name, tensor)
            else:
                with no_grad():
                    tensor.copy_(before)


# ------------------------------------------------------------------------------------------------------------
# Hooks of all modules


# By torch's names, which programs look through.
_global_forward_pre_hooks = EVERYWHERE.forward_pre
_global_forward_hooks = EVERYWHERE.forward
_global_forward_hooks_with_kwargs = EVERYWHERE.forward_with_kwargs
_global_forward_hooks_always_called = EVERYWHERE.forward_always_called
_global_backward_pre_hooks = EVERYWHERE.backward_pre
_global_backward_hooks = EVERYWHERE.backward
_global_buffer_registration_hooks = EVERYWHERE.buffer_registration
_global_module_registration_hooks = EVERYWHERE.module_registration
_global_parameter_registration_hooks = EVERYWHERE.parameter_registration


def _has_any_global_hook() -> Any:
    return (
        _global_backward_pre_hooks
        or _global_backward_hooks
        or _global_forward_hooks
        or _global_forward_pre_hooks
        or _global_forward_hooks_always_called
        or _global_forward_hooks_with_kwargs
    )


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, args) runs before every module's forward."""
    return register(EVERYWHERE.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """hook(module, args, output) runs after every module's forward.

    >>> from gradcore import nn, ones
    >>> with nn.modules.module.register_module_forward_hook(lambda module, args, output: print(module)):
    ...     _ = nn.Sequential(nn.Identity())(ones(1))
    Identity()
    Sequential(
      (0): Identity()
    )
    """
    marks = [EVERYWHERE.forward_with_kwargs] if with_kwargs else []
    if always_call:
        marks.append(EVERYWHERE.forward_always_called)
    return register(EVERYWHERE.forward, hook, marks=tuple(marks))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, grad_output) runs before every module's backward."""
    return register(EVERYWHERE.backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, grad_input, grad_output) runs after every module's backward."""
    _set_kind_of_global_backward_hooks(True)
    return register(EVERYWHERE.backward, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The old kind of backward hook, for every module."""
    _set_kind_of_global_backward_hooks(False)
    return register(EVERYWHERE.backward, hook)


def _set_kind_of_global_backward_hooks(full: bool) -> None:
    if EVERYWHERE.backward_is_full is (not full) and EVERYWHERE.backward:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of "
            "them."
        )
    EVERYWHERE.backward_is_full = full


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, name, parameter) runs at every registration; what it returns is registered instead."""
    return register(EVERYWHERE.parameter_registration, hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, name, buffer) runs at every registration; what it returns is registered instead."""
    return register(EVERYWHERE.buffer_registration, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """hook(module, name, submodule) runs at every registration; what it returns is registered instead."""
    return register(EVERYWHERE.module_registration, hook)
