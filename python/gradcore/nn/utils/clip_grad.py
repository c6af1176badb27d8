"""Clipping of gradients, each step one call over all of them. Start at clip_grad_norm_.

`foreach` is accepted as torch has it and changes nothing: there is one kernel. The _foreach_ functions check the whole list
before they write, so an error leaves every gradient as it was.
"""

from __future__ import annotations

import warnings
from types import GeneratorType

from ... import _C
from ..._C import Tensor
from ..._lazy import TYPE_CHECKING
from ..._modes import no_grad

if TYPE_CHECKING:
    from collections.abc import Iterable
else:
    from ..._lazy import Iterable

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_"]

_EPSILON = 1e-6  # keeps the factor finite where all gradients are zero


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _grads(parameters: list[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all tensors together, as a 0-d tensor.

    tensors: one, or an iterable, of float tensors; norm_type: any number, inf and -inf too. Dtypes may be mixed, the widest is
    the result's; no tensors have norm 0. Raises RuntimeError for integer tensors, for the infinity norm of an empty tensor
    and, with error_if_nonfinite, where the norm is NaN or infinite.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html

    >>> import gradcore
    >>> gradcore.nn.utils.get_total_norm([gradcore.tensor([3.0]), gradcore.tensor([[4.0]])])
    tensor(5.)
    """
    tensors = _listed(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return _C.tensor(0.0)
    with no_grad():
        total = _C.norm(_C.stack(_C._foreach_norm(tensors, norm_type)), norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped: "
            "it is NaN or infinite. error_if_nonfinite=False scales by it all the same"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Multiplies every gradient in place by max_norm / (total_norm + 1e-6), where that is below 1.

    parameters: one, or an iterable, of tensors, of which those without gradient are passed over; total_norm: what
    get_total_norm gave, 0-d. Raises RuntimeError for integer gradients.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html

    >>> import gradcore
    >>> w = gradcore.zeros(2, requires_grad=True)
    >>> w.grad = gradcore.tensor([6.0, 8.0])
    >>> gradcore.nn.utils.clip_grads_with_norm_(w, 5.0, gradcore.tensor(10.0))
    >>> w.grad
    tensor([3.0000, 4.0000])
    """
    grads = _grads(_listed(parameters))
    max_norm = float(max_norm)
    if not grads:
        return
    with no_grad():
        _C._foreach_mul_(grads, _C.clamp(max_norm / (total_norm + _EPSILON), max=1.0))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients in place so that their norm together is at most max_norm. Returns the norm that they had.

    parameters: one, or an iterable, of tensors, of which those without gradient are passed over; norm_type and what is
    raised: see get_total_norm. A generator without parameters is warned of.
    Source: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013.

    >>> import gradcore
    >>> w = gradcore.zeros(2, requires_grad=True)
    >>> w.grad = gradcore.tensor([6.0, 8.0])
    >>> gradcore.nn.utils.clip_grad_norm_([w], max_norm=5.0)
    tensor(10.)
    >>> w.grad
    tensor([3.0000, 4.0000])
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", UserWarning, stacklevel=2)
    total_norm = get_total_norm(_grads(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total_norm)
    return total_norm


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of clip_grad_norm_; warns.

    >>> import gradcore
    >>> x = gradcore.ones(2, requires_grad=True)
    >>> (3 * x).sum().backward()
    >>> gradcore.nn.utils.clip_grad_norm_([x], 1.0)
    tensor(4.2426)
    """
    warnings.warn("nn.utils.clip_grad_norm is now deprecated in favor of clip_grad_norm_.", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamps every element of every gradient in place to [-clip_value, clip_value].

    parameters: one, or an iterable, of tensors, of which those without gradient are passed over. Raises RuntimeError for
    integer gradients. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html

    >>> import gradcore
    >>> w = gradcore.zeros(3, requires_grad=True)
    >>> w.grad = gradcore.tensor([-3.0, 0.5, 2.0])
    >>> gradcore.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([-1.0000,  0.5000,  1.0000])
    """
    clip_value = float(clip_value)
    grads = _grads(_listed(parameters))
    if not grads:
        return
    with no_grad():
        _C._foreach_clamp_min_(grads, -clip_value)
        _C._foreach_clamp_max_(grads, clip_value)


# torch's private names of the two that came later: packages of its time import them.
_get_total_norm, _clip_grads_with_norm_ = get_total_norm, clip_grads_with_norm_
