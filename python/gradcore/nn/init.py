"""Initial values of parameters. Each function writes into the tensor without recording it, and returns it.

The numbers are those that torch draws for the same seed.
"""

from __future__ import annotations

import math
import warnings

from .. import _C
from .._C import Tensor
from .._class_names import note as _note
from .._modes import no_grad
from .._overridable import is_taken_over

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
else:
    from .._lazy import Callable

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before a nonlinearity are scaled; param: the slope of 'leaky_relu'.

    Raises ValueError for a name that is not known and a slope that is no number.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html

    >>> from gradcore import nn
    >>> nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if param is None:
        slope = 0.01
    elif isinstance(param, (int, float)) and not isinstance(param, bool):
        slope = param
    else:
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + slope**2))


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = 1
    for n in tensor.shape[2:]:
        field *= n
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def _warn_of_nothing(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


# Packages import these four, which have torch's names, and modes see what they call instead of them.
def _no_grad_uniform_(tensor: Tensor, a: float, b: float, generator: _C.Generator | None = None) -> Tensor:
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def _no_grad_normal_(tensor: Tensor, mean: float, std: float, generator: _C.Generator | None = None) -> Tensor:
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def _no_grad_fill_(tensor: Tensor, val: float) -> Tensor:
    with no_grad():
        return tensor.fill_(val)


def _no_grad_zero_(tensor: Tensor) -> Tensor:
    with no_grad():
        return tensor.zero_()


def _offered(function: Callable[..., Tensor], **given: object) -> Tensor:
    """A mode's answer, or that of the tensor's class. All is given by name, where such modes look for the tensor."""
    answer: Tensor = _C._call_torch_function(function, (given["tensor"],), (), given)
    return answer


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: _C.Generator | None = None) -> Tensor:
    """Numbers drawn uniformly from [a, b).

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.nn.init.uniform_(gradcore.empty(2))
    tensor([0.4963, 0.7682])
    """
    if is_taken_over(tensor):
        return _offered(uniform_, tensor=tensor, a=a, b=b, generator=generator)
    return _no_grad_uniform_(tensor, a, b, generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: _C.Generator | None = None) -> Tensor:
    """Numbers drawn from the normal distribution.

    >>> import gradcore
    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.nn.init.normal_(gradcore.empty(2))
    tensor([ 1.5410, -0.2934])
    """
    if is_taken_over(tensor):
        return _offered(normal_, tensor=tensor, mean=mean, std=std, generator=generator)
    return _no_grad_normal_(tensor, mean, std, generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: _C.Generator | None = None,
) -> Tensor:
    """Numbers drawn from the normal distribution within [a, b]. Warns where the mean is far outside.

    >>> import gradcore
    >>> x = gradcore.nn.init.trunc_normal_(gradcore.empty(100), a=0.0, b=1.0)
    >>> bool(((x >= 0) & (x <= 1)).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=2,
        )
    below_a, below_b = (math.erf((bound - mean) / std / math.sqrt(2.0)) / 2 for bound in (a, b))
    draw = _normals_within if below_b - below_a > 0.3 else _uniforms_by_density
    with no_grad():
        found, refused = draw(tensor, mean, std, a, b, generator)
        while refused.any():
            more, again = draw(_C.empty_like(tensor), mean, std, a, b, generator)
            found = _C.where(refused, more, found)
            refused = refused & again
        return tensor if found is tensor else tensor.copy_(found)


def _normals_within(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: _C.Generator | None
) -> tuple[Tensor, Tensor]:
    """Normal numbers, and which of them lie outside of [a, b] in the tensor's dtype."""
    low, high = tensor.new_tensor([a, b]).tolist()
    drawn = tensor.normal_(mean, std, generator=generator)
    return drawn, (drawn < low) | (drawn > high)


