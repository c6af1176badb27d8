"""torch._C._functorch: what packages ask there of the tensors inside of func.vmap(). The transforms themselves are in func."""

from __future__ import annotations

from typing import Any


def is_batchedtensor(tensor: Any) -> bool:
    """Whether a running vmap maps over the tensor."""
    from .. import _C

    return bool(_C._batch_levels(tensor))


def is_functorch_wrapped_tensor(tensor: Any) -> bool:
    """Whether it is a tensor of a running transform, of which only vmap changes what a tensor is here."""
    return is_batchedtensor(tensor)


def get_unwrapped(tensor: Any) -> Any:
    """The tensor with the batch dim of the innermost vmap that maps over it. Raises RuntimeError where none does."""
    from .._transforms.vmap import debug_unwrap

    if not is_batchedtensor(tensor):
        raise RuntimeError("No wrappers present!")
    return debug_unwrap(tensor, recurse=False)


def _running(level: int) -> Any:
    from .._transforms.running import running
    from .._transforms.vmap import BatchLevel

    for transform in running.transforms:
        if isinstance(transform, BatchLevel) and transform.number == level:
            return transform
    raise RuntimeError(f"no vmap of level {level} is running")


def _add_batch_dim(tensor: Any, in_dim: int, level: int) -> Any:
    """The tensor as the vmap of that level maps over its dim."""
    return _running(level).add_batch_dim(tensor, in_dim % tensor.dim())


def _remove_batch_dim(tensor: Any, level: int, batch_size: int, out_dim: int) -> Any:
    """The tensor with what the vmap of that level maps over as an ordinary dim."""
    return _running(level).remove_batch_dim(tensor, out_dim)


def _vmap_increment_nesting(batch_size: int, randomness: str) -> int:
    """Begins a vmap and returns its level."""
    from .._transforms.vmap import BatchLevel

    return BatchLevel(batch_size, randomness).__enter__().number


def _vmap_decrement_nesting() -> int:
    """Ends the innermost vmap and returns its level."""
    from .._transforms.running import running

    innermost = running.transforms[-1]
    innermost.__exit__(None, None, None)
    level: int = innermost.number
    return level
