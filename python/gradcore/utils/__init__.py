"""gradcore.utils: data loading, gradient checkpointing, handles of hooks, timing, TensorBoard."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(
    __name__, star_submodules=("checkpoint", "collect_env", "data", "deterministic", "dlpack", "hooks", "weak")
)
