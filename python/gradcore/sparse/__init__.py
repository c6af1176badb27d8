"""torch.sparse: gradcore holds dense tensors only, so every use raises NotImplementedError."""

from __future__ import annotations

from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "BFloat16Tensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor "
    "SparseSemiStructuredTensor addmm check_sparse_tensor_invariants log_softmax mm sampled_addmm softmax spdiags spsolve "
    "sum to_sparse_semi_structured",
    "gradcore holds dense tensors only",
)
