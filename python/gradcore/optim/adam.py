"""Adam."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, _to_scalar, check_betas, option_names, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Adam", "adam"]

_ORDER = option_names(
    "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay"
)


class Adam(RuleOptimizer):
    """Adam: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; amsgrad: Reddi et al., 2018.

    params: leaf tensors of any shape, float32 or float64; lr: step size; betas: decay of the two moments; eps: added to the
    denominator; weight_decay: added to the gradient; amsgrad, maximize, decoupled_weight_decay, foreach, fused,
    differentiable: as in torch.

    Raises ValueError for options out of range.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_Adam)
    _checked = ("lr", "eps", "weight_decay")
    _later_options = {
        **RuleOptimizer._later_options,
        "amsgrad": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = options_among(locals(), _ORDER)
        if isinstance(lr, Tensor):
            _check_tensor("lr", lr, foreach, capturable)
        check_betas(betas)
        if not (isinstance(betas[0], float) and isinstance(betas[1], float)):
            _check_tensors(betas, foreach, capturable)
        options["betas"] = tuple(map(_to_scalar, betas))
        super().__init__(params, options)

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        max_exp_avg_sqs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        from ._over_lists import counter, fill_lists

        starts: dict[str, Any] = {"step": counter(group), "exp_avg": 0.0, "exp_avg_sq": 0.0}
        if group["amsgrad"]:
            starts["max_exp_avg_sq"] = 0.0
        lists: dict[str, Any] = {
            "exp_avg": exp_avgs,
            "exp_avg_sq": exp_avg_sqs,
            "max_exp_avg_sq": max_exp_avg_sqs,
            "step": state_steps,
        }
        fill_lists(self, group, params_with_grad, grads, lists, starts)
        return False


def _check_tensors(betas: Any, foreach: bool | None, capturable: bool) -> None:
    if not all(isinstance(beta, Tensor) for beta in betas):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        _check_tensor(f"betas[{i}]", beta, foreach, capturable)


def _check_tensor(name: str, value: Tensor, foreach: bool | None, capturable: bool) -> None:
    if foreach and not capturable:
        raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
    if value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")


def adam(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    max_exp_avg_sqs: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    decoupled_weight_decay: bool = False,
    *,
    amsgrad: bool,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of Adam over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import scaled_step, step_over_lists

    options: dict[str, Any] = {
        "amsgrad": amsgrad,
        "betas": (beta1, beta2),
        "lr": lr,
        "weight_decay": weight_decay,
        "eps": eps,
        "maximize": maximize,
        "foreach": foreach,
        "capturable": capturable,
        "fused": fused,
        "decoupled_weight_decay": decoupled_weight_decay,
    }
    lists: dict[str, Any] = {
        "exp_avg": exp_avgs,
        "exp_avg_sq": exp_avg_sqs,
        "max_exp_avg_sq": max_exp_avg_sqs,
        "step": state_steps,
    }
    if scaled_step(grads, fused, grad_scale, found_inf):
        step_over_lists(_C._step_Adam, params, grads, lists, options, differentiable)
