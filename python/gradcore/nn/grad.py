"""The gradients of convolutions as functions: of the input from its size, of the weight from its size."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._modes import enable_grad
from ..autograd import grad

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

else:
    from .._lazy import Callable, Sequence

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


def _input_gradient(dims: int) -> Callable[..., Tensor]:
    convolution = getattr(_C, f"conv{dims}d")

    def gradient(
        input_size: Sequence[int],
        weight: Tensor,
        grad_output: Tensor,
        stride: _Sizes = 1,
        padding: _Sizes = 0,
        dilation: _Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        options = (None, stride, padding, dilation, groups)
        return _at_zero(input_size, grad_output, weight, lambda x: convolution(x, weight, *options))

    call = f"(1, 1{', 3' * dims}), gradcore.ones(1, 1{', 2' * dims}), gradcore.ones(1, 1{', 2' * dims})"
    return _named(
        gradient, dims, "input", f"an input of `input_size`, from its weight and the gradient {_OF_RESULT}", call
    )


def _weight_gradient(dims: int) -> Callable[..., Tensor]:
    convolution = getattr(_C, f"conv{dims}d")

    def gradient(
        input: Tensor,
        weight_size: Sequence[int],
        grad_output: Tensor,
        stride: _Sizes = 1,
        padding: _Sizes = 0,
        dilation: _Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        options = (None, stride, padding, dilation, groups)
        return _at_zero(weight_size, grad_output, input, lambda w: convolution(input, w, *options))

    call = f"gradcore.ones(1, 1{', 3' * dims}), (1, 1{', 2' * dims}), gradcore.ones(1, 1{', 2' * dims})"
    return _named(
        gradient, dims, "weight", f"a weight of `weight_size`, from its input and the gradient {_OF_RESULT}", call
    )


_OF_RESULT = "of its result"


def _named(function: Callable[..., Tensor], dims: int, of: str, text: str, call: str) -> Callable[..., Tensor]:
    name = f"conv{dims}d_{of}"
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The gradient of conv{dims}d() with respect to {text}.

    Raises RuntimeError where sizes do not fit.

    >>> import gradcore
    >>> gradcore.nn.grad.{name}({call}).sum()
    tensor({4**dims}.)
    """
    return function


conv1d_input, conv2d_input, conv3d_input = map(_input_gradient, (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = map(_weight_gradient, (1, 2, 3))
