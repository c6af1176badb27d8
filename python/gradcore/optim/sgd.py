"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .optimizer import Closure, Optimizer, call_closure, check_options

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, in torch's formulation of Sutskever et al., "On the importance of
    initialization and momentum in deep learning", ICML 2013.

    params: leaf tensors of any shape, float32 or float64; lr: step size; momentum, dampening, weight_decay, nesterov,
    maximize: as in torch. foreach and fused are accepted and change nothing: there is one kernel, over all parameters.

    Raises ValueError for negative options and for nesterov without momentum; NotImplementedError for differentiable.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> _ = optimizer.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(lr, weight_decay, differentiable)
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = call_closure(closure) if closure is not None else None
        for group in self.param_groups:
            _C._sgd_step(group, self.state)
        return loss
