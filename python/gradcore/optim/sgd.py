"""Stochastic gradient descent."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import ParamsT, RuleOptimizer, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["SGD", "sgd"]


class SGD(RuleOptimizer):
    """Stochastic gradient descent with momentum, in torch's formulation of Sutskever et al., "On the importance of
    initialization and momentum in deep learning", ICML 2013.

    params: leaf tensors of any shape, float32 or float64; lr: step size; momentum, dampening, weight_decay, nesterov,
    maximize, foreach, fused, differentiable: as in torch.

    Raises ValueError for negative options and for nesterov without momentum.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    _rule = staticmethod(_C._step_SGD)
    _checked = ()
    _numbers = ()
    _later_options = {"nesterov": False, "maximize": False, "foreach": None, "differentiable": False, "fused": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        options = options_among(locals())
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        # Unlike the others, SGD lets a NaN pass.
        for what, value in (("learning rate", lr), ("momentum value", momentum), ("weight_decay value", weight_decay)):
            if value < 0.0:
                raise ValueError(f"Invalid {what}: {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, options)

    def _init_group(
        self,
        group: dict[str, Any],
        params: list[Tensor],
        grads: list[Tensor],
        momentum_buffer_list: list[Tensor | None],
    ) -> bool:
        for p in group["params"]:
            if p.grad is None:
                continue
            params.append(p)
            grads.append(p.grad)
            if group["momentum"] != 0:
                momentum_buffer_list.append(self.state[p].get("momentum_buffer"))
        return False


def sgd(
    params: list[Tensor],
    d_p_list: list[Tensor],
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float,
    momentum: float,
    lr: float,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """One step of SGD over lists of tensors, which are changed in place. The arguments are torch's.

    Where the list of buffers has None, the step puts a new buffer.

    >>> import gradcore
    >>> from gradcore.optim.sgd import sgd
    >>> w, rest = gradcore.ones(2), {"weight_decay": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
    >>> sgd([w], [gradcore.tensor([1.0, 2.0])], [None], momentum=0.0, lr=0.1, **rest)
    >>> w
    tensor([0.9000, 0.8000])
    """
    from ._over_lists import scaled_step, step_over_lists

    if not scaled_step(d_p_list, fused, grad_scale, found_inf):
        return
    options: dict[str, Any] = {
        "weight_decay": weight_decay,
        "momentum": momentum,
        "lr": lr,
        "dampening": dampening,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    lists: dict[str, Any] = {"momentum_buffer": momentum_buffer_list}
    states = step_over_lists(_C._step_SGD, params, d_p_list, lists, options)
    if momentum:
        momentum_buffer_list[:] = [state["momentum_buffer"] for state in states]
