"""Helpers of torch's own layers, under torch's names: programs that hold copies of those layers call them."""

from __future__ import annotations

from ..._C import Tensor
from ._attention import as_mask, check_shapes
from ._linear import linear

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__: list[str] = []


def _mha_shape_check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether the query of an attention is a batch. Raises AssertionError for dims that do not fit."""
    check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    is_batch = query.dim() == 3
    if not is_batch and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if attn_mask.shape != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return is_batch


def _canonical_mask(
    mask: Tensor | None, mask_name: str, other_type: Any, other_name: str, target_type: Any, check_other: bool = True
) -> Tensor | None:
    """A mask as numbers to add: -infinity where a bool mask is True. Warns where another mask has another dtype.

    >>> import gradcore
    >>> gradcore.nn.functional._canonical_mask(gradcore.tensor([True, False]), "mask", None, "", gradcore.float32)
    tensor([-inf, 0.])
    """
    numbers = as_mask(mask, mask_name, target_type)
    if mask is not None and check_other and other_type is not None and mask.dtype != other_type:
        from warnings import warn

        warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=2,
        )
    return numbers


def _none_or_dtype(input: Tensor | None) -> Any:
    """The dtype of a tensor that may be None. Raises RuntimeError for anything else."""
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")


def _in_projection(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """linear() of query, key and value. Raises AssertionError for weights and biases that do not fit."""
    size = q.size(-1)
    parts = (("query", q, w_q, b_q), ("key", k, w_k, b_k), ("value", v, w_v, b_v))
    for name, x, weight, _ in parts:
        if weight.shape != (size, x.size(-1)):
            raise AssertionError(f"expecting {name} weights shape of {(size, x.size(-1))}, but got {weight.shape}")
    for name, _, _, bias in parts:
        if bias is not None and bias.shape != (size,):
            raise AssertionError(f"expecting {name} bias shape of {(size,)}, but got {bias.shape}")
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _in_projection_packed(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """linear() of query, key and value, whose weights, and biases, stand in one tensor."""
    weights = w.chunk(3)
    biases = (None, None, None) if b is None else b.chunk(3)
    first, second, third = (linear(x, weight, bias) for x, weight, bias in zip((q, k, v), weights, biases))
    return first, second, third


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dim that softmax() takes where it is told none, with torch's warning."""
    from warnings import warn

    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _verify_batch_size(size: Any) -> None:
    """Raises ValueError for an input with one value for each channel."""
    count = size[0]
    for length in size[2:]:
        count *= length
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")


def _verify_spatial_size(size: Any) -> None:
    """Raises ValueError for an input with one place for each channel."""
    count = 1
    for length in size[2:]:
        count *= length
    if count == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {size}")


def _list_or_empty(given: list[Any] | None) -> list[Any]:
    return [] if given is None else given


def _is_integer(x: Any) -> bool:
    """Whether it is an int, or a tensor of ints or bools."""
    if isinstance(x, Tensor):
        return not x.dtype.is_floating_point and not x.dtype.is_complex
    return isinstance(x, int)


def _list_with_default(out_size: Any, defaults: list[int]) -> Any:
    """The sizes with the last defaults in the places of None; a number stays. Raises ValueError for too many."""
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    return [b if a is None else a for a, b in zip(out_size, defaults[-len(out_size) :])]


def _unpool_output_size(
    input: Tensor, kernel_size: list[int], stride: list[int], padding: list[int], output_size: list[int] | None
) -> list[int]:
    """The sizes that max_unpool gives: the given ones, if they are near enough to the usual. Raises ValueError."""
    dims = len(kernel_size)
    parts = zip(input.shape[-dims:], kernel_size, stride, padding)
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in parts]
    if output_size is None:
        return usual
    wanted = output_size[2:] if len(output_size) == dims + 2 else output_size
    if len(wanted) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(wanted)}'"
        )
    for d, (n, middle, s) in enumerate(zip(wanted, usual, stride)):
        if not middle - s < n < middle + s:
            raise ValueError(f'invalid output_size "{wanted}" (dim {d} must be between {middle - s} and {middle + s})')
    return wanted
