"""torch.ops: ops by the names that torch's dispatcher has for them, and those that extensions registered."""

from __future__ import annotations

import math
import os
from typing import Any

import gradcore


def _safe_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """softmax(), with zeros where all elements along the dim are -inf."""
    hopeless = (input == -math.inf).all(dim, keepdim=True)
    return input.masked_fill(hopeless, 0).softmax(dim, dtype).masked_fill(hopeless, 0)


_OF_ATEN = {"_safe_softmax": _safe_softmax}  # that programs reach by torch.ops alone


class OpOverload:
    """One form of an op, such as torch.ops.aten.add.Tensor: gradcore's function, which has all forms, or an operator of
    gradcore.library."""

    def __init__(self, namespace: str, op: str, overload: str) -> None:
        self._namespace, self._op, self._overload = namespace, op, overload
        self._qualified_op_name = f"{namespace}::{op}"
        self.__name__ = f"{op}.{overload}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function()(*args, **kwargs)

    def _function(self) -> Any:
        if self._namespace != "aten":
            return _registered(self._namespace, self._op)
        function = getattr(gradcore, self._op, None) or getattr(gradcore.Tensor, self._op, None)
        function = function or _OF_ATEN.get(self._op)
        if function is None:
            raise NotImplementedError(f"torch.ops.aten.{self.__name__}: gradcore has no op of this name")
        return function

    @property
    def _schema(self) -> str:
        return str(self._function()._schema)

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self._namespace}.{self._op}', overload='{self._overload}')>"

    def __str__(self) -> str:
        return f"{self._namespace}.{self.__name__}"


class OpOverloadPacket(OpOverload):
    """An op with all its forms, which are its attributes: programs use them as keys of their tables."""

    def __init__(self, namespace: str, op: str) -> None:
        super().__init__(namespace, op, "default")
        self.__name__ = op

    def __getattr__(self, name: str) -> OpOverload:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._namespace != "aten" and name != "default":
            raise AttributeError(f"The underlying op of '{self}' has no overload name '{name}'")
        overload = OpOverload(self._namespace, self._op, name)
        setattr(self, name, overload)
        return overload

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


def _registered(namespace: str, op: str) -> Any:
    """The operator of that name in gradcore.library, None without one."""
    from .library import _operators

    return _operators.get(f"{namespace}::{op}")


class OpNamespace:
    """What torch.ops has by a name: operators that the program registered, and of `aten` whatever is asked for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, op_name: str) -> OpOverloadPacket:
        if op_name.startswith("__") or (self.name != "aten" and _registered(self.name, op_name) is None):
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{op_name}'")
        packet = OpOverloadPacket(self.name, op_name)
        setattr(self, op_name, packet)
        return packet


class Ops:
    """torch.ops. Every name is a namespace of it, as in torch.

    >>> import gradcore
    >>> hasattr(gradcore.ops.mine, "nms"), gradcore.ops.aten.add.Tensor(gradcore.ones(1), 1)
    (False, tensor([2.]))
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        namespace = OpNamespace(name)
        setattr(self, name, namespace)
        return namespace

    def load_library(self, path: Any) -> None:
        """Takes the operators of torchvision's own libraries, which gradcore has. OSError for any other file: extensions
        for torch are built for its own tensors.
        """
        folder, file = os.path.split(os.path.realpath(path))
        if os.path.basename(folder) == "torchvision":
            from ._compat.torchvision_ops import register

            if register(file.partition(".")[0]):
                return
        why = " (it is built for torch's own tensors)" if os.path.exists(path) else ""
        raise OSError(f"Could not load this library: {os.path.realpath(path)}{why}")


ops = Ops()
