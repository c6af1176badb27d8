"""Dense linear algebra: torch.linalg's functions on the last two dims of a tensor, all dims before them being a batch.

`__init__.pyi` lists them.

    >>> import gradcore
    >>> a = gradcore.tensor([[2.0, 0.0], [0.0, 4.0]])
    >>> gradcore.linalg.solve(a, gradcore.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
"""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