def _uniforms_by_density(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: _C.Generator | None
) -> tuple[Tensor, Tensor]:
    """Uniform numbers in [a, b], and which of them the normal density refuses: where [a, b] holds few normal numbers."""
    drawn = tensor.uniform_(a, b, generator=generator)
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    log_density = drawn.sub(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
    return drawn, _C.empty_like(drawn).uniform_(generator=generator).log_() > log_density


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere.

    >>> import gradcore
    >>> gradcore.nn.init.constant_(gradcore.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    if is_taken_over(tensor):
        return _offered(constant_, tensor=tensor, val=val)
    return _no_grad_fill_(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere.

    >>> import gradcore
    >>> gradcore.nn.init.ones_(gradcore.empty(2))
    tensor([1., 1.])
    """
    return _no_grad_fill_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere.

    >>> import gradcore
    >>> gradcore.nn.init.zeros_(gradcore.empty(2))
    tensor([0., 0.])
    """
    return _no_grad_zero_(tensor)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix. Raises ValueError where the tensor is no matrix.

    >>> import gradcore
    >>> gradcore.nn.init.eye_(gradcore.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        return tensor.copy_(_C.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel of a convolution that gives its input back, in each group as far as there are channels.

    tensor: (out, in / groups, ...) of 3, 4 or 5 dims, for which else ValueError is raised.

    >>> import gradcore
    >>> gradcore.nn.init.dirac_(gradcore.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    out = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(out, tensor.shape[1])):
                tensor[(group * out + channel, channel, *centre)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: _C.Generator | None = None) -> Tensor:
    """Uniform numbers of variance 2 gain^2 / (fan in + fan out). Raises ValueError for fewer than two dims.

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    >>> import gradcore
    >>> gradcore.nn.init.xavier_uniform_(gradcore.empty(3, 5)).abs().max() < (6 / 8) ** 0.5
    tensor(True)
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return _no_grad_uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: _C.Generator | None = None) -> Tensor:
    """Normal numbers of variance 2 gain^2 / (fan in + fan out). Raises ValueError for fewer than two dims.

    >>> import gradcore
    >>> gradcore.nn.init.xavier_normal_(gradcore.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return _no_grad_normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: _C.Generator | None = None,
) -> Tensor:
    """Uniform numbers of variance gain^2 / fan; a: the slope of a leaky_relu. Raises ValueError for unknown names.

    Source: K. He et al., "Delving deep into rectifiers", 2015.

    >>> import gradcore
    >>> gradcore.nn.init.kaiming_uniform_(gradcore.empty(3, 6)).abs().max() < 1
    tensor(True)
    """
    if is_taken_over(tensor):
        return _offered(kaiming_uniform_, tensor=tensor, a=a, mode=mode, nonlinearity=nonlinearity, generator=generator)
    if _warn_of_nothing(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    bound = math.sqrt(3.0) * std
    return _no_grad_uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: _C.Generator | None = None,
) -> Tensor:
    """Normal numbers of variance gain^2 / fan; see kaiming_uniform_().

    >>> import gradcore
    >>> gradcore.nn.init.kaiming_normal_(gradcore.empty(3, 6), mode="fan_out").shape
    torch.Size([3, 6])
    """
    if _warn_of_nothing(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    return _no_grad_normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: _C.Generator | None = None) -> Tensor:
    """A matrix with orthonormal rows or columns, whichever are fewer, times gain. All dims but the first count as one.

    Raises ValueError for fewer than two dims.
    Source: A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2013.

    >>> import gradcore
    >>> w = gradcore.nn.init.orthogonal_(gradcore.empty(2, 5))
    >>> gradcore.allclose(w @ w.T, gradcore.eye(2), atol=1e-6)
    True
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    with no_grad():
        flat = tensor.new_empty((rows, tensor.numel() // rows)).normal_(0, 1, generator=generator)
        wide = rows < flat.shape[1]
        basis = _orthonormal(flat.t() if wide else flat)
        tensor.copy_((basis.t() if wide else basis).reshape(tensor.shape))
        return tensor.mul_(gain)


def _orthonormal(columns: Tensor) -> Tensor:
    """The Q of a QR factorisation whose R has a positive diagonal: Gram and Schmidt's method, each step done twice, which
    is as exact as Householder's."""
    rows = columns.double().t().contiguous()
    for i in range(rows.shape[0]):
        for _ in range(2):
            if i:
                rows[i] -= rows[:i].t().mv(rows[:i].mv(rows[i]))
        rows[i] /= rows[i].norm()
    return rows.t()


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: _C.Generator | None = None) -> Tensor:
    """Normal numbers, of which a share of each column, chosen at random, is 0. Raises ValueError where it is no matrix.

    Source: J. Martens, "Deep learning via Hessian-free optimization", 2010.

    >>> import gradcore
    >>> (gradcore.nn.init.sparse_(gradcore.empty(10, 3), sparsity=0.2) == 0).sum()
    tensor(6)
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[_C.randperm(rows)[:zeros], column] = 0
    return tensor


_no_grad_trunc_normal_ = trunc_normal_  # packages import it by this name, too


def _old_name(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new = function.__name__
    old = new[:-1]

    def deprecated(*args: object, **kwargs: object) -> Tensor:
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"The old name of {new}(); warns."
    return deprecated


uniform = _old_name(uniform_)
normal = _old_name(normal_)
constant = _old_name(constant_)
eye = _old_name(eye_)
dirac = _old_name(dirac_)
xavier_uniform = _old_name(xavier_uniform_)
xavier_normal = _old_name(xavier_normal_)
kaiming_uniform = _old_name(kaiming_uniform_)
kaiming_normal = _old_name(kaiming_normal_)
orthogonal = _old_name(orthogonal_)
sparse = _old_name(sparse_)

# Modes that leave out initial values know these by the name of their module.
for _function in (uniform_, normal_, constant_, kaiming_uniform_):
    _note(_function)
