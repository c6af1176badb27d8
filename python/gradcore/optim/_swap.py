"""swap_in_optimizer_params_and_state."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager

from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any
else:
    from .._lazy import Any, Generator

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Generator[None]:
    """A context in which an optimizer works on other parameters, options and state; its own come back at the end.

    swapin_parameters: as many tensors as the optimizer has parameters, in their order; swapin_optim_state: options and state
    as state_dict() lays them out. The tensors in it are what a step changes; what a step adds to it is dropped.

    Raises RuntimeError for an optimizer without state and for what does not fit its groups; nothing is changed then.

    >>> import gradcore
    >>> p, q = (gradcore.ones(1, requires_grad=True) for _ in range(2))
    >>> optimizer = gradcore.optim.SGD([p], lr=0.5, momentum=0.5)
    >>> p.grad = q.grad = gradcore.ones(1)
    >>> optimizer.step()
    >>> with swap_in_optimizer_params_and_state(optimizer, {"q": q}, optimizer.state_dict()):
    ...     optimizer.step()
    >>> p.item(), q.item()
    (0.5, 0.25)
    """
    _check(optimizer, swapin_optim_state)
    groups = swapin_optim_state["param_groups"]
    params = _dealt(list(swapin_parameters.values()), groups)
    state: defaultdict[Any, Any] = defaultdict(dict)
    for group, members in zip(groups, params):
        for p, number in zip(members, group["params"]):
            state[p] = dict(swapin_optim_state["state"].get(number, {}))

    before = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        optimizer.state = state
        for own, group, members in zip(optimizer.param_groups, groups, params):
            own.update({**group, "params": members})
        yield
    finally:
        optimizer.state = before[0]
        for own, kept in zip(optimizer.param_groups, before[1]):
            own.clear()
            own.update(kept)


def _dealt(params: list[Tensor], groups: list[dict[str, Any]]) -> list[list[Tensor]]:
    """The parameters of each group."""
    found, start = [], 0
    for group in groups:
        end = start + len(group["params"])
        _require(end <= len(params), "the explicit parameter state to match optimizer.param_groups ordering")
        found.append(params[start:end])
        start = end
    return found


def _check(optimizer: Optimizer, saved: Any) -> None:
    _require(bool(optimizer.state), "initialized optimizer state")
    _require(isinstance(saved, dict), "a DCP-style optimizer state_dict")
    state, groups = saved.get("state"), saved.get("param_groups")
    _require(
        isinstance(state, dict),
        "swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param state dicts, "
        f"got {type(state).__name__}",
    )
    _require(
        not any(isinstance(key, Tensor) for key in state),
        "optimizer.state_dict()-style state keyed by packed parameter ids",
    )
    _require(
        all(isinstance(kept, dict) for key, kept in state.items() if isinstance(key, int)),
        "per-parameter optimizer state entries to be dictionaries",
    )
    _require(
        isinstance(groups, list),
        f"swapin_optim_state['param_groups'] to be a list of param-group dicts, got {type(groups).__name__}",
    )
    if len(groups) != len(optimizer.param_groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    for i, (own, group) in enumerate(zip(optimizer.param_groups, groups)):
        _check_group(i, own, group)
    known = {number for group in groups for number in group["params"]}
    extra = [key for key in state if key not in known]
    _require(
        not extra,
        "swapin_optim_state['state'] to be keyed only by packed parameter ids from param_groups[*]['params']; "
        f"got extra keys {extra!r}",
    )


def _check_group(i: int, own: dict[str, Any], group: Any) -> None:
    _require(isinstance(group, dict), "each optimizer param group to be a dictionary")
    numbers = group.get("params")
    _require(
        isinstance(numbers, list) and all(isinstance(number, int) for number in numbers),
        "optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed parameter ids",
    )
    if len(numbers) != len(own["params"]):
        raise RuntimeError(
            f"swapin_optim_state param group {i} has a different number of params than the live optimizer param group."
        )
    new, lacking = [key for key in group if key not in own], [key for key in own if key not in group]
    _require(
        not new and not lacking,
        "optimizer.state_dict()-style param group keys to exactly match the live optimizer group keys for "
        f"group {i}. Keys only in swap-in: {new}. Keys only in live: {lacking}",
    )


def _require(met: bool, what: str) -> None:
    if not met:
        raise RuntimeError(f"swap_in_optimizer_params_and_state requires {what}.")
