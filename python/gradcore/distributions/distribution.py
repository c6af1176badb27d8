"""The base class of distributions."""

from __future__ import annotations

import warnings
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from .._types import Size
from . import constraints
from .utils import _LazyAttribute, lazy_property

__all__ = ["Distribution"]


class Distribution:
    """Base class: `batch_shape` independent distributions of elements of shape `event_shape`.

    Subclasses give `arg_constraints` (for each parameter where it may lie), `support`, `sample` or `rsample`, `log_prob`
    and what else they know. Parameters and values are checked unless `validate_args` is False: ValueError names what is
    wrong.

    >>> import gradcore
    >>> d = gradcore.distributions.Normal(gradcore.zeros(3), 1.0)
    >>> d.batch_shape, d.event_shape, d.sample((2,)).shape
    (torch.Size([3]), torch.Size([]), torch.Size([2, 3]))
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their arguments when they are not told. Raises ValueError for what is no bool."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()
        super().__init__()

    def _check_parameters(self) -> None:
        for name, constraint in self._constraints().items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name), _LazyAttribute):
                continue  # the other of two parameters that say the same
            value = getattr(self, name)
            valid = constraint.check(value)
            if not _C._all_true(valid):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def _constraints(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
            return {}
        return found

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with parameters expanded to `batch_shape`.

        >>> import gradcore
        >>> gradcore.distributions.Normal(0.0, 1.0).expand((2,)).mean
        tensor([0., 0.])
        """
        raise NotImplementedError

    def _expanded(self, batch_shape: Any, instance: Any, names: str, event: int = 0) -> Any:
        """expand() for parameters of these names, of which those at hand are expanded; `event` is their number of event dims."""
        new = self._get_checked_instance(type(self), instance)
        batch_shape = Size(batch_shape)
        for name in names.split():
            if name in self.__dict__:
                value = self.__dict__[name]
                shape = batch_shape + value.shape[value.dim() - event :] if event else batch_shape
                setattr(new, name, value.expand(shape))
        new._batch_shape, new._event_shape = batch_shape, self._event_shape
        new._validate_args = self._validate_args
        return new

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one element."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """For each parameter its constraint."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint of samples."""
        raise NotImplementedError

    @property
    def mean(self) -> Any:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """Where the density is largest."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Any:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Samples of shape sample_shape + batch_shape + event_shape, without gradients.

        >>> import gradcore
        >>> gradcore.distributions.Normal(gradcore.zeros(3), 1.0).sample((2,)).shape
        torch.Size([2, 3])
        """
        with gradcore.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Samples through which gradients flow to the parameters.

        >>> import gradcore
        >>> loc = gradcore.zeros(3, requires_grad=True)
        >>> gradcore.distributions.Normal(loc, 1.0).rsample().sum().backward()
        >>> loc.grad
        tensor([1., 1., 1.])
        """
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Deprecated: sample((n,))."""
        warnings.warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.", FutureWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at `value`.

        >>> import gradcore
        >>> gradcore.distributions.Normal(0.0, 1.0).log_prob(gradcore.tensor(0.0))
        tensor(-0.9189)
        """
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a sample of at most `value`.

        >>> import gradcore
        >>> gradcore.distributions.Normal(0.0, 1.0).cdf(gradcore.tensor(0.0))
        tensor(0.5000)
        """
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of cdf.

        >>> import gradcore
        >>> gradcore.distributions.Normal(0.0, 1.0).icdf(gradcore.tensor(0.5))
        tensor(0.)
        """
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dim.

        >>> import gradcore
        >>> gradcore.distributions.Bernoulli(0.5).enumerate_support()
        tensor([0., 1.])
        """
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy, for each distribution of the batch.

        >>> import gradcore
        >>> gradcore.distributions.Bernoulli(0.5).entropy()
        tensor(0.6931)
        """
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """exp of the entropy.

        >>> import gradcore
        >>> gradcore.distributions.Bernoulli(0.5).perplexity()
        tensor(2.)
        """
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        start = value.dim() - len(self._event_shape)
        if value.shape[max(start, 0) :] != self._event_shape or start < 0:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.size()} vs {self._event_shape}."
            )
        expected = self._batch_shape + self._event_shape
        for ours, theirs in zip(reversed(value.shape), reversed(expected)):
            if ours != 1 and theirs != 1 and ours != theirs:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.size()} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the distribution "
                "with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        assert support is not None
        if not _C._all_true(support.check(value)):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also define "
                "a custom .expand() method."
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


__all__ += ["lazy_property"]
