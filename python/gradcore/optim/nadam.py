"""NAdam."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["NAdam", "nadam"]

_ORDER = option_names(
    "lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize foreach capturable differentiable"
)


class NAdam(RuleOptimizer):
    """NAdam, Adam with Nesterov momentum: T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.

    params: leaf tensors of any shape, float32 or float64; lr: step size; betas: decay of the two moments; eps: added to the
    denominator; weight_decay: added to the gradient, or, decoupled, taken off the parameter; momentum_decay: of the momentum
    schedule; foreach, maximize, capturable, differentiable: as in torch.

    Raises ValueError for options out of range.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8944, 1.8944], requires_grad=True)
    """

    _rule = staticmethod(_C._step_NAdam)
    _checked = ("lr", "eps", "betas", "weight_decay", "momentum_decay")
    _numbers = ("step", "mu_product")
    _later_options = {**RuleOptimizer._later_options, "decoupled_weight_decay": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options_among(locals(), _ORDER))

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        mu_products: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {
            "step": counter(group),
            "mu_product": counter(group, 1.0),
            "exp_avg": 0.0,
            "exp_avg_sq": 0.0,
        }
        lists: dict[str, Any] = {
            "exp_avg": exp_avgs,
            "exp_avg_sq": exp_avg_sqs,
            "mu_product": mu_products,
            "step": state_steps,
        }
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def nadam(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    mu_products: list[Tensor],
    state_steps: list[Tensor],
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float,
    beta2: float,
    lr: float,
    weight_decay: float,
    momentum_decay: float,
    eps: float,
) -> None:
    """One step of NAdam over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "betas": (beta1, beta2),
        "lr": lr,
        "weight_decay": weight_decay,
        "momentum_decay": momentum_decay,
        "eps": eps,
        "decoupled_weight_decay": decoupled_weight_decay,
        "foreach": foreach,
        "capturable": capturable,
        "maximize": maximize,
    }
    lists: dict[str, Any] = {
        "exp_avg": exp_avgs,
        "exp_avg_sq": exp_avg_sqs,
        "mu_product": mu_products,
        "step": state_steps,
    }
    step_over_lists(_C._step_NAdam, params, grads, lists, options, differentiable)
