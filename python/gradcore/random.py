"""Seeding. The numbers are torch's: the same seed gives the same stream."""

from __future__ import annotations

from ._C import Generator, Tensor, default_generator

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


def manual_seed(seed: int) -> Generator:
    """Starts the default stream anew from `seed` and returns its generator.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


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
