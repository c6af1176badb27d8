"""torch.nn.parallel.scatter_gather and its neighbours, on a machine without GPUs: what holds no tensors is spread as torch
spreads it, tensors are refused with torch's errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import Tensor, device

__all__ = ["gather", "scatter", "scatter_kwargs"]


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """A list with the inputs for each device; what is no tensor, and no container of some, goes to all of them.

    Raises ValueError or AssertionError for a tensor: there are no GPUs.

    >>> import gradcore
    >>> gradcore.nn.parallel.scatter({"alpha": 2}, [0, 1])
    [{'alpha': 2}, {'alpha': 2}]
    """
    if isinstance(inputs, Tensor):
        _refuse(target_gpus[0])
    if isinstance(inputs, tuple) and inputs:
        pieces = zip(*(scatter(item, target_gpus, dim) for item in inputs), strict=True)
        return [type(inputs)(*piece) if is_namedtuple(inputs) else tuple(piece) for piece in pieces]
    if isinstance(inputs, list) and inputs:
        return [list(piece) for piece in zip(*(scatter(item, target_gpus, dim) for item in inputs), strict=True)]
    if isinstance(inputs, dict) and inputs:
        values = (scatter(value, target_gpus, dim) for value in inputs.values())
        return [type(inputs)(zip(inputs, piece, strict=True)) for piece in zip(*values, strict=True)]
    return [inputs for _ in target_gpus]


def scatter_kwargs(
    inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Sequence[Any], dim: int = 0
) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
    """scatter() of positional arguments and of those by name: a tuple for each device, and a dict.

    >>> import gradcore
    >>> gradcore.nn.parallel.scatter_gather.scatter_kwargs((1,), {"a": 2}, [0, 1])
    (((1,), (1,)), ({'a': 2}, {'a': 2}))
    """
    arguments = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    count = max(len(arguments), len(named))
    arguments += [() for _ in range(count - len(arguments))]
    named += [{} for _ in range(count - len(named))]
    return tuple(arguments), tuple(named)


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """What several devices computed, on one of them. On a machine without GPUs there is nothing of the kind.

    Raises AssertionError for tensors, TypeError for what is no container. None stays None.
    """
    first = outputs[0]
    if isinstance(first, Tensor):
        raise AssertionError("Gather function not implemented for CPU tensors")
    if first is None:
        return None
    if isinstance(first, Mapping):
        return type(first)((key, gather([each[key] for each in outputs], target_device, dim)) for key in first)  # type: ignore[call-arg]
    parts = [gather(part, target_device, dim) for part in zip(*outputs, strict=True)]
    return type(first)(*parts) if is_namedtuple(first) else type(first)(parts)


def replicate(network: Any, devices: Sequence[Any], detach: bool = False) -> list[Any]:
    """A copy of a module for each device.

    Raises ValueError or AssertionError for a module with parameters or buffers: there are no GPUs.

    >>> import gradcore
    >>> gradcore.nn.parallel.replicate(gradcore.nn.ReLU(), [0, 1])
    [ReLU(), ReLU()]
    """
    from copy import deepcopy

    if any(True for _ in network.parameters()) or any(True for _ in network.buffers()):
        if _is_cpu(devices[0]):
            raise ValueError(f"Expected a non cpu device, but got: {devices[0]}")
        raise AssertionError("Broadcast function not implemented for CPU tensors")
    return [deepcopy(network) for _ in devices]


def parallel_apply(modules: Sequence[Any], inputs: Sequence[Any], kwargs_tup: Any = None, devices: Any = None) -> Any:
    """Calls each module on its own GPU; there are none.

    Raises AssertionError for lists of different lengths, else ValueError or RuntimeError.
    """
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    if devices is not None and _is_cpu(devices[0]):
        raise ValueError(f"Expected a cuda device, but got: {devices[0]}")
    raise RuntimeError("Cannot access accelerator device when none is available.")


def is_namedtuple(obj: Any) -> bool:
    """Whether it is an instance of a collections.namedtuple.

    >>> import collections, gradcore
    >>> Pair = collections.namedtuple("Pair", "a b")
    >>> gradcore.nn.parallel.scatter_gather.is_namedtuple(Pair(1, 2))
    True
    """
    return isinstance(obj, tuple) and hasattr(obj, "_asdict") and hasattr(obj, "_fields")


def _is_cpu(place: Any) -> bool:
    return not isinstance(place, int) and device(place).type == "cpu"


def _refuse(place: Any) -> None:
    if _is_cpu(place):
        raise ValueError(f"Expected a non cpu device, but got: {place}")
    raise AssertionError("Scatter function not implemented for CPU tensors")
