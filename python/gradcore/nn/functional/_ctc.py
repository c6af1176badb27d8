"""The loss of connectionist temporal classification."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ._checks import need_float, precise

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

_NAME = "(while checking arguments for ctc_loss_allocate_outputs)"


def _lengths(given: Any) -> list[int]:
    return [int(n) for n in (given.reshape(-1).tolist() if isinstance(given, Tensor) else given)]


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
    need_float("ctc_loss", "ctc_loss_cpu", log_probs)
    batched = log_probs.dim() == 3
    if not batched:
        log_probs = log_probs.unsqueeze(1)
        targets = targets.unsqueeze(0) if targets.dim() == 1 else targets
    steps, batch, classes = log_probs.shape
    times, sizes = _lengths(input_lengths), _lengths(target_lengths)
    _check(targets, times, sizes, blank, steps, batch, classes)
    labels = _label_matrix(targets, sizes, blank)
    loss = _log_likelihood(log_probs, labels, times, sizes, blank)
    # What torch adds to the derivative; its value is 0.
    valid = (_C.arange(steps).unsqueeze(1) < _C.tensor(times)).unsqueeze(2)
    whole = _C.where(valid, log_probs, -float("inf")).exp().sum((0, 2)) if steps else loss
    infinite = loss.detach() == float("inf")
    loss = loss + (whole - whole.detach()).masked_fill(infinite, 0.0)
    if zero_infinity:
        loss = loss.masked_fill(infinite, 0.0)
    if reduction == "mean":
        return (loss / _C.tensor(sizes, dtype=loss.dtype).clamp_min(1.0)).mean()
    if reduction == "sum":
        return loss.sum()
    if reduction != "none":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return loss if batched else loss.squeeze(0)


def _check(
    targets: Tensor, times: list[int], sizes: list[int], blank: int, steps: int, batch: int, classes: int
) -> None:
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if targets.is_floating_point():
        raise RuntimeError("Expected tensor for argument #2 'targets' to have scalar type Long or Int")
    for name, lengths in (("input_lengths", times), ("target_lengths", sizes)):
        if len(lengths) != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    for length in sizes:
        if length < 0:
            raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {length} {_NAME}")
    for length in times:
        if length < 0:
            raise RuntimeError(f"Expected input_lengths to have value at least 0, but got value {length} {_NAME}")
        if length > steps:
            raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {length} {_NAME}")
    if targets.dim() == 1 and targets.shape[0] != sum(sizes):
        raise RuntimeError(
            f"Expected tensor to have size {sum(sizes)} at dimension 0, but got size {targets.shape[0]} for argument #2 "
            f"'targets' {_NAME}"
        )
    if targets.dim() == 2 and targets.shape[1] < max(sizes, default=0):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(sizes)} at dimension 1, but got size {targets.shape[1]} for "
            f"argument #2 'targets' {_NAME}"
        )
    used = targets if targets.dim() == 1 else _C.cat([targets[i, :n].long() for i, n in enumerate(sizes)])
    if used.numel() and not ((used >= 0) & (used < classes)).all():
        raise IndexError(f"ctc_loss: a target is not a class: there are {classes}")


def _label_matrix(targets: Tensor, sizes: list[int], blank: int) -> Tensor:
    """Targets with blanks around each label: (N, 2 S + 1), blanks to the end."""
    labels = _C.full((len(sizes), 2 * max(sizes, default=0) + 1), blank, dtype=_C.int64)
    begin = 0
    for i, size in enumerate(sizes):
        own = targets[i, :size] if targets.dim() == 2 else targets[begin : begin + size]
        labels[i, 1 : 2 * size + 1 : 2] = own.long()
        begin += size
    return labels


def _log_likelihood(log_probs: Tensor, labels: Tensor, times: list[int], sizes: list[int], blank: int) -> Tensor:
    """The forward algorithm: row t of alpha holds log probabilities of all paths that end at each label at time t."""
    steps, batch, _ = log_probs.shape
    places = labels.shape[1]
    # -inf would give NaN in the derivative of logsumexp; exp() of this is 0 in both float dtypes all the same.
    nothing = -1e30
    emitted = log_probs.gather(2, labels.unsqueeze(0).expand(steps, batch, places))
    skips = _C.zeros((batch, places), dtype=_C.bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    start = _C.arange(places) < 2
    alpha = log_probs.new_full((batch, places), nothing)
    times_tensor = _C.tensor(times).unsqueeze(1)
    none = log_probs.new_full((batch, 2), nothing)
    for t in range(steps):
        if t == 0:
            now = _C.where(start, emitted[0], nothing)
        else:
            padded = _C.cat([none, alpha], 1)
            skipped = _C.where(skips, padded[:, :-2], nothing)
            paths = _C.stack([alpha, padded[:, 1:-1], skipped])
            now = paths.logsumexp(0) + emitted[t]
            now = _C.where(now.detach() > nothing / 2, now, nothing)
        alpha = _C.where(times_tensor > t, now, alpha)
    last = 2 * _C.tensor(sizes).unsqueeze(1)
    final = alpha.gather(1, last)
    before = _C.where(last > 0, alpha.gather(1, (last - 1).clamp_min(0)), nothing)
    total = _C.cat([final, before], 1).logsumexp(1)
    empty = _C.tensor([t == 0 for t in times])
    total = _C.where(empty, _C.where(last.squeeze(1) == 0, 0.0, nothing).to(total.dtype), total)
    loss: Tensor = _C.where(total.detach() <= nothing / 2, float("inf"), -total)
    return loss
