"""What packages that extend torch's vmap take from torch._functorch.vmap: its type hints and its steps."""

from __future__ import annotations

from typing import Any

from .._C import Tensor as Tensor
from .._compat.functorch_of_core import _add_batch_dim as _add_batch_dim
from .._compat.functorch_of_core import _remove_batch_dim, is_batchedtensor
from .._compat.functorch_of_core import _vmap_decrement_nesting as _vmap_decrement_nesting
from .._compat.functorch_of_core import _vmap_increment_nesting as _vmap_increment_nesting
from ..utils._pytree import _broadcast_to_and_flatten as _broadcast_to_and_flatten
from ..utils._pytree import tree_flatten as tree_flatten
from ..utils._pytree import tree_map_ as tree_map_
from ..utils._pytree import tree_unflatten as tree_unflatten

in_dims_t = int | tuple[Any, ...]
out_dims_t = int | tuple[int, ...]


def _get_name(func: Any) -> str:
    """How messages call a function."""
    name: str = getattr(func, "__name__", None) or repr(func)
    return name


def _maybe_remove_batch_dim(name: str, output: Any, level: int, batch_size: int, out_dim: int | None) -> Any:
    """An output of a mapped function as its caller gets it. Raises ValueError for one that does not fit its out_dim."""
    if out_dim is None:
        if isinstance(output, Tensor) and is_batchedtensor(output):
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return output
    if not isinstance(output, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. "
            "Did you mean to set out_dims= to None for output?"
        )
    return _remove_batch_dim(output, level, batch_size, out_dim)
