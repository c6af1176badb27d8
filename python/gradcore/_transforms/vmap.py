"""vmap: a function of single samples becomes one of batches. Start at `vmap`; Note [Batch dims] in cpp/tensor/batch.h
says how the function does not see the batch. There is no loop over samples.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import _C
from .._C import Tensor
from ..utils._pytree import _broadcast_to_and_flatten as spread
from ..utils._pytree import tree_flatten, tree_leaves, tree_unflatten
from .running import DIFFERENTIATION, running

_RANDOMNESS = {"error": 0, "same": 1, "different": 2}
_IN_DIMS = "`in_dims` to be int or a (potentially nested) tuple matching the structure of inputs"


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that maps func over a dim of its arguments, all samples at once.

    in_dims: which dim of each tensor is mapped over, None for an argument that all samples share; one number for all
    arguments or a tuple of the structure of the arguments. out_dims: where that dim stands in each output; None for an
    output that is the same for all samples. randomness: what random ops do inside, "error", "same" or "different" numbers
    for the samples. chunk_size: at most so many samples at a time.

    Maps nest with each other and with grad, vjp, jvp and the Jacobians. Inside, a program may not ask for the values of a
    mapped tensor (item(), if, masks as indices): that raises RuntimeError. Raises ValueError for dims that do not fit
    the arguments or outputs, for sizes that differ, for outputs that are not tensors and for no arguments. See
    https://pytorch.org/docs/stable/generated/torch.func.vmap.html

    >>> import gradcore
    >>> dot = gradcore.func.vmap(gradcore.dot)
    >>> dot(gradcore.tensor([[1.0, 2.0], [3.0, 4.0]]), gradcore.tensor([[1.0, 1.0], [0.0, 1.0]]))
    tensor([3., 4.])
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if randomness not in _RANDOMNESS:
            raise RuntimeError(
                f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
            )
        call = _Call(func, in_dims, out_dims, randomness, args)
        if chunk_size is None or chunk_size >= call.size:
            return call.run(call.inputs, call.size, kwargs)
        return call.run_in_chunks(chunk_size, kwargs)

    return wrapped


class BatchLevel:
    """A running vmap. Each mapped tensor keeps its batch dim in memory, and the function does not see it."""

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness = size, randomness
        self.number = 0
        # The batch dims of arguments that are mapped along another dim than the first.
        self._dims: dict[int, tuple[weakref.ref[Tensor], int]] = {}

    def __enter__(self) -> BatchLevel:
        self._around = running.transforms
        running.transforms = (*self._around, self)
        try:
            self.number = _C._enter_vmap(self.size, _RANDOMNESS[self.randomness])
        except BaseException:
            running.transforms = self._around
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        running.transforms = self._around
        _C._exit_vmap()

    def add_batch_dim(self, tensor: Tensor, dim: int) -> Tensor:
        """The tensor without its dim `dim`, which becomes the batch dim of this level."""
        batched = _C._hide_dim(tensor, dim, self.number)
        if dim != 0:
            self._dims[id(batched)] = weakref.ref(batched), dim
        return batched

    def dim_of(self, tensor: Tensor) -> int:
        """The dim at which a custom Function's rule sees the batch: the mapped one of an argument, else the first."""
        found, dim = self._dims.get(id(tensor), (None, 0))
        return dim if found is not None and found() is tensor else 0

    def remove_batch_dim(self, tensor: Tensor, dim: int) -> Tensor:
        """The tensor with its batch dim of this level as an ordinary dim; a tensor that has none is expanded."""
        return _C._show_level(tensor, self.number, dim, self.size)

    def has(self, value: Any) -> bool:
        return isinstance(value, Tensor) and self.number in _C._batch_levels(value)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """A context in which neither this level nor the transforms inside of it run."""
        all_running = running.transforms
        outside = all_running[: all_running.index(self)]
        left = _C._leave_transforms(DIFFERENTIATION not in outside)
        try:
            _C._leave_vmap(self.number)
            running.transforms = outside
            yield
        finally:
            running.transforms = all_running
            _C._return_to_vmap(self.number)
            _C._leave_transforms(left)


