"""torch.storage: the memory below tensors."""

from __future__ import annotations

from ._compat.legacy import TypedStorage as TypedStorage
from ._compat.legacy import UntypedStorage as UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
