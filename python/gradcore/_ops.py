"""torch.ops: ops by the names that torch's dispatcher has for them, and those that extensions registered."""

from __future__ import annotations

from typing import Any, NoReturn

import gradcore


class OpOverload:
    """One form of an op, such as torch.ops.aten.add.Tensor: gradcore's function, which has all forms."""

    def __init__(self, op: str, overload: str) -> None:
        self.__name__ = f"{op}.{overload}"
        self._op = op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = getattr(gradcore, self._op, None) or getattr(gradcore.Tensor, self._op, None)
        if function is None:
            raise NotImplementedError(f"torch.ops.aten.{self.__name__}: gradcore has no op of this name")
        return function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self._op}', overload='{self.__name__.partition('.')[2]}')>"


class OpOverloadPacket(OpOverload):
    """An op with all its forms, which are its attributes: programs use them as keys of their tables."""

    def __init__(self, op: str) -> None:
        super().__init__(op, "default")
        self.__name__ = op

    def __getattr__(self, name: str) -> OpOverload:
        if name.startswith("__"):
            raise AttributeError(name)
        overload = OpOverload(self._op, name)
        setattr(self, name, overload)
        return overload


class OpNamespace:
    """What torch.ops has by a name: of extensions nothing, of `aten` whatever is asked for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, op_name: str) -> OpOverloadPacket:
        if self.name != "aten" or op_name.startswith("__"):
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{op_name}'")
        packet = OpOverloadPacket(op_name)
        setattr(self, op_name, packet)
        return packet


class Ops:
    """torch.ops. Every name is a namespace of it, as in torch.

    >>> import gradcore
    >>> hasattr(gradcore.ops.torchvision, "nms"), gradcore.ops.aten.add.Tensor(gradcore.ones(1), 1)
    (False, tensor([2.]))
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        namespace = OpNamespace(name)
        setattr(self, name, namespace)
        return namespace

    def load_library(self, path: Any) -> NoReturn:
        """Raises NotImplementedError: extensions are built for torch's own tensors."""
        raise NotImplementedError("torch.ops.load_library: extensions for torch are built for its own tensors")


ops = Ops()