class PlainLevel(BatchLevel):
    """The level of a batched backward, which is older than func.vmap: the ops of a custom Function run on batches as any
    ops do, whatever the Function says about vmap."""

    def __init__(self, size: int) -> None:
        super().__init__(size, "error")

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        if "randomness error mode" in str(exception[1]):  # which this level has no flag for
            raise RuntimeError("vmap: We do not yet support calling random operations inside of vmap: do it before")


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """A tensor inside of vmap with its batch dim, for a look at it in a debugger; any other one as it is.

    recurse: with the batch dims of all vmaps around, else with that of the innermost. Nothing should be computed with the
    result.

    >>> import gradcore
    >>> from gradcore.func import debug_unwrap, vmap
    >>> def show(x):
    ...     print(x.shape, debug_unwrap(x).shape)
    ...     return x
    >>> _ = vmap(show)(gradcore.zeros(2, 3))
    torch.Size([3]) torch.Size([2, 3])
    """
    for level in reversed(running.transforms):
        if isinstance(level, BatchLevel) and level.has(tensor):
            tensor = level.remove_batch_dim(tensor, level.dim_of(tensor))
            if not recurse:
                break
    return tensor


def in_vmap() -> bool:
    """Whether a vmap runs in this thread."""
    return any(isinstance(transform, BatchLevel) for transform in running.transforms)


class _Call:
    """One call: which dims are mapped, and how many samples there are."""

    def __init__(self, func: Callable[..., Any], in_dims: Any, out_dims: Any, randomness: str, args: Any) -> None:
        self.func, self.out_dims, self.randomness = func, out_dims, randomness
        self.name = getattr(func, "__name__", repr(func))
        self.inputs, self.structure = tree_flatten(args)
        self.dims = self._checked_dims(in_dims, args)
        sizes = [t.shape[dim] for t, dim in zip(self.inputs, self.dims) if dim is not None]
        if not sizes:
            raise ValueError(f"vmap: Expected at least one Tensor to vmap over, but in_dims={in_dims}")
        if len(set(sizes)) > 1:
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                f"{sizes} for the mapped dimension"
            )
        self.size = sizes[0]

    def _call(self, in_dims: Any) -> str:
        return f"vmap({self.name}, in_dims={in_dims}, ...)(<inputs>)"

    def _checked_dims(self, in_dims: Any, args: Any) -> list[int | None]:
        if not isinstance(in_dims, (int, tuple)):
            raise ValueError(f"{self._call(in_dims)}: expected {_IN_DIMS}, got: {type(in_dims)}.")
        if not self.inputs:
            raise ValueError(
                f"vmap({self.name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
                "over a function with no inputs. The latter is unsupported."
            )
        dims = spread(in_dims, self.structure)
        if dims is None:
            raise ValueError(
                f"{self._call(in_dims)}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
                f"{tree_flatten(in_dims)[1]} but inputs has structure {self.structure}."
            )
        return [self._checked_dim(value, dim, in_dims) for value, dim in zip(self.inputs, dims)]

    def _checked_dim(self, value: Any, dim: Any, in_dims: Any) -> int | None:
        if dim is None:
            return None
        if not isinstance(dim, int):
            raise ValueError(
                f"{self._call(in_dims)}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(value, Tensor):
            raise ValueError(
                f"{self._call(in_dims)}: Got in_dim={dim} for an input but the input is of type {type(value)}. "
                "We cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        n = value.dim()
        if not -n <= dim < n:
            raise ValueError(
                f"{self._call(in_dims)}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
                f"{n} so expected in_dim to satisfy -{n} <= in_dim < {n}."
            )
        return dim % n

    def run(self, inputs: list[Any], size: int, kwargs: dict[str, Any]) -> Any:
        with BatchLevel(size, self.randomness) as level:
            samples = [t if dim is None else level.add_batch_dim(t, dim) for t, dim in zip(inputs, self.dims)]
            outputs, structure = tree_flatten(self.func(*tree_unflatten(samples, self.structure), **kwargs))
            dims = self._dims_of_outputs(structure)
            batched = [self._output(out, dim, level) for out, dim in zip(outputs, dims)]
        return tree_unflatten(batched, structure)

    def _dims_of_outputs(self, structure: Any) -> list[Any]:
        if any(not (dim is None or isinstance(dim, int)) for dim in tree_leaves(self.out_dims)):
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={self.out_dims}): `out_dims` must be an int, None or a python collection "
                "of ints representing where in the outputs the vmapped dimension should appear."
            )
        single = (
            structure.is_leaf() and isinstance(self.out_dims, tuple) and len(self.out_dims) == 1
        )  # torch takes (1,) for 1
        dims = spread(self.out_dims[0] if single else self.out_dims, structure)
        if dims is None:
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={self.out_dims})(<inputs>): out_dims is not compatible with the structure of "
                f"`outputs`. out_dims has structure {tree_flatten(self.out_dims)[1]} but outputs has structure {structure}."
            )
        return dims

    def _output(self, out: Any, dim: int | None, level: BatchLevel) -> Any:
        if dim is None:
            if level.has(out):
                raise ValueError(
                    f"vmap({self.name}, ...): `{self.name}` can not return a BatchedTensor when out_dim is None"
                )
            return out
        if not isinstance(out, Tensor):
            raise ValueError(
                f"vmap({self.name}, ...): `{self.name}` must only return Tensors, got type {type(out)}. "
                "Did you mean to set out_dims= to None for output?"
            )
        return level.remove_batch_dim(out, dim)

    def run_in_chunks(self, chunk_size: int, kwargs: dict[str, Any]) -> Any:
        pieces: list[list[Any]] = []
        structure: Any = None
        before = _C.default_generator.get_state()
        for start in range(0, self.size, chunk_size):
            if self.randomness == "same":
                _C.default_generator.set_state(before)
            size = min(chunk_size, self.size - start)
            inputs = [t if dim is None else t.narrow(dim, start, size) for t, dim in zip(self.inputs, self.dims)]
            piece, structure = tree_flatten(self.run(inputs, size, kwargs))
            pieces.append(piece)
        dims = self._dims_of_outputs(structure)
        joined = [column[0] if dim is None else _C.cat(column, dim) for dim, column in zip(dims, zip(*pieces))]
        return tree_unflatten(joined, structure)


