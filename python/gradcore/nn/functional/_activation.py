"""Activations: names and defaults of ops of the core."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._C import _nn_gelu as gelu
from ..._C import _nn_glu as glu
from ..._C import _nn_hardshrink as hardshrink
from ..._C import _nn_logsigmoid as logsigmoid
from ..._C import _nn_prelu as prelu
from ..._C import _nn_softplus as softplus
from ..._C import _nn_softshrink as softshrink
from ..._overridable import offer_calls, warn_caller
from ._checks import need_float, need_tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


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
    if min_val > max_val:
        need_tensor("hardtanh", "input", 1, input)
        raise ValueError("min_val cannot be greater than max_val")
    if not isinstance(input, Tensor) or not input.is_floating_point():
        return _hardtanh_of_ints(input, min_val, max_val, inplace)
    return _C._nn_hardtanh_(input, min_val, max_val) if inplace else _C._nn_hardtanh(input, min_val, max_val)


def _hardtanh_of_ints(input: Tensor, min_val: float, max_val: float, inplace: bool) -> Tensor:
    need_tensor("hardtanh", "input", 1, input)
    if input.dtype == _C.bool:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if input.dtype == _C.uint8 and min_val < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return input.clamp_(int(min_val), int(max_val)) if inplace else input.clamp(int(min_val), int(max_val))


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
    return _thresholded(input, threshold, value, inplace)


def _thresholded(input: Tensor, limit: float, value: float, inplace: bool) -> Tensor:
    if not isinstance(input, Tensor) or not input.is_floating_point():
        need_tensor("threshold", "input", 1, input)
        value = int(value)
    return _C._nn_threshold_(input, limit, value) if inplace else _C._nn_threshold(input, limit, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """threshold() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.threshold_(gradcore.tensor([-1.0, 2.0]), threshold=0.0, value=9.0)
    tensor([9., 2.])
    """
    return _thresholded(input, threshold, value, True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.leaky_relu(gradcore.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _C._nn_leaky_relu_(input, negative_slope) if inplace else _C._nn_leaky_relu(input, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """leaky_relu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.leaky_relu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return leaky_relu(input, negative_slope, inplace=True)


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


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1). Raises NotImplementedError for dtypes that are not float.

    Source: D.-A. Clevert et al., "Fast and accurate deep network learning by exponential linear units", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.elu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _C._nn_elu_(input, alpha) if inplace else _C._nn_elu(input, alpha)


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
    return _C._nn_elu_(input, _SELU_ALPHA, _SELU_SCALE) if inplace else _C._nn_elu(input, _SELU_ALPHA, _SELU_SCALE)


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
    return _C._nn_elu_(input, alpha, 1, 1 / alpha) if inplace else _C._nn_elu(input, alpha, 1, 1 / alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """celu() in place.

    >>> import gradcore
    >>> gradcore.nn.functional.celu_(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return celu(input, alpha, inplace=True)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x) for each element. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.silu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return _C._nn_silu_(input) if inplace else _C._nn_silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)) for each element. Raises NotImplementedError for dtypes that are not float.

    Source: D. Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import gradcore
    >>> gradcore.nn.functional.mish(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _C._nn_mish_(input) if inplace else _C._nn_mish(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """0 below -3, 1 above 3, x / 6 + 1 / 2 between. Raises NotImplementedError for dtypes that are not float.

    >>> import gradcore
    >>> gradcore.nn.functional.hardsigmoid(gradcore.tensor([-4.0, 1.5]))
    tensor([0.0000, 0.7500])
    """
    return _C._nn_hardsigmoid_(input) if inplace else _C._nn_hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x) for each element. Raises NotImplementedError for dtypes that are not float.

    Source: A. Howard et al., "Searching for MobileNetV3", 2019.

    >>> import gradcore
    >>> gradcore.nn.functional.hardswish(gradcore.tensor([-4.0, 1.5, 5.0]))
    tensor([-0.0000, 1.1250, 5.0000])
    """
    return _C._nn_hardswish_(input) if inplace else _C._nn_hardswish(input)


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


def _implicit_dim(name: str, input: Tensor) -> int:
    warn_caller(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along dim; dtype: what the input is converted to first.

    Without dim it is guessed with a warning, as in torch. Raises IndexError for a dim that is not there.

    >>> import gradcore
    >>> gradcore.nn.functional.softmax(gradcore.zeros(4), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    dim = _implicit_dim("softmax", input) if dim is None else dim
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along dim.

    >>> import gradcore
    >>> gradcore.nn.functional.softmin(gradcore.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    dim = _implicit_dim("softmin", input) if dim is None else dim
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim, without overflow. See softmax().

    >>> import gradcore
    >>> gradcore.nn.functional.log_softmax(gradcore.zeros(2), dim=0)
    tensor([-0.6931, -0.6931])
    """
    dim = _implicit_dim("log_softmax", input) if dim is None else dim
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
        warn_caller("`eps` parameter is deprecated and has no effect.")
    gumbels = -exponential(logits).log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    largest = soft.argmax(dim, keepdim=True)
    one_hot = _C.zeros_like(logits).scatter_(dim, largest, 1.0)
    return one_hot - soft.detach() + soft


offer_calls(globals(), but=("sigmoid", "tanh"))
