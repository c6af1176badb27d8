"""Muon."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._class_names import belongs_to
from .._lazy import TYPE_CHECKING
from .optimizer import Closure, Optimizer, ParamsT, call_closure, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Muon"]


@belongs_to("gradcore.optim")
class Muon(Optimizer):
    """Muon: momentum whose matrix is orthogonalised: K. Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks", https://kellerjordan.github.io/posts/muon/, 2024.

    params: leaf matrices, float32 or float64; lr: step size; weight_decay: taken off the parameter; momentum: weight of the
    old in the average of gradients; nesterov: looks one step ahead; ns_coefficients, ns_steps: of the Newton-Schulz
    iteration; eps: least norm to divide by; adjust_lr_fn: None or "original" scales the step by the matrix's proportions,
    "match_rms_adamw" so that its size is AdamW's.

    Raises ValueError for options out of range and for parameters that are no matrices.

    >>> import gradcore
    >>> w = gradcore.tensor([[1.0, 2.0]], requires_grad=True)
    >>> optimizer = gradcore.optim.Muon([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([[0.9593, 1.9187]], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        options = options_among(locals())
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for what, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not 0.0 <= value:
                raise ValueError(f"{what} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, options)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = None if closure is None else call_closure(closure)
        _C._step_Muon(self.param_groups, self.state)
        return loss

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        muon_momentum_bufs: list[Tensor],
    ) -> bool:
        from ._over_lists import fill_lists

        lists: dict[str, Any] = {"momentum_buffer": muon_momentum_bufs}
        fill_lists(self, group, params_with_grad, grads, lists, {"momentum_buffer": 0.0})
        return False


def muon(
    params: list[Tensor],
    grads: list[Tensor],
    muon_momentum_bufs: list[Tensor],
    *,
    foreach: bool | None = None,
    lr: float,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    ns_steps: int,
    eps: float,
    adjust_lr_fn: str | None,
    has_complex: bool,
) -> None:
    """One step of Muon over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import step_over_lists

    options: dict[str, Any] = {
        "lr": lr,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "nesterov": nesterov,
        "ns_coefficients": ns_coefficients,
        "ns_steps": ns_steps,
        "eps": eps,
        "adjust_lr_fn": adjust_lr_fn,
    }
    lists: dict[str, Any] = {"momentum_buffer": muon_momentum_bufs}
    step_over_lists(_step, params, grads, lists, options)


def _step(groups: list[dict[str, Any]], state: Any, differentiable: bool) -> None:
    _C._step_Muon(groups, state)
