"""grad, grad_and_value, vjp and jacrev: reverse mode as functions of functions. Start at Note [Levels on one tape].

Note [Levels on one tape]
Each transform differentiates with respect to points of its own: new leaves with the inputs' values, or, for an input
that an outer transform or the program itself differentiates, a view of it, through which those see it as before. Two
transforms never share a point, so there is nothing to confuse, and a closure may use whatever it likes.
When func has returned, the level is over: its leaves are ended (they require no gradient any more), which makes them
constants for everybody else, and it goes on with their edges, which it took before. A result is recorded for outer
levels exactly if its history leads out of the level: to a node made before func was called, or to a leaf that is not an
ended point and was not made in the level. If it does not, it is returned without history and backward is not recorded.
Tangents of forward levels around it stay.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, inference_mode
from .._transforms.running import Entered, differentiating, tracing
from .._transforms.vmap import over_unit_vectors
from ..autograd.graph import disable_saved_tensors_hooks
from ..utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten, treespec_pprint

Argnums = int | tuple[int, ...]
ALL_ARGS: Any = object()  # as argnums: the tuple of all arguments


def without_saved_hooks() -> disable_saved_tensors_hooks:
    """A context for a transform in reverse mode, in which torch refuses saved tensors' hooks: active and new ones."""
    return disable_saved_tensors_hooks(
        "torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Use autograd.grad() or "
        "backward() with them."
    )


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes the gradient of func with respect to its argument number `argnums`.

    func: returns a tensor without dims, or with has_aux (such a tensor, anything made of tensors); then the new
    function returns (gradient, aux). argnums: a number, or a tuple of numbers, which gives a tuple. Arguments may be
    nests of tensors; the gradient has the same structure.

    Raises RuntimeError if func returns something else and for an argument that is not there or not floating point,
    ValueError for one that is not a tensor.

    >>> import gradcore
    >>> gradcore.func.grad(gradcore.func.grad(gradcore.sin))(gradcore.tensor(1.0))
    tensor(-0.8415)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As grad; the new function returns (gradient, value), with has_aux (gradient, (value, aux)).

    >>> import gradcore
    >>> gradcore.func.grad_and_value(lambda x: (x**2).sum())(gradcore.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        with without_saved_hooks():
            level = Level("grad_and_value(f)(*args)", func, args, kwargs, argnums, has_aux)
        value = level.output
        if not isinstance(value, Tensor):
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(value)}")
        if value.dim() != 0:
            raise RuntimeError(
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                f"{value.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        level.close([value])
        gradient = tree_unflatten(level.pull([_C.ones_like(value)]), level.structure)
        result = level.seen_from_outside(value)
        return gradient, (result, level.aux) if has_aux else result

    return gradient_and_value


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(func(*primals), a function that multiplies a cotangent with the Jacobian), with has_aux also func's second
    result.

    The new function takes a nest of the structure of the output and returns a tuple with a gradient for each primal. It
    can be called many times.

    Raises RuntimeError for outputs that are not floating point tensors, and, when called, for a cotangent of another
    structure or shape; ValueError for a primal that is not made of tensors.

    >>> import gradcore
    >>> value, pull = gradcore.func.vjp(lambda x: x**2, gradcore.tensor([1.0, 2.0]))
    >>> pull(gradcore.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    with without_saved_hooks():
        level, outputs, structure = differentiated(func, primals, ALL_ARGS, has_aux)

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        flat, given = tree_flatten(cotangents)
        if given != structure:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {treespec_pprint(given)}, primal output: {treespec_pprint(structure)}"
            )
        flat = [_weight(cotangent, out) for cotangent, out in zip(flat, outputs)]
        return tree_unflatten(level.pull(flat, retain_graph, create_graph), level.structure)

    result = tree_unflatten(map(level.seen_from_outside, outputs), structure)
    return (result, pull, level.aux) if has_aux else (result, pull)


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The function that computes the Jacobian of func, by reverse mode: for functions with more inputs than outputs.

    For an output and an argument a tensor of shape output.shape + argument.shape; the structure is that of the output,
    in each place the structure of the arguments. chunk_size: how many rows are computed at a time (all, if None).

    Raises as vjp does, ValueError for a chunk_size that is not positive.

    >>> import gradcore
    >>> gradcore.func.jacrev(lambda x: x**2)(gradcore.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        with without_saved_hooks():
            level, outputs, structure = differentiated(func, args, argnums, has_aux)
        if not level.points:
            raise ValueError("jacrev(f)(*args): there is no tensor among the arguments to differentiate for")
        rows = over_unit_vectors(lambda *units: level.pull(units), outputs, chunk_size=chunk_size)
        columns = [column.split([out.numel() for out in outputs]) for column in rows]  # for each point, for each output
        blocks = [
            tree_unflatten(
                [part.view(out.shape + point.shape) for part, point in zip(parts, level.points)], level.structure
            )
            for out, parts in zip(outputs, zip(*columns))
        ]
        result = tree_unflatten(blocks, structure)
        return (result, level.aux) if has_aux else result

    return jacobian


def _weight(cotangent: Any, out: Tensor) -> Tensor:
    """The cotangent as a tensor: None stands for a one. Raises TypeError for another object."""
    if isinstance(cotangent, Tensor):
        return cotangent
    if cotangent is not None:
        raise TypeError(f"gradients can be either Tensors or None, but got {type(cotangent).__name__}")
    if out.numel() != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    return _C.ones_like(out)


def differentiated(
    func: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: Argnums,
    has_aux: bool,
) -> tuple[Level, list[Tensor], Any]:
    """The beginning of vjp and jacrev: returns (level, flat outputs, their structure)."""
    name = "vjp(f, *primals)"
    level = Level(name, func, args, {}, argnums, has_aux)
    outputs, structure = checked_outputs(level.output, name)
    for out in outputs:
        if not out.is_floating_point():
            raise RuntimeError(
                f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {out.dtype}"
            )
    level.close(outputs)
    return level, outputs, structure


def checked_outputs(output: Any, name: str) -> tuple[list[Tensor], Any]:
    """(flat outputs, their structure). RuntimeError unless they are tensors."""
    outputs, structure = tree_flatten(output)
    if not outputs or outputs == [None]:
        raise RuntimeError(f"{name}: Expected f to be a function that has non-empty output (got output = {outputs})")
    for out in outputs:
        if not isinstance(out, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(out)}")
    return outputs, structure


def split_aux(output: Any, name: str) -> tuple[Any, Any]:
    """(output, aux) of a function that returns both."""
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
    for leaf in tree_leaves(output[1]):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
    return output


class Level:
    """One differentiation of func(*args, **kwargs): see Note [Levels on one tape]."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Argnums,
        has_aux: bool,
        running: type[tracing] = differentiating,
    ) -> None:
        self.recorded = _C.is_grad_enabled()  # whether the results are; gradients may be under another switch
        with enable_grad(), running() as entered:
            chosen = args if argnums is ALL_ARGS else chosen_args(args, argnums)
            inputs, self.structure = tree_flatten(chosen)
            self.points = [self._point(value) for value in inputs]
            if entered is not None:
                _C._make_points(self.points, entered)
            self._edges = [_C._gradient_edge(point) for point in self.points]
            self._begun = _C._next_sequence_number()
            points = tree_unflatten(self.points, self.structure)
            args = points if argnums is ALL_ARGS else with_chosen(args, argnums, points, entered)
            self.output = func(*args, **(_owned(kwargs, entered) if kwargs else kwargs))
            # Its own transform, and those inside of it.
            self._numbers = (0, 0) if entered is None else (entered[0], _C._last_differentiation())
        self.aux: Any = None
        if has_aux:
            self.output, self.aux = split_aux(self.output, name)

    def _point(self, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(value)}")
        if value.requires_grad:
            return value.view_as(value)
        point = value.clone() if value.is_inference() else _C._constant(value)
        point.requires_grad = True
        return point

    def close(self, outputs: Sequence[Tensor]) -> None:
        self.take(outputs)
        self.end()

    def take(self, outputs: Sequence[Tensor]) -> None:
        """Sets the outputs that pull() differentiates."""
        self._outputs = outputs
        self._roots = [_C._gradient_edge(out) if out.requires_grad else None for out in outputs]

    def end(self) -> None:
        """The level is over: from here on its own leaves are constants."""
        for point in self.points:
            if point.is_leaf:
                _C._end_point(point)
        self.seen = any(map(self._reaches_outside, self._outputs))
        self.aux = tree_map(self.seen_from_outside, self.aux) if self.aux is not None else None

    def seen_from_outside(self, tensor: Tensor) -> Tensor:
        return self._constant_unless(self.recorded, tensor)

    def _constant_unless(self, recorded: bool, tensor: Tensor) -> Tensor:
        return tensor if recorded and self._reaches_outside(tensor) else _C._constant(tensor)

    def _reaches_outside(self, tensor: Tensor) -> bool:
        return _C._reaches_outside(tensor, self._begun, *self._numbers)

    def pull(
        self,
        cotangents: Sequence[Tensor | None],
        retain_graph: bool = True,
        create_graph: bool | None = None,
        record: bool | None = None,
    ) -> list[Tensor]:
        """For each point the gradient of the outputs, weighted with cotangents. None: does not count.

        It is recorded if somebody outside can see it; `record` decides otherwise.
        """
        roots, weights = [], []
        for i, (cotangent, root, out) in enumerate(zip(cotangents, self._roots, self._outputs)):
            if cotangent is None:
                continue
            if cotangent.shape != out.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {cotangent.shape} and output[{i}] has a shape "
                    f"of {out.shape}."
                )
            if root is not None:
                roots.append(root)
                weights.append(cotangent.to(out.dtype))
        if _C.is_inference_mode_enabled():
            with inference_mode(False):
                return self.pull(cotangents, retain_graph, bool(create_graph), record)
        if record is None:
            wanted = _C.is_grad_enabled() if create_graph is None else create_graph
            record = wanted and (self.seen or any(weight.requires_grad for weight in weights))
        if not roots:
            return [_C.zeros_like(point) for point in self.points]
        found = _C._grad(roots, self._edges, weights, retain_graph, record, True, False)
        return [
            _C.zeros_like(point) if gradient is None else self._constant_unless(record, gradient)
            for gradient, point in zip(found, self.points)
        ]


def chosen_args(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """The argument, or the tuple of arguments, that argnums names. RuntimeError if there is none."""
    if isinstance(argnums, int):
        return args[_number(argnums, len(args))]
    if not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = tuple(_number(argnum, len(args)) for argnum in argnums)
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
    if len(set(numbers)) != len(numbers):
        raise RuntimeError(f"argnums elements must be unique, got {numbers}")
    return tuple(args[number] for number in numbers)


def _number(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def with_chosen(args: tuple[Any, ...], argnums: Argnums, points: Any, entered: Entered | None) -> tuple[Any, ...]:
    """args with points where argnums says."""
    pairs = zip(argnums, points) if isinstance(argnums, tuple) else [(argnums, points)]
    chosen = {argnum % len(args): point for argnum, point in pairs}
    return tuple(chosen[i] if i in chosen else _owned(value, entered) for i, value in enumerate(args))


def _owned(arguments: Any, entered: Entered | None) -> Any:
    """The other arguments of func. They are not captured, so func may write to them."""
    if entered is None:
        return arguments

    def window(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        own = value.view_as(value) if value.requires_grad else _C._constant(value)
        _C._make_points([own], entered)
        return own

    return tree_map(window, arguments)
