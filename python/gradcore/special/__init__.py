"""Special functions of real numbers, by the names that torch.special has: Bessel, gamma, zeta and error functions.

`__init__.pyi` lists them. Those that are functions of `gradcore` too are the same objects here.

    >>> import gradcore
    >>> gradcore.special.ndtr(gradcore.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
"""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
