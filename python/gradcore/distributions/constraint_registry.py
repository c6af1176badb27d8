"""biject_to and transform_to: for a constraint, a transform from unconstrained numbers to values that satisfy it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from . import constraints, transforms

F = TypeVar("F", bound=Callable[[Any], Any])

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Transforms by the class of the constraint: `registry(constraint)` makes one.

    >>> from gradcore.distributions import constraints, transform_to
    >>> transform_to(constraints.positive)
    ExpTransform()

    Raises NotImplementedError for a constraint of an unknown class.
    """

    def __init__(self) -> None:
        self._registry: dict[type, Callable[[Any], Any]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Any] | None = None) -> Any:
        """Registers a factory of transforms for a constraint or its class; without a factory it is a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        try:
            factory = self._registry[type(constraint)]
        except KeyError:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints") from None
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _register(constraint: Any, *registries: ConstraintRegistry) -> Callable[[F], F]:
    def both(factory: F) -> F:
        for registry in registries or (biject_to, transform_to):
            registry.register(constraint, factory)
        return factory

    return both


@_register(constraints.real)
def _identity(constraint: Any) -> Any:
    return transforms.identity_transform


@_register(constraints.positive)
@_register(constraints.nonnegative)
def _exp(constraint: Any) -> Any:
    return transforms.ExpTransform()


@_register(constraints.greater_than)
@_register(constraints.greater_than_eq)
def _above(constraint: Any) -> Any:
    if isinstance(constraint.lower_bound, float) and constraint.lower_bound == 0:
        return transforms.ExpTransform()
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)]
    )


@_register(constraints.less_than)
def _below(constraint: Any) -> Any:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)]
    )


@_register(constraints.interval)
@_register(constraints.half_open_interval)
def _between(constraint: Any) -> Any:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low == 0 and math.isclose(high, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


@_register(constraints.independent, biject_to)
def _biject_independent(constraint: Any) -> Any:
    base = biject_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@_register(constraints.independent, transform_to)
def _transform_independent(constraint: Any) -> Any:
    base = transform_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@_register(constraints.simplex, biject_to)
def _break(constraint: Any) -> Any:
    return transforms.StickBreakingTransform()


@_register(constraints.simplex, transform_to)
def _softmax(constraint: Any) -> Any:
    return transforms.SoftmaxTransform()


@_register(constraints.lower_cholesky, transform_to)
def _lower(constraint: Any) -> Any:
    return transforms.LowerCholeskyTransform()


@_register(constraints.positive_definite, transform_to)
@_register(constraints.positive_semidefinite, transform_to)
def _definite(constraint: Any) -> Any:
    return transforms.PositiveDefiniteTransform()


@_register(constraints.corr_cholesky)
def _correlation(constraint: Any) -> Any:
    return transforms.CorrCholeskyTransform()


@_register(constraints.cat, biject_to)
def _biject_cat(constraint: Any) -> Any:
    return transforms.CatTransform([biject_to(c) for c in constraint.cseq], constraint.dim, constraint.lengths)


@_register(constraints.cat, transform_to)
def _transform_cat(constraint: Any) -> Any:
    return transforms.CatTransform([transform_to(c) for c in constraint.cseq], constraint.dim, constraint.lengths)


@_register(constraints.stack, biject_to)
def _biject_stack(constraint: Any) -> Any:
    return transforms.StackTransform([biject_to(c) for c in constraint.cseq], constraint.dim)


@_register(constraints.stack, transform_to)
def _transform_stack(constraint: Any) -> Any:
    return transforms.StackTransform([transform_to(c) for c in constraint.cseq], constraint.dim)
