"""Datasets, samplers and collation beside torch's."""

import collections

import numpy as np
import pytest

from support import both

Point = collections.namedtuple("Point", "x y")


def letters(lib):
    class Letters(lib.utils.data.Dataset):
        def __getitem__(self, i):
            return "abcdef"[i]

        def __len__(self):
            return 6

    return Letters()


DATASETS = [
    "[list(part) for part in D.random_split(range(10), [7, 3])]", "[list(part) for part in D.random_split(range(11), [0.5, 0.3, 0.2])]",
    "[part.indices for part in D.random_split(range(9), [0.5, 0.5], lib.Generator().manual_seed(5))]",
    "(len(letters(lib) + letters(lib)), (letters(lib) + letters(lib))[-1], D.ConcatDataset([letters(lib), 'xyz'])[7])",
    "list(D.Subset(letters(lib), [5, 0, 0]))", "D.Subset(letters(lib), [5, 0, 2]).__getitems__([0, 2])",
    "D.TensorDataset(lib.arange(3), lib.ones(3, 2))[1]", "len(D.TensorDataset(lib.arange(3)))",
    "D.TensorDataset(lib.arange(5))[1:3]",
    "D.StackDataset(letters(lib), range(6))[2]", "D.StackDataset(a=letters(lib), b=range(6))[2]",
    "D.StackDataset(letters(lib), range(6)).__getitems__([1, 3])", "D.StackDataset(a=range(6), b=letters(lib)).__getitems__([1, 3])",
    "D.ConcatDataset.cumsum([[1, 2], [3]])", "len(D.StackDataset(letters(lib)))",
    "list(D.SequentialSampler('abc'))", "list(D.RandomSampler(range(9)))", "list(D.RandomSampler(range(9), num_samples=20))",
    "list(D.RandomSampler(range(9), replacement=True))", "list(D.RandomSampler(range(9), True, 70))",
    "list(D.RandomSampler(range(9), generator=lib.Generator().manual_seed(3)))", "list(D.SubsetRandomSampler([4, 8, 15, 16]))",
    "list(D.SubsetRandomSampler([4, 8, 15, 16], lib.Generator().manual_seed(3)))", "list(D.WeightedRandomSampler([1.0, 5.0, 2.0], 9))",
    "list(D.WeightedRandomSampler([1.0, 5.0, 2.0, 0.1], 3, False))", "list(D.WeightedRandomSampler([0.1] * 4, 1))",
    "list(D.WeightedRandomSampler([1, 0, 3], 5, generator=lib.Generator().manual_seed(1)))",
    "list(D.BatchSampler(range(7), 3, True))", "list(D.BatchSampler(range(7), 3, False))",
    "(len(D.BatchSampler(range(7), 3, True)), len(D.BatchSampler(range(7), 3, False)))",
    "list(D.DistributedSampler(range(10), 3, 1))", "list(D.DistributedSampler(range(10), 4, 3, drop_last=True))",
    "list(D.DistributedSampler(range(2), 5, 4, shuffle=False))", "len(D.DistributedSampler(range(10), 4, 0, drop_last=True))",
]  # fmt: skip


@pytest.mark.parametrize("program", DATASETS)
def test_as_torch(program):
    both(lambda lib: eval(program, {"D": lib.utils.data, "lib": lib, "letters": letters}))


REFUSED = [
    ("D.random_split(range(4), [1, 2])", "Sum of input lengths"), ("D.random_split(range(4), [1.5, -0.5])", "not between 0 and 1"),
    ("D.ConcatDataset([])", "should not be an empty iterable"), ("D.ConcatDataset([[1]])[-2]", "should not exceed dataset length"),
    ("D.TensorDataset(lib.ones(2), lib.ones(3))", "Size mismatch between tensors"), ("D.StackDataset()", "At least one dataset"),
    ("D.StackDataset([1], [1, 2])", "Size mismatch between datasets"), ("D.StackDataset([1], a=[1])", "both types are given"),
    ("D.RandomSampler([1], replacement=1)", "should be a boolean"), ("D.RandomSampler([1], num_samples=0)", "positive integer"),
    ("D.RandomSampler([])", "positive integer"), ("D.WeightedRandomSampler([1.0], 0)", "positive integer"),
    ("D.WeightedRandomSampler([1.0], 1, 3)", "should be a boolean"), ("D.WeightedRandomSampler([[1.0]], 1)", "should be a 1d sequence"),
    ("D.BatchSampler([1], 0, False)", "positive integer"), ("D.BatchSampler([1], 1, 3)", "should be a boolean"),
    ("D.DistributedSampler([1], 2, 2)", "Invalid rank 2"), ("D.DistributedSampler([1])", "process group"),
    ("D.Dataset()[0]", ""), ("D.IterableDataset()", "abstract"),
    ("list(D.WeightedRandomSampler([-1.0, 2.0], 2))", "invalid multinomial distribution"),
    ("list(D.WeightedRandomSampler([1.0, 2.0], 3, False))", "without replacement"),
]  # fmt: skip


