"""What programs ask of torch's private module of this name: indices that vmap maps."""

from __future__ import annotations

from contextlib import nullcontext


class TransformGetItemToIndex(nullcontext[None]):
    """A context that changes nothing: in vmap, gradcore takes mapped scalars as indices anyway."""
