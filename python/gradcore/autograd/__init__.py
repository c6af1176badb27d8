"""gradcore.autograd: gradients on demand. `backward` accumulates into leaves, `grad` returns gradients."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__, star_submodules=("grad_mode",))
