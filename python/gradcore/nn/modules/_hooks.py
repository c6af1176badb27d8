"""How a module with hooks is called. Start at call_with_hooks; modules without hooks never come here.

Note [Full backward hooks]
Inputs and outputs of the module pass through an identity Function each. Before the outputs' node runs, its gradients are
the module's grad_output; after the inputs' node ran, what it returned is the module's grad_input. A module whose inputs
need no gradient has no inputs' node: its hooks run as soon as grad_output is known.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict

from ... import _C
from ..._C import Tensor
from ..._handle import RemovableHandle

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .module import Module

else:
    from ..._lazy import Any, Callable

Hooks = OrderedDict[int, Any]

__all__ = ["call_with_hooks"]


class GlobalHooks:
    """The hooks of all modules: what the functions register_module_* fill."""

    def __init__(self) -> None:
        self.forward_pre: Hooks = OrderedDict()
        self.forward: Hooks = OrderedDict()
        self.forward_with_kwargs: Hooks = OrderedDict()
        self.forward_always_called: Hooks = OrderedDict()
        self.backward_pre: Hooks = OrderedDict()
        self.backward: Hooks = OrderedDict()
        self.backward_is_full: bool | None = None
        self.buffer_registration: Hooks = OrderedDict()
        self.module_registration: Hooks = OrderedDict()
        self.parameter_registration: Hooks = OrderedDict()


EVERYWHERE = GlobalHooks()


def register(hooks: Hooks, hook: Any, prepend: bool = False, marks: tuple[Hooks, ...] = ()) -> RemovableHandle:
    """Adds a hook to the dict and its id to the dicts that mark it; the handle takes it out of all of them."""
    handle = _Handle(hooks, marks)
    hooks[handle.id] = hook
    for mark in marks:
        mark[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class _Handle(RemovableHandle):
    def __init__(self, hooks: Hooks, marks: tuple[Hooks, ...]) -> None:
        super().__init__(hooks)
        self._marks = marks

    def remove(self) -> None:
        super().remove()
        for mark in self._marks:
            mark.pop(self.id, None)


# ------------------------------------------------------------------------------------------------------------
# Forward


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """forward(*args, **kwargs) with the hooks of the module and of all modules around it."""
    pending = OrderedDict(
        (key, hook)
        for key, hook in [*EVERYWHERE.forward.items(), *module._forward_hooks.items()]
        if key in EVERYWHERE.forward_always_called or key in module._forward_hooks_always_called
    )
    result = None
    try:
        args, kwargs = _run_pre_hooks(module, args, kwargs)
        backward = _backward_hooks(module)
        if backward is not None:
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in [*EVERYWHERE.forward.items(), *module._forward_hooks.items()]:
            pending.pop(key, None)
            result = _run_forward_hook(module, key, hook, args, kwargs, result)
        if backward is not None:
            result = _watch_outputs(backward, result)
        _watch_output_node(module, args, result)
        return result
    except Exception:
        _run_the_rest(module, pending, args, kwargs, result)
        raise


def _run_pre_hooks(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for key, hook in [*EVERYWHERE.forward_pre.items(), *module._forward_pre_hooks.items()]:
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _run_forward_hook(module: Module, key: int, hook: Any, args: Any, kwargs: Any, result: Any) -> Any:
    if key in EVERYWHERE.forward_with_kwargs or key in module._forward_hooks_with_kwargs:
        changed = hook(module, args, kwargs, result)
    else:
        changed = hook(module, args, result)
    return result if changed is None else changed


def _run_the_rest(module: Module, pending: Hooks, args: Any, kwargs: Any, result: Any) -> None:
    """Hooks with always_call that did not run yet; an error in one of them gives way to the error that brought us here."""
    for key, hook in pending.items():
        try:
            _run_forward_hook(module, key, hook, args, kwargs, result)
        except Exception as error:
            kind = "global module forward hook" if key in EVERYWHERE.forward else "module forward hook"
            warnings.warn(
                f"{kind} with ``always_call=True`` raised an exception that was silenced as another error was raised "
                f"in forward: {error}",
                stacklevel=4,
            )


# ------------------------------------------------------------------------------------------------------------
# Backward


def backward_pre_hooks(module: Module) -> list[Any]:
    """Those of all modules, then those of this one."""
    return [*EVERYWHERE.backward_pre.values(), *module._backward_pre_hooks.values()]


def full_backward_hooks(module: Module) -> list[Any]:
    """Those of all modules, then those of this one."""
    full: list[Any] = []
    if EVERYWHERE.backward_is_full:
        full += EVERYWHERE.backward.values()
    if module._is_full_backward_hook:
        full += module._backward_hooks.values()
    return full


def _backward_hooks(module: Module) -> BackwardHooks | None:
    pre, full = backward_pre_hooks(module), full_backward_hooks(module)
    return BackwardHooks(module, pre, full) if pre or full else None


def _identity() -> Any:
    """The Function that gives each of its inputs back as a tensor of its own. Made late: most programs need none."""
    global _identity_function
    if _identity_function is None:
        from ...autograd import Function

        class BackwardHookFunction(Function):
            """Gives its inputs back."""

            @staticmethod
            def forward(ctx: Any, *args: Any) -> Any:
                results = tuple(arg.view_as(arg) for arg in args)
                ctx.mark_non_differentiable(*[r for r, arg in zip(results, args) if not arg.requires_grad])
                return results

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                return grads

        _identity_function = BackwardHookFunction
    return _identity_function


_identity_function: Any = None


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class BackwardHooks:
    """One call of a module, as its full backward hooks see it. See Note [Full backward hooks]."""

    def __init__(self, module: Module, pre: list[Any], full: list[Any]) -> None:
        self.module = module
        self.pre = pre
        self.full = full
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs = 0
        self.input_places: list[int] | None = None  # where the tensors are among the inputs; None: no node there
        self.outputs = 0
        self.output_places: list[int] = []

    def _pass_through(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any, list[int]]:
        """The values with their tensors passed through one node, the node, and where the tensors are."""
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (_C.is_grad_enabled() and any(values[i].requires_grad for i in places)):
            return values, None, places
        passed = _identity().apply(*[values[i] for i in places])
        node = next((t.grad_fn for t in passed if t.grad_fn is not None), None)
        result = list(values)
        for i, tensor in zip(places, passed):
            result[i] = tensor
        return tuple(result), node, places

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of forward; after their node ran the full hooks run."""
        self.inputs = len(args)
        args, node, places = self._pass_through(args)
        if node is not None:
            self.input_places = places
            node.register_hook(self._inputs_done)
        return args

    def _inputs_done(self, grad_inputs: tuple[Any, ...], _: Any) -> Any:
        if self.grad_outputs is None:
            return None  # gradients came through a path that is none of the module's outputs
        assert self.input_places is not None
        whole = self._spread(grad_inputs, self.input_places, self.inputs)
        for hook in self.full:
            changed = hook(self.module, whole, self.grad_outputs)
            if changed is not None:
                whole = self._checked(changed, "Backward hook returned an invalid number of grad_input", self.inputs)
        self.grad_outputs = None
        return tuple(whole[i] for i in self.input_places)

    def watch_outputs(self, outputs: Any) -> Any:
        """What forward returned: a tensor or a tuple."""
        values, node, places = self._pass_through(_as_tuple(outputs))
        self.outputs, self.output_places = len(values), places
        if node is not None:
            node.register_prehook(self._outputs_known)
        return values if isinstance(outputs, tuple) else values[0]

    def _outputs_known(self, grad_outputs: tuple[Any, ...]) -> Any:
        whole = self._spread(grad_outputs, self.output_places, self.outputs)
        for hook in self.pre:
            changed = hook(self.module, whole)
            if changed is not None:
                what = "Backward pre hook returned an invalid number of grad_output"
                whole = self._checked(changed, what, self.outputs)
        self.grad_outputs = whole
        if self.input_places is None:
            self._run_without_inputs()
        return tuple(whole[i] for i in self.output_places) if self.pre else None

    def _run_without_inputs(self) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients.",
            stacklevel=3,
        )
        nothing = (None,) * self.inputs
        for hook in self.full:
            changed = hook(self.module, nothing, self.grad_outputs)
            if changed is not None and not all(grad is None for grad in _as_tuple(changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None

    @staticmethod
    def _spread(grads: tuple[Any, ...], places: list[int], size: int) -> tuple[Any, ...]:
        whole = [None] * size
        for i, grad in zip(places, grads):
            whole[i] = grad
        return tuple(whole)

    @staticmethod
    def _checked(changed: Any, what: str, expected: int) -> tuple[Any, ...]:
        found = _as_tuple(changed)
        if len(found) != expected:
            raise RuntimeError(f"{what}, got {len(found)}, but expected {expected}")
        return found


def _watch_outputs(backward: BackwardHooks, result: Any) -> Any:
    if not isinstance(result, (Tensor, tuple)):
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(result)}",
            stacklevel=4,
        )
        return result
    return backward.watch_outputs(result)


