"""Worker processes: each has a pipe on which it is told what to fetch, and one on which it sends batches."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import queue
import random
import threading
import weakref
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

from ...._utils import ExceptionWrapper
from .fetch import Fetch, make_fetcher


class WorkerInfo:
    """What get_worker_info() says in a worker: its `id`, `num_workers`, its `seed`, its copy of the `dataset`."""

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        self.id, self.num_workers, self.seed, self.dataset = id, num_workers, seed, dataset

    def __repr__(self) -> str:
        return f"WorkerInfo(id={self.id}, num_workers={self.num_workers}, seed={self.seed}, dataset={self.dataset!r})"


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a DataLoader what it is, else None.

    >>> from gradcore.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return _info


class Failure(ExceptionWrapper):
    """An exception of a worker, on its way to the program."""

    def __init__(self, error: BaseException, where: str) -> None:
        super().__init__((type(error), error, error.__traceback__), where)


class Ended:
    """Sent in place of a batch: the worker's part of an IterableDataset has ended."""


class Resume:
    """Told to a persistent worker: another epoch begins."""


class Job:
    """What a worker is started with."""

    def __init__(
        self,
        dataset: Any,
        iterable: bool,
        batched: bool,
        collate_fn: Callable[[Any], Any],
        drop_last: bool,
        base_seed: int,
        worker_init_fn: Callable[[int], Any] | None,
        num_workers: int,
    ) -> None:
        self.dataset, self.iterable, self.batched = dataset, iterable, batched
        self.collate_fn, self.drop_last = collate_fn, drop_last
        self.base_seed, self.worker_init_fn, self.num_workers = base_seed, worker_init_fn, num_workers

    def fetch(self) -> Fetch:
        """A new beginning of the dataset."""
        return make_fetcher(self.dataset, self.iterable, self.batched, self.collate_fn, self.drop_last).fetch


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """The four numbers that NumPy's generator is seeded with in a worker."""
    import numpy

    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    state: list[int] = numpy.random.SeedSequence(entropy).generate_state(4).tolist()
    return state


def _seed_everything(base_seed: int, worker_id: int) -> None:
    import gradcore

    random.seed(base_seed + worker_id)
    gradcore.manual_seed(base_seed + worker_id)
    try:
        import numpy
    except ImportError:
        return
    numpy.random.seed(_generate_state(base_seed, worker_id))


class _Sender:
    """Sends batches from a thread of its own, so that the next is made while one waits in the pipe."""

    def __init__(self, pipe: multiprocessing.connection.Connection) -> None:
        self._pipe = pipe
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (message := self._messages.get()) is not None:
            try:
                self._pipe.send_bytes(message)
            except OSError:
                return  # the program does not listen any more

    def send(self, number: int, result: Any, where: str) -> None:
        try:
            message = ForkingPickler.dumps((number, result), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            message = ForkingPickler.dumps((number, Failure(error, where)), pickle.HIGHEST_PROTOCOL)
        self._messages.put(message)

    def close(self) -> None:
        self._messages.put(None)
        self._thread.join()


def worker_loop(
    job: Job,
    worker_id: int,
    tasks: multiprocessing.connection.Connection,
    results: multiprocessing.connection.Connection,
) -> None:
    """Runs in the worker: fetches what it is told to until it is told None, or the program ends."""
    try:
        _serve(job, worker_id, tasks, results)
    except KeyboardInterrupt:
        pass  # the program has got it too


def _serve(job: Job, worker_id: int, tasks: Any, results: Any) -> None:
    global _info
    import gradcore

    gradcore.set_num_threads(1)
    _close_inherited_pipes()
    _seed_everything(job.base_seed, worker_id)
    _info = WorkerInfo(worker_id, job.num_workers, job.base_seed + worker_id, job.dataset)
    where = f"in DataLoader worker process {worker_id}"
    sender = _Sender(results)
    parent: Any = multiprocessing.parent_process()
    fetch, failure = _begin(job, worker_id, where)
    while tasks in multiprocessing.connection.wait([tasks, parent.sentinel]):
        try:
            message = tasks.recv()
        except EOFError:
            break
        if message is None:
            break
        if isinstance(message, Resume):
            fetch, failure = _begin(job, worker_id, where, first=False)
            continue
        number, indices = message
        sender.send(number, failure or _fetched(job, fetch, indices, where), where)
    sender.close()


# A forked worker holds copies of the program's ends of all pipes: while it does, no other worker sees them close.
def _close_inherited_pipes() -> None:
    for worker in list(_workers):
        worker.tasks.close()
        worker.results.close()


def _begin(job: Job, worker_id: int, where: str, first: bool = True) -> tuple[Any, Failure | None]:
    try:
        if first and job.worker_init_fn is not None:
            job.worker_init_fn(worker_id)
        return job.fetch(), None
    except Exception as error:
        return None, Failure(error, where)


def _fetched(job: Job, fetch: Fetch, indices: Any, where: str) -> Any:
    try:
        return fetch(indices)
    except Exception as error:
        if isinstance(error, StopIteration) and job.iterable:
            return Ended()
        return Failure(error, where)


_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """The program's side of a worker process."""

    def __init__(self, context: Any, job: Job, worker_id: int) -> None:
        tasks_out, self.tasks = context.Pipe(duplex=False)
        self.results, results_in = context.Pipe(duplex=False)
        _workers.add(self)
        self.process = context.Process(target=worker_loop, args=(job, worker_id, tasks_out, results_in), daemon=True)
        self.process.start()
        tasks_out.close()
        results_in.close()
        self.owner = os.getpid()

    # Packages take the workers of an iterator for processes: they ask for `pid`, is_alive(), terminate() ...
    def __getattr__(self, name: str) -> Any:
        if name == "process":  # the process could not be started
            raise AttributeError(name)
        return getattr(self.process, name)

    def tell(self, message: Any) -> None:
        """Sends a task. A worker that is dead already is noticed when its batch is waited for."""
        try:
            self.tasks.send(message)
        except OSError:
            pass

    def receive(self) -> Any:
        """The next message (number, batch), or None when the worker is gone."""
        try:
            return pickle.loads(self.results.recv_bytes())
        except EOFError:
            return None

    def lives(self) -> bool:
        """Whether the process is there a moment after its pipe was closed."""
        self.process.join(1.0)
        return bool(self.process.is_alive())

    def close(self, timeout: float = 5.0) -> None:
        """Ends the process: it is asked first, and ended after `timeout` seconds."""
        if self.owner != os.getpid():
            return  # a copy in a forked process
        self.tell(None)
        self.results.close()
        self.process.join(timeout)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()
        self.tasks.close()
