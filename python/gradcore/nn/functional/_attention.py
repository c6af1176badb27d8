"""Attention: scaled dot products, and several heads of them between projections."""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor
from ..._C import _nn_scaled_dot_product_attention as scaled_dot_product_attention
from ..._overridable import offer_calls, warn_caller
from . import dropout, linear  # as they are in the package: a program may have replaced them

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What nn.MultiheadAttention computes, from its parameters: see there. Sequences come first: (L, N, E) or (L, E).

    Returns the output and, with need_weights, the attention weights. Raises AssertionError and RuntimeError for shapes
    that do not fit.

    >>> import gradcore
    >>> x, m = gradcore.ones(3, 1, 4), gradcore.nn.MultiheadAttention(4, 2)
    >>> parameters = m.in_proj_weight, m.in_proj_bias, None, None, False, 0.0, m.out_proj.weight, m.out_proj.bias
    >>> output, weights = gradcore.nn.functional.multi_head_attention_forward(x, x, x, 4, 2, *parameters)
    >>> output.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 3]))
    """
    batched = query.dim() == 3
    check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if not batched:
        query, key, value = (t.unsqueeze(1) for t in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    size = key.shape[0]
    padding, mask = as_masks(key_padding_mask, attn_mask, query.dtype)
    if is_causal and padding is None and not need_weights:
        mask = None  # the caller says that it is the causal one, which need not be in memory
    else:
        is_causal = False
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    if not use_separate_proj_weight:
        assert in_proj_weight is not None
        weights = in_proj_weight.chunk(3)  # type: ignore[assignment]
    biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (linear(t, w, b) for t, w, b in zip((query, key, value), weights, biases))  # type: ignore[arg-type]
    if mask is not None:
        mask = _shaped_mask(mask, length, size, batch, num_heads)
    if bias_k is not None and bias_v is not None:
        for kind, static in (("key", static_k), ("value", static_v)):
            if static is not None:
                raise AssertionError(f"bias cannot be added to static {kind}.")
        k, v = _C.cat([k, bias_k.repeat(1, batch, 1)]), _C.cat([v, bias_v.repeat(1, batch, 1)])
    head = width // num_heads
    q = q.reshape(length, batch * num_heads, head).transpose(0, 1)
    k = _heads(k, static_k, batch, num_heads, head)
    v = _heads(v, static_v, batch, num_heads, head)
    if add_zero_attn:
        zeros = _C.zeros((batch * num_heads, 1, head), dtype=k.dtype)
        k, v = _C.cat([k, zeros], 1), _C.cat([v, zeros], 1)
    total = k.shape[1]
    added = int(bias_k is not None and bias_v is not None) + int(add_zero_attn)  # columns that masks know nothing of
    if mask is not None and added:
        mask = _C.cat([mask, _C.zeros((*mask.shape[:-1], added), dtype=mask.dtype)], -1)
    if padding is not None:
        if added:
            padding = _C.cat([padding, _C.zeros((batch, added), dtype=padding.dtype)], -1)
        padding = padding.view(batch, 1, 1, total).expand(batch, num_heads, 1, total)
        padding = padding.reshape(batch * num_heads, 1, total)
        mask = padding if mask is None else mask + padding
    if not training:
        dropout_p = 0.0
    shares = _shares(q, k, mask, dropout_p) if need_weights else None
    if shares is None:
        context = _attend(q, k, v, mask, dropout_p, is_causal, batch)
    else:
        context = shares.bmm(v).transpose(0, 1)
    output = linear(context.reshape(length * batch, width), out_proj_weight, out_proj_bias).view(length, batch, -1)
    if not batched:
        output = output.squeeze(1)
    if shares is None:
        return output, None
    shares = shares.view(batch, num_heads, length, total)
    if average_attn_weights:
        shares = shares.mean(1)
    return output, shares if batched else shares.squeeze(0)


def _shares(q: Tensor, k: Tensor, mask: Tensor | None, dropout_p: float) -> Tensor:
    """softmax(q @ k.T / sqrt(head) + mask), (N * heads, L, S). A row that may attend to nothing is NaN."""
    scaled, keys = q * math.sqrt(1 / q.shape[-1]), k.transpose(-2, -1)
    scores = scaled.bmm(keys) if mask is None else _C.baddbmm(mask, scaled, keys)
    shares = scores.softmax(-1)
    return dropout(shares, dropout_p) if dropout_p > 0 else shares


def _attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool, batch: int
) -> Tensor:
    """Attention without weights to show: (N * heads, L, head) to (L, N, heads, head)."""
    q, k, v = (t.unflatten(0, (batch, -1)) for t in (q, k, v))
    if mask is not None:
        mask = mask.unflatten(0, (batch, -1)) if mask.shape[0] > 1 else mask.unsqueeze(0)
    return scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal).permute(2, 0, 1, 3)


def _heads(projected: Tensor, static: Tensor | None, batch: int, num_heads: int, head: int) -> Tensor:
    """(N * heads, S, head)"""
    if static is None:
        return projected.reshape(projected.shape[0], batch * num_heads, head).transpose(0, 1)
    if static.shape[0] != batch * num_heads or static.shape[2] != head:
        raise AssertionError(
            f"expecting static tensor of sizes {batch * num_heads} and {head} in dims 0 and 2, but got {list(static.shape)}"
        )
    return static


def as_mask(mask: Tensor | None, name: str, dtype: _C.dtype) -> Tensor | None:
    """A mask as numbers to add: -infinity where a bool mask says that attention is not allowed."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask.dtype != _C.bool:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return _C.zeros(mask.shape, dtype=dtype).masked_fill(mask, -float("inf"))


