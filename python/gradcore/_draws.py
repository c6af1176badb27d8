"""Random draws that have no operation of their own yet, with torch's numbers for the same seed where they can be followed."""

from __future__ import annotations

import bisect
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
