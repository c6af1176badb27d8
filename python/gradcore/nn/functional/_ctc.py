"""The loss of connectionist temporal classification."""

from __future__ import annotations

from operator import index

from ... import _C
from ..._C import Tensor
from ..._overridable import offer_calls
from ._checks import precise

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any


def _lengths(given: Any) -> Tensor:
    return given if isinstance(given, Tensor) else _C.tensor([index(n) for n in given], dtype=_C.int64)


@precise
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability that a path through the time steps spells the target, blanks and repeats left out.

    log_probs: (T, N, C) or (T, C), the result of log_softmax; targets: (N, S), or all of them one after another in one
    vector; input_lengths, target_lengths: (N), a tensor or a tuple. 'mean' divides each loss by its target's length first;
    zero_infinity: a target that no path spells counts 0. Raises RuntimeError for lengths and sizes that do not fit.

    The gradient is that of the whole from log_softmax on, as in torch: it holds for log probabilities that sum to one.
    Source: A. Graves et al., "Connectionist temporal classification", 2006.

    >>> import gradcore
    >>> log_probs = gradcore.zeros(2, 1, 2).log_softmax(2)
    >>> gradcore.nn.functional.ctc_loss(log_probs, gradcore.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    times, sizes = _lengths(input_lengths), _lengths(target_lengths)
    loss: Tensor = _C._nn_ctc_loss(log_probs, targets, times, sizes, blank, reduction, zero_infinity)
    return loss


offer_calls(globals())
