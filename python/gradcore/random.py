"""Seeding. The numbers are torch's: the same seed gives the same stream."""

from __future__ import annotations

from ._C import Generator, Tensor, default_generator
from ._types import device

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


def _unsigned(seed: int) -> int:
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long: a seed must be within [-2**63, 2**64)")
    return seed % 2**64


def _generator_manual_seed(self: Generator, seed: int) -> Generator:
    """Starts the stream anew from `seed`."""
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    self._manual_seed(_unsigned(seed))
    return self


def _generator_clone_state(self: Generator) -> Generator:
    """Another generator in the same state."""
    return _generator_from(self.get_state())


def _generator_from(state: Tensor) -> Generator:
    generator = Generator()
    generator.set_state(state)
    return generator


def _generator_reduce(self: Generator) -> Any:
    return _generator_from, (self.get_state(),)


Generator.manual_seed = _generator_manual_seed  # type: ignore[method-assign]
Generator.clone_state = _generator_clone_state  # type: ignore[method-assign]
Generator.device = property(lambda self: device("cpu"))  # type: ignore[assignment]
Generator.__reduce__ = _generator_reduce  # type: ignore[assignment, method-assign]


def manual_seed(seed: int) -> Generator:
    """Starts the default stream anew from `seed` and returns its generator.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.rand(2)
    tensor([0.4963, 0.7682])
    """
    return _generator_manual_seed(default_generator, int(seed))


def seed() -> int:
    """Starts the default stream from the system's entropy and returns that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default stream."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default stream: 5056 bytes, torch's own layout."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Puts the default stream into `new_state`."""
    default_generator.set_state(new_state)


class fork_rng:
    """The default stream inside the block leaves the one outside as it was."""

    def __init__(self, devices: object = None, enabled: bool = True) -> None:
        self.enabled = enabled

    def __enter__(self) -> None:
        self._state = get_rng_state() if self.enabled else None

    def __exit__(self, *exc: object) -> None:
        if self._state is not None:
            set_rng_state(self._state)