# ------------------------------------------------------------------------------------------------------------
# Backward hooks of the old kind, which see only the node of the first output


def old_backward_hooks(module: Module) -> list[Any]:
    """Those of all modules, then those of this one."""
    hooks: list[Any] = []
    if EVERYWHERE.backward_is_full is False:
        hooks += EVERYWHERE.backward.values()
    if module._is_full_backward_hook is False:
        hooks += module._backward_hooks.values()
    return hooks


def _watch_output_node(module: Module, args: tuple[Any, ...], result: Any) -> None:
    hooks = old_backward_hooks(module)
    if not hooks:
        return
    first = result
    while not isinstance(first, Tensor):
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    node: Any = first.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(_bound(hook, module))
    _warn_of_old_hooks(args, result, node)


def _bound(hook: Callable[..., Any], module: Module) -> Callable[..., Any]:
    return lambda grad_inputs, grad_outputs: hook(module, grad_inputs, grad_outputs)


def _warn_of_old_hooks(args: tuple[Any, ...], result: Any, node: Any) -> None:
    problem = _problem_of_old_hooks(args, result, node)
    if problem is None:
        return
    what, missing = problem
    warnings.warn(
        f"{what} is deprecated and will be removed in future versions. This hook will be missing some {missing}. Please use "
        "register_full_backward_hook to get the documented behavior.",
        FutureWarning,
        stacklevel=5,
    )


def _problem_of_old_hooks(args: tuple[Any, ...], result: Any, node: Any) -> tuple[str, str] | None:
    """What a hook of one node misses of the module, and where."""
    if not (isinstance(result, Tensor) or _all_tensors(result)):
        what = "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors"
        return what, "of the grad_output"
    if not _all_tensors(args):
        what = "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors"
        return what, "of the grad_input"
    if isinstance(result, tuple) and any(r.grad_fn not in (None, node) for r in result):
        return "Using a non-full backward hook when outputs are generated by different autograd Nodes", "grad_output"
    # Leaves have no node here, so that a module whose inputs are leaves is warned of as well, as in torch.
    if {a.grad_fn for a in args} - {None} != {edge[0] for edge in node.next_functions}:
        return "Using a non-full backward hook when the forward contains multiple autograd Nodes", "grad_input"
    return None


def _all_tensors(values: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, Tensor) for value in values)
