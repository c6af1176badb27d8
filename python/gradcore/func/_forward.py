"""jvp, jacfwd, hessian and linearize: products with the Jacobian from the right.

jvp and jacfwd use forward mode (autograd.forward_ad). linearize keeps what it needs for many products: u -> u J is
linear, so the gradient of <u J, v> with respect to u is J v, whatever u is (J. Townsend, "A new trick for calculating
Jacobian vector products", 2017). u J is recorded once, and each product takes one backward through it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._transforms.running import Entered, differentiating, tracing
from .._transforms.vmap import over_unit_vectors
from ..autograd.forward_ad import _check_floating, _enter_level_of_func, _floating_dual
from ..utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten
from ._reverse import ALL_ARGS, Argnums, Level, checked_outputs, chosen_args, jacrev, split_aux, with_chosen

_NAME = "jvp(f, primals, tangents)"


class _Linear:
    """The function v -> J v at the points of a level."""

    def __init__(self, level: Level, outputs: list[Tensor]) -> None:
        self._level = level
        self._outputs = outputs
        anything = [_C.zeros_like(out, requires_grad=True) for out in outputs]
        self._edges = [_C._gradient_edge(u) for u in anything]
        self._pulled = level.pull(anything, record=True)
        self._roots = [_C._gradient_edge(g) if g.requires_grad else None for g in self._pulled]
        for u in anything:
            u.requires_grad = False

    def push(self, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """For each output its derivative along the tangents (None: a point stays). None for one that has no graph."""
        pairs = [(root, t) for root, t in zip(self._roots, tangents) if root is not None and t is not None]
        if not pairs:
            return [None] * len(self._outputs)
        roots, weights = zip(*pairs)
        record = _C.is_grad_enabled() and (self._level.seen or any(t.requires_grad for t in weights))
        found = _C._grad(roots, self._edges, weights, True, record, True, False)
        return [None if g is None else self._level.seen_from_outside(g) if record else g.detach() for g in found]


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(func(*primals), a function that multiplies the Jacobian there with tangents).

    The new function takes a tangent for each primal, of its structure, shapes and dtypes, and can be called many
    times: func is not called again. What func returns besides floating point tensors has the derivative zero, or stands
    for itself. Raises RuntimeError for tangents that do not fit, and ValueError for primals that are not floating point
    tensors.

    >>> import gradcore
    >>> value, push = gradcore.func.linearize(lambda x: x**2, gradcore.tensor([1.0, 2.0]))
    >>> push(gradcore.tensor([1.0, 10.0]))
    tensor([ 2., 40.])
    """
    for primal in tree_leaves(primals):
        if isinstance(primal, Tensor):
            _check_floating("primal", primal)
    level = Level("linearize(f, *primals)", func, primals, {}, ALL_ARGS, False, tracing)
    outputs, structure = tree_flatten(level.output)
    smooth = [out for out in outputs if _is_smooth(out)]
    level.take(smooth)
    linear = _Linear(level, smooth)  # before the end: a checkpoint in func is recomputed in the level
    level.end()

    def push(*tangents: Any) -> Any:
        flat, given = tree_flatten(tangents)
        if given != level.structure:
            raise RuntimeError(
                f"Expected the tangents {given} to have the same argspec as the primals {level.structure}"
            )
        for i, (tangent, point) in enumerate(zip(flat, level.points)):
            for what in ("shape", "dtype"):
                if getattr(tangent, what) != getattr(point, what):
                    raise RuntimeError(
                        f"tangent:{i} with {what} {getattr(tangent, what)} in flattened pytree doesn't match the "
                        f"{what} {getattr(point, what)} of the corresponding primal."
                    )
        found = iter(_or_zeros(linear.push(flat), smooth))
        return tree_unflatten([next(found) if _is_smooth(out) else _derivative(out) for out in outputs], structure)

    values = [level.seen_from_outside(out) if isinstance(out, Tensor) else out for out in outputs]
    return tree_unflatten(values, structure), push


def _is_smooth(output: Any) -> bool:
    return isinstance(output, Tensor) and output.is_floating_point()


