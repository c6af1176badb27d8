"""How torch's optimizers sort tensors before they call the kernels for lists; packages with optimizers import these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._C import Tensor, dtype
from .._types import device

Lists = list[list[Tensor | None]]


def _get_foreach_kernels_supported_devices() -> list[str]:
    """Types of devices for which torch prefers the kernels for lists. None of them is here."""
    return ["cuda", "xpu", "mtia", "privateuseone"]


def _get_fused_kernels_supported_devices() -> list[str]:
    """Types of devices that have one kernel for a whole step."""
    return ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


def _device_has_foreach_support(device: device) -> bool:
    """Whether there are kernels for lists on that device."""
    return device.type in (*_get_foreach_kernels_supported_devices(), "cpu")


def _has_foreach_support(tensors: Sequence[Any], device: device) -> bool:
    """Whether the kernels for lists take these tensors."""
    return _device_has_foreach_support(device) and all(t is None or isinstance(t, Tensor) for t in tensors)


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Tensor | None]], with_indices: bool = False
) -> dict[tuple[device, dtype], tuple[Lists, list[int]]]:
    """Several lists of equal lengths, sorted into groups by the dtype of the first list's tensors.

    with_indices: each group also gets the places that its tensors had.

    >>> import gradcore as torch
    >>> from gradcore.utils._foreach_utils import _group_tensors_by_device_and_dtype
    >>> lists = [[torch.ones(1), torch.zeros(1, dtype=torch.float64), torch.ones(2)]]
    >>> [(str(kind), places) for (_, kind), (_, places) in _group_tensors_by_device_and_dtype(lists, True).items()]
    [('torch.float32', [0, 2]), ('torch.float64', [1])]
    """
    groups: dict[tuple[device, dtype], tuple[Lists, list[int]]] = {}
    for index, tensors in enumerate(zip(*tensorlistlist, strict=True)):
        first = tensors[0]
        if first is None:
            raise RuntimeError("the first list holds a tensor at each place")
        lists, places = groups.setdefault((first.device, first.dtype), ([[] for _ in tensors], []))
        for own, tensor in zip(lists, tensors, strict=True):
            own.append(tensor)
        if with_indices:
            places.append(index)
    return groups
