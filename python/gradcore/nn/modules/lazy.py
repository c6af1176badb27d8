"""LazyModuleMixin: modules that learn the shapes of their parameters from their first input."""

from __future__ import annotations

from ..parameter import is_lazy
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Comes before a Module among the bases of a class that defines initialize_parameters(*args, **kwargs).

    cls_to_become: the class that the module has after its first call.

    >>> import gradcore
    >>> layer = gradcore.nn.LazyLinear(2)
    >>> _ = layer(gradcore.ones(1, 3))
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    cls_to_become: type | None = None

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def __getstate__(self: Any) -> Any:
        # The hooks are bound methods of this very module: a copy gets its own.
        state = Module.__getstate__(self)
        for hooks in ("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs"):
            state[hooks] = state[hooks].copy()
            state[hooks].pop(self._initialize_hook.id, None)
        state["_load_state_dict_pre_hooks"] = state["_load_state_dict_pre_hooks"].copy()
        state["_load_state_dict_pre_hooks"].pop(self._load_hook.id, None)
        del state["_load_hook"], state["_initialize_hook"]
        return state

    def __setstate__(self: Any, state: Any) -> None:
        Module.__setstate__(self, state)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def has_uninitialized_params(self: Any) -> bool:
        """Whether a parameter or buffer of the module has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes; called with the arguments of forward. Raises NotImplementedError."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def _lazy_load_hook(self: Any, state_dict: Any, prefix: str, *_: Any) -> None:
        """Gives parameters the shapes of those that are about to be loaded."""
        for name, tensor in (*self._parameters.items(), *self._buffers.items()):
            key = prefix + name
            if key in state_dict and is_lazy(tensor) and not is_lazy(state_dict[key]):
                tensor.materialize(state_dict[key].shape)

    def _infer_parameters(self: Any, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
