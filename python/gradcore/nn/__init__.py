"""gradcore.nn: so far only nn.utils, which works on parameters and gradients and needs no modules."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
