"""Fetching: a batch's samples are taken from the dataset and collated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .... import _C
from ...._C import Tensor
from ..dataset import Subset, TensorDataset
from .collate import default_collate

Fetch = Callable[[Any], Any]


class _BaseDatasetFetcher:
    """How a batch is made of what the index sampler gives. The names are torch's: packages use and patch them."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset, self.auto_collation = dataset, auto_collation
        self.collate_fn, self.drop_last = collate_fn, drop_last

    def fetch(self, possibly_batched_index: Any) -> Any:
        """The batch. Raises StopIteration where the samples end."""
        raise NotImplementedError("A dataset fetcher says in fetch() how a batch is made")


class _IterableDatasetFetcher(_BaseDatasetFetcher):
    """Takes the next samples of an iterator, whatever the indices are."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.dataset_iter = iter(dataset)
        self.ended = False

    def fetch(self, possibly_batched_index: Any) -> Any:
        """The batch of as many samples as there are indices, or one sample without batches."""
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        samples = self._take(possibly_batched_index)
        if not samples or (self.drop_last and self.ended):
            raise StopIteration
        return self.collate_fn(samples)

    def _take(self, indices: Any) -> list[Any]:
        samples = []
        for _ in indices:
            try:
                samples.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        return samples


class _MapDatasetFetcher(_BaseDatasetFetcher):
    """Asks the dataset for the samples at the indices."""

    def fetch(self, possibly_batched_index: Any) -> Any:
        """The batch of the samples at these indices, or without batches the sample at this one."""
        dataset = self.dataset
        if not self.auto_collation:
            return self.collate_fn(dataset[possibly_batched_index])
        if getattr(dataset, "__getitems__", None):
            return self.collate_fn(dataset.__getitems__(possibly_batched_index))
        return self.collate_fn([dataset[index] for index in possibly_batched_index])


def make_fetcher(
    dataset: Any, iterable: bool, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> _BaseDatasetFetcher:
    """What fetches from this dataset."""
    if iterable:
        return _IterableDatasetFetcher(dataset, batched, collate_fn, drop_last)
    if batched and collate_fn is default_collate:
        gather = _gather_from(dataset)
        if gather is not None:
            gather.drop_last = drop_last
            return gather
    return _MapDatasetFetcher(dataset, batched, collate_fn, drop_last)


# ---- samples of a TensorDataset that are stacked again: one gather for each tensor ----


class Gather(_MapDatasetFetcher):
    """Batches of a TensorDataset, or of a Subset of one, under the default collation."""

    def __init__(self, dataset: Any, tensors: tuple[Tensor, ...], order: Tensor | None) -> None:
        super().__init__(dataset, True, default_collate, False)
        self._tensors, self._order = tensors, order

    def fetch(self, possibly_batched_index: Any) -> Any:
        """The batch at a list of indices, at a 1-D tensor of indices that are in bounds, or at a slice."""
        indices = possibly_batched_index
        if isinstance(indices, slice):
            return self._at_slice(indices)
        if not isinstance(indices, Tensor):
            if type(indices) is not list or not all(type(index) is int and index >= 0 for index in indices):
                return list(super().fetch(indices))  # whatever these are, it is for the dataset to say
            indices = _C.tensor(indices, dtype=_C.int64)
        where = indices if self._order is None else self._order.index_select(0, indices)
        return [tensor.index_select(0, where) for tensor in self._tensors]

    def _at_slice(self, where: slice) -> Any:
        if self._order is not None:
            return self.fetch(_C.arange(where.start, where.stop))
        return [tensor[where].clone() for tensor in self._tensors]


def _gather_from(dataset: Any) -> Gather | None:
    tensors = dataset.dataset.tensors if _is_part(dataset) else getattr(dataset, "tensors", ())
    if not _is_part(dataset) and type(dataset) is not TensorDataset:
        return None
    if not tensors or not all(type(tensor) is Tensor and tensor.dim() for tensor in tensors):
        return None
    if type(dataset) is TensorDataset:
        return Gather(dataset, tensors, None)
    indices = dataset.indices
    if type(indices) is not list or not indices or not all(type(index) is int for index in indices):
        return None
    if min(indices) < 0 or max(indices) >= len(dataset.dataset):
        return None
    return Gather(dataset, tensors, _C.tensor(indices))


def _is_part(dataset: Any) -> bool:
    return type(dataset) is Subset and type(dataset.dataset) is TensorDataset
