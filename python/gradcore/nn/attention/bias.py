"""Causal masks by their shape alone, for queries and keys of different numbers. Start at causal_upper_left().

Source: https://docs.pytorch.org/docs/stable/nn.attention.bias.html
"""

from __future__ import annotations

import enum
import warnings
from typing import Any

import gradcore

from ..._C import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner of the scores the diagonal ends in: the first query sees the first key (UPPER_LEFT), or the last query
    sees the last key (LOWER_RIGHT).

    >>> CausalVariant.LOWER_RIGHT.value
    2
    """

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask that scaled_dot_product_attention() takes as attn_mask. The mask is made when it is needed.

    Warns where LOWER_RIGHT has more queries than keys: the first ones see nothing, and their results are NaN.

    >>> bias = CausalBias(CausalVariant.LOWER_RIGHT, 2, 3)
    >>> bias
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        # torch's shape, on the memory of one number
        zeros: CausalBias = gradcore.zeros(()).expand(int(variant), seq_len_q, seq_len_kv).as_subclass(cls)
        return zeros

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        self.variant, self.seq_len_q, self.seq_len_kv = variant, seq_len_q, seq_len_kv
        if variant == CausalVariant.LOWER_RIGHT and seq_len_q > seq_len_kv:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!", stacklevel=2
            )

    def _materialize(self, device: Any = None) -> Tensor:
        """The mask as bools of shape (seq_len_q, seq_len_kv)."""
        offset = 0 if self.variant == CausalVariant.UPPER_LEFT else self.seq_len_kv - self.seq_len_q
        return gradcore.ones(self.seq_len_q, self.seq_len_kv, dtype=gradcore.bool, device=device).tril(offset)

    @staticmethod
    def _attend(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: CausalBias,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        upper = attn_mask.variant == CausalVariant.UPPER_LEFT or attn_mask.seq_len_q == attn_mask.seq_len_kv
        mask = None if upper else attn_mask._materialize(query.device)
        return gradcore.nn.functional.scaled_dot_product_attention(
            query, key, value, mask, dropout_p, upper, scale=scale, enable_gqa=enable_gqa
        )

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Attention takes the mask; other functions see a tensor of zeros."""
        if func is gradcore.nn.functional.scaled_dot_product_attention:
            return cls._attend(*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)

    def __repr__(self) -> str:
        return repr(self._materialize())


def _causal(variant: CausalVariant, size: tuple[int, ...], name: str) -> CausalBias:
    if len(size) != 2:
        raise AssertionError(f"{name} only supports 2D tensors")
    return CausalBias(variant, *size)


def causal_upper_left(*size: int) -> CausalBias:
    """The causal mask of so many queries and keys whose first query sees the first key alone, as is_causal=True has it.

    Raises AssertionError for other than two sizes.

    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return _causal(CausalVariant.UPPER_LEFT, size, "causal_upper_left")


def causal_lower_right(*size: int) -> CausalBias:
    """The causal mask of so many queries and keys whose last query sees all keys: of queries that continue a text.

    Raises AssertionError for other than two sizes. Warns where there are more queries than keys.

    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return _causal(CausalVariant.LOWER_RIGHT, size, "causal_lower_right")
