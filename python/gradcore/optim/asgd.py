"""Averaged stochastic gradient descent."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import RuleOptimizer, options_among

if TYPE_CHECKING:
    from .optimizer import ParamsT

__all__ = ["ASGD"]


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
