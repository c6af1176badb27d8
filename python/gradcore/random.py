"""Seeding. The numbers are torch's: the same seed gives the same stream."""

from __future__ import annotations

from ._C import Generator, Tensor, default_generator

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state", "thread_safe_generator"]


def manual_seed(seed: int) -> Generator:
    """Starts the default stream anew from `seed` and returns its generator.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Starts the default stream from the system's entropy and returns that seed.

    >>> import gradcore
    >>> gradcore.seed() == gradcore.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default stream.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(7)
    >>> gradcore.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default stream: a uint8 tensor of 5056 bytes in torch's own layout.

    >>> import gradcore
    >>> gradcore.get_rng_state().shape
    torch.Size([5056])
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Puts the default stream into `new_state`, which get_rng_state() of either library returned.

    Raises TypeError for another dtype and RuntimeError for another size.

    >>> import gradcore
    >>> state = gradcore.get_rng_state()
    >>> first = gradcore.rand(3)
    >>> gradcore.set_rng_state(state)
    >>> gradcore.equal(first, gradcore.rand(3))
    True
    """
    default_generator.set_state(new_state)


class fork_rng:
    """A context in which random numbers leave the default stream outside as it was. Also a block that does nothing, with
    enabled=False; devices and device_type are accepted and ignored.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> with gradcore.random.fork_rng():
    ...     _ = gradcore.rand(100)
    >>> gradcore.rand(2)
    tensor([0.4963, 0.7682])
    """

    def __init__(
        self,
        devices: object = None,
        enabled: bool = True,
        _caller: str = "fork_rng",
        _devices_kw: str = "devices",
        device_type: str | None = None,
    ) -> None:
        self.enabled = enabled

    def __enter__(self) -> None:
        self._state = get_rng_state() if self.enabled else None

    def __exit__(self, *exc: object) -> None:
        if self._state is not None:
            set_rng_state(self._state)


def thread_safe_generator() -> Generator | None:
    """The generator of the worker thread that asks, None elsewhere: workers of a DataLoader are processes, whose default
    generator is their own.

    >>> import gradcore
    >>> gradcore.rand(2, generator=gradcore.random.thread_safe_generator()).shape
    torch.Size([2])
    """
    return None
