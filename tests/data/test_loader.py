"""The DataLoader beside torch's: batches, order, workers, errors."""

import os
import random
import time

import numpy as np
import pytest

import gradcore
from gradcore.utils.data import DataLoader, IterableDataset, TensorDataset, get_worker_info
from support import both, libraries

SIZES = [{"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": 3, "shuffle": True}, {"batch_size": None},
         {"batch_sampler": [[1, 2], [5], [-1]]}, {"sampler": [4, 4, 1], "batch_size": 2}, {}, {"batch_size": 50, "drop_last": True}]  # fmt: skip


def pairs(lib, n=10):
    return lib.utils.data.TensorDataset(lib.arange(2.0 * n).reshape(n, 2), lib.arange(n))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", SIZES, ids=str)
def test_batches(options, workers):
    def batches(lib):
        loader = lib.utils.data.DataLoader(pairs(lib), num_workers=workers, **options)
        return [list(loader), list(loader), len(loader), lib.rand(1)]

    both(batches)


def test_a_generator_is_its_own_stream():
    def batches(lib):
        generator = lib.Generator().manual_seed(9)
        loader = lib.utils.data.DataLoader(pairs(lib), 4, shuffle=True, generator=generator)
        return [list(loader), list(loader), lib.rand(2), lib.rand(2, generator=generator)]

    both(batches)


@pytest.mark.parametrize("options", SIZES, ids=str)
def test_batches_of_a_part(options):
    """A Subset of a TensorDataset, whose batches are gathered too; the stream goes on as torch's."""

    def batches(lib):
        part = lib.utils.data.random_split(pairs(lib, 20), [8, 12])[0]
        generator = lib.Generator().manual_seed(1)
        loader = lib.utils.data.DataLoader(part, generator=generator, **options)
        return [list(loader), list(loader), lib.rand(1), lib.rand(1, generator=generator)]

    both(batches)


def test_one_gather_gives_what_stacking_gives():
    plain = [(gradcore.ones(2) * i, gradcore.tensor(i)) for i in range(9)]
    quick = TensorDataset(*(gradcore.stack(column) for column in zip(*plain)))
    part = gradcore.utils.data.Subset(quick, [7, 3, 1])
    for ours, slow in ((quick, plain), (part, [plain[i] for i in (7, 3, 1)])):
        for a, b in zip(DataLoader(ours, 2), DataLoader(slow, 2), strict=True):
            assert all(gradcore.equal(x, y) for x, y in zip(a, b, strict=True))
    batch = next(iter(DataLoader(quick, 3)))[0]
    batch.zero_()
    assert quick.tensors[0][1].tolist() == [1.0, 1.0]  # a batch is a copy
    with pytest.raises(IndexError):
        list(DataLoader(quick, batch_sampler=[[99]]))


