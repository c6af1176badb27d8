"""Adafactor."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._class_names import belongs_to
from .._lazy import TYPE_CHECKING
from ._copied import _get_scalar_dtype
from .optimizer import Closure, Optimizer, ParamsT, call_closure, options_among

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["Adafactor", "adafactor"]


@belongs_to("gradcore.optim")
class Adafactor(Optimizer):
    """Adafactor: N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018, in
    torch's form: the learning rate bounds the relative step, and the first eps acts on the root of the variance.

    params: leaf tensors of any shape, float32 or float64; of a matrix only the means of the rows and of the columns of the
    squared gradient are kept; lr: largest relative step; beta2_decay: power of the steps by which the average's weights fall;
    eps: least root of the variance (None: that of the dtype) and least size of the parameter; d: where updates are clipped;
    weight_decay: taken off the parameter; foreach, maximize: as in torch.

    Raises ValueError for options out of range.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8419, 1.8419], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        options = options_among(locals())
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, options)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            for p in group["params"]:
                kept = self.state.get(p)
                if kept and not isinstance(kept["step"], Tensor):
                    kept["step"] = _C.tensor(float(kept["step"]))

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = None if closure is None else call_closure(closure)
        _C._step_Adafactor(self.param_groups, self.state)
        return loss

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        row_vars: list[Tensor | None],
        col_vars: list[Tensor | None],
        variances: list[Tensor | None],
        state_steps: list[Tensor],
    ) -> bool:
        for p in group["params"]:
            if p.grad is None:
                continue
            params_with_grad.append(p)
            grads.append(p.grad)
            state = self.state[p]
            if not state:
                state.update(_new_state(p.grad))
            row_vars.append(state.get("row_var"))
            col_vars.append(state.get("col_var"))
            variances.append(state.get("variance"))
            state_steps.append(state["step"])
        return False


def _new_state(grad: Tensor) -> dict[str, Tensor]:
    step = _C.tensor(0.0, dtype=_get_scalar_dtype())
    if grad.dim() < 2:
        return {"step": step, "variance": _C.zeros_like(grad)}
    rows, columns = grad.narrow(-1, 0, 1), grad.narrow(-2, 0, 1)
    return {"step": step, "row_var": grad.new_zeros(rows.shape), "col_var": grad.new_zeros(columns.shape)}


def adafactor(
    params: list[Tensor],
    grads: list[Tensor],
    row_vars: list[Tensor | None],
    col_vars: list[Tensor | None],
    variances: list[Tensor | None],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    *,
    d: float,
    lr: float | Tensor,
    beta2_decay: float,
    weight_decay: float,
    eps1: float,
    eps2: float,
    maximize: bool,
) -> None:
    """One step of Adafactor over lists of tensors, which are changed in place. The arguments are torch's."""
    from ._over_lists import scaled_step, step_over_lists

    scaled_step(grads, False, grad_scale, found_inf)
    options: dict[str, Any] = {
        "d": d,
        "lr": lr,
        "beta2_decay": beta2_decay,
        "weight_decay": weight_decay,
        "eps": (eps1, eps2),
        "maximize": maximize,
        "foreach": foreach,
    }
    lists: dict[str, Any] = {"row_var": row_vars, "col_var": col_vars, "variance": variances, "step": state_steps}
    step_over_lists(_step, params, grads, lists, options)


def _step(groups: list[dict[str, Any]], state: Any, differentiable: bool) -> None:
    _C._step_Adafactor(groups, state)
