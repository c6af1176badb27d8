"""The gradients of convolutions as functions: of the input from its size, of the weight from its size."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._modes import enable_grad
from ..autograd import grad

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _Sizes = int | Sequence[int]


def _at_zero(size: Sequence[int], grad_output: Tensor, others: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient of f, which is linear: the same at any value, such as zeros. Recorded where the mode says so."""
    recorded = _C.is_grad_enabled() and (others.requires_grad or grad_output.requires_grad)
    with enable_grad():
        at = _C.zeros(tuple(size), dtype=others.dtype, requires_grad=True)
        out = f(at)
        if out.shape != grad_output.shape:
            raise RuntimeError(
                f"grad_output has shape {list(grad_output.shape)}, but the convolution gives {list(out.shape)}"
            )
        return grad(out, at, grad_output, create_graph=recorded)[0]


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d() with respect to an input of `input_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> weight, upstream = gradcore.ones(1, 1, 2), gradcore.ones(1, 1, 2)
    >>> gradcore.nn.grad.conv1d_input((1, 1, 3,), weight, upstream).sum()
    tensor(4.)
    """
    return _at_zero(
        input_size, grad_output, weight, lambda x: _C.conv1d(x, weight, None, stride, padding, dilation, groups)
    )


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d() with respect to a weight of `weight_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> x, upstream = gradcore.ones(1, 1, 3), gradcore.ones(1, 1, 2)
    >>> gradcore.nn.grad.conv1d_weight(x, (1, 1, 2,), upstream).sum()
    tensor(4.)
    """
    return _at_zero(
        weight_size, grad_output, input, lambda w: _C.conv1d(input, w, None, stride, padding, dilation, groups)
    )


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d() with respect to an input of `input_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> weight, upstream = gradcore.ones(1, 1, 2, 2), gradcore.ones(1, 1, 2, 2)
    >>> gradcore.nn.grad.conv2d_input((1, 1, 3, 3,), weight, upstream).sum()
    tensor(16.)
    """
    return _at_zero(
        input_size, grad_output, weight, lambda x: _C.conv2d(x, weight, None, stride, padding, dilation, groups)
    )


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d() with respect to a weight of `weight_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> x, upstream = gradcore.ones(1, 1, 3, 3), gradcore.ones(1, 1, 2, 2)
    >>> gradcore.nn.grad.conv2d_weight(x, (1, 1, 2, 2,), upstream).sum()
    tensor(16.)
    """
    return _at_zero(
        weight_size, grad_output, input, lambda w: _C.conv2d(input, w, None, stride, padding, dilation, groups)
    )


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d() with respect to an input of `input_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> weight, upstream = gradcore.ones(1, 1, 2, 2, 2), gradcore.ones(1, 1, 2, 2, 2)
    >>> gradcore.nn.grad.conv3d_input((1, 1, 3, 3, 3,), weight, upstream).sum()
    tensor(64.)
    """
    return _at_zero(
        input_size, grad_output, weight, lambda x: _C.conv3d(x, weight, None, stride, padding, dilation, groups)
    )


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: _Sizes = 1,
    padding: _Sizes = 0,
    dilation: _Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d() with respect to a weight of `weight_size`, from that of its result.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> x, upstream = gradcore.ones(1, 1, 3, 3, 3), gradcore.ones(1, 1, 2, 2, 2)
    >>> gradcore.nn.grad.conv3d_weight(x, (1, 1, 2, 2, 2,), upstream).sum()
    tensor(64.)
    """
    return _at_zero(
        weight_size, grad_output, input, lambda w: _C.conv3d(input, w, None, stride, padding, dilation, groups)
    )
