"""torch.masked: gradcore's tensors have no masks of their own, and every use raises NotImplementedError."""

from __future__ import annotations

from ._compat.absent import absent

__getattr__ = absent(
    __name__,
    "MaskedTensor amax amin argmax argmin as_masked_tensor cumprod cumsum is_masked_tensor log_softmax logaddexp "
    "logsumexp masked_tensor mean median norm normalize prod softmax softmin std sum var",
    "gradcore has no masked tensors: where() and masked_fill() compute with a mask",
)
