"""L-BFGS. Start at LBFGS.step."""

from __future__ import annotations

import math

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, no_grad
from .optimizer import Optimizer, _get_value, check_lr

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .optimizer import Closure, ParamsT

__all__ = ["LBFGS"]

_CURVATURE = 1e-10  # a step along which the gradient grows by less teaches nothing


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
    >>> w
    tensor([3., 3.], requires_grad=True)
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
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
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
        with no_grad():
            return self._iterate(enable_grad()(closure))

    def _iterate(self, evaluate: Closure) -> Any:
        group = self.param_groups[0]
        lr, max_eval, tolerance_change = _get_value(group["lr"]), group["max_eval"], group["tolerance_change"]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]  # it is of all parameters, but torch keeps it with the first
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = evaluate()
        loss = float(first_loss)
        grad = self._flat_grad()
        evaluations = 1
        state["func_evals"] += 1
        if _largest(grad) <= group["tolerance_grad"]:
            return first_loss

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                state.update(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1)
                t = min(1.0, 1.0 / grad.abs().sum().item()) * lr
            else:
                self._learn(state, grad)
                state["d"] = _direction(state, grad)
                t = lr
            d = state["d"]
            state["prev_flat_grad"], state["prev_loss"] = grad, loss
            slope = grad.dot(d).item()
            state["t"] = t
            if slope > -tolerance_change:
                break
            last = iteration == group["max_iter"]
            if group["line_search_fn"]:
                point, count = self._search(evaluate, _Point(0.0, loss, grad, slope), t, d, max_eval - evaluations)
                loss, grad = point.loss, point.grad
                t = state["t"] = point.t
                self._move(t, d)
            else:
                self._move(t, d)
                count = 0 if last else 1  # nobody would use the evaluation after the last step
                if not last:
                    loss, grad = float(evaluate()), self._flat_grad()
            evaluations += count
            state["func_evals"] += count
            if last or evaluations >= max_eval or _largest(grad) <= group["tolerance_grad"]:
                break
            if _largest(d * t) <= tolerance_change or abs(loss - state["prev_loss"]) < tolerance_change:
                break
        return first_loss

    def _flat_grad(self) -> Tensor:
        return _C.cat([_C.zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.reshape(-1) for p in self._params])

    def _move(self, t: float, d: Tensor) -> None:
        """Goes the way t * d."""
        start = 0
        for p in self._params:
            p.add_(d[start : start + p.numel()].view(p.shape), alpha=t)
            start += p.numel()

    def _learn(self, state: dict[str, Any], grad: Tensor) -> None:
        """Remembers how the last step s changed the gradient."""
        s = state["d"] * float(state["t"])
        y = grad - state["prev_flat_grad"]
        ys = y.dot(s).item()
        if ys <= _CURVATURE:
            return
        pairs = state["old_dirs"], state["old_stps"], state["ro"]
        for remembered, new in zip(pairs, (y, s, 1.0 / ys)):
            if len(remembered) == self.param_groups[0]["history_size"]:
                del remembered[0]
            remembered.append(new)
        state["H_diag"] = ys / y.dot(y).item()

    def _search(self, evaluate: Closure, origin: _Point, t: float, d: Tensor, max_ls: int) -> tuple[_Point, int]:
        """A point along d that meets the strong Wolfe conditions, and how many evaluations it took to find it."""
        start = [p.clone() for p in self._params]

        def look(t: float) -> _Point:
            self._move(t, d)
            loss, grad = float(evaluate()), self._flat_grad()
            for p, value in zip(self._params, start):
                p.copy_(value)
            return _Point(t, loss, grad, grad.dot(d).item())

        return _strong_wolfe(look, origin, t, _largest(d), max_ls)


def _largest(x: Tensor) -> float:
    return float(x.abs().max().item())


def _direction(state: dict[str, Any], grad: Tensor) -> Tensor:
    """Minus the inverse Hessian, as far as it is known, times the gradient: the two loops of Nocedal and Wright's algorithm
    7.4."""
    pairs = [(y, s, float(ro)) for y, s, ro in zip(state["old_dirs"], state["old_stps"], state["ro"])]
    q = -grad
    weights = []
    for y, s, ro in reversed(pairs):
        weights.append(s.dot(q).item() * ro)
        q.add_(y, alpha=-weights[-1])
    q.mul_(float(state["H_diag"]))
    for (y, s, ro), weight in zip(pairs, reversed(weights)):
        q.add_(s, alpha=weight - y.dot(q).item() * ro)
    return q


class _Point:
    """A point of a line search: how far, the loss there, the gradient, and its slope along the line."""

    __slots__ = ("grad", "loss", "slope", "t")

    def __init__(self, t: float, loss: float, grad: Tensor, slope: float) -> None:
        self.t = t
        self.loss = loss
        self.grad = grad
        self.slope = slope


def _strong_wolfe(
    look: Callable[[float], _Point],
    origin: _Point,
    t: float,
    d_norm: float,
    max_ls: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
) -> tuple[_Point, int]:
    """Nocedal and Wright's algorithm 3.5: goes out until two points enclose a good one, then zooms in on it."""

    def too_high(point: _Point) -> bool:
        return point.loss > origin.loss + c1 * point.t * origin.slope

    def flat(point: _Point) -> bool:
        return abs(point.slope) <= -c2 * origin.slope

    before, point = origin, look(t)
    evaluations, iteration = 1, 0
    while iteration < max_ls:
        if too_high(point) or (iteration > 1 and point.loss >= before.loss):
            break
        if flat(point):
            return point, evaluations
        if point.slope >= 0:
            break
        bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
        t = _cubic_minimum(before, point, *bounds)
        before, point = point, look(t)
        evaluations += 1
        iteration += 1
    else:
        before = origin

    # Algorithm 3.6. The order of the two ends decides between equal losses.
    ends = [before, point]
    low = 0 if ends[0].loss <= ends[1].loss else 1
    crept = False  # the last point came close to an end: the next one must not
    while iteration < max_ls and abs(ends[1].t - ends[0].t) * d_norm >= tolerance_change:
        left, right = sorted((ends[0].t, ends[1].t))
        t = _cubic_minimum(ends[0], ends[1], left, right)
        margin = 0.1 * (right - left)
        close = min(right - t, t - left) < margin
        if close and (crept or not left < t < right):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            close = False
        crept = close
        point = look(t)
        evaluations += 1
        iteration += 1
        if too_high(point) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        if flat(point):
            return point, evaluations
        if point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
    return ends[low], evaluations


def _cubic_minimum(a: _Point, b: _Point, least: float, most: float) -> float:
    """Where the cubic through two points with their slopes has its minimum, kept within bounds: Nocedal and Wright's
    equation 3.59."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * _ratio(a.loss - b.loss, a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    d2 = math.sqrt(square)
    t = b.t - (b.t - a.t) * _ratio(b.slope + d2 - d1, b.slope - a.slope + 2 * d2)
    return min(max(t, least), most)


def _ratio(a: float, b: float) -> float:
    """a / b, as IEEE 754 has it."""
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)
