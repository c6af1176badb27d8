"""gradcore.autograd.variable: the class that tensors with gradients had before they were all Tensors."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .._tensor import _warn_of_volatile

if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

__all__ = ["VariableMeta", "Variable"]


class VariableMeta(type):
    """Makes every Tensor a Variable."""

    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=VariableMeta):
    """Variable(tensor) is the tensor detached, a new leaf on the same memory; for old programs.

    data: a tensor, or None for one without elements; requires_grad: of the new leaf; volatile: has no effect, and is
    warned of; name: its attribute `name`. Raises TypeError for other data and for a _grad_fn, ValueError for a volatile
    one that requires grad.

    >>> import gradcore
    >>> gradcore.autograd.Variable(gradcore.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    _execution_engine = _C._execution_engine

    def __new__(
        cls,
        data: Tensor | None = None,
        requires_grad: bool = False,
        volatile: bool = False,
        _grad_fn: None = None,
        name: str | None = None,
    ) -> Any:
        if volatile:
            _warn_of_volatile("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")
            if requires_grad:
                raise ValueError("Variable can't be volatile and require_grad at the same time!")
        if not (data is None or isinstance(data, Tensor)):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if _grad_fn is not None:
            raise TypeError(f"_grad_fn has to be a Function object or None, but got {type(_grad_fn).__name__}")
        variable: Any = _C.empty(0) if data is None else data.detach()
        variable.requires_grad_(bool(requires_grad))
        if name is not None:
            variable._name = name
        return variable


def variable(*args: Any, **kwargs: Any) -> Any:
    """Made tensors once; RuntimeError now.

    >>> import gradcore
    >>> gradcore.autograd.variable([1.0])
    Traceback (most recent call last):
    RuntimeError: torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead
    """
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")


variable.Variable = Variable  # type: ignore[attr-defined]  # the name is a module's too, which programs reach into
