"""Collectives that are part of the graph. There is one process: what each would send to the others it has already.

All raise ValueError before init_process_group().
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._C import Tensor
from .._group import world


def broadcast(tensor: Tensor, src: int, group: Any = None) -> Tensor:
    """The tensor of process `src`, which is this one."""
    world(group)
    return tensor.clone()


def gather(tensor: Tensor, dst: int = 0, group: Any = None) -> tuple[Tensor, ...]:
    """The tensors of all processes."""
    world(group)
    return (tensor.clone(),)


def scatter(tensors: Sequence[Tensor], src: int = 0, group: Any = None) -> Tensor:
    """The tensor meant for this process."""
    world(group)
    return tensors[0].clone()


def reduce(tensor: Tensor, dst: int, op: Any = None, group: Any = None) -> Tensor:
    """The reduction over all processes."""
    world(group)
    return tensor.clone()


def reduce_scatter(output: Tensor, input_list: Sequence[Tensor], op: Any = None, group: Any = None) -> Tensor:
    """The reduction of what is meant for this process."""
    world(group)
    return input_list[0].clone()


def all_gather(tensor: Tensor, group: Any = None) -> tuple[Tensor, ...]:
    """The tensors of all processes."""
    world(group)
    return (tensor.clone(),)


def all_to_all(
    output_tensor_list: Sequence[Tensor], input_tensor_list: Sequence[Tensor], group: Any = None
) -> tuple[Tensor, ...]:
    """What all processes have for this one."""
    world(group)
    return tuple(tensor.clone() for tensor in input_tensor_list)


def all_reduce(tensor: Tensor, op: Any = None, group: Any = None) -> Tensor:
    """The reduction over all processes.

    >>> import gradcore
    >>> from gradcore import distributed
    >>> distributed.init_process_group("gloo", rank=0, world_size=1)
    >>> distributed.nn.functional.all_reduce(gradcore.ones(2))
    tensor([1., 1.])
    >>> distributed.destroy_process_group()
    """
    world(group)
    return tensor.clone()
