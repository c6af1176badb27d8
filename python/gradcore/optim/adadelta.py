"""Adadelta."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Adadelta", "adadelta"]

_ORDER = option_names("lr rho eps weight_decay maximize capturable foreach differentiable")


class Adadelta(RuleOptimizer):
    """Adadelta: M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701.

    params: leaf tensors of any shape, float32 or float64; lr: scales the step; rho: decay of the averages; eps: added under
    the roots; weight_decay: added to the gradient; foreach, capturable, maximize, differentiable: as in torch.

    Raises ValueError for options out of range.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adadelta([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9997, 1.9997], requires_grad=True)
    """

    _rule = staticmethod(_C._step_Adadelta)
    _checked = ("lr", "rho", "eps", "weight_decay")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
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
        acc_deltas: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "square_avg": 0.0, "acc_delta": 0.0}
        lists: dict[str, Any] = {"square_avg": square_avgs, "acc_delta": acc_deltas, "step": state_steps}
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def adadelta(
    params: list[Tensor],
    grads: list[Tensor],
    square_avgs: list[Tensor],
    acc_deltas: list[Tensor],
    state_steps: list[Tensor],
    capturable: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step of Adadelta over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "lr": lr,
        "rho": rho,
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
        "capturable": capturable,
        "foreach": foreach,
    }
    lists: dict[str, Any] = {"square_avg": square_avgs, "acc_delta": acc_deltas, "step": state_steps}
    step_over_lists(_C._step_Adadelta, params, grads, lists, options, differentiable)
