"""torch.distributed for a single process: a group of one, in which nothing is sent anywhere.

Programs that can run alone call init_process_group() with a world of one, or none at all. More processes are refused.
"""

from __future__ import annotations

import os
from typing import Any

from .._C import Tensor
from .._compat.absent import absent, absent_modules
from . import autograd as autograd
from . import constants as constants
from . import elastic as elastic
from . import nn as nn
from . import optim as optim
from . import rpc as rpc
from . import tensor as tensor
from ._group import ProcessGroup as ProcessGroup
from ._group import group as group
from ._group import world as _world

_WHY = "gradcore runs in a single process and sends nothing"
_FSDP = (
    "BackwardPrefetch CPUOffload CPUOffloadPolicy FSDPModule FullStateDictConfig FullyShardedDataParallel MixedPrecision "
    "MixedPrecisionPolicy OffloadPolicy OptimStateKeyType ShardingStrategy StateDictType fully_shard"
)
__getattr__ = absent(
    __name__,
    "DeviceMesh FileStore HashStore P2POp PrefixStore Store TCPStore Work all_to_all all_to_all_single batch_isend_irecv "
    "gather_object init_device_mesh irecv isend new_subgroups recv reduce_scatter_tensor scatter_object_list send",
    _WHY,
)
absent_modules(
    __name__,
    {
        "_composable": "",
        "_composable.fsdp": "FSDPModule fully_shard",
        "_functional_collectives": "AsyncCollectiveTensor all_gather_tensor all_gather_tensor_autograd all_reduce "
        "all_to_all_single all_to_all_single_autograd broadcast reduce_scatter_tensor reduce_scatter_tensor_autograd "
        "wait_tensor",
        "_tensor": "DTensor DeviceMesh Replicate Shard distribute_tensor",
        "_tensor.experimental": "implicit_replication",
        "algorithms": "",
        "algorithms._checkpoint": "",
        "algorithms._checkpoint.checkpoint_wrapper": "CheckpointImpl CheckpointWrapper apply_activation_checkpointing "
        "checkpoint_wrapper",
        "algorithms.ddp_comm_hooks": "",
        "algorithms.ddp_comm_hooks.default_hooks": "allreduce_hook bf16_compress_hook fp16_compress_hook",
        "algorithms.ddp_comm_hooks.post_localSGD_hook": "PostLocalSGDState post_localSGD_hook",
        "algorithms.ddp_comm_hooks.powerSGD_hook": "PowerSGDState powerSGD_hook",
        "algorithms.join": "Join Joinable JoinHook",
        "algorithms.model_averaging": "",
        "algorithms.model_averaging.averagers": "ModelAverager PeriodicModelAverager",
        "checkpoint": "DefaultLoadPlanner DefaultSavePlanner FileSystemReader FileSystemWriter StorageReader StorageWriter "
        "async_save load load_state_dict save save_state_dict",
        "checkpoint.default_planner": "DefaultLoadPlanner DefaultSavePlanner",
        "checkpoint.format_utils": "_EmptyStateDictLoadPlanner dcp_to_torch_save torch_save_to_dcp",
        "checkpoint._consolidate_hf_safetensors": "consolidate_safetensors_files",
        "checkpoint.hf_storage": "HuggingFaceStorageReader HuggingFaceStorageWriter",
        "checkpoint.optimizer": "load_sharded_optimizer_state_dict",
        "checkpoint.state_dict": "StateDictOptions get_model_state_dict get_optimizer_state_dict get_state_dict "
        "set_model_state_dict set_optimizer_state_dict set_state_dict",
        "checkpoint.state_dict_loader": "_load_state_dict",
        "device_mesh": "DeviceMesh init_device_mesh",
        "fsdp": _FSDP,
        "fsdp.api": "FullOptimStateDictConfig ShardedOptimStateDictConfig ShardedStateDictConfig " + _FSDP,
        "fsdp.fully_sharded_data_parallel": _FSDP,
        "fsdp.sharded_grad_scaler": "ShardedGradScaler",
        "fsdp.wrap": "ModuleWrapPolicy enable_wrap size_based_auto_wrap_policy transformer_auto_wrap_policy wrap",
        "pipelining": "PipelineStage Schedule1F1B ScheduleGPipe SplitPoint pipe_split pipeline",
    },
    _WHY,
)


class ReduceOp:
    """Names of reductions; in a group of one they all leave a tensor as it is."""

    SUM, PRODUCT, MIN, MAX, BAND, BOR, BXOR, AVG = "SUM PRODUCT MIN MAX BAND BOR BXOR AVG".split()
    RedOpType = str


reduce_op = ReduceOp


class Backend(str):
    """The name of a backend."""

    UNDEFINED, GLOO, NCCL, MPI = "undefined", "gloo", "nccl", "mpi"


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
