"""torch.nested: gradcore's tensors are dense, and every use raises NotImplementedError."""

from __future__ import annotations

from ._compat.absent import absent

__getattr__ = absent(
    __name__,
    "as_nested_tensor masked_select narrow nested_tensor nested_tensor_from_jagged to_padded_tensor",
    "gradcore holds dense tensors only",
)
