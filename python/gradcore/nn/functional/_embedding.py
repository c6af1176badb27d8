"""Rows of a table by their numbers: embedding, bags of them, one-hot codes."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._C import _nn_one_hot as one_hot
from ..._modes import no_grad
from ..._overridable import offer_calls
from ._checks import SCALAR_NAMES, need_tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import


def _check_index(function: str, input: Tensor) -> None:
    need_tensor(function, "indices", 2, input)
    if input.dtype not in (_C.int64, _C.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{SCALAR_NAMES[input.dtype]}Tensor instead (while checking arguments for {function})"
        )


def _no_sparse(function: str, sparse: bool) -> None:
    if sparse:
        raise NotImplementedError(f"{function}: gradcore has no sparse gradients; sparse=False gives the same numbers")


def _renormalized(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    """Scales the rows that are used and longer than max_norm, in place."""
    with no_grad():
        used: Tensor = index.reshape(-1).long().unique()  # type: ignore[assignment]  # no inverse, no counts
        rows = _rows(weight.detach(), used)
        norms = _C.norm(rows, norm_type, 1)
        factor = _C.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0)
        # Derivatives are those of the weight as it comes out, so that a tangent stays as it is, like a history.
        weight.detach().index_copy_(0, used, rows * factor.unsqueeze(1))


def _rows(weight: Tensor, index: Tensor) -> Tensor:
    flat = index.reshape(-1)
    try:
        return weight.index_select(0, flat)
    except (RuntimeError, IndexError):
        raise IndexError("index out of range in self") from None


def _scaled_by_frequency(rows: Tensor, flat: Tensor, count: int) -> Tensor:
    """The rows, with gradients divided by how often each is used."""
    uses = _C.zeros(count, dtype=rows.dtype).index_add_(0, flat, _C.ones(flat.shape[0], dtype=rows.dtype))
    scale = (1 / uses[flat]).unsqueeze(1)
    return rows * scale + (rows * (1 - scale)).detach()


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[input]: a row for each index.

    input: ints of any shape; weight: (V, D); the result is (*input.shape, D). padding_idx: a row without gradient;
    max_norm: longer rows that are used are shortened in place; scale_grad_by_freq: gradients are divided by how often a row
    is used. Raises IndexError for an index out of range, NotImplementedError for sparse=True.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html

    >>> import gradcore
    >>> gradcore.nn.functional.embedding(gradcore.tensor([2, 0]), gradcore.tensor([[1.0], [2.0], [3.0]]))
    tensor([[3.],
            [1.]])
    """
    if sparse or not isinstance(input, Tensor):
        need_tensor("embedding", "indices", 2, input)
        _no_sparse("embedding", sparse)
    if padding_idx is not None:
        if not -weight.shape[0] <= padding_idx < weight.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= weight.shape[0]
    if max_norm is not None:
        _renormalized(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, -1 if padding_idx is None else padding_idx, scale_grad_by_freq)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or largest element of the rows of each bag.

    input: (B, n), bags of one size, or (N) with offsets (B), where bags begin; include_last_offset: the last offset is the
    end. per_sample_weights: factors of the rows, for mode 'sum'; padding_idx: a row that does not count. An empty bag is 0.
    Raises ValueError and RuntimeError for what does not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html

    >>> import gradcore
    >>> weight = gradcore.tensor([[1.0], [2.0], [4.0]])
    >>> gradcore.nn.functional.embedding_bag(gradcore.tensor([[0, 2]]), weight, mode="sum")
    tensor([[5.]])
    """
    need_tensor("embedding_bag", "indices", 2, input)
    _no_sparse("embedding_bag", sparse)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same "
            f"shape as the input ({input.shape})"
        )
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if padding_idx is not None and not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{weight.shape[0]} through {weight.shape[0] - 1}, but got "
            f"{padding_idx}"
        )
    if input.dim() not in (1, 2):
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if input.dim() == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
            f"sequences. However, found offsets of type {type(offsets)}"
        )
    if input.dim() == 1 and (offsets is None or offsets.dim() != 1):
        raise ValueError("offsets has to be a 1D Tensor" + (" but got None" if offsets is None else ""))
    if max_norm is not None:
        _renormalized(weight, input, max_norm, norm_type)
    if padding_idx is None and not scale_grad_by_freq:
        return _C._nn_embedding_bag(weight, input, offsets, mode, per_sample_weights, include_last_offset)
    if offsets is None:
        bags = input.shape[0]
        bag_of = _C.arange(bags).unsqueeze(1).expand(input.shape).reshape(-1)
    else:
        starts = offsets.tolist()
        if starts and starts[0] != 0:
            raise RuntimeError(
                f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got {starts[0]}"
            )
        if starts and starts[-1] > input.shape[0]:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {input.shape[0]} but got offsets[-1] of {starts[-1]}"
            )
        for begin, end in zip(starts, starts[1:]):
            if end < begin:
                raise RuntimeError(f"embedding_bag: offsets must not decrease, but {begin} stands before {end}")
        ends = starts[1:] if include_last_offset else [*starts[1:], input.shape[0]]
        starts = starts[:-1] if include_last_offset else starts
        bags = len(starts)
        bag_of = _C.tensor([i for i, (b, e) in enumerate(zip(starts, ends)) for _ in range(e - b)], dtype=_C.int64)
        input = input[: bag_of.shape[0]]
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights[: bag_of.shape[0]]
    flat = input.reshape(-1)
    rows = _rows(weight, flat)
    if scale_grad_by_freq:
        rows = _scaled_by_frequency(rows, flat, weight.shape[0])
    if padding_idx is not None:
        kept = flat != padding_idx % weight.shape[0]
        rows, bag_of = rows[kept], bag_of[kept]
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)[kept]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    if mode == "max":
        return _largest_of_bags(rows, bag_of, bags)
    total = _C.zeros((bags, weight.shape[1]), dtype=weight.dtype).index_add(0, bag_of, rows)
    if mode == "sum":
        return total
    ones = _C.ones(bag_of.shape[0], dtype=weight.dtype)
    count = _C.zeros(bags, dtype=weight.dtype).index_add_(0, bag_of, ones)
    return total / count.clamp_min(1.0).unsqueeze(1)


def _largest_of_bags(rows: Tensor, bag_of: Tensor, bags: int) -> Tensor:
    members: list[list[int]] = [[] for _ in range(bags)]
    for position, bag in enumerate(bag_of.tolist()):
        members[bag].append(position)
    found = [rows[m].max(0)[0] if m else rows[:0].sum(0) for m in members]  # a sum of nothing has a history
    return _C.stack(found) if found else rows[:0]


offer_calls(globals())
