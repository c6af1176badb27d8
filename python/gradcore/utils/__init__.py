"""gradcore.utils: data loading, gradient checkpointing, handles of hooks, timing, TensorBoard."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
