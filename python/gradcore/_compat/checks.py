"""What programs that torch may compile ask and assert: checks with messages, numbers that might be symbols, control flow.

Nothing is compiled here, so a number is a number, and a branch is taken when it is reached.
"""

from __future__ import annotations

import builtins
import math
import warnings
from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor

Number = int | float


class SymInt:
    """A size that a compiler does not know yet, for isinstance(): sizes here are Python's ints.

    >>> import gradcore
    >>> isinstance(gradcore.ones(3).shape[0], (int, gradcore.SymInt))
    True
    """


class SymFloat:
    """A float that a compiler does not know yet, for isinstance().

    >>> import gradcore
    >>> isinstance(2.0, gradcore.SymFloat)
    False
    """


class SymBool:
    """A bool that a compiler does not know yet, for isinstance().

    >>> import gradcore
    >>> isinstance(True, gradcore.SymBool)
    False
    """


_EXPECTED = (
    "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an enhancement "
    "request to PyTorch.)"
)


def _raise_unless(error: type[Exception], cond: Any, message: Any) -> None:
    if isinstance(cond, Tensor):
        raise TypeError(
            "cond must be a bool, but got a Tensor. For tensor conditions, use torch._check_tensor_all() to assert that all "
            "elements are true."
        )
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is not None and not callable(message):
        raise TypeError("message must be a callable")
    raise error(_EXPECTED if message is None else str(message()))


def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raises RuntimeError with message() unless `cond` is true.

    >>> import gradcore
    >>> gradcore._check(1 < 2)
    """
    _raise_unless(RuntimeError, cond, message)


def _check_index(cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check() with IndexError."""
    _raise_unless(IndexError, cond, message)


def _check_value(cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check() with ValueError."""
    _raise_unless(ValueError, cond, message)


def _check_type(cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check() with TypeError."""
    _raise_unless(TypeError, cond, message)


def _check_not_implemented(cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check() with NotImplementedError."""
    _raise_unless(NotImplementedError, cond, message)


def _check_with(error_type: type[Exception], cond: Any, message: Callable[[], str]) -> None:
    """_check() with an exception of the program's choice."""
    _raise_unless(error_type, cond, message)


def _check_is_size(i: Any, message: Callable[[], str] | None = None, *, max: Any = None) -> None:
    """_check() that i is no negative number, and at most `max`. Warns: torch will remove it."""
    warnings.warn(
        "_check_is_size will be removed in a future PyTorch release along with guard_size_oblivious. Use _check(i >= 0) "
        "instead.",
        FutureWarning,
        stacklevel=2,
    )
    _check(i >= 0, message)
    if max is not None:
        _check(i <= max, message)


def _check_tensor_all_with(error_type: type[Exception], cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check_with() that all elements of a tensor are true."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype != _C.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _raise_unless(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Any, message: Callable[[], str] | None = None) -> None:
    """_check() that all elements of a tensor are true."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _assert(condition: Any, message: str) -> None:
    """The assert statement as a function."""
    assert condition, message


def _assert_async(input: Tensor, assert_msg: str = "Expected Tensor with single nonzero value, but got zero") -> None:
    """Raises RuntimeError where the only element of a tensor is 0."""
    if not bool(input):
        raise RuntimeError(assert_msg)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as a tensor of int64."""
    return _C.tensor(list(self.shape), dtype=_C.int64)


def sym_int(a: Number) -> int:
    """`a` without its fraction.

    >>> import gradcore
    >>> gradcore.sym_int(-2.7)
    -2
    """
    return math.trunc(a)


def sym_float(a: Number) -> float:
    """`a` as a float.

    >>> import gradcore
    >>> gradcore.sym_float(3)
    3.0
    """
    return float(a)


def _both(function: Callable[..., Any], a: Number, b: Number) -> Any:
    found = function(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_max(a: Number, b: Number) -> Number:
    """The larger number, a float where one of them is.

    >>> import gradcore
    >>> gradcore.sym_max(3, 2.5)
    3.0
    """
    return _both(builtins.max, a, b)  # type: ignore[no-any-return]


def sym_min(a: Number, b: Number) -> Number:
    """The smaller number, a float where one of them is.

    >>> import gradcore
    >>> gradcore.sym_min(1, 2.5)
    1.0
    """
    return _both(builtins.min, a, b)  # type: ignore[no-any-return]


def sym_sum(args: Any) -> Number:
    """The sum of numbers.

    >>> import gradcore
    >>> gradcore.sym_sum([1, 2])
    3
    """
    total: Number = builtins.sum(args)
    return total


def sym_not(a: bool) -> bool:
    """`not a`.

    >>> import gradcore
    >>> gradcore.sym_not(True)
    False
    """
    return not a


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """`t if b else f`.

    >>> import gradcore
    >>> gradcore.sym_ite(True, 1, 2)
    1
    """
    return t if b else f


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """`true_fn(*operands)` where `pred` is true, else `false_fn(*operands)`; `pred` is a bool or a tensor of one element.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cond.html

    >>> import gradcore
    >>> x = gradcore.tensor(2.0)
    >>> gradcore.cond(x > 1, lambda x: x.sin(), lambda x: x.cos(), (x,))
    tensor(0.9093)

    Raises RuntimeError for operands that are no tuple or list.
    """
    if not isinstance(operands, (tuple, list)):
        raise RuntimeError(f"Expect operands to be a tuple of possibly nested dict/list/tuple, but got {operands}.")
    return true_fn(*operands) if bool(pred) else false_fn(*operands)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """Applies `body_fn` to its own results, `carried_inputs` at first, as long as `cond_fn` of them is true.

    Source: https://docs.pytorch.org/docs/stable/higher_order_ops/while_loop.html

    >>> import gradcore
    >>> gradcore.while_loop(lambda n, x: n < 3, lambda n, x: (n + 1, x * 2), (gradcore.tensor(0), gradcore.ones(1)))
    (tensor(3), tensor([8.]))
    """
    values = tuple(carried_inputs)
    while bool(cond_fn(*values)):
        values = tuple(body_fn(*values))
    return values