@pytest.mark.parametrize("program, phrase", REFUSED)
def test_refused(program, phrase):
    both(lambda lib: eval(program, {"D": lib.utils.data, "lib": lib}), raises=phrase)


class OwnList(list):
    pass


SAMPLES = [
    "[1, 2]", "[1.5, 2.0]", "[True, False]", "['a', 'b']", "[b'a', b'b']", "[lib.ones(2), lib.zeros(2)]", "[(1, 'a'), (2, 'b')]",
    "[[1, 2.0], [3, 4.0]]", "[{'x': 1, 'y': [1, 2]}, {'x': 2, 'y': [3, 4]}]", "[Point(1, 2.0), Point(3, 4.0)]", "[np.ones(2), np.zeros(2)]",
    "[np.float32(1), np.float32(2)]", "[np.float64(1), np.float64(2)]", "[np.int64(1), np.int64(3)]", "[np.array(1), np.array(2)]",
    "[collections.OrderedDict(a=1), collections.OrderedDict(a=2)]", "[OwnList([1]), OwnList([2])]", "[((1, 2), 3), ((4, 5), 6)]",
    "[collections.ChainMap({'a': 1}), collections.ChainMap({'a': 2})]", "[lib.tensor(1), lib.tensor(2)]",
    "[np.str_('a'), np.str_('b')]",
]  # fmt: skip
PLACES = {"Point": Point, "np": np, "collections": collections, "OwnList": OwnList}


@pytest.mark.parametrize("program", SAMPLES)
def test_default_collate(program):
    def collated(lib):
        batch = lib.utils.data.default_collate(eval(program, {"lib": lib, **PLACES}))
        return [type(batch).__name__, dict(batch) if hasattr(batch, "keys") else batch]

    both(collated)


@pytest.mark.parametrize("program", SAMPLES)
def test_default_convert(program):
    def converted(lib):
        data = lib.utils.data.default_convert(eval(program, {"lib": lib, **PLACES})[0])
        return [type(data).__name__.replace("float64", "Tensor"), dict(data) if hasattr(data, "keys") else data]

    both(converted)


@pytest.mark.parametrize(
    "program, phrase",
    [
        ("[None]", "batch must contain tensors"),
        ("[[1], [1, 2]]", "should be of equal size"),
        ("[np.array(['a']), np.array(['b'])]", "batch must contain tensors"),
        ("[lib.ones(2), lib.ones(3)]", "equal size"),
        ("[{1: 2}, {3: 4}]", "1"),
    ],
)
def test_collation_refuses(program, phrase):
    both(lambda lib: lib.utils.data.default_collate(eval(program, {"lib": lib, **PLACES})), raises=phrase)


def test_a_map_of_functions():
    def collated(lib):
        from importlib import import_module

        collate = import_module(f"{lib.__name__}.utils.data._utils.collate")
        functions = {
            **collate.default_collate_fn_map,
            set: lambda batch, *, collate_fn_map: [len(item) for item in batch],
        }
        return collate.collate([({1, 2}, 1.0), ({3}, 2.0)], collate_fn_map=functions)

    both(collated)


def test_an_older_spelling_of_sizes():
    def program(lib):
        data = lib.utils.data
        whole = data.ConcatDataset([data.TensorDataset(lib.ones(2)), data.TensorDataset(lib.ones(3))])
        with pytest.warns(FutureWarning, match="renamed to `cumulative_sizes`"):
            return whole.cummulative_sizes

    both(program)