def as_masks(
    padding: Tensor | None,
    mask: Tensor | None,
    dtype: _C.dtype,
    names: tuple[str, str] = ("key_padding_mask", "attn_mask"),
) -> tuple[Tensor | None, Tensor | None]:
    """Both masks as numbers of that dtype to add. Warns of two that differ in dtype, raises AssertionError for ints."""
    numbers = as_mask(padding, names[0], dtype)
    if padding is not None and mask is not None and padding.dtype != mask.dtype:
        warn_caller(
            f"Support for mismatched {names[0]} and {names[1]} is deprecated. Use same type for both instead.",
        )
    return numbers, as_mask(mask, names[1], dtype)


def _shaped_mask(mask: Tensor, length: int, size: int, batch: int, num_heads: int) -> Tensor:
    if mask.dim() == 2:
        if tuple(mask.shape) != (length, size):
            raise RuntimeError(f"The shape of the 2D attn_mask is {mask.shape}, but should be {(length, size)}.")
        return mask.unsqueeze(0)
    if mask.dim() != 3:
        raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")
    if tuple(mask.shape) != (batch * num_heads, length, size):
        raise RuntimeError(
            f"The shape of the 3D attn_mask is {mask.shape}, but should be {(batch * num_heads, length, size)}."
        )
    return mask


def check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, num_heads: int
) -> None:
    if query.dim() not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
        )
    dims = query.dim()
    kind = "batched" if dims == 3 else "unbatched"
    if key.dim() != dims or value.dim() != dims:
        raise AssertionError(
            f"For {kind} ({dims}-D) `query`, expected `key` and `value` to be {dims}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != dims - 1:
        raise AssertionError(
            f"For {kind} ({dims}-D) `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D but found "
            f"{padding.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} ({dims}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor "
            "instead"
        )
    each_head = (num_heads, query.shape[0], key.shape[0])
    if dims == 2 and mask is not None and mask.dim() == 3 and tuple(mask.shape) != each_head:
        raise AssertionError(f"Expected `attn_mask` shape to be {each_head} but got {mask.shape}")
    if padding is not None:
        batch = query.shape[1] if dims == 3 else 1
        rows = padding.shape[0] if dims == 3 else 1
        if rows != batch:
            raise AssertionError(f"Expected key_padded_mask.shape[0] to be {batch}, but got {rows}")
        if padding.shape[-1] != key.shape[0]:
            raise AssertionError(f"Expected key_padded_mask.shape[1] to be {key.shape[0]}, but got {padding.shape[-1]}")


offer_calls(globals())
