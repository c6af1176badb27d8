"""Random draws that have no operation of their own yet, with torch's numbers for the same seed where they can be followed."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from typing import Any

from . import _C
from ._C import Tensor


def multinomial(
    weights: Tensor, num_samples: int, replacement: bool = False, generator: _C.Generator | None = None
) -> Tensor:
    """Indices drawn with these weights, along the last dim."""
    op: Any = getattr(_C, "multinomial", None)
    if op is not None:
        drawn: Tensor = op(weights, num_samples, replacement, generator=generator)
        return drawn
    return _multinomial(weights, num_samples, replacement, generator)


def _multinomial(weights: Tensor, num_samples: int, replacement: bool, generator: _C.Generator | None) -> Tensor:
    if weights.dim() not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not weights.dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {weights.dtype}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.size(-1):
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    weights = weights.detach()
    if not bool((weights.isfinite() & (weights >= 0)).all()):
        raise RuntimeError("invalid multinomial distribution (a weight is negative, infinite or no number)")
    if not bool((weights.sum(-1) > 0).all()):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if replacement and num_samples > 1:
        return _with_replacement(weights, num_samples, generator)
    scores = weights / exponential(weights.shape, weights.dtype, generator)
    if num_samples == 1:
        return scores.argmax(dim=-1, keepdim=True)
    rows = [_largest(row, num_samples) for row in scores.reshape(-1, weights.size(-1)).tolist()]
    return _C.tensor(rows).reshape(*weights.shape[:-1], num_samples)


def _largest(row: list[float], count: int) -> list[int]:
    return sorted(range(len(row)), key=row.__getitem__, reverse=True)[:count]


def _with_replacement(weights: Tensor, num_samples: int, generator: _C.Generator | None) -> Tensor:
    below = weights.cumsum(-1)
    below = (below / below[..., -1:]).reshape(-1, weights.size(-1))
    uniform = _C.rand(below.size(0), num_samples, dtype=_C.float64, generator=generator)
    rows = [
        [min(bisect.bisect_left(row, u), len(row) - 1) for u in drawn]
        for row, drawn in zip(below.tolist(), uniform.tolist())
    ]
    return _C.tensor(rows).reshape(*weights.shape[:-1], num_samples)


def exponential(shape: Any, dtype: Any, generator: _C.Generator | None = None) -> Tensor:
    """Exponential numbers of rate 1, which come of uniform doubles whatever the dtype."""
    uniform = _C.rand(*shape, dtype=_C.float64, generator=generator)
    return (-(-uniform).log1p()).to(dtype).clamp_min(_SMALLEST[dtype])


_SMALLEST = {_C.float32: 1.1920928955078125e-07 / 2, _C.float64: 2.220446049250313e-16 / 2}


def _each(draw: Callable[..., float], *parameters: Tensor) -> Tensor:
    """A draw for each element, one after another as torch does, in double precision."""
    flat = [parameter.detach().double().reshape(-1).tolist() for parameter in parameters]
    drawn = _C.tensor([draw(*each) for each in zip(*flat)], dtype=_C.float64)
    return drawn.reshape(parameters[0].shape).to(parameters[0].dtype)


def _uniform() -> float:
    return float(_C.rand((), dtype=_C.float64).item())


def _normal() -> float:
    return float(_C.randn((), dtype=_C.float64).item())


def bernoulli(probs: Tensor) -> Tensor:
    """1 with these probabilities, else 0."""
    probs = probs.detach()
    return (_C.rand(tuple(probs.shape), dtype=probs.dtype) < probs).to(probs.dtype)


def gamma(concentration: Tensor) -> Tensor:
    """Gamma numbers of rate 1, by the method of Marsaglia and Tsang."""
    return _each(_gamma, concentration).clamp_min(_TINY[concentration.dtype])


def _gamma(concentration: float) -> float:
    scale = 1.0
    if concentration < 1.0:
        if concentration == 0.0:
            return 0.0
        scale = (1.0 - _uniform()) ** (1.0 / concentration)
        concentration += 1.0
    d = concentration - _THIRD
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        y = 0.0
        while y <= 0.0:
            x = _normal()
            y = 1.0 + c * x
        v = y * y * y
        u = 1.0 - _uniform()
        square = x * x
        if u < 1.0 - 0.0331 * square * square or math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


_THIRD = 0.3333333432674408  # a third as float32 has it: torch's constant for both dtypes


def poisson(rate: Tensor) -> Tensor:
    """Poisson numbers: products of uniform ones for rates below 10, else Hoermann's transformed rejection."""
    return _each(_poisson, rate)


def _poisson(rate: float) -> float:
    if rate >= 10.0:
        return _poisson_by_rejection(rate)
    if rate == 0.0:
        return 0.0
    limit, count, product = math.exp(-rate), 0, 1.0
    while True:
        product *= _uniform()
        if product <= limit:
            return float(count)
        count += 1


def _poisson_by_rejection(rate: float) -> float:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accept = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u, v = _uniform() - 0.5, _uniform()
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= accept:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * math.log(rate) - math.lgamma(k + 1.0):
            return float(k)


def binomial(count: Tensor, prob: Tensor) -> Tensor:
    """Binomial numbers: sums of geometric ones where few are expected, else Hoermann's transformed rejection."""
    return _each(_binomial, count, prob)


def _binomial(count: float, prob: float) -> float:
    if count <= 0.0 or prob <= 0.0:
        return 0.0
    if prob >= 1.0:
        return count
    if prob > 0.5:
        return count - _rare(count, 1.0 - prob)
    return _rare(count, prob)


def _rare(count: float, prob: float) -> float:
    if count * prob >= 10.0:
        return _binomial_by_rejection(count, prob)
    log, total, found = math.log1p(-prob), 0.0, 0
    while True:
        total += math.ceil(math.log(_uniform()) / log)
        if total > count:
            return float(found)
        found += 1


def _stirling(k: float) -> float:
    """log(k!) beyond Stirling's formula."""
    return math.lgamma(k + 1.0) - ((k + 0.5) * math.log(k + 1.0) - (k + 1.0) + 0.5 * math.log(2.0 * math.pi))


def _binomial_by_rejection(count: float, prob: float) -> float:
    deviation = math.sqrt(count * prob * (1.0 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    center = count * prob + 0.5
    accept = 0.92 - 4.2 / b
    odds = prob / (1.0 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = math.floor((count + 1.0) * prob)
    while True:
        u, v = _uniform() - 0.5, _uniform()
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + center)
        if us >= 0.07 and v <= accept:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1.0) / (odds * (count - mode + 1.0)))
            + (count + 1.0) * math.log((count - mode + 1.0) / (count - k + 1.0))
            + (k + 0.5) * math.log(odds * (count - k + 1.0) / (k + 1.0))
            + _stirling(mode)
            + _stirling(count - mode)
            - _stirling(k)
            - _stirling(count - k)
        )
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


_TINY = {_C.float32: 1.1754943508222875e-38, _C.float64: 2.2250738585072014e-308}
