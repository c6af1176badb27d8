"""Averaged stochastic gradient descent."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["ASGD", "asgd"]


class ASGD(RuleOptimizer):
    """Averaged stochastic gradient descent: B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by
    Averaging", SIAM J. Control and Optimization 30, 1992. The average of the parameters is state[p]["ax"].

    params: leaf tensors of any shape, float32 or float64; lr: first step size; lambd: decay of the parameters and of the
    rate; alpha: power of the rate's decay; t0: the step at which averaging starts; weight_decay: added to the gradient;
    foreach, maximize, differentiable, capturable: as in torch.

    Raises ValueError for a negative lr or weight_decay.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.ASGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_ASGD)
    _checked = ("lr", "weight_decay")
    _numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
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
        mus: list[Tensor],
        axs: list[Tensor],
        etas: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {
            "step": counter(group),
            "eta": counter(group, float(group["lr"])),
            "mu": counter(group, 1.0),
            "ax": 0.0,
        }
        lists: dict[str, Any] = {"mu": mus, "ax": axs, "eta": etas, "step": state_steps}
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def asgd(
    params: list[Tensor],
    grads: list[Tensor],
    axs: list[Tensor],
    mus: list[Tensor],
    etas: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lambd: float,
    lr: float,
    t0: float,
    alpha: float,
    weight_decay: float,
) -> None:
    """One step of ASGD over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "lambd": lambd,
        "lr": lr,
        "t0": t0,
        "alpha": alpha,
        "weight_decay": weight_decay,
        "foreach": foreach,
        "maximize": maximize,
        "capturable": capturable,
    }
    lists: dict[str, Any] = {"ax": axs, "mu": mus, "eta": etas, "step": state_steps}
    step_over_lists(_C._step_ASGD, params, grads, lists, options, differentiable)
