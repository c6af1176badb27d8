"""Samplers: in which order the DataLoader takes samples. Random ones give torch's order for the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ... import _C

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """Base class of samplers: `__iter__()` gives indices, or lists of indices for a batch sampler."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, 2 ... to the end."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


def _own_generator() -> _C.Generator:
    """A generator that the default stream seeds, so that an epoch draws from it one number only."""
    generator = _C.Generator()
    generator.manual_seed(int(_C.empty((), dtype=_C.int64).random_().item()))
    return generator


def _positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class RandomSampler(Sampler[int]):
    """A random order: permutations one after another, or with `replacement` independent draws.

    `num_samples` indices come of an epoch; as many as there are samples when it is None.

    >>> import gradcore
    >>> from gradcore.utils.data import RandomSampler
    >>> sorted(RandomSampler(range(4)))
    [0, 1, 2, 3]

    Raises TypeError for a `replacement` that is no bool, ValueError for `num_samples` that is no positive int.
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: _C.Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _positive("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator or _own_generator()
        if self.replacement:
            yield from self._independent(n, generator)
            return
        for _ in range(self.num_samples // n):
            yield from _C.randperm(n, generator=generator).tolist()
        yield from _C.randperm(n, generator=generator).tolist()[: self.num_samples % n]

    def _is_permutation(self) -> bool:
        return not self.replacement and self.num_samples == len(self.data_source)

    # Blocks of 32: the stream of random numbers goes on as torch's.
    def _independent(self, n: int, generator: _C.Generator) -> Iterator[int]:
        for _ in range(self.num_samples // 32):
            yield from _C.randint(n, (32,), generator=generator).tolist()
        yield from _C.randint(n, (self.num_samples % 32,), generator=generator).tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """These indices in a random order."""

    def __init__(self, indices: Sequence[int], generator: _C.Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in _C.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, drawn with these weights, which need not add up to one.

    Raises ValueError for `num_samples` that is no positive int, a `replacement` that is no bool, weights of another
    number of dims than one.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: _C.Generator | None = None,
    ) -> None:
        _positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        tensor = _C.as_tensor(weights, dtype=_C.float64)
        if tensor.dim() != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(tensor.shape)}")
        self.weights = tensor
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = _C.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of a sampler; the last may be shorter, or is left out with `drop_last`.

    >>> from gradcore.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), 2, False))
    [[0, 1], [2, 3], [4]]

    Raises ValueError for a batch size that is no positive int, a `drop_last` that is no bool.
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler: Any = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def _quick(self) -> Iterator[Any] | None:
        """The same batches as tensors or slices, where the sampler is one of this module's; else None."""
        if type(self) is not BatchSampler or type(self.sampler) not in (SequentialSampler, RandomSampler):
            return None
        if isinstance(self.sampler, SequentialSampler):
            return (slice(start, end) for start, end in self._ends(len(self.sampler)))
        return self._permuted(self.sampler) if self.sampler._is_permutation() else None

    def _ends(self, count: int) -> Iterator[tuple[int, int]]:
        whole = count - count % self.batch_size
        for start in range(0, whole if self.drop_last else count, self.batch_size):
            yield start, min(start + self.batch_size, count)

    def _permuted(self, sampler: RandomSampler) -> Iterator[Any]:
        count, generator = len(sampler), sampler.generator or _own_generator()
        order = _C.randperm(count, generator=generator)
        for start, end in self._ends(count):
            yield order[start:end]
        _C.randperm(count, generator=generator)  # __iter__ draws it too: the stream goes on the same

    def __len__(self) -> int:
        count = len(self.sampler)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
