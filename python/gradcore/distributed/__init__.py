"""torch.distributed for a single process: a group of one, in which nothing is sent anywhere.

Programs that can run alone call init_process_group() with a world of one, or none at all. More processes are refused.
"""

from __future__ import annotations

import os
from typing import Any

from .._C import Tensor
from .._compat.absent import absent
from . import autograd as autograd
from . import elastic as elastic
from . import optim as optim
from . import rpc as rpc

__getattr__ = absent(
    __name__,
    "DeviceMesh FileStore HashStore P2POp PrefixStore Store TCPStore Work all_to_all all_to_all_single batch_isend_irecv "
    "gather_object init_device_mesh irecv isend new_subgroups recv reduce_scatter_tensor scatter_object_list send "
    "fsdp tensor algorithms",
    "gradcore runs in a single process and sends nothing",
)


class ReduceOp:
    """Names of reductions; in a group of one they all leave a tensor as it is."""

    SUM, PRODUCT, MIN, MAX, BAND, BOR, BXOR, AVG = "SUM PRODUCT MIN MAX BAND BOR BXOR AVG".split()
    RedOpType = str


reduce_op = ReduceOp


class Backend(str):
    """The name of a backend."""

    UNDEFINED, GLOO, NCCL, MPI = "undefined", "gloo", "nccl", "mpi"


class ProcessGroup:
    """A group of one process."""

    def rank(self) -> int:
        """0."""
        return 0

    def size(self) -> int:
        """1."""
        return 1


class group:
    """`group.WORLD` is the group of this process while there is one."""

    WORLD: ProcessGroup | None = None


class _Done:
    """What an asynchronous call returns: it is done."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


_backend = "gloo"


def is_available() -> bool:
    """True: a group of one process can be made.

    >>> import gradcore
    >>> gradcore.distributed.is_available(), gradcore.distributed.is_initialized()
    (True, False)
    """
    return True


def is_initialized() -> bool:
    """Whether init_process_group() was called."""
    return group.WORLD is not None


def is_nccl_available() -> bool:
    """False."""
    return False


is_mpi_available = is_ucc_available = is_xccl_available = is_gloo_available = is_nccl_available


def is_torchelastic_launched() -> bool:
    """Whether the process was started by torch's launcher."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Makes the group of this process alone; without `world_size` the variable WORLD_SIZE counts, as in torch.

    Raises NotImplementedError for more than one process, ValueError when the group is there already.
    """
    global _backend
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size == -1 else world_size
    if size != 1:
        raise NotImplementedError(f"init_process_group: gradcore runs in a single process, not in {size}")
    _backend = (backend or "gloo").lower()
    group.WORLD = ProcessGroup()


def destroy_process_group(group: Any = None) -> None:
    """Ends the group."""
    _world(group)
    _clear()


def _clear() -> None:
    group.WORLD = None


def _world(of: Any = None) -> ProcessGroup:
    if group.WORLD is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return group.WORLD


def new_group(ranks: Any = None, *args: Any, **kwargs: Any) -> ProcessGroup:
    """The group of this process."""
    return _world()


def get_rank(group: Any = None) -> int:
    """0. Raises ValueError before init_process_group()."""
    return _world(group).rank()


def get_world_size(group: Any = None) -> int:
    """1. Raises ValueError before init_process_group()."""
    return _world(group).size()


def get_backend(group: Any = None) -> str:
    """The name that init_process_group() was given."""
    _world(group)
    return _backend


def get_default_backend_for_device(device: Any) -> str:
    """'gloo'."""
    return "gloo"


def get_process_group_ranks(group: Any = None) -> list[int]:
    """[0]."""
    _world(group)
    return [0]


def _one(group: Any, async_op: bool) -> _Done | None:
    _world(group)
    return _Done() if async_op else None


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> _Done | None:
    """Waits for nobody."""
    return _one(group, async_op)


monitored_barrier = barrier


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> _Done | None:
    """Leaves the tensor as it is: it is its own sum."""
    return _one(group, async_op)


def reduce(
    tensor: Tensor, dst: int = 0, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False, **_: Any
) -> _Done | None:
    """Leaves the tensor as it is: it is its own sum."""
    return _one(group, async_op)


def broadcast(tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False, **_: Any) -> _Done | None:
    """Leaves the tensor as it is."""
    return _one(group, async_op)


def broadcast_object_list(object_list: list[Any], src: int = 0, group: Any = None, *args: Any, **_: Any) -> None:
    """Leaves the list as it is."""
    _world(group)


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> _Done | None:
    """Copies the tensor into the only tensor of the list."""
    tensor_list[0].copy_(tensor)
    return _one(group, async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Puts the object into the list."""
    _world(group)
    object_list[0] = obj


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> _Done | None:
    """Copies the input into the output."""
    output_tensor.copy_(input_tensor.reshape(output_tensor.shape))
    return _one(group, async_op)


def gather(
    tensor: Tensor,
    gather_list: list[Tensor] | None = None,
    dst: int = 0,
    group: Any = None,
    async_op: bool = False,
    **_: Any,
) -> _Done | None:
    """Copies the tensor into the only tensor of the list."""
    if gather_list:
        gather_list[0].copy_(tensor)
    return _one(group, async_op)


def scatter(
    tensor: Tensor,
    scatter_list: list[Tensor] | None = None,
    src: int = 0,
    group: Any = None,
    async_op: bool = False,
    **_: Any,
) -> _Done | None:
    """Copies the only tensor of the list into the tensor."""
    if scatter_list:
        tensor.copy_(scatter_list[0])
    return _one(group, async_op)


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> _Done | None:
    """Copies the only tensor of the list into the output."""
    output.copy_(input_list[0])
    return _one(group, async_op)
