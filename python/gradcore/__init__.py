"""gradcore: tensors, autograd and optimizers on the CPU with torch's names, semantics and errors.

`import gradcore as torch` runs a torch program. `__init__.pyi` lists the names; what is not an op is imported when it is
first asked for.
"""

from . import _C, _generator, _lazy, _tensor, _types  # noqa: F401  (these give the core's classes their Python methods)
from ._C import *  # noqa: F403  (the ops; _C holds nothing else public)

__version__ = _C.__version__
__getattr__, __dir__ = _lazy.attach(__name__)

# What torch has under such names, and public packages call.
_CALLED = ("_foreach_", "_standard_gamma", "_sample_dirichlet", "_dirichlet_grad")
globals().update({name: getattr(_C, name) for name in dir(_C) if name.startswith(_CALLED)})


def _name_of_core(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(f"module 'gradcore._C' has no attribute {name!r}")
    from ._compat.core import name_of_core

    return name_of_core(name)


_C.__getattr__ = _name_of_core  # type: ignore[attr-defined]
newaxis = None
