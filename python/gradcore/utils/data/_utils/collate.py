"""Collation: samples become a batch."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from .... import _C
from ...._C import Tensor

np_str_obj_array_pattern = re.compile(r"[SaUO]")  # kinds of NumPy arrays that are no numbers; a name of torch
_ONLY = "batch must contain tensors, numpy arrays, numbers, dicts or lists; found"


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "dtype")


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def default_convert(data: Any) -> Any:
    """NumPy arrays become tensors, also inside of dicts, tuples and lists; anything else stays as it is.

    >>> from gradcore.utils.data import default_convert
    >>> import numpy
    >>> default_convert([numpy.arange(2), "text"])
    [tensor([0, 1]), 'text']
    """
    if isinstance(data, Tensor):
        return data
    if _is_array(data):
        return data if np_str_obj_array_pattern.search(data.dtype.str) else _C.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(item) for key, item in data.items()})
    if _is_named_tuple(data):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(item) for item in data])
    return data


# A dataset's own containers come back as such, with whatever else they carry; those that cannot be copied as plain ones.
def _like_mapping(sample: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    try:
        if not isinstance(sample, MutableMapping):
            return type(sample)(items)  # type: ignore[call-arg]
        clone = copy.copy(sample)
        clone.update(items)
        return clone
    except TypeError:
        return items


def _like_sequence(sample: Sequence[Any], items: list[Any]) -> Any:
    try:
        if not isinstance(sample, MutableSequence):
            return type(sample)(items)  # type: ignore[call-arg]
        clone = copy.copy(sample)
        for i, item in enumerate(items):
            clone[i] = item
        return clone
    except TypeError:
        return items


def collate(batch: Any, *, collate_fn_map: dict[Any, Callable[..., Any]] | None = None) -> Any:
    """A batch of samples: `collate_fn_map` says for a class how a list of its instances becomes one value.

    Dicts, named tuples, tuples and lists are taken apart first. Raises TypeError for anything else, RuntimeError for lists
    of different lengths.
    """
    sample = batch[0]
    for kind, function in (collate_fn_map or {}).items():
        if type(sample) is kind:
            return function(batch, collate_fn_map=collate_fn_map)
    for kind, function in (collate_fn_map or {}).items():
        if isinstance(sample, kind):
            return function(batch, collate_fn_map=collate_fn_map)

    def together(samples: Any) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(sample, Mapping):
        return _like_mapping(sample, {key: together([item[key] for item in batch]) for key in sample})
    if _is_named_tuple(sample):
        return type(sample)(*(together(samples) for samples in zip(*batch)))
    if isinstance(sample, Sequence):
        if any(len(item) != len(sample) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [together(samples) for samples in zip(*batch)]
        return columns if isinstance(sample, tuple) else _like_sequence(sample, columns)
    raise TypeError(f"default_collate: {_ONLY} {type(sample)}")


def collate_tensor_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Tensors are stacked."""
    return _C.stack(tuple(batch), 0)


def collate_float_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Floats become a tensor of float64."""
    return _C.tensor(batch, dtype=_C.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Ints become a tensor of int64."""
    return _C.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Strings stay as they are."""
    return batch


def _collate_array(batch: Any) -> Any:
    if isinstance(batch[0], (str, bytes)):  # of numpy.str_ and numpy.bytes_
        return batch
    if np_str_obj_array_pattern.search(batch[0].dtype.str):
        raise TypeError(f"default_collate: {_ONLY} {batch[0].dtype}")
    if batch[0].shape == ():
        return _C.as_tensor(batch)
    return collate([_C.as_tensor(array) for array in batch], collate_fn_map=default_collate_fn_map)


default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


class _Arrays(type):
    """The class of NumPy's arrays and scalars, without an import of NumPy."""

    def __instancecheck__(cls, value: object) -> bool:
        return _is_array(value)


class _AnyArray(metaclass=_Arrays):
    """An array or a scalar of NumPy."""


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Arrays are stacked, scalars become a tensor."""
    return _collate_array(batch)


# Before float: np.float64 is a subclass of it.
default_collate_fn_map = {Tensor: collate_tensor_fn, _AnyArray: collate_numpy_array_fn, **default_collate_fn_map}


def default_collate(batch: Any) -> Any:
    """A batch of samples: tensors and arrays are stacked, numbers become tensors, strings lists.

    Dicts stay dicts of batches, tuples become lists of batches, other sequences stay what they are.

    >>> from gradcore.utils.data import default_collate
    >>> default_collate([(0, "a"), (1, "b")])
    [tensor([0, 1]), ('a', 'b')]

    Raises TypeError for samples of any other kind, RuntimeError for samples of different lengths or shapes.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
