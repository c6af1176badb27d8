"""Exponential families: entropy by automatic differentiation of the log normalizer."""

from __future__ import annotations

from typing import Any

import gradcore

from .._C import Tensor
from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions with density exp(<t(x), natural> - log_normalizer(natural) + carrier(x)).

    Subclasses give `_natural_params`, `_log_normalizer` and `_mean_carrier_measure`.

    >>> import gradcore
    >>> issubclass(gradcore.distributions.Normal, gradcore.distributions.ExponentialFamily)
    True
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """log_normalizer minus its gradient times the natural parameters, minus the mean of the carrier."""
        params = [p.detach().requires_grad_() for p in self._natural_params]
        log_normalizer = self._log_normalizer(*params)
        gradients = gradcore.autograd.grad(log_normalizer.sum(), params, create_graph=True)
        result = log_normalizer - self._mean_carrier_measure
        for param, gradient in zip(params, gradients):
            result = result - (param * gradient).reshape((*self._batch_shape, -1)).sum(-1)
        return result