def unit_batches(like: list[Tensor], start: int, stop: int) -> list[Tensor]:
    """Rows start to stop of the identity over all elements of some tensors: for each a batch of its shape."""
    batches, first = [], 0
    for t in like:
        batch = _C.zeros(stop - start, t.numel(), dtype=t.dtype)
        low, high = max(start, first), min(stop, first + t.numel())
        if low < high:
            batch[low - start : high - start, low - first : high - first].fill_diagonal_(1)
        batches.append(batch.view(stop - start, *t.shape))
        first += t.numel()
    return batches


def over_unit_vectors(
    function: Callable[..., list[Tensor]], like: list[Tensor], randomness: str = "error", chunk_size: int | None = None
) -> list[Tensor]:
    """The results of function(*unit vectors) for each element of `like`, stacked along a new first dim."""
    total = sum(t.numel() for t in like)
    if chunk_size == 1 and total > 0:  # no vmap then, as in torch: the function may do what is not allowed there
        rows = [function(*(batch[0] for batch in unit_batches(like, i, i + 1))) for i in range(total)]
        return [_C.stack(column) for column in zip(*rows)]
    step = total if chunk_size is None else min(chunk_size, total)
    mapped = vmap(function, randomness=randomness)
    parts = [mapped(*unit_batches(like, i, min(i + step, total))) for i in range(0, max(total, 1), max(step, 1))]
    return parts[0] if len(parts) == 1 else [_C.cat(column) for column in zip(*parts)]


def with_batched_weights(gradients: Callable[..., tuple[Tensor, ...]], outputs: Any, weights: Any) -> tuple[Any, ...]:
    """gradients(*weights), the first dim of each weight being one that counts samples. Missing gradients stay None.

    Raises RuntimeError for weights of other shapes than (samples, *shape of the output), ValueError for missing ones.
    """
    outs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    if weights is None or isinstance(weights, Tensor):
        weights = [weights] * len(outs)
    for i, (out, weight) in enumerate(zip(outs, weights)):
        if not isinstance(out, Tensor):
            continue
        if weight is None and out.numel() != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if weight is not None and weight[0].shape != out.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but grad_output[{i}] has a shape of {weight.shape} and output[{i}] one of {out.shape}."
            )
    call = _Call(gradients, 0, 0, "error", tuple(weights))
    with PlainLevel(call.size) as level:
        found = gradients(*(level.add_batch_dim(weight, 0) for weight in weights))
        return tuple(None if g is None else level.remove_batch_dim(g, 0) for g in found)


def over_samples(function: Callable[[Tensor], tuple[Tensor, ...]], batch: Tensor) -> tuple[Tensor, ...]:
    """The results of function(sample) for each sample along the first dim of a batch, stacked, in a PlainLevel."""
    with PlainLevel(batch.shape[0]) as level:
        return tuple(level.remove_batch_dim(out, 0) for out in function(level.add_batch_dim(batch, 0)))
