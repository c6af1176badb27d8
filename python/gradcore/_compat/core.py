"""Names of torch._C that packages import for isinstance(). No object of gradcore is an instance of one of these classes."""

from __future__ import annotations

import contextlib
import enum
from typing import Any

from . import functorch_of_core as _functorch
from . import nn_of_core as _nn
from .absent import absent

_absent = absent(
    "torch._C",
    "Block CompilationUnit Future Graph ScriptFunction ScriptMethod ScriptObject TracingState Value",
    "gradcore does not compile programs",
)


class ScriptModule:
    """A module that torch.jit compiled, for isinstance(). Making one raises NotImplementedError: nothing is compiled here.

    >>> import gradcore
    >>> isinstance(gradcore.jit.script(gradcore.nn.Identity()), gradcore.ScriptModule)
    False
    """

    def __init__(self, *args: Any) -> None:
        raise NotImplementedError("torch.ScriptModule: gradcore does not compile programs")


class PyTorchFileReader:
    """torch's reader of files of tensors, which packages name in type hints. Making one raises NotImplementedError: load()
    reads such files.

    >>> import gradcore
    >>> isinstance("file.pt", gradcore.PyTorchFileReader)
    False
    """

    def __init__(self, *args: Any) -> None:
        raise NotImplementedError(
            f"torch.{type(self).__name__}: gradcore.load() and gradcore.save() read and write files"
        )


class PyTorchFileWriter(PyTorchFileReader):
    """torch's writer of files of tensors. Making one raises NotImplementedError: save() writes such files.

    >>> import gradcore
    >>> isinstance("file.pt", gradcore.PyTorchFileWriter)
    False
    """


def _current_graph_task_id() -> int:
    """The number of the backward that runs in this thread; -1 where none does."""
    from .. import _C

    return _C._running_backward()[0] or -1


def _will_engine_execute_node(node: Any) -> bool:
    """Whether the backward that runs in this thread comes to a node. Raises RuntimeError where none does."""
    from .. import _C

    if _C._running_backward()[0] == 0:
        raise RuntimeError("_get_current_graph_task_exec_info should only be called during autograd execution")
    return _C._backward_reaches(node)


DispatchKey = enum.Enum(
    "DispatchKey",
    "Undefined Dense CPU CUDA XPU MPS Meta Python Functionalize ADInplaceOrView Autograd AutogradCPU AutogradCUDA "
    "AutocastCPU AutocastCUDA AutocastXPU CompositeImplicitAutograd CompositeExplicitAutograd",
)


class DispatchKeySet(frozenset[Any]):
    """Keys of torch's dispatcher, which packages name when they register operators. gradcore has none: they change nothing."""

    def __new__(cls, key: Any = DispatchKey.Undefined) -> DispatchKeySet:
        return super().__new__(cls, (key,) if isinstance(key, DispatchKey) else key)

    def __or__(self, other: Any) -> DispatchKeySet:
        return DispatchKeySet(super().__or__(other))

    def has(self, key: Any) -> bool:
        """Whether it has the key."""
        return key in self


class _ExcludeDispatchKeyGuard(contextlib.nullcontext[None]):
    def __init__(self, keys: DispatchKeySet) -> None:
        super().__init__()


def _change_nothing(*args: Any) -> None:
    """A switch of torch's own compiler of programs, which is not there."""


_SWITCHES = (
    "_jit_override_can_fuse_on_cpu _jit_override_can_fuse_on_gpu _jit_set_bailout_depth _jit_set_nvfuser_enabled "
    "_jit_set_profiling_executor _jit_set_profiling_mode _jit_set_texpr_fuser_enabled _set_graph_executor_optimize"
)
_THERE = {
    **dict.fromkeys(_SWITCHES.split(), _change_nothing),
    "DispatchKey": DispatchKey,
    "DispatchKeySet": DispatchKeySet,
    "ScriptModule": ScriptModule,
    "_ExcludeDispatchKeyGuard": _ExcludeDispatchKeyGuard,
    "_functorch": _functorch,
    "_current_graph_task_id": _current_graph_task_id,
    "_will_engine_execute_node": _will_engine_execute_node,
    "_TensorMeta": type,  # the metaclass of Tensor
    "_nn": _nn,
}


def name_of_core(name: str) -> Any:
    """What torch._C has by this name. Raises AttributeError for another one."""
    if name in ("TensorBase", "_TensorBase"):  # the class whose methods torch's Tensor inherits
        from .._C import Tensor

        return Tensor
    if name == "StorageBase":
        from .legacy import StorageBase

        return StorageBase
    return _THERE[name] if name in _THERE else _absent(name)