class Counted(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        return iter(range(self.n)[info.id :: info.num_workers] if info else range(self.n))


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_iterable_dataset(workers):
    batches = [batch.tolist() for batch in DataLoader(Counted(10), batch_size=2, num_workers=workers)]
    assert sorted(sum(batches, [])) == list(range(10))
    if workers < 2:
        assert batches == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    else:
        assert batches == [[0, 3], [1, 4], [2, 5], [6, 9], [7], [8]]
    assert len(list(DataLoader(Counted(10), batch_size=4, num_workers=workers, drop_last=True))) == (
        2 if workers < 2 else 1
    )
    assert sorted(DataLoader(Counted(4), batch_size=None, num_workers=workers)) == [0, 1, 2, 3]


class Report:
    """What a worker is: its number, seeds and random numbers."""

    def __init__(self, lib):
        self.lib = lib

    def __len__(self):
        return 4

    def __getitem__(self, i):
        info = self.lib.utils.data.get_worker_info()
        drawn = self.lib.rand(1).item(), random.random(), float(np.random.rand())
        return [info.id, info.num_workers, info.seed, *drawn, self.lib.get_num_threads()]


@pytest.mark.parametrize("persistent", [False, True])
def test_seeds_in_workers(persistent):
    def reports(lib):
        lib.manual_seed(11)
        loader = lib.utils.data.DataLoader(
            Report(lib), 2, num_workers=2, collate_fn=list, persistent_workers=persistent
        )
        return [list(loader), list(loader)]

    both(reports)


class Faulty:
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 4

    def __getitem__(self, i):
        if i == 2:
            raise self.error
        return i


@pytest.mark.parametrize(
    "error",
    [ValueError("bad sample"), KeyError("key"), IndexError("place"), UnicodeDecodeError("utf-8", b"a", 0, 1, "odd")],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_errors_carry_the_workers_traceback(error, method):
    if method == "spawn" and type(error) is not ValueError:
        pytest.skip("once is enough: a spawned worker takes a while to start")
    loader = DataLoader(Faulty(error), num_workers=2, multiprocessing_context=method)
    seen = iter(loader)
    assert [next(seen).item(), next(seen).item()] == [0, 1]
    with pytest.raises(RuntimeError if isinstance(error, UnicodeDecodeError) else type(error)) as caught:
        next(seen)
    text = str(caught.value)
    assert f"Caught {type(error).__name__} in DataLoader worker process 0." in text and "in __getitem__" in text
    assert [batch.item() for batch in seen] == [3]


def exits(i):
    os._exit(3)


def fails(i):
    raise ValueError(f"start of {i}")


def sleeps(i):
    time.sleep(60)


def test_a_dead_worker_is_noticed():
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(DataLoader(range(4), num_workers=2, worker_init_fn=exits))


def test_a_failure_at_the_start_is_raised():
    with pytest.raises(ValueError, match="(?s)Caught ValueError in DataLoader worker process 0.*start of 0"):
        list(DataLoader(range(4), num_workers=2, worker_init_fn=fails))


def test_timeout():
    start = time.monotonic()
    loader = DataLoader(range(2), num_workers=1, timeout=0.2, worker_init_fn=sleeps)
    iterator = iter(loader)
    for worker in iterator._workers:
        worker.close = worker.process.kill  # not to wait for the sleeper
    with pytest.raises(RuntimeError, match="timed out after 0.2 seconds"):
        next(iterator)
    assert time.monotonic() - start < 30


class Unpicklable:
    def __reduce__(self):
        raise TypeError("stays here")


def test_a_batch_that_cannot_be_sent_is_an_error():
    with pytest.raises(TypeError, match="stays here"):
        list(DataLoader(range(2), num_workers=1, collate_fn=lambda batch: Unpicklable()))


def process_ids(batch):
    return os.getpid()


def test_persistent_workers_stay():
    loader = DataLoader(range(6), num_workers=2, persistent_workers=True, collate_fn=process_ids)
    first, second = set(loader), set(loader)
    assert first == second and len(first) == 2 and os.getpid() not in first
    partly = iter(loader)
    next(partly)
    assert set(loader) == first  # what was left of the epoch before is thrown away
    other = DataLoader(range(6), num_workers=2, collate_fn=process_ids)
    assert set(other) != set(other)


def test_workers_end_with_their_iterator():
    big = TensorDataset(gradcore.zeros(8, 500_000))
    iterator = iter(DataLoader(big, num_workers=2, prefetch_factor=2))
    next(iterator)
    processes = [worker.process for worker in iterator._workers]
    start = time.monotonic()
    del iterator
    assert not any(process.is_alive() for process in processes) and time.monotonic() - start < 4.0


class Slow:
    def __len__(self):
        return 4

    def __getitem__(self, i):
        time.sleep(0.5 if i == 0 else 0.0)
        return i


def test_out_of_order():
    assert [b.item() for b in DataLoader(Slow(), num_workers=2)] == [0, 1, 2, 3]
    found = [b.item() for b in DataLoader(Slow(), num_workers=2, in_order=False)]
    assert sorted(found) == [0, 1, 2, 3] and found[0] == 1


REFUSED = [
    ("num_workers=-1", "num_workers option should be non-negative"), ("timeout=-1", "timeout option should be non-negative"),
    ("prefetch_factor=2", "prefetch_factor option could only be specified"), ("persistent_workers=True", "persistent_workers option needs"),
    ("shuffle=True, sampler=[1]", "mutually exclusive with shuffle"), ("batch_sampler=[[1]], batch_size=2", "mutually exclusive with batch_size"),
    ("batch_size=None, drop_last=True", "disables auto-batching"), ("batch_size=0", "batch_size should be a positive integer"),
    ("multiprocessing_context='fork'", "can only be used with multi-process loading"),
    ("num_workers=1, multiprocessing_context='moon'", "should specify a valid start method"),
    ("num_workers=1, multiprocessing_context=3", "should be a valid context object"), ("drop_last=3", "drop_last should be a boolean"),
]  # fmt: skip


@pytest.mark.parametrize("options, phrase", REFUSED)
def test_refused(options, phrase):
    both(lambda lib: eval(f"lib.utils.data.DataLoader([1, 2], {options})"), raises=phrase)


def test_refused_later():
    def changed(lib):
        lib.utils.data.DataLoader([1, 2]).batch_size = 3

    def shuffled(lib):
        return lib.utils.data.DataLoader(lib.utils.data.ChainDataset([]), shuffle=True)

    both(changed, raises="batch_size attribute should not be set after DataLoader is initialized")
    both(shuffled, raises="expected unspecified shuffle option")


def test_a_length_that_is_too_short_warns():
    class Long(Counted):
        def __len__(self):
            return 2

    loader = DataLoader(Long(4))
    assert sum(1 for _ in loader) == 4  # without a word, as in torch, while nobody asked for the length
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        assert len(list(loader)) == 4


def test_progress_bars_go_around_a_loader():
    """docs/notebooks.md shows them."""
    tqdm = pytest.importorskip("tqdm")
    import io

    out = io.StringIO()
    loader = DataLoader(TensorDataset(gradcore.arange(10)), batch_size=4)
    assert len(list(tqdm.tqdm(loader, file=out, mininterval=0))) == 3 and "3/3" in out.getvalue()


def test_a_timeout_needs_workers():
    def program(lib):
        return list(lib.utils.data.DataLoader(range(3), timeout=5))

    both(program, raises="requires timeout == 0")


def test_a_chain_without_lengths_is_iterated():
    def program(lib):
        class Counting(lib.utils.data.IterableDataset):
            def __iter__(self):
                return iter(range(3))

        return list(lib.utils.data.DataLoader(lib.utils.data.ChainDataset([Counting(), Counting()]), batch_size=4))

    both(program)


@pytest.mark.parametrize("kind", ["Iterable", "Map"])
@pytest.mark.parametrize("workers", [0, 2])
def test_iterators_read_the_names_of_a_loader_that_is_none_of_ours(kind, workers):
    """fastai's loaders are such."""

    def program(lib):
        iterators = lib.utils.data.dataloader
        lib.manual_seed(0)

        class Source(lib.utils.data.IterableDataset):
            def __init__(self):
                self.collate_fn = sum if kind == "Map" else lib.utils.data.default_convert
                self.dataset, self.num_workers, self.generator, self.worker_init_fn = self, workers, None, None
                self._dataset_kind = getattr(iterators._DatasetKind, kind)
                self._auto_collation, self.drop_last, self.timeout = kind == "Map", False, 0
                self._index_sampler = [[0, 2], [1, 1], [0]] if kind == "Map" else range(100)
                self.multiprocessing_context, self.prefetch_factor, self.in_order = None, 2 if workers else None, True
                self.persistent_workers = self._IterableDataset_len_called = self.pin_memory = False
                self.pin_memory_device = ""

            def _get_shared_seed(self):
                return None

            def __iter__(self):
                return iter([lib.arange(2), lib.ones(1)])

            def __getitem__(self, index):
                return lib.full((2,), index)

        name = "_MultiProcessingDataLoaderIter" if workers else "_SingleProcessDataLoaderIter"
        return [*getattr(iterators, name)(Source()), lib.rand(1)]

    both(program)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_dataset_that_is_longer_than_it_says_is_warned_of(workers):
    """With workers the warning names their likely mistake: each goes through all of the dataset."""
    loader = DataLoader(Longer(), batch_size=None, num_workers=workers)
    assert len(loader) == 3
    with pytest.warns(UserWarning, match="but 4 samples have been fetched") as caught:
        list(loader)
    texts = [str(w.message) for w in caught if w.category is UserWarning]  # Python itself may warn of the fork
    assert ("For multiprocessing data-loading, this could be caused by" in texts[0]) == bool(workers)


class Longer(IterableDataset):
    def __len__(self):
        return 3

    def __iter__(self):
        return iter(range(5))


def test_a_warning_of_more_workers_than_cpus():
    for lib in libraries():
        with pytest.warns(UserWarning, match="suggested max number of worker in current system is"):
            lib.utils.data.DataLoader([1], num_workers=10000)


@pytest.mark.parametrize("own", [False, True])
def test_epochs_of_persistent_workers(own):
    """The base seed is drawn once, when the workers start: later epochs take one number fewer."""

    def program(lib):
        lib.manual_seed(3)
        generator = lib.Generator().manual_seed(7) if own else None
        options = {"shuffle": True, "num_workers": 2, "persistent_workers": True, "generator": generator}
        loader = lib.utils.data.DataLoader(lib.arange(10), 3, **options)
        epochs = [[batch.tolist() for batch in loader] for _ in range(3)]
        return [epochs, loader._iterator._base_seed, lib.rand(1), lib.rand(1, generator=generator)]

    both(program)


class Again:
    """A sampler without an end, as packages put it around that of a loader."""

    def __init__(self, sampler):
        self.sampler = sampler

    def __iter__(self):
        while True:
            yield from iter(self.sampler)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_whose_iterator_lasts_for_many_epochs(workers):
    """timm's has it: it opens the loader again to change its sampler."""

    def program(lib):
        class Lasting(lib.utils.data.DataLoader):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self._DataLoader__initialized = False
                self.batch_sampler = Again(self.batch_sampler)
                self._DataLoader__initialized = True
                self.iterator = super().__iter__()

            def __len__(self):
                return len(self.batch_sampler.sampler)

            def __iter__(self):
                for _ in range(len(self)):
                    yield next(self.iterator)

        lib.manual_seed(1)
        loader = Lasting(pairs(lib), 4, shuffle=True, num_workers=workers)
        return [list(loader), list(loader), loader.iterator._num_yielded]

    both(program)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"num_workers": 2}], ids=str)
