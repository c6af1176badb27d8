"""Rprop."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Rprop", "rprop"]

_ORDER = option_names("lr etas step_sizes foreach maximize differentiable capturable")


class Rprop(RuleOptimizer):
    """Rprop: M. Riedmiller and H. Braun, "A Direct Adaptive Method for Faster Backpropagation Learning", ICNN 1993. Only the
    signs of the gradient count, so it is for whole batches.

    params: leaf tensors of any shape, float32 or float64; lr: first size of a step; etas: factors of the size where the sign
    changed and where it stayed; step_sizes: smallest and largest size; capturable, foreach, maximize, differentiable: as in
    torch.

    Raises ValueError for a negative lr and for etas that do not lie on both sides of 1.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_Rprop)
    _checked = ("lr", "etas")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options_among(locals(), _ORDER))

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        prevs: list[Tensor],
        step_sizes: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "prev": 0.0, "step_size": float(group["lr"])}
        lists: dict[str, Any] = {"prev": prevs, "step_size": step_sizes, "step": state_steps}
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def rprop(
    params: list[Tensor],
    grads: list[Tensor],
    prevs: list[Tensor],
    step_sizes: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    capturable: bool = False,
    maximize: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    step_size_min: float,
    step_size_max: float,
    etaminus: float,
    etaplus: float,
) -> None:
    """One step of Rprop over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "step_sizes": (step_size_min, step_size_max),
        "etas": (etaminus, etaplus),
        "foreach": foreach,
        "capturable": capturable,
        "maximize": maximize,
        "lr": 0.0,
    }
    lists: dict[str, Any] = {"prev": prevs, "step_size": step_sizes, "step": state_steps}
    step_over_lists(_C._step_Rprop, params, grads, lists, options, differentiable)
