"""torch.distributed.tensor: placements are values; a tensor that lies on several processes is refused."""

from ..._compat.absent import absent, absent_modules
from .placement_types import Partial as Partial
from .placement_types import Placement as Placement
from .placement_types import Replicate as Replicate
from .placement_types import Shard as Shard

_WHY = "gradcore runs in a single process and sends nothing"
__getattr__ = absent(__name__, "DTensor DeviceMesh distribute_module distribute_tensor", _WHY)
absent_modules(
    __name__,
    {
        "_utils": "compute_global_tensor_info compute_local_shape compute_local_shape_and_global_offset",
        "experimental": "context_parallel implicit_replication",
        "parallel": "ColwiseParallel ParallelStyle PrepareModuleInput RowwiseParallel SequenceParallel loss_parallel "
        "parallelize_module",
    },
    _WHY,
)
