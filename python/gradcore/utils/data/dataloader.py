"""The DataLoader: batches of a dataset, in this process or from workers."""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.connection
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ... import _C
from ._utils.collate import default_collate, default_convert
from ._utils.fetch import Gather, _BaseDatasetFetcher, make_fetcher
from ._utils.worker import Ended, Failure, Job, Resume, Worker
from ._utils.worker import get_worker_info as get_worker_info
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T = TypeVar("T", covariant=True)
_END = object()
_collate_fn_t = Callable[[list[T]], Any]  # for type hints
_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T]):
    """Iterates over a dataset in batches.

    Without workers a batch is fetched when it is asked for. With `num_workers` processes, batches are made ahead,
    `prefetch_factor` for each of them, and come in the order of the sampler (with in_order=False as they are ready).
    `shuffle`, `sampler` or `batch_sampler` choose the order; `collate_fn` makes a batch of a list of samples; without
    `batch_size` there are no batches but converted samples. `pin_memory` is accepted and does nothing. `worker_init_fn`
    is called in each worker with its number. The same seed gives torch's batches, and its seeds in the workers.

    A TensorDataset, or a Subset of one, with the default collation costs one gather a batch.

    >>> import gradcore
    >>> from gradcore.utils.data import DataLoader, TensorDataset
    >>> for batch in DataLoader(TensorDataset(gradcore.arange(5)), batch_size=2):
    ...     print(batch)
    [tensor([0, 1])]
    [tensor([2, 3])]
    [tensor([4])]

    Raises ValueError for options that exclude each other. An exception in a worker is raised here with the worker's
    traceback; RuntimeError when a worker dies, or gives nothing for `timeout` seconds.
    """

    _iterator: Any = None
    __initialized = False  # packages set `_DataLoader__initialized` to change the sampler of a loader later
    _IterableDataset_len_called: int | None = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: _C.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if isinstance(dataset, IterableDataset):
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

        self.dataset, self.generator = dataset, generator
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.sampler: Any = self._default_sampler(shuffle) if sampler is None else sampler
        self.batch_size, self.drop_last = batch_size, drop_last
        self.batch_sampler: Any = batch_sampler
        if batch_size is not None and batch_sampler is None:
            self.batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self.multiprocessing_context = multiprocessing_context
        self.__initialized = True
        self.check_worker_number_rationality()

    def _default_sampler(self, shuffle: bool | None) -> Any:
        if isinstance(self.dataset, IterableDataset):
            return _InfiniteConstantSampler()
        return RandomSampler(self.dataset, generator=self.generator) if shuffle else SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started: a context of Python's multiprocessing, or None for its default.

        Raises ValueError for an unknown name or without workers, TypeError for what is no context.
        """
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and not self.num_workers:
            raise ValueError(
                f"multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                f"but got num_workers={self.num_workers}"
            )
        if isinstance(context, str):
            if context not in multiprocessing.get_all_start_methods():
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{multiprocessing.get_all_start_methods()!r}, but got multiprocessing_context={context!r}"
                )
            context = multiprocessing.get_context(context)
        if context is not None and not hasattr(context, "Process"):
            raise TypeError(
                "multiprocessing_context option should be a valid context object or a string specifying the start "
                f"method, but got multiprocessing_context={context}"
            )
        self._context = context

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def __iter__(self) -> _BaseDataLoaderIter:
        if not self.persistent_workers or not self.num_workers:
            return self._get_iterator()
        if self._iterator is None or getattr(self._iterator, "_shutdown", False):
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator  # type: ignore[no-any-return]

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if not self.num_workers:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if isinstance(self.dataset, IterableDataset) else _DatasetKind.Map

    def check_worker_number_rationality(self) -> None:
        """Warns of more workers than this process may use CPUs; as many are started as were asked for."""
        allowed = getattr(os, "sched_getaffinity", None)
        cpus = len(allowed(0)) if allowed else os.cpu_count()
        if not self.num_workers or (cpus is not None and self.num_workers <= cpus):
            return
        advice = "DataLoader is not able to compute a suggested max number of worker in current system."
        if cpus is not None:
            without = "" if allowed else " (`cpuset` is not taken into account)"
            advice = (
                f"Our suggested max number of worker in current system is {cpus}{without}, which is smaller than what this "
                "DataLoader is going to create."
            )
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. {advice} Please be aware that "
            "excessive worker creation might get DataLoader running slow or even freeze, lower the worker number to avoid "
            "potential slowness/freeze if necessary.",
            stacklevel=3,
        )


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    start = "DataLoader with IterableDataset: expected unspecified"
    if shuffle not in (False, None):
        raise ValueError(f"{start} shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"{start} sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"{start} batch_sampler option, but got batch_sampler={batch_sampler}")


def _draw_base_seed(loader: Any) -> int:
    return int(_C.empty((), dtype=_C.int64).random_(generator=loader.generator).item())


class _DatasetKind:
    """How samples are asked for: by their index, or of an iterator. The names are torch's."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> _BaseDatasetFetcher:
        """What fetches from a dataset of this kind."""
        return make_fetcher(dataset, kind == _DatasetKind.Iterable, auto_collation, collate_fn, drop_last)


