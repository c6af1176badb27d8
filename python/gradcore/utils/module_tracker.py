"""Which modules are running: their names, during forward and during backward."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd.graph import register_multi_grad_hook
from ..autograd.variable import Variable
from ..nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from ._pytree import tree_leaves

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """Within this context `parents` holds the names of the modules that run now, and "Global".

    The first module that is called goes by the name of its class, those inside of it by their path behind that. In backward
    a module runs from when the gradients of its outputs are there until those of its inputs are; modules whose inputs need
    none run until backward ends. `is_bw` says whether backward runs.

    >>> import gradcore
    >>> from gradcore.utils.module_tracker import ModuleTracker
    >>> class Show(gradcore.nn.Module):
    ...     def forward(self, x):
    ...         print(sorted(tracker.parents))
    ...         return x
    >>> with ModuleTracker() as tracker:
    ...     _ = gradcore.nn.Sequential(Show())(gradcore.ones(1))
    ['Global', 'Sequential', 'Sequential.0']
    """

    def __init__(self) -> None:
        self.parents = {"Global"}
        self._names: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._handles: list[Any] = []
        self._ends_with_backward = False

    @property
    def is_bw(self) -> bool:
        """Whether backward runs."""
        return bool(_C._running_backward()[0])

    def __enter__(self) -> ModuleTracker:
        self._handles += [
            register_module_forward_pre_hook(self._enters), register_module_forward_hook(self._leaves)
        ]  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _name_of(self, module: Any) -> str:
        if module not in self._names:
            root = type(module).__name__
            for path, inner in module.named_modules():
                self._names.setdefault(inner, f"{root}.{path}" if path else root)
        return self._names[module]

    def _enters(self, module: Any, inputs: Any) -> None:
        name = self._name_of(module)
        self.parents.add(name)
        self._when_gradients_are_there(inputs, lambda *_: self.parents.discard(name))

    def _leaves(self, module: Any, inputs: Any, output: Any) -> None:
        name = self._name_of(module)
        self.parents.discard(name)
        self._when_gradients_are_there(output, lambda *_: self._runs_backward(name))

    def _when_gradients_are_there(self, tensors: Any, function: Callable[..., None]) -> None:
        needed = [t for t in tree_leaves(tensors) if isinstance(t, Tensor) and t.requires_grad]
        if needed:
            self._handles.append(register_multi_grad_hook(needed, function))

    def _runs_backward(self, name: str) -> None:
        self.parents.add(name)
        if not self._ends_with_backward:
            self._ends_with_backward = True
            Variable._execution_engine.queue_callback(self._backward_ends)

    def _backward_ends(self) -> None:
        self.parents = {"Global"}
        self._ends_with_backward = False
