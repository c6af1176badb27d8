"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .optimizer import Closure, Optimizer, call_closure, check_options

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; amsgrad: Reddi et al., 2018.

    params: leaf tensors of any shape, float32 or float64; lr: step size; betas: decay of the two moments; eps: added to the
    denominator; weight_decay: added to the gradient; amsgrad, maximize, decoupled_weight_decay: as in torch. foreach and
    fused are accepted and change nothing: there is one kernel, over all parameters.

    Raises ValueError for options out of range; NotImplementedError for capturable and differentiable.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> _ = optimizer.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
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
        check_options(lr, weight_decay, differentiable, capturable)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = call_closure(closure) if closure is not None else None
        for group in self.param_groups:
            _C._adam_step(group, self.state, group["decoupled_weight_decay"])
        return loss


class AdamW(Adam):
    """Adam with decoupled weight decay: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    As Adam, but the parameters shrink by lr * weight_decay in each step and the gradient is left alone.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
