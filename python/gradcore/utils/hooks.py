"""The handle that takes a registered hook out, and what a tensor's hooks mean for files."""

from __future__ import annotations

from .._handle import RemovableHandle

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from .._lazy import Any, Callable

__all__ = ["BackwardHook", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


def unserializable_hook(f: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a hook: warn_if_has_hooks() says nothing of it.

    >>> import gradcore
    >>> @gradcore.utils.hooks.unserializable_hook
    ... def double(grad):
    ...     return 2 * grad
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warns of each hook of the tensor that a file will not hold, but for those that unserializable_hook() marked.

    >>> import gradcore
    >>> gradcore.utils.hooks.warn_if_has_hooks(gradcore.ones(2))
    """
    for hook in (tensor._backward_hooks or {}).values():
        if hasattr(hook, "__torch_unserializable__"):
            continue
        from warnings import warn

        warn(
            f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the function "
            "with @torch.utils.hooks.unserializable_hook to suppress this warning",
            stacklevel=2,
        )


class BackwardHook:
    """What a module's full backward hooks are run by: one call of the module.

    module: what the hooks get as their first argument. user_hooks: called with (module, grad_input, grad_output).
    user_pre_hooks: called before with (module, grad_output). The inputs go through setup_input_hook(), the outputs
    through setup_output_hook().

    >>> import gradcore
    >>> seen = []
    >>> hook = gradcore.utils.hooks.BackwardHook(None, [lambda module, into, out: seen.append((into, out))], [])
    >>> (x,) = hook.setup_input_hook((gradcore.ones(1, requires_grad=True),))
    >>> hook.setup_output_hook(3 * x).backward()
    >>> seen
    [((tensor([3.]),), (tensor([1.]),))]
    """

    def __init__(self, module: Any, user_hooks: list[Any], user_pre_hooks: list[Any]) -> None:
        from ..nn.modules._hooks import BackwardHooks  # that module uses this one

        self._call = BackwardHooks(module, user_pre_hooks, user_hooks)
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs, whose gradients the hooks will be told."""
        return self._call.watch_inputs(args)

    def setup_output_hook(self, args: Any) -> Any:
        """The output, or a tuple of some, whose gradients the hooks will be told."""
        return self._call.watch_outputs(args)
