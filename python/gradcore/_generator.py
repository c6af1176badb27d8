"""The methods of Generator that are better said in Python: seeding, copying, pickling. Attached at import.

Besides _tensor.py this is the only file that gives methods to the core's classes.
"""

from __future__ import annotations

from ._C import Generator, Tensor
from ._lazy import TYPE_CHECKING
from ._types import device

if TYPE_CHECKING:
    from typing import Any
else:
    from ._lazy import Any


def _unsigned(seed: int) -> int:
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long: a seed must be within [-2**63, 2**64)")
    return seed % 2**64


def manual_seed(self: Generator, seed: int) -> Generator:
    """Starts the stream anew from `seed`.

    >>> import gradcore
    >>> gradcore.rand(1, generator=gradcore.Generator().manual_seed(0))
    tensor([0.4963])
    """
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    self._manual_seed(_unsigned(seed))
    return self


def clone_state(self: Generator) -> Generator:
    """Another generator in the same state.

    >>> import gradcore
    >>> g = gradcore.Generator()
    >>> h = g.clone_state()
    >>> bool((gradcore.rand(2, generator=g) == gradcore.rand(2, generator=h)).all())
    True
    """
    return generator_from(self.get_state())


def generator_from(state: Tensor) -> Generator:
    generator = Generator()
    generator.set_state(state)
    return generator


def reduce(self: Generator) -> Any:
    """pickle and copy: the state is all there is."""
    return generator_from, (self.get_state(),)


Generator.manual_seed = manual_seed  # type: ignore[method-assign]
Generator.clone_state = clone_state  # type: ignore[method-assign]
Generator.device = property(lambda self: device("cpu"), doc="The CPU.")  # type: ignore[assignment]
Generator.__reduce__ = reduce  # type: ignore[assignment, method-assign]
