"""Custom Functions inside vmap. Start at `apply_in_vmap`.

A Function either says that its rules are made of ops (`generate_vmap_rule`), and then runs on batches as any ops do, or
has a rule for batches (`vmap`), which is called outside of the level and sees the batch dim. What is recorded then
depends on who differentiates. A transform around the vmap sees what the rule does: vmap comes first. For one inside of it
(grad, jvp and the like within the mapped function) the Function is one op with its own backward and jvp, and the rule
only computes its values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._C import Tensor
from ..utils._pytree import _broadcast_to_and_flatten as spread
from ..utils._pytree import tree_flatten, tree_unflatten
from .running import running
from .vmap import BatchLevel, PlainLevel

_MORE = "See https://docs.pytorch.org/docs/stable/notes/extending.func.html"


class VmapInfo(NamedTuple):
    """The first argument of a rule for batches: the number of samples, and vmap's randomness."""

    batch_size: int
    randomness: str


def apply_in_vmap(cls: Any, args: tuple[Any, ...], has_rule: bool) -> Any:
    """`cls.apply(*args)` under a vmap. Raises RuntimeError for a Function that cannot be mapped.

    has_rule: whether the Function overrides `vmap`.
    """
    if all(isinstance(transform, PlainLevel) for transform in running.transforms):
        return cls._call(cls.forward, args)
    if cls._bind is None:
        cls._refuse_without_setup()
    if cls.generate_vmap_rule and has_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap "
            f"staticmethod. Leave out one of them. {_MORE}"
        )
    if cls.generate_vmap_rule:
        return cls._call(cls.forward, args)
    if not has_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement "
            f"the vmap staticmethod or set generate_vmap_rule=True. {_MORE}"
        )

    level = next(transform for transform in reversed(running.transforms) if isinstance(transform, BatchLevel))

    def forward(*args: Any) -> Any:
        return _by_rule(cls, level, args)

    return forward(*args) if running.transforms[-1] is level else cls._call(forward, args)


def _by_rule(cls: Any, level: BatchLevel, args: tuple[Any, ...]) -> Any:
    flat, structure = tree_flatten(args)
    in_dims = [level.dim_of(value) if level.has(value) else None for value in flat]
    batches = [value if dim is None else level.remove_batch_dim(value, dim) for value, dim in zip(flat, in_dims)]
    whole = tree_unflatten(batches, structure)
    with level.suspended():
        if all(dim is None for dim in in_dims):
            return cls.apply(*whole)
        info = VmapInfo(level.size, level.randomness)
        result = cls.vmap(info, tree_unflatten(in_dims, structure), *whole)
    outputs, out_dims, structure = _checked_result(result)
    given = {id(a): b for a, b in zip(batches, flat)}  # an input that was written to is still the same tensor
    return tree_unflatten([_with_batch_dim(out, dim, level, given) for out, dim in zip(outputs, out_dims)], structure)


def _checked_result(result: Any) -> tuple[list[Any], list[Any], Any]:
    """(flat outputs, the dim of the batch in each, their structure) of what a rule returned."""
    expected = "Expected the vmap staticmethod to have two returns, the output and the dims that the batch has in it; "
    if not isinstance(result, tuple):
        raise RuntimeError(f"{expected}it gave a {type(result)}")
    if len(result) != 2:
        raise RuntimeError(f"{expected}it gave {len(result)}")
    outputs, structure = tree_flatten(result[0])
    out_dims = spread(result[1], structure)
    if out_dims is None:
        raise RuntimeError(
            f"The vmap staticmethod returned an incompatible (output, out_dims) tuple: out_dims={result[1]} does not fit "
            f"the structure of the output, {structure}. {_MORE}"
        )
    return outputs, out_dims, structure


def _with_batch_dim(out: Any, dim: Any, level: BatchLevel, given: dict[int, Any]) -> Any:
    if id(out) in given:
        return given[id(out)]
    if dim is None or not isinstance(out, Tensor):
        return out
    if out.shape[dim] != level.size:
        raise RuntimeError(
            f"The autograd.Function's vmap staticmethod returned a tensor of shape {tuple(out.shape)}, which has not the "
            f"batch size {level.size} in its dim {dim}"
        )
    return level.add_batch_dim(out, dim)
