"""Activations, most as compositions of elementwise operations. Gradients at kinks are those that torch gives there.

Where a branch that is not taken could overflow, its argument is clamped first: zero times infinity is NaN in backward.
"""

from __future__ import annotations

import warnings

from ... import _C
from ..._C import Tensor
from ._checks import SCALAR_NAMES, lowered, need_float, need_tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _written(input: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """function(input) written into input; the function sees a copy, so that what it saves stays as it was."""
    return input.copy_(function(input.clone()))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x) for each element. Any shape.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html

    >>> import gradcore
    >>> gradcore.nn.functional.relu(gradcore.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _C.relu_(input) if inplace else _C.relu(input)


def relu_(input: Tensor) -> Tensor:
    """relu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.relu_(gradcore.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _C.relu_(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element clamped to [min_val, max_val]; the gradient at the bounds themselves is 0.

    Raises ValueError where min_val is above max_val, RuntimeError for bools.

    >>> import gradcore
    >>> gradcore.nn.functional.hardtanh(gradcore.tensor([-3.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    need_tensor("hardtanh", "input", 1, input)
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype == _C.bool:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if inplace:
        return _written(input, lambda x: hardtanh(x, min_val, max_val))
    if not input.is_floating_point():
        return input.clamp(int(min_val), int(max_val))
    found: Tensor = _C.where(input <= min_val, float(min_val), _C.where(input >= max_val, float(max_val), input))
    return found


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """hardtanh() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.hardtanh_(gradcore.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6) for each element.

    >>> import gradcore
    >>> gradcore.nn.functional.relu6(gradcore.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Elements above the threshold as they are, all others `value`.

    >>> import gradcore
    >>> gradcore.nn.functional.threshold(gradcore.tensor([0.5, 2.0]), 1.0, 7.0)
    tensor([7., 2.])
    """
    need_tensor("threshold", "input", 1, input)
    if inplace:
        return _written(input, lambda x: _threshold(x, threshold, value))
    return _threshold(input, threshold, value)


def _threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    whole = not input.is_floating_point()
    found: Tensor = _C.where(input <= threshold, int(value) if whole else float(value), input)
    return found


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """threshold() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.threshold_(gradcore.tensor([-1.0, 2.0]), threshold=0.0, value=9.0)
    tensor([9., 2.])
    """
    return _written(input, lambda x: _threshold(x, threshold, value))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.leaky_relu(gradcore.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    need_float("leaky_relu", "leaky_relu_cpu", input)
    if inplace:
        return _written(input, lambda x: leaky_relu(x, negative_slope))
    found: Tensor = _C.where(input > 0, input, input * negative_slope)
    return found


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """leaky_relu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.leaky_relu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return leaky_relu(input, negative_slope, inplace=True)


@lowered
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight * x with a learnable weight: one number, or one for each channel (dim 1).

    Raises RuntimeError where the weight has neither one element nor one for each channel, more than one dim, or another
    dtype. Source: K. He et al., "Delving deep into rectifiers", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.prelu(gradcore.tensor([[-1.0, -1.0]]), gradcore.tensor([0.5, 0.1]))
    tensor([[-0.5000, -0.1000]])
    """
    need_tensor("prelu", "input", 1, input)
    if input.dtype != weight.dtype:
        names = f"{SCALAR_NAMES[input.dtype]} and {SCALAR_NAMES[weight.dtype]}"
        raise RuntimeError(f"prelu: Type promoting not supported. Got {names}")
    if weight.dim() > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}")
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.dim() >= 2 else 1
        if channels != weight.numel():
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
        weight = weight.reshape(-1, *[1] * (input.dim() - 2))
    elif weight.dim() > input.dim():
        weight = weight.reshape(())
    found: Tensor = _C.where(input > 0, input, weight * input)
    return found


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """leaky_relu() whose slope is drawn anew for each element that is not positive; their mean outside of training.

    Draws the numbers that torch draws. Raises RuntimeError where lower is above upper.

    >>> import gradcore
    >>> gradcore.nn.functional.rrelu(gradcore.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    return _rrelu(input, lower, upper, training, inplace, None)


def _rrelu(
    input: Tensor, lower: float, upper: float, training: bool, inplace: bool, generator: _C.Generator | None
) -> Tensor:
    need_float("rrelu", "rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu", input)
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    negative = input.detach() <= 0
    slopes = _C.ones_like(input.detach())
    drawn = _C.empty(int(negative.sum()), dtype=_C.float64).uniform_(lower, upper, generator=generator)
    slopes[negative] = drawn.to(input.dtype)
    return input.mul_(slopes) if inplace else input * slopes


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """rrelu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.rrelu_(gradcore.tensor([-1.0, 2.0]), lower=0.5, upper=0.5)
    tensor([-0.5000,  2.0000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


def _elu(input: Tensor, alpha: float, scale: float, input_scale: float) -> Tensor:
    below = input.clamp_max(0.0)
    if input_scale != 1:
        below = below * input_scale
    found: Tensor = _C.where(input <= 0, below.expm1() * alpha, input)
    return found if scale == 1 else found * scale


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1). Raises NotImplementedError for dtypes that are not float.

    Source: D.-A. Clevert et al., "Fast and accurate deep network learning by exponential linear units", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.elu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    need_float("elu", "elu_cpu", input)
    if inplace:
        return _written(input, lambda x: _elu(x, alpha, 1, 1))
    return _elu(input, alpha, 1, 1)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """elu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.elu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return elu(input, alpha, inplace=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * elu(x, alpha) with the two constants that keep means and variances of layers fixed.

    Source: G. Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import gradcore
    >>> gradcore.nn.functional.selu(gradcore.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    need_float("selu", "elu_cpu", input)
    if inplace:
        return _written(input, selu)
    return _elu(input, _SELU_ALPHA, _SELU_SCALE, 1)


def selu_(input: Tensor) -> Tensor:
    """selu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.selu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return selu(input, inplace=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)). Raises RuntimeError for alpha 0.

    Source: J. T. Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import gradcore
    >>> gradcore.nn.functional.celu(gradcore.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    need_float("celu", "elu_cpu", input)
    if inplace:
        return _written(input, lambda x: celu(x, alpha))
    return _elu(input, alpha, 1, 1 / alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """celu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.celu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return celu(input, alpha, inplace=True)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x * Phi(x), Phi being the normal distribution's; approximate="tanh" takes tanh in place of erf.

    Raises RuntimeError for another word, NotImplementedError for dtypes that are not float.
    Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.

    >>> import gradcore
    >>> gradcore.nn.functional.gelu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    need_float("gelu", "GeluKernelImpl", input)
    found: Tensor = _C._nn_gelu(input, approximate)
    return found


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x) for each element. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.silu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    need_float("silu", "silu_cpu", input)
    if inplace:
        return _written(input, silu)
    return input * input.sigmoid()


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)) for each element. Raises NotImplementedError for dtypes that are not float.

    Source: D. Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import gradcore
    >>> gradcore.nn.functional.mish(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    need_float("mish", "mish_cpu", input)
    if inplace:
        return _written(input, mish)
    return input * input.clamp_max(30.0).exp().log1p().tanh()  # from 20 on tanh is 1 in double precision too


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold.

    Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.softplus(gradcore.tensor([-1.0, 2.0, 30.0]))
    tensor([ 0.3133,  2.1269, 30.0000])
    """
    need_float("softplus", "softplus_cpu", input)
    scaled = input if beta == 1 else input * beta
    soft = scaled.clamp_max(threshold).exp().log1p()
    found: Tensor = _C.where(scaled > threshold, input, soft if beta == 1 else soft / beta)
    return found


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), without overflow. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.logsigmoid(gradcore.tensor([-200.0, 2.0]))
    tensor([-2.0000e+02, -1.2693e-01])
    """
    need_float("log_sigmoid", "log_sigmoid_cpu", input)
    negative = input < 0
    minus_size: Tensor = _C.where(negative, input, -input)
    least: Tensor = _C.where(negative, input, 0.0)
    return least - minus_size.exp().log1p()


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """0 below -3, 1 above 3, x / 6 + 1 / 2 between. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.hardsigmoid(gradcore.tensor([-4.0, 1.5]))
    tensor([0.0000, 0.7500])
    """
    need_float("hardsigmoid", "hardsigmoid_cpu", input)
    if inplace:
        return _written(input, hardsigmoid)
    return hardtanh(input + 3, 0.0, 6.0) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x) for each element. Raises NotImplementedError for dtypes that are not float.

    Source: A. Howard et al., "Searching for MobileNetV3", 2019.

    >>> import gradcore
    >>> gradcore.nn.functional.hardswish(gradcore.tensor([-4.0, 1.5, 5.0]))
    tensor([0.0000, 1.1250, 5.0000])
    """
    need_float("hardswish", "hardswish_cpu", input)
    if inplace:
        return _written(input, hardswish)
    # The curve is not computed outside of its range: an infinite slope times a gradient of zero would be NaN.
    curved = (input > -3) & (input < 3)
    inner = _C.where(curved, input, 0.0)
    found: Tensor = _C.where(curved, inner * (inner + 3) / 6, _C.where(input <= -3, 0.0, input))
    return found


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where |x| <= lambd, else x. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.hardshrink(gradcore.tensor([-1.0, 0.4]))
    tensor([-1.,  0.])
    """
    need_float("hardshrink", "hardshrink_cpu", input)
    found: Tensor = _C.where(input.detach().abs() <= lambd, 0.0, input)
    return found


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, and 0 where |x| <= lambd. Raises RuntimeError for a negative lambd.

    >>> import gradcore
    >>> gradcore.nn.functional.softshrink(gradcore.tensor([-1.0, 0.4, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    need_float("softshrink", "softshrink_check", input)
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    found: Tensor = _C.where(input.abs() <= lambd, input * 0, input - input.detach().sign() * lambd)
    return found


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|) for each element.

    >>> import gradcore
    >>> gradcore.nn.functional.softsign(gradcore.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x) for each element.

    >>> import gradcore
    >>> gradcore.nn.functional.tanhshrink(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return input - input.tanh()


def tanh(input: Tensor) -> Tensor:
    """tanh(x) for each element; the same as gradcore.tanh().

    >>> import gradcore
    >>> gradcore.nn.functional.tanh(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return input.tanh()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)) for each element; the same as gradcore.sigmoid().

    >>> import gradcore
    >>> gradcore.nn.functional.sigmoid(gradcore.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    return input.sigmoid()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), where a and b are the halves of the input along dim. Raises RuntimeError for an odd size.

    Source: Y. Dauphin et al., "Language modeling with gated convolutional networks", 2016.

    >>> import gradcore
    >>> gradcore.nn.functional.glu(gradcore.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    size = input.size(dim)
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}")
    value, gate = input.narrow(dim, 0, size // 2), input.narrow(dim, size // 2, size // 2)
    return value * gate.sigmoid()


def _implicit_dim(name: str, input: Tensor, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along dim; dtype: what the input is converted to first.

    Without dim it is guessed with a warning, as in torch. Raises IndexError for a dim that is not there.

    >>> import gradcore
    >>> gradcore.nn.functional.softmax(gradcore.zeros(4), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    dim = _implicit_dim("softmax", input, _stacklevel) if dim is None else dim
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along dim.

    >>> import gradcore
    >>> gradcore.nn.functional.softmin(gradcore.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    dim = _implicit_dim("softmin", input, _stacklevel) if dim is None else dim
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim, without overflow. See softmax().

    >>> import gradcore
    >>> gradcore.nn.functional.log_softmax(gradcore.zeros(2), dim=0)
    tensor([-0.6931, -0.6931])
    """
    dim = _implicit_dim("log_softmax", input, _stacklevel) if dim is None else dim
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + Gumbel noise) / tau): a relaxed sample of the categories; hard: one-hot, with its gradient.

    Source: E. Jang et al., "Categorical reparameterization with Gumbel-softmax", 2016.

    >>> import gradcore
    >>> gradcore.nn.functional.gumbel_softmax(gradcore.zeros(2, 5), hard=True).sum(dim=1)
    tensor([1., 1.])
    """
    from ._random import exponential

    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -exponential(logits).log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    largest = soft.argmax(dim, keepdim=True)
    one_hot = _C.zeros_like(logits).scatter_(dim, largest, 1.0)
    return one_hot - soft.detach() + soft
