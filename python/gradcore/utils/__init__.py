"""gradcore.utils: gradient checkpointing, handles of hooks."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
