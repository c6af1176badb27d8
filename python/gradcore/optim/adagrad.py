"""Adagrad."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Adagrad", "adagrad"]

_ORDER = option_names("lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused")


class Adagrad(RuleOptimizer):
    """Adagrad: J. Duchi, E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization", JMLR 12, 2011.

    params: leaf tensors of any shape, float32 or float64; lr: step size; lr_decay: of the step size with the steps;
    weight_decay: added to the gradient; initial_accumulator_value: where the sum of squares starts; eps: added to its root;
    foreach, maximize, differentiable, fused: as in torch.

    Raises ValueError for negative options.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_Adagrad)
    _checked = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
    _later_options = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, options_among(locals(), _ORDER))
        for group in self.param_groups:  # torch makes this state here already, for Hogwild training
            for p in group["params"]:
                start = _C.full_like(p.detach(), initial_accumulator_value)
                step = _C.tensor(0.0, dtype=_C.float32 if group["fused"] else None)
                self.state[p] = {"step": step, "sum": start}

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        state_sums: list[Tensor],
        state_steps: list[Tensor],
    ) -> tuple[bool, bool]:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "sum": group["initial_accumulator_value"]}
        lists: dict[str, Any] = {"sum": state_sums, "step": state_steps}
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False, False


def adagrad(
    params: list[Tensor],
    grads: list[Tensor],
    state_sums: list[Tensor],
    state_steps: list[Tensor],
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float,
    weight_decay: float,
    lr_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of Adagrad over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import scaled_step, step_over_lists

    options: dict[str, Any] = {
        "lr": lr,
        "weight_decay": weight_decay,
        "lr_decay": lr_decay,
        "eps": eps,
        "maximize": maximize,
        "fused": fused,
        "foreach": foreach,
        "initial_accumulator_value": 0.0,
    }
    lists: dict[str, Any] = {"sum": state_sums, "step": state_steps}
    if scaled_step(grads, fused, grad_scale, found_inf):
        step_over_lists(_C._step_Adagrad, params, grads, lists, options, differentiable)