def test_what_iterators_keep(options):
    def program(lib):
        lib.manual_seed(2)
        loader = lib.utils.data.DataLoader(pairs(lib), 1, **options)
        found = loader._get_iterator()
        names = (
            "_num_workers _drop_last _auto_collation _num_yielded _timeout _base_seed _persistent_workers _dataset_kind"
        )
        kept = [getattr(found, name) for name in names.split()]
        kept += [found._index_sampler is loader.batch_sampler, found._dataset is loader.dataset, len(found)]
        kept += [next(found), found._num_yielded, found._next_data(), found._num_yielded, found._next_index()]
        if "num_workers" in options:
            processes = list(found._workers)
            kept.append([process.is_alive() for process in processes])
            found._shutdown_workers()
            return [*kept, [process.is_alive() for process in processes]]
        kept += [list(found._sampler_iter), type(found._dataset_fetcher.collate_fn).__name__]
        found._reset(loader)
        return [*kept, found._dataset_fetcher.fetch([1, 3]), list(found), found._num_yielded]

    names = "_MultiProcessingDataLoaderIter" if "num_workers" in options else "_SingleProcessDataLoaderIter"
    both(program)
    both(
        lambda lib: lib.utils.data.DataLoader(pairs(lib), **options)._get_iterator().__getstate__(),
        raises=f"'{names}'",
    )


