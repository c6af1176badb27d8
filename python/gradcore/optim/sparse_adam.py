"""SparseAdam."""

from __future__ import annotations

from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import Closure, Optimizer, ParamsT, call_closure, check_betas

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam for sparse gradients. All gradients here are dense, and these it refuses, as torch's does: it serves programs
    that only name it.

    Raises ValueError for options out of range; step() RuntimeError for a parameter that has a gradient.

    >>> import gradcore
    >>> optimizer = gradcore.optim.SparseAdam([gradcore.ones(1, requires_grad=True)])
    >>> optimizer.step()
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def step(self, closure: Closure | None = None) -> Any:
        """Returns what `closure` returned. Raises RuntimeError for a parameter that has a gradient."""
        loss = call_closure(closure)
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
