"""gradcore.nn.functional: layers and losses as functions, one file for each family."""

from ... import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