def test_a_batch_sampler_is_begun_as_often_as_in_torch():
    def program(lib):
        class Loud(list):
            begun = 0

            def __iter__(self):
                self.begun += 1
                return super().__iter__()

        counts = []
        for workers in (0, 1):
            order = Loud([[0], [1]])
            loader = lib.utils.data.DataLoader(lib.arange(4), batch_sampler=order, num_workers=workers)
            counts.append([len(list(loader)), len(list(loader)), order.begun])
        return counts

    both(program)


def test_fetchers_by_their_names():
    def program(lib):
        fetch = lib.utils.data._utils.fetch
        many = fetch._MapDatasetFetcher(lib.arange(5), True, list, False)
        ending = fetch._IterableDatasetFetcher(range(3), True, list, True)
        kinds = lib.utils.data.dataloader._DatasetKind
        made = kinds.create_fetcher(kinds.Iterable, [7, 8], False, str, False)
        return [many.fetch([1, 4]), ending.fetch([0, 0]), ending.ended, next(ending.dataset_iter), made.fetch(None)]

    both(program)


def test_memory_that_cannot_be_pinned_is_warned_of_where_an_epoch_begins():
    for lib in libraries():
        loader = lib.utils.data.DataLoader([1], pin_memory=True)
        with pytest.warns(UserWarning, match="device pinned memory won't be used"):
            iter(loader)
