"""Adamax."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Adamax", "adamax"]


class Adamax(RuleOptimizer):
    """Adamax, Adam with the infinity norm: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    params: leaf tensors of any shape, float32 or float64; lr: step size; betas: decay of the moment and of the norm; eps:
    added to the gradient's size; weight_decay: added to the gradient; foreach, maximize, differentiable, capturable: as in
    torch.

    Raises ValueError for options out of range.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_Adamax)
    _checked = ("lr", "eps", "betas", "weight_decay")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options_among(locals()))

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_infs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "exp_avg": 0.0, "exp_inf": 0.0}
        lists: dict[str, Any] = {"exp_avg": exp_avgs, "exp_inf": exp_infs, "step": state_steps}
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def adamax(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_infs: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    eps: float,
    beta1: float,
    beta2: float,
    lr: float,
    weight_decay: float,
) -> None:
    """One step of Adamax over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "eps": eps,
        "betas": (beta1, beta2),
        "lr": lr,
        "weight_decay": weight_decay,
        "foreach": foreach,
        "maximize": maximize,
        "capturable": capturable,
    }
    lists: dict[str, Any] = {"exp_avg": exp_avgs, "exp_inf": exp_infs, "step": state_steps}
    step_over_lists(_C._step_Adamax, params, grads, lists, options, differentiable)
