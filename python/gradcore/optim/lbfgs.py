"""L-BFGS."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .optimizer import Closure, Optimizer, ParamsT, check_lr, options_among

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from .._lazy import Any, Callable

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Programming
    45, 1989; the line search: J. Nocedal and S. Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6.

    params: leaf tensors of one dtype, in one group; lr: first length of a step; max_iter: iterations in one step();
    max_eval: evaluations of the closure in one step(), 1.25 * max_iter by default; tolerance_grad: largest gradient that
    counts as zero; tolerance_change: least change of loss and parameters to go on; history_size: pairs that are remembered;
    line_search_fn: None, a step of fixed length, or "strong_wolfe".

    Raises ValueError for a bad lr and for more than one group.

    >>> import gradcore
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = gradcore.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    5.0
    >>> gradcore.allclose(w, gradcore.full((2,), 3.0))
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        options = options_among(locals())
        check_lr(lr)
        if max_eval is None:
            options["max_eval"] = max_iter * 5 // 4
        super().__init__(params, options)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        """Up to max_iter iterations. Returns the loss of the first evaluation. `closure` computes loss and gradients."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        group = self.param_groups[0]
        loss = _C._step_LBFGS(group, self.state, closure)
        _keep_lr(self.state[group["params"][0]], group["lr"])
        return loss

    # ---- private methods of torch that derived classes call

    def _numel(self) -> int:
        return sum(p.numel() for p in self._params)

    def _gather_flat_grad(self) -> Tensor:
        flat = [p.new_zeros(p.numel()) if p.grad is None else p.grad.view(-1) for p in self._params]
        return _C.cat(flat, 0)

    def _add_grad(self, step_size: float | Tensor, update: Tensor) -> None:
        sizes = [p.numel() for p in self._params]
        for p, part in zip(self._params, update.split(sizes)):
            p.add_(part.view_as(p), alpha=step_size)  # type: ignore[arg-type]  # a tensor of one element is a number

    def _clone_param(self) -> list[Tensor]:
        return [p.clone().contiguous() for p in self._params]

    def _set_param(self, params_data: list[Tensor]) -> None:
        for p, data in zip(self._params, params_data, strict=True):
            p.copy_(data)

    def _directional_evaluate(
        self, closure: Closure, x: list[Tensor], t: float | Tensor, d: Tensor
    ) -> tuple[float, Tensor]:
        """Loss and gradient at x + t * d; the parameters are x again afterwards."""
        self._add_grad(t, d)
        loss = float(closure())
        gradient = self._gather_flat_grad()
        self._set_param(x)
        return loss, gradient


# A step of the length lr has lr itself as its length in torch: an int, or a tensor, if it is one.
def _keep_lr(state: dict[str, Any], lr: Any) -> None:
    if state.get("n_iter", 0) > 1 and state["t"] == lr:
        state["t"] = lr.squeeze() if isinstance(lr, Tensor) else lr


# ---- private names of torch that packages import for methods of their own


def _strong_wolfe(
    obj_func: Callable[[Any, float, Tensor], tuple[Any, Tensor]],
    x: Any,
    t: float | Tensor,
    d: Tensor,
    f: float | Tensor,
    g: Tensor,
    gtd: float | Tensor,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Tensor, float, int]:
    """A point along `d` that meets the strong Wolfe conditions; `t` is the length that is tried first.

    obj_func(x, t, d): loss and gradient at x + t * d; f, g, gtd: loss, gradient and slope at x; c1, c2: constants of the
    conditions; tolerance_change: length of a bracket that is not searched any more; max_ls: most evaluations but one.
    Returns loss, gradient and length of the point, and the number of evaluations.
    """

    def look(t: float) -> tuple[float, Tensor, Any]:
        loss, gradient = obj_func(x, t, d)
        return float(loss), gradient, gradient.dot(d)

    slope, longest = float(gtd), float(d.abs().max())
    return _C._strong_wolfe(look, float(t), float(f), g, slope, longest, c1, c2, tolerance_change, max_ls)


def _cubic_interpolate(
    x1: float | Tensor,
    f1: float | Tensor,
    g1: float | Tensor,
    x2: float | Tensor,
    f2: float | Tensor,
    g2: float | Tensor,
    bounds: tuple[float, float] | None = None,
) -> float:
    """Where the cubic with values f1, f2 and slopes g1, g2 at x1, x2 has its minimum, kept within bounds: x1 and x2."""
    least, most = bounds or (min(x1, x2), max(x1, x2))
    points = (float(number) for number in (x1, f1, g1, x2, f2, g2, least, most))
    return _C._cubic_minimum(*points)
