"""gradcore: tensors, autograd and optimizers on the CPU with torch's names, semantics and errors.

`import gradcore as torch` runs a torch program.
"""

from __future__ import annotations

from . import _C
from . import _tensor as _tensor
from . import autograd as autograd
from . import random as random
from ._C import *  # noqa: F403  (the ops; _C holds nothing else public)
from ._C import __version__ as __version__
from ._modes import enable_grad as enable_grad
from ._modes import inference_mode as inference_mode
from ._modes import no_grad as no_grad
from ._modes import set_grad_enabled as set_grad_enabled
from ._types import Size as Size
from ._types import contiguous_format as contiguous_format
from ._types import device as device
from ._types import get_default_device as get_default_device
from ._types import layout as layout
from ._types import memory_format as memory_format
from ._types import preserve_format as preserve_format
from ._types import set_default_device as set_default_device
from ._types import strided as strided
from .random import get_rng_state as get_rng_state
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import seed as seed
from .random import set_rng_state as set_rng_state

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

    from . import func as func
    from . import nn as nn
    from . import optim as optim
    from . import return_types as return_types
    from . import testing as testing
    from . import utils as utils
    from ._asarray import asarray as asarray
    from ._serialization import load as load
    from ._serialization import save as save
    from ._tensor_str import printoptions as printoptions
    from ._tensor_str import set_printoptions as set_printoptions
    from ._type_info import finfo as finfo
    from ._type_info import iinfo as iinfo

globals().update({name: getattr(_C, name) for name in dir(_C) if name.startswith("_foreach_")})

pi = 3.141592653589793  # the module math is a file of its own, which to load takes longer than this one
e = 2.718281828459045
inf = 1e400  # beyond the largest double
nan = inf - inf
float = _C.float32
double = _C.float64
long = _C.int64
int = _C.int32
short = _C.int16
newaxis = None

# What most programs never touch is imported when it is first asked for: `import gradcore` takes milliseconds.
_LAZY = {
    "optim": ("optim", None),
    "func": ("func", None),
    "vmap": ("func", "vmap"),
    "nn": ("nn", None),
    "utils": ("utils", None),
    "testing": ("testing", None),
    "return_types": ("return_types", None),
    "asarray": ("_asarray", "asarray"),
    "save": ("_serialization", "save"),
    "load": ("_serialization", "load"),
    "set_printoptions": ("_tensor_str", "set_printoptions"),
    "printoptions": ("_tensor_str", "printoptions"),
    "finfo": ("_type_info", "finfo"),
    "iinfo": ("_type_info", "iinfo"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'gradcore' has no attribute {name!r}")
    import importlib

    module, attribute = _LAZY[name]
    value = importlib.import_module(f".{module}", __name__)
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def show_config() -> str:
    """How this gradcore was built and what it runs on: version, instruction set, threads and their layer, compiler.

    >>> import gradcore
    >>> print(gradcore.show_config())  # doctest: +ELLIPSIS
    gradcore ...
    """
    info = _C._build_info()
    missing = f" (no openmp: {info['openmp_missing']})" if info["openmp_missing"] else ""
    return (
        f"gradcore {info['version']}\n  instruction set: {info['isa']}\n"
        f"  threads: {info['threads']}\n  threading layer: {info['threading_layer']}{missing}\n"
        f"  compiler: {info['compiler']}"
    )
