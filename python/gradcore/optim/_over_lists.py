"""Steps over lists of tensors, and the lists that optimizers fill: what torch's functional forms have in common."""

from __future__ import annotations

from collections import defaultdict

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from ._copied import _get_scalar_dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Lists = Mapping[str, Any]  # lists of tensors, some of None too
else:
    from .._lazy import Any, Callable

__all__: list[str] = []


def step_over_lists(
    rule: Callable[..., None],
    params: list[Tensor],
    grads: list[Tensor],
    lists: Lists,
    options: dict[str, Any],
    differentiable: bool = False,
) -> list[dict[str, Any]]:
    """One step of a rule of the core. Returns what is remembered of each parameter afterwards.

    lists: by their names in an optimizer's state the lists of what is remembered; the tensors are changed in place.
    """
    steps = lists.get("step", ())
    if not all(isinstance(step, Tensor) for step in steps):
        raise RuntimeError("API has changed, `state_steps` argument must contain a list of singleton tensors")
    # A step that is not recorded is made on aliases, whose gradients are nobody else's.
    held = list(params) if differentiable else [p.detach() for p in params]
    before = [p.grad if p.is_leaf or p.retains_grad else None for p in held]
    state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    for i, p in enumerate(held):
        state[p] = {name: values[i] for name, values in lists.items() if values and values[i] is not None}
    try:
        for p, grad in zip(held, grads):
            p.grad = grad
        rule([{**options, "params": held, "differentiable": differentiable}], state, differentiable)
    finally:
        for p, old in zip(held, before):
            p.grad = old
    return [state[p] for p in held]


def scaled_step(grads: list[Tensor], fused: bool | None, grad_scale: Tensor | None, found_inf: Tensor | None) -> bool:
    """Whether to step at all: not where a gradient is infinite. Divides the gradients by their scale.

    Raises AssertionError where a form that is not fused gets a scale.
    """
    if grad_scale is None and found_inf is None:
        return True
    if not fused:
        raise AssertionError("Expected grad_scale and found_inf to be None")
    if found_inf is not None and found_inf.item():
        return False
    if grad_scale is not None:
        for grad in grads:
            grad.div_(grad_scale)
    return True


def fill_lists(
    optimizer: Any,
    group: dict[str, Any],
    params: list[Tensor],
    grads: list[Tensor],
    lists: Lists,
    starts: dict[str, Any],
) -> None:
    """Appends the parameters that have gradients, their gradients, and by name what is remembered of them.

    starts: what begins the state of a parameter that has none: a number for all its elements, or function(parameter).
    """
    for p in group["params"]:
        if p.grad is None:
            continue
        params.append(p)
        grads.append(p.grad)
        state = optimizer.state[p]
        if not state:
            state.update({name: _begin(start, p) for name, start in starts.items()})
        for name, values in lists.items():
            if name in starts:
                values.append(state[name])


def _begin(start: Any, p: Tensor) -> Any:
    return start(p) if callable(start) else _C.full_like(p.detach(), start)


def counter(group: dict[str, Any], value: float = 0.0) -> Callable[[Tensor], Tensor]:
    """What begins a number that is remembered of a parameter."""
    dtype = _get_scalar_dtype(bool(group.get("fused") or group.get("capturable")))
    return lambda p: _C.tensor(value, dtype=dtype)
