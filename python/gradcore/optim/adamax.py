"""Adamax."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import RuleOptimizer, options_among

if TYPE_CHECKING:
    from .optimizer import ParamsT

__all__ = ["Adamax"]


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
