"""RMSprop."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["RMSprop", "rmsprop"]

_ORDER = option_names("lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable")


class RMSprop(RuleOptimizer):
    """RMSprop: T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", Coursera 2012; centered: A. Graves, arXiv:1308.0850.

    params: leaf tensors of any shape, float32 or float64; lr: step size; alpha: decay of the mean square; eps: added to its
    root; weight_decay: added to the gradient; momentum: of the scaled gradients; centered: divides by the deviation instead of
    the mean square; capturable, foreach, maximize, differentiable: as in torch.

    Raises ValueError for negative options.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_RMSprop)
    _checked = ("lr", "eps", "momentum", "weight_decay", "alpha")
    _later_options = {**RuleOptimizer._later_options, "momentum": 0, "centered": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
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
        square_avgs: list[Tensor],
        momentum_buffer_list: list[Tensor],
        grad_avgs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "square_avg": 0.0}
        if group["momentum"] > 0:
            starts["momentum_buffer"] = 0.0
        if group["centered"]:
            starts["grad_avg"] = 0.0
        lists: dict[str, Any] = {
            "square_avg": square_avgs,
            "momentum_buffer": momentum_buffer_list,
            "grad_avg": grad_avgs,
            "step": state_steps,
        }
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def rmsprop(
    params: list[Tensor],
    grads: list[Tensor],
    square_avgs: list[Tensor],
    grad_avgs: list[Tensor],
    momentum_buffer_list: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """One step of RMSprop over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "lr": lr,
        "alpha": alpha,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "centered": centered,
        "foreach": foreach,
        "maximize": maximize,
        "capturable": capturable,
    }
    lists: dict[str, Any] = {
        "square_avg": square_avgs,
        "grad_avg": grad_avgs,
        "momentum_buffer": momentum_buffer_list,
        "step": state_steps,
    }
    step_over_lists(_C._step_RMSprop, params, grads, lists, options, differentiable)
