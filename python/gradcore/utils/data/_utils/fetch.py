"""Fetching: a batch's samples are taken from the dataset and collated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .... import _C
from ...._C import Tensor
from ..dataset import Subset, TensorDataset
from .collate import default_collate

Fetch = Callable[[Any], Any]


def make_fetch(dataset: Any, iterable: bool, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> Fetch:
    """The function from what the index sampler gives to a batch. It raises StopIteration where the samples end."""
    if iterable:
        return _from_iterator(iter(dataset), batched, collate_fn, drop_last)
    if batched and collate_fn is default_collate:
        slow = _from_indices(dataset, batched, collate_fn)
        return _gather_from(dataset, slow) or slow
    return _from_indices(dataset, batched, collate_fn)


def _from_iterator(samples: Iterator[Any], batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> Fetch:
    ended = False

    def fetch(indices: Any) -> Any:
        nonlocal ended
        if ended:
            raise StopIteration
        if not batched:
            return collate_fn(next(samples))
        batch = []
        for _ in indices:
            try:
                batch.append(next(samples))
            except StopIteration:
                ended = True
                break
        if not batch or (drop_last and ended):
            raise StopIteration
        return collate_fn(batch)

    return fetch


def _from_indices(dataset: Any, batched: bool, collate_fn: Callable[[Any], Any]) -> Fetch:
    if not batched:
        return lambda index: collate_fn(dataset[index])
    if callable(getattr(dataset, "__getitems__", None)):
        return lambda indices: collate_fn(dataset.__getitems__(indices))
    return lambda indices: collate_fn([dataset[index] for index in indices])


# ---- samples of a TensorDataset that are stacked again: one gather for each tensor ----


class Gather:
    """Batches of a TensorDataset, or of a Subset of one, under the default collation."""

    def __init__(self, tensors: tuple[Tensor, ...], order: Tensor | None, slow: Fetch) -> None:
        self._tensors, self._order, self._slow = tensors, order, slow

    def __call__(self, indices: Any) -> list[Tensor]:
        """The batch at a list of indices, at a 1-D tensor of indices that are in bounds, or at a slice."""
        if isinstance(indices, slice):
            return self._at_slice(indices)
        if not isinstance(indices, Tensor):
            if type(indices) is not list or not all(type(index) is int and index >= 0 for index in indices):
                return list(self._slow(indices))  # whatever these are, it is for the dataset to say
            indices = _C.tensor(indices, dtype=_C.int64)
        where = indices if self._order is None else self._order.index_select(0, indices)
        return [tensor.index_select(0, where) for tensor in self._tensors]

    def _at_slice(self, where: slice) -> list[Tensor]:
        if self._order is not None:
            return self(self._order_of(where))
        return [tensor[where].clone() for tensor in self._tensors]

    def _order_of(self, where: slice) -> Tensor:
        return _C.arange(where.start, where.stop)


def _gather_from(dataset: Any, slow: Fetch) -> Gather | None:
    tensors = dataset.dataset.tensors if _is_part(dataset) else getattr(dataset, "tensors", ())
    if not _is_part(dataset) and type(dataset) is not TensorDataset:
        return None
    if not tensors or not all(type(tensor) is Tensor and tensor.dim() for tensor in tensors):
        return None
    if type(dataset) is TensorDataset:
        return Gather(tensors, None, slow)
    indices = dataset.indices
    if type(indices) is not list or not indices or not all(type(index) is int for index in indices):
        return None
    if min(indices) < 0 or max(indices) >= len(dataset.dataset):
        return None
    return Gather(tensors, _C.tensor(indices), slow)


def _is_part(dataset: Any) -> bool:
    return type(dataset) is Subset and type(dataset.dataset) is TensorDataset