def _derivative(constant: Any) -> Any:
    """linearize's derivative of an output that has none: zeros for a tensor, another object itself."""
    return _C.zeros_like(constant) if isinstance(constant, Tensor) else constant


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """(func(*primals), its derivative along the tangents), with has_aux also func's second result.

    primals: a tuple of tensors or nests of them; tangents: the same structure and shapes. strict: an output that does
    not depend on the primals is an error, otherwise its derivative is zero.

    Raises RuntimeError for primals that are no tuple, for tangents that do not fit, and for outputs that are not
    tensors.

    >>> import gradcore
    >>> x, v = gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 10.0])
    >>> gradcore.func.jvp(lambda x: x**2, (x,), (v,))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    flat = _check_tangents(primals, tangents)
    (outputs, found, structure), aux = _pushed(lambda _, *args: func(*args), primals, flat, has_aux, differentiating)
    if strict and any(derivative is None for derivative in found):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    values = tree_unflatten(outputs, structure)
    derivatives = tree_unflatten(_or_zeros(found, outputs), structure)
    return (values, derivatives, aux) if has_aux else (values, derivatives)


def _pushed(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: Sequence[Tensor],
    has_aux: bool,
    running: type[tracing],
) -> tuple[tuple[list[Tensor], list[Tensor | None], Any], Any]:
    """((outputs, their derivatives, structure), aux) by a level of forward mode. func is told what was entered, too."""
    flat, structure = tree_flatten(primals)
    depth = _enter_level_of_func()
    try:
        with running() as entered:
            duals = [_floating_dual(primal, tangent, depth) for primal, tangent in zip(flat, tangents)]
            if entered is not None:
                _C._make_points(duals, entered)
            output, aux = func(entered, *tree_unflatten(duals, structure)), None
            if has_aux:
                output, aux = split_aux(output, _NAME)
                aux = tree_map(lambda t: _C._unpack_dual(t, depth)[0], aux)
            outputs, out_structure = checked_outputs(output, _NAME)
            pairs = [_C._unpack_dual(out, depth) for out in outputs]  # here: outside it may be inference mode again
    finally:
        _C._exit_dual_level()
    return ([value for value, _ in pairs], [tangent for _, tangent in pairs], out_structure), aux


def _check_tangents(primals: Any, tangents: Any) -> list[Tensor]:
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{_NAME}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    flat, structure = tree_flatten(primals)
    flat_tangents, given = tree_flatten(tangents)
    if structure != given:
        raise RuntimeError(
            f"{_NAME}: Expected primals and tangents to have the same python structure. "
            f"Got primals with structure {structure} and tangents with structure {given}"
        )
    for what, leaves in (("primals", flat), ("tangents", flat_tangents)):
        if not leaves:
            raise RuntimeError(f"{_NAME}: Expected {what} to contain at least one Tensor.")
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise RuntimeError(f"{_NAME}: Expected {what} to only contain Tensors, got {type(leaf)}")
    for primal, tangent in zip(flat, flat_tangents):
        if primal.shape != tangent.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is "
                f"not supported. Tensor is of size {list(primal.shape)} while the given forward gradient is of size "
                f"{list(tangent.shape)}."
            )
    return flat_tangents


def _or_zeros(found: list[Tensor | None], outputs: list[Tensor]) -> list[Tensor]:
    return [_C.zeros_like(out).detach() if t is None else t for t, out in zip(found, outputs)]


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The function that computes the Jacobian of func column by column: for functions with more outputs than inputs.

    Shapes and structure are jacrev's. randomness: what random ops in func do, as in vmap.
    Raises as jvp does.

    >>> import gradcore
    >>> gradcore.func.jacfwd(lambda x: x**2)(gradcore.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return jacobian_by_columns(func, argnums, has_aux, randomness, differentiating)


def jacobian_by_columns(
    func: Callable[..., Any], argnums: Argnums, has_aux: bool, randomness: str, running: type[tracing]
) -> Callable[..., Any]:
    """jacfwd under a transform of this kind."""

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        points, structure = tree_flatten(chosen_args(args, argnums))
        if not points:
            raise AssertionError("tensors must have at least one element")  # torch's exception type
        outputs: list[Tensor] = []
        out_structure: Any = None
        aux = None

        def column(*units: Tensor) -> list[Tensor]:
            nonlocal outputs, out_structure, aux

            def function(entered: Entered | None, *flat: Tensor) -> Any:
                return func(*with_chosen(args, argnums, tree_unflatten(flat, structure), entered))

            (outputs, found, out_structure), aux = _pushed(function, tuple(points), units, has_aux, running)
            return _or_zeros(found, outputs)

        columns = over_unit_vectors(column, points, randomness)
        sizes = [point.numel() for point in points]
        blocks = [
            tree_unflatten(
                [
                    part.movedim(0, -1).reshape(out.shape + point.shape)
                    for part, point in zip(column.split(sizes), points)
                ],
                structure,
            )
            for column, out in zip(columns, outputs)
        ]
        result = tree_unflatten(blocks, out_structure)
        return (result, aux) if has_aux else result

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes the Hessian of func: jacfwd of jacrev.

    For an output and two arguments a tensor of shape output.shape + first.shape + second.shape. Raises as jacrev does.

    >>> import gradcore
    >>> gradcore.func.hessian(lambda x: x[0] ** 2 * x[1])(gradcore.tensor([3.0, 5.0]))
    tensor([[10.,  6.],
            [ 6.,  0.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