class _InfiniteConstantSampler:
    """The sampler of an IterableDataset, which has no indices."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class _BaseDataLoaderIter:
    """What iterates over a DataLoader. This name and those of the classes, and of what they keep, are torch's.

    Packages derive from it, and give it loaders of classes of their own, which have the names that torch's iterators
    read: `_dataset_kind`, `_auto_collation`, `_index_sampler` and others.
    """

    def __init__(self, loader: Any) -> None:
        self._dataset, self._dataset_kind = loader.dataset, loader._dataset_kind
        self._auto_collation, self._collate_fn, self._drop_last = (
            loader._auto_collation,
            loader.collate_fn,
            loader.drop_last,
        )
        self._index_sampler = loader._index_sampler
        self._num_workers, self._persistent_workers = loader.num_workers, loader.persistent_workers
        self._timeout, self._pin_memory = loader.timeout, False
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used.",
                stacklevel=2,
            )
        self._sampler_iter: Iterator[Any] = iter(self._index_sampler)
        self._base_seed = _draw_base_seed(loader)

    def _reset(self, loader: Any, first_iter: bool = False) -> None:
        """Begins the sampler again. The base seed stays, so that an epoch draws nothing else."""
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        batch = self._next_data()
        self._num_yielded += 1
        if self._IterableDataset_len_called is not None:  # only a program that asked for the length relies on it
            self._warn_when_longer(self._IterableDataset_len_called)
        return batch

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError("An iterator of a DataLoader says in _next_data() what the next batch is")

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)  # these are torch's arguments

    def _warn_when_longer(self, length: int) -> None:
        if self._dataset_kind != _DatasetKind.Iterable or self._num_yielded <= length:
            return
        cause = (
            "For multiprocessing data-loading, this could be caused by workers that all go through the whole dataset: "
            "get_worker_info() says in its __iter__ which worker it is."
        )
        warnings.warn(
            f"Length of IterableDataset {self._dataset} was reported to be {length}(when accessing len(dataloader)), "
            f"but {self._num_yielded} samples have been fetched. {cause if self._num_workers else ''}",
            stacklevel=3,
        )


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Fetches in this process."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        assert self._timeout == 0, "_SingleProcessDataLoaderIter requires timeout == 0"
        assert self._num_workers == 0, "_SingleProcessDataLoaderIter requires num_workers == 0"
        self._dataset_fetcher = _DatasetKind.create_fetcher(
            self._dataset_kind, self._dataset, self._auto_collation, self._collate_fn, self._drop_last
        )
        quick = isinstance(self._dataset_fetcher, Gather) and getattr(self._index_sampler, "_quick", lambda: None)()
        if quick:
            self._indices, self._in_tensors = quick, True

    # Indices that come as tensors and slices become lists when a program looks at them.
    @property
    def _sampler_iter(self) -> Any:
        if self._in_tensors:
            self._sampler_iter = map(_as_list, self._indices)
        return self._indices

    @_sampler_iter.setter
    def _sampler_iter(self, indices: Iterator[Any]) -> None:
        self._indices, self._in_tensors = indices, False

    def _next_data(self) -> Any:
        return self._dataset_fetcher.fetch(next(self._indices))


def _as_list(indices: Any) -> list[int]:
    return list(range(indices.start, indices.stop)) if isinstance(indices, slice) else indices.tolist()


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Hands out tasks to workers in turn and gives their batches in the tasks' order."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        context: Any = loader.multiprocessing_context or multiprocessing.get_context()
        self._worker_init_fn = loader.worker_init_fn
        self._prefetch_factor, self._in_order = loader.prefetch_factor or 2, loader.in_order
        job = Job(
            self._dataset, self._dataset_kind == _DatasetKind.Iterable, self._auto_collation, self._collate_fn,
            self._drop_last, self._base_seed, self._worker_init_fn, self._num_workers,
        )  # fmt: skip
        self._shutdown = False
        self._workers = [Worker(context, job, number) for number in range(self._num_workers)]
        self._reset(loader, first_iter=True)

    def _reset(self, loader: Any, first_iter: bool = False) -> None:
        """Begins an epoch with the same workers. Batches of the last one that nobody took are thrown away."""
        super()._reset(loader, first_iter)
        if not first_iter:
            self._call_back()
        self._owner: dict[int, int] = {}  # which worker has a task; tasks that were not given out yet, in their order
        self._ready: dict[int, Any] = {}  # batches that have come
        self._turn = itertools.cycle(range(self._num_workers))
        self._active = set(range(self._num_workers))
        self._tasks = itertools.count()
        for _ in range(self._prefetch_factor * self._num_workers):
            self._send_one()

    def _call_back(self) -> None:
        while len(self._ready) < len(self._owner):
            self._receive_one()
        for worker in self._workers:
            worker.tell(Resume())

    def _send_one(self) -> None:
        if not self._active:
            return
        indices = next(self._sampler_iter, _END)
        if indices is _END:
            return
        task, number = next(self._tasks), next(n for n in self._turn if n in self._active)
        self._owner[task] = number
        self._workers[number].tell((task, indices))

    def _receive_one(self) -> None:
        """Waits for one message of a worker. Raises RuntimeError when one that owes a batch has died."""
        owing = [self._workers[n] for n in {n for task, n in self._owner.items() if task not in self._ready}]
        pipes: dict[Any, Worker] = {worker.results: worker for worker in owing}
        sentinels = [worker.process.sentinel for worker in owing]
        found = multiprocessing.connection.wait([*pipes, *sentinels], self._timeout or None)
        if not found:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        for pipe in found:
            if pipe in pipes and (message := pipes[pipe].receive()) is not None:
                self._ready[message[0]] = message[1]
                return
        dead = [str(worker.process.pid) for worker in owing if not worker.lives()]
        raise RuntimeError(f"DataLoader worker (pid(s) {', '.join(dead)}) exited unexpectedly")

    def _next_data(self) -> Any:
        try:
            batch = self._take()
        except StopIteration:
            if not self._persistent_workers:
                self._shutdown_workers()
            raise
        except BaseException:
            self._shutdown_workers()
            raise
        if isinstance(batch, Failure):
            batch.reraise()
        return batch

    def _take(self) -> Any:
        while self._owner:
            first = next(iter(self._owner)) if self._in_order else next(iter(self._ready), None)
            if first not in self._ready:
                self._receive_one()
                continue
            number, batch = self._owner.pop(first), self._ready.pop(first)
            if isinstance(batch, Ended):
                self._active.discard(number)
            self._send_one()
            if not isinstance(batch, Ended):
                return batch
        raise StopIteration

    def _shutdown_workers(self) -> None:
        self._shutdown = True
        self._owner, self._ready = {}, {}
        for worker in self._workers:
            worker.close()
        self._workers = []

    def __del__(self) -> None:
        if getattr(self, "_workers", None):
            self._shutdown_workers()
