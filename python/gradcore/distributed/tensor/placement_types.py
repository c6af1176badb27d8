"""How a tensor would lie on several processes. Programs keep such values in tables, and a process alone has no use for
them: nothing is laid out."""

from __future__ import annotations

from dataclasses import dataclass


class Placement:
    """A layout along one dimension of a mesh of processes."""

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether each process would hold a part, along `dim` where that is given."""
        return isinstance(self, Shard) and dim in (None, self.dim)

    def is_replicate(self) -> bool:
        """Whether each process would hold the whole."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Whether each process would hold a summand, of the reduction `reduce_op` where that is given."""
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)


@dataclass(frozen=True)
class Shard(Placement):
    """Each process would hold a part along `dim`.

    >>> from gradcore.distributed.tensor import Shard
    >>> str(Shard(1)), Shard(1).is_shard(), Shard(1) == Shard(0)
    ('S(1)', True, False)
    """

    dim: int

    def __str__(self) -> str:
        return f"S({self.dim})"


@dataclass(frozen=True)
class Replicate(Placement):
    """Each process would hold the whole."""

    def __str__(self) -> str:
        return "R"


@dataclass(frozen=True)
class Partial(Placement):
    """Each process would hold a summand, or what else `reduce_op` puts together."""

    reduce_op: str = "sum"

    def __repr__(self) -> str:
        return f"Partial({self.reduce_op})"

    def __str__(self) -> str:
        return f"P({self.reduce_op})"


@dataclass(frozen=True)
class _StridedShard(Placement):
    dim: int
    split_factor: int

    def __repr__(self) -> str:
        return f"_StridedShard(dim={self.dim}, sf={self.split_factor})"

    def __str__(self) -> str:
        return f"_S({self.dim}, {self.split_factor})"
