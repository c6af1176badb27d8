"""Attention whose scores a function of the program changes, or whose mask one tells. Start at flex_attention().

The score matrix is made whole, as torch makes it without a compiler. A BlockMask says which blocks of it a mask leaves,
for programs that ask; the mask itself decides.
Source: https://docs.pytorch.org/docs/stable/nn.attention.flex_attention.html
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import gradcore

from ..._C import Tensor
from ..._transforms.vmap import vmap

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_DEFAULT_SPARSE_BLOCK_SIZE = 128


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """The mask that leaves all scores."""
    return batch.new_ones(size=(), dtype=gradcore.bool)


def _joined(masks: tuple[Callable[..., Any], ...], start: bool, join: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    if not all(callable(mask) for mask in masks):
        raise RuntimeError(f"All inputs should be callable mask_mods: {masks}")

    def mask_mod(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Any:
        result: Any = b.new_full((), start, dtype=gradcore.bool)
        for mask in masks:
            result = join(result, mask(b, h, q_idx, kv_idx))
        return result

    return mask_mod


def and_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """The mask that leaves what all of these leave."""
    return _joined(mask_mods, True, lambda a, b: a & b)


def or_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """The mask that leaves what one of these leaves."""
    return _joined(mask_mods, False, lambda a, b: a | b)


def _over_scores(function: Callable[..., Any], scored: bool) -> Callable[..., Any]:
    """A function of one score (or of none) and its four places, over all of them."""
    for mapped in ((None, None, None, 0), (None, None, 0, None), (None, 0, None, None), (0, None, None, None)):
        function = vmap(function, in_dims=(0, *mapped) if scored else mapped)
    return function


def _places(*sizes: int) -> list[Tensor]:
    return [gradcore.arange(n) for n in sizes]


def create_mask(
    mod_fn: Callable[..., Any], B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """The whole mask of a function mask_mod(b, h, q_idx, kv_idx), bools of shape (B, H, Q_LEN, KV_LEN).

    Of a function score_mod(score, b, h, q_idx, kv_idx) it is where a score of zero does not become -inf. B and H may be None
    for 1.

    >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 3)
    tensor([[[[ True, False, False],
              [ True,  True, False]]]])
    """
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    scored = len([p for p in inspect.signature(mod_fn).parameters.values() if p.default is p.empty]) == 5
    if scored:
        scores: Tensor = _over_scores(mod_fn, True)(gradcore.zeros(sizes), *_places(*sizes))
        return ~gradcore.isneginf(scores)
    mask: Tensor = _over_scores(mod_fn, False)(*_places(*sizes))
    return mask.expand(sizes).to(gradcore.bool)


# ---- which blocks a mask leaves


class BlockMask:
    """Which blocks of a score matrix a mask leaves: for each row of blocks how many (`kv_num_blocks`) and which
    (`kv_indices`, those first). Blocks without a masked score stand in `full_kv_num_blocks` and `full_kv_indices` instead.
    """

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        partial: Tensor,
        full: Tensor | None,
        BLOCK_SIZE: tuple[int, int],
        mask_mod: Callable[..., Any],
    ) -> None:
        self.seq_lengths, self.BLOCK_SIZE, self.mask_mod = seq_lengths, BLOCK_SIZE, mask_mod
        self.kv_num_blocks, self.kv_indices = _ordered(partial)
        self.q_num_blocks, self.q_indices = _ordered(partial.transpose(-2, -1).contiguous())
        self.full_kv_num_blocks = self.full_kv_indices = self.full_q_num_blocks = self.full_q_indices = None
        if full is not None:
            self.full_kv_num_blocks, self.full_kv_indices = _ordered(full)
            self.full_q_num_blocks, self.full_q_indices = _ordered(full.transpose(-2, -1).contiguous())

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: Callable[..., Any] | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
        **options: Any,
    ) -> BlockMask:
        """A mask from its lists of blocks."""
        size = _pair(BLOCK_SIZE)
        rows, columns = kv_indices.shape[-2:]
        full = None
        if full_kv_num_blocks is not None and full_kv_indices is not None:
            full = _dense(full_kv_num_blocks, full_kv_indices)
        lengths = seq_lengths or (rows * size[0], columns * size[1])
        return cls(lengths, _dense(kv_num_blocks, kv_indices), full, size, mask_mod or noop_mask)

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, Q_LEN, KV_LEN)."""
        return (*self.kv_num_blocks.shape[:-1], *self.seq_lengths)

    def numel(self) -> int:
        """How many scores there are."""
        return math.prod(self.shape)

    def to_dense(self) -> Tensor:
        """Which blocks have a score that is left, integers of shape (B, H, blocks of queries, blocks of keys)."""
        blocks = _dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            blocks = blocks | _dense(self.full_kv_num_blocks, self.full_kv_indices)
        return blocks.to(gradcore.int32)

    def sparsity(self) -> float:
        """How many per cent of the blocks are masked whole. (torch measures lengths that end within a block otherwise, and
        may get less than none.)"""
        dense = self.to_dense()
        return 100 * (1 - int(dense.sum()) / dense.numel())

    def to(self, device: Any) -> BlockMask:
        """The mask itself: there is one device. Raises as Tensor.to() for others."""
        self.kv_num_blocks.to(device)
        return self

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of each row are set, and which: those first, in order."""
    order = gradcore.argsort(blocks.to(gradcore.int32), dim=-1, descending=True, stable=True)
    return blocks.sum(-1).to(gradcore.int32), order.to(gradcore.int32)


def _dense(counts: Tensor, indices: Tensor) -> Tensor:
    chosen = gradcore.arange(indices.shape[-1]) < counts.unsqueeze(-1)
    return gradcore.zeros(indices.shape, dtype=gradcore.bool).scatter(-1, indices.to(gradcore.int64), chosen)


def create_block_mask(
    mask_mod: Callable[..., Any],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
    **options: Any,
) -> BlockMask:
    """Which blocks a function mask_mod(b, h, q_idx, kv_idx) leaves. B and H may be None for 1.

    >>> mask = create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 256, 256)
    >>> mask.to_dense()
    tensor([[[[1, 0],
              [1, 1]]]], dtype=torch.int32)
    """
    size = _pair(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN)
    rows, columns = -(-Q_LEN // size[0]), -(-KV_LEN // size[1])
    padded = gradcore.nn.functional.pad(mask, (0, columns * size[1] - KV_LEN, 0, rows * size[0] - Q_LEN))
    left = padded.reshape(*mask.shape[:2], rows, size[0], columns, size[1]).sum((3, 5))
    full = (left == size[0] * size[1]) if separate_full_blocks else None
    partial = (left > 0) if full is None else (left > 0) & ~full
    return BlockMask((Q_LEN, KV_LEN), partial, full, size, mask_mod)


# ---- attention


class AuxRequest(NamedTuple):
    """What flex_attention() gives besides: logarithms of the sums of exponentials, largest scores."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for by AuxRequest, None where it was not."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def _checked_keys(query: Tensor, key: Tensor, value: Tensor, enable_gqa: bool) -> tuple[Tensor, Tensor]:
    if not query.dim() == key.dim() == value.dim() == 4:
        raise NotImplementedError("flex_attention: query, key, and value must be 4D tensors")
    heads, kept = query.shape[1], key.shape[1]
    if heads != kept and not enable_gqa:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={kept}. "
            "Try setting enable_gqa=True for GQA."
        )
    if heads % kept:
        raise ValueError(
            f"Expect number of query heads to be a multiple of kv heads for GQA but got {heads} and {kept}."
        )
    if heads == kept:
        return key, value
    return key.repeat_interleave(heads // kept, 1), value.repeat_interleave(heads // kept, 1)


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[..., Any] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """softmax(score_mod(query key^T scale)) value, where the mask leaves a score.

    query: (B, Hq, L, E), key: (B, Hkv, S, E), value: (B, Hkv, S, Ev); the result is (B, Hq, L, Ev), of query's dtype.
    Scores are of float32, or of float64 as query is. score_mod(score, b, h, q_idx, kv_idx) gives a score in place of another;
    `scale` is 1 / sqrt(E) unless given. A row whose scores are all masked gives zeros. With `return_lse` the logarithm of
    the sum of each row's exponentials, (B, Hq, L), comes as well; `return_aux` asks for it by name.
    Raises ValueError for numbers of heads that differ without `enable_gqa`.

    >>> import gradcore as torch
    >>> q = k = v = torch.eye(2).reshape(1, 1, 2, 2)
    >>> causal = create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 2)
    >>> flex_attention(q, k, v, block_mask=causal)[0, 0, 0]
    tensor([1., 0.])
    """
    key, value = _checked_keys(query, key, value, enable_gqa)
    wide = gradcore.float64 if query.dtype == gradcore.float64 else gradcore.float32
    scores = (query.to(wide) @ key.to(wide).transpose(-2, -1)) * (query.shape[-1] ** -0.5 if scale is None else scale)
    places = _places(*scores.shape)
    if score_mod is not None:
        scores = _over_scores(score_mod, True)(scores, *places).to(wide)
    if block_mask is not None:
        left = _over_scores(block_mask.mask_mod, False)(*places).to(gradcore.bool)
        scores = gradcore.where(left, scores, -math.inf)
    largest = scores.amax(-1)
    lse = scores.logsumexp(-1)
    shift = gradcore.where(lse == -math.inf, 0.0, lse).unsqueeze(-1)
    out = (scores - shift).exp().to(query.dtype) @ value.to(query.dtype)
    if return_aux is not None:
        return out, AuxOutput(lse if return_aux.lse else None, largest if return_aux.max_scores else None)
    return (out, lse) if return_lse else out
