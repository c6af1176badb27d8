"""Forward mode: tensors that carry a tangent along through every op. Start at `dual_level`.

Within a level, `make_dual` gives a tensor a tangent, ops on it compute the tangents of their results, and `unpack_dual`
takes them out: products with the Jacobian from the right, in one pass and without a tape. Tensors that require grad keep
their history, so that a backward inside a level gives the second derivatives along the tangent (forward over reverse).
"""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from typing import Any, NamedTuple

from .. import _C
from .._C import Tensor
from .._C import _is_fwd_grad_enabled as _is_fwd_grad_enabled
from .._modes import _Switch

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class _State(threading.local):
    level = -1  # of this thread; -1: none is open


_state = _State()


class UnpackedDualTensor(NamedTuple):
    """The result of unpack_dual: the tensor itself, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Opens a level, in which tensors can carry tangents, and returns its number.

    Raises RuntimeError where one is open already: as in torch, levels of this interface do not nest (those of
    func.jvp do).
    """
    if _C._dual_levels() > 0:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    level = _C._enter_dual_level(False)
    try:
        _state.level = level
    except BaseException:
        _C._exit_dual_level()
        raise
    return level


def _enter_level_of_func() -> int:
    """As enter_dual_level(), but levels of func.jvp nest in each other, and switch forward mode on."""
    if _state.level >= 0:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    return _C._enter_dual_level(True)


def exit_dual_level(*, level: int | None = None) -> None:
    """Closes the level. Its tangents are gone; the tensors that carried them are plain ones.

    Raises RuntimeError where none is open, or for another number than the open level's.
    """
    if _state.level < 0:
        raise RuntimeError("Dual level must be a positive number: no level is open.")
    if (level is not None and level != _state.level) or _state.level != _C._dual_levels() - 1:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    _C._exit_dual_level()
    _state.level = -1


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor on the memory of `tensor` that carries `tangent`, of its shape and floating too.

    Raises RuntimeError outside of every level, for another shape and for a tensor with a tangent, and ValueError for
    what is not floating. See https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.make_dual.html

    >>> import gradcore
    >>> from gradcore.autograd import forward_ad
    >>> x = gradcore.tensor([1.0, 2.0])
    >>> with forward_ad.dual_level():
    ...     y = forward_ad.make_dual(x, gradcore.tensor([1.0, 10.0])) ** 2
    ...     forward_ad.unpack_dual(y).tangent
    tensor([ 2., 40.])
    """
    level = _state.level if level is None else level
    if level < 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    return _floating_dual(tensor, tangent, _existing(level))


def _floating_dual(primal: Tensor, tangent: Tensor, level: int) -> Tensor:
    """make_dual() at a level that is there, of this module or of func."""
    _check_floating("primal", primal)
    _check_floating("tangent", tangent)
    return _C._make_dual(primal, tangent, level)


def _check_floating(name: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point():
        raise ValueError(f"Expected {name} to be floating point or complex, but got: {tensor.dtype}")


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """(the tensor without its tangent, the tangent). The tangent is None where there is none, or no level is open."""
    level = _state.level if level is None else level
    if level < 0:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*_C._unpack_dual(tensor, _existing(level)))


def _existing(level: int) -> int:
    if not 0 <= level < _C._dual_levels():
        raise RuntimeError(f"there is no forward AD level {level}")
    return level


def __getattr__(name: str) -> int:
    if name == "_current_level":  # torch's name, which programs read: -1 outside of levels, func.jvp's included
        return min(_C._dual_levels(), 1) - 1
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _set_fwd_grad_enabled(_Switch):
    """Switches forward mode on or off at once, until the end of the `with` block: off, ops do not see tangents.

    Raises TypeError for a mode that is no bool.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = mode
        self._at_first = _C._is_fwd_grad_enabled()
        _C._set_fwd_grad_enabled(mode)

    def _now(self) -> bool:
        return self._at_first

    def _set(self) -> None:
        pass  # at once, when it was made

    def _restore(self, before: bool) -> None:
        _C._set_fwd_grad_enabled(before)

    def clone(self) -> _set_fwd_grad_enabled:
        return _set_fwd_grad_enabled(self.mode)


class dual_level(ContextDecorator):
    """A level for the length of a `with` block, or of the calls of a function that it decorates.

    >>> import gradcore
    >>> from gradcore.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(gradcore.tensor(2.0), gradcore.tensor(1.0))
    ...     x.exp()
    tensor(7.3891, tangent=tensor(7.3891))
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: Any) -> None:
        exit_dual_level()
