"""Muon."""

from __future__ import annotations

import math

from .. import _C
from .._C import Tensor
from .._modes import no_grad
from .optimizer import Optimizer, _get_value, call_closure

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

    from .optimizer import Closure, ParamsT

__all__ = ["Muon"]


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
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for what, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not 0.0 <= value:
                raise ValueError(f"{what} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}")

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = call_closure(closure)
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        _update(p, p.grad, self.state[p], group)
        return loss


def _update(p: Tensor, grad: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    lr, momentum = _get_value(group["lr"]), group["momentum"]
    if "momentum_buffer" not in state:
        state["momentum_buffer"] = _C.zeros_like(grad)
    average = state["momentum_buffer"].lerp_(grad, 1 - momentum)
    update = grad.lerp(average, momentum) if group["nesterov"] else average
    update = _orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
    p.mul_(1 - lr * group["weight_decay"])
    p.add_(update, alpha=-lr * _proportion(p, group["adjust_lr_fn"]))


def _proportion(p: Tensor, adjust_lr_fn: str | None) -> float:
    rows, columns = p.shape
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


def _orthogonalized(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """U V^T of the singular value decomposition U S V^T, roughly: a quintic Newton-Schulz iteration drives the singular
    values towards 1. torch computes it in bfloat16, so every result is rounded to that."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = _bfloat16(matrix.float())
    if tall:
        x = x.t()
    x = _bfloat16(x / _bfloat16(x.norm()).clamp(min=_bfloat16(_C.tensor(eps)).item()))
    for _ in range(steps):
        gram = _bfloat16(x @ x.t())
        x = _bfloat16(_C.addmm(x, _bfloat16(_C.addmm(gram, gram, gram, beta=b, alpha=c)), x, beta=a))
    return x.t() if tall else x


def _bfloat16(x: Tensor) -> Tensor:
    """A float32 tensor rounded to the upper half of its bits, to even."""
    bits = x.contiguous().view(_C.int32)
    return ((bits + (bits >> 16 & 1) + 0x7FFF) & -0x10000).view(_C.float32)
