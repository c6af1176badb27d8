"""Normalisations: over the batch, over instances, layers and groups of channels."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._C import _nn_layer_norm as layer_norm
from ..._modes import no_grad
from ._checks import need_float

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def _size_text(tensor: Tensor) -> str:
    return str(list(tensor.shape))


def _check_elements(name: str, tensor: Tensor | None, count: int) -> None:
    if tensor is not None and tensor.numel() != count:
        raise RuntimeError(f"{name} should contain {count} elements not {tensor.numel()}")


def _check_dtypes(input: Tensor, *others: Tensor | None) -> None:
    for other in others:
        if other is not None and other.dtype != input.dtype:
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def _update(running: Tensor, now: Tensor, momentum: float) -> None:
    with no_grad():
        running.mul_(1 - momentum).add_(now.detach(), alpha=momentum)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel.

    input: (N, C, ...); all others: (C) or None. In training mean and variance are those of the input, and the running ones
    move towards them by momentum; otherwise they are the running ones. Raises ValueError for a single value per channel in
    training, RuntimeError for sizes and dtypes that do not fit.
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.batch_norm(gradcore.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    need_float("batch_norm", "batch_norm", input)
    channels = input.size(1)
    if training:
        count = input.numel() // channels if channels else 0
        if count == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        if (running_mean is None) != (running_var is None):
            raise ValueError("running_mean and running_var must either both be None or neither be None")
    elif running_mean is None or running_var is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    _check_elements("running_mean", running_mean, channels)
    _check_elements("running_var", running_var, channels)
    _check_elements("weight", weight, channels)
    _check_elements("bias", bias, channels)
    _check_dtypes(input, weight, bias, running_mean, running_var)
    if input.numel() == 0:
        return _normalized(
            input, _C.zeros(channels, dtype=input.dtype), _C.ones(channels, dtype=input.dtype), weight, bias, eps
        )
    if not training:
        assert running_mean is not None and running_var is not None
        return _normalized(input, running_mean, running_var, weight, bias, eps)
    dims = [d for d in range(input.dim()) if d != 1]
    var, mean = _C.var_mean(input, dims, correction=0)
    if running_mean is not None and running_var is not None:
        _update(running_mean, mean, momentum)
        _update(running_var, var.detach() * (count / (count - 1)), momentum)
    return _normalized(input, mean, var, weight, bias, eps)


def _normalized(
    input: Tensor, mean: Tensor, var: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """One pass over the input: x * scale + shift, with both for each channel."""
    scale = (var + eps).sqrt().reciprocal()
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    if input.dim() > 2:
        shape = (-1, *[1] * (input.dim() - 2))
        scale, shift = scale.view(shape), shift.view(shape)
    return _C.addcmul(shift, input, scale)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """batch_norm() of each sample for itself. input: (N, C, L, ...); the running statistics move by the samples' mean.

    use_input_stats: whether mean and variance are those of the input. Raises ValueError for a single value per channel.
    Source: D. Ulyanov et al., "Instance normalization: the missing ingredient for fast stylization", 2016.

    >>> import gradcore
    >>> gradcore.nn.functional.instance_norm(gradcore.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    need_float("instance_norm", "instance_norm", input)
    if use_input_stats:
        spatial = 1
        for n in input.shape[2:]:
            spatial *= n
        if spatial == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    elif running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    channels = input.shape[1]
    for name, tensor in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if tensor is not None and tensor.numel() != channels:
            batch = input.shape[0]
            raise RuntimeError(f"{name} should contain {batch * channels} elements not {batch * tensor.numel()}")
    if not use_input_stats:
        assert running_mean is not None and running_var is not None
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    var, mean = _C.var_mean(input, list(range(2, input.dim())), correction=0, keepdim=True)
    if running_mean is not None and running_var is not None:
        _update(running_mean, mean.detach().mean(0).view(-1), momentum)
        _update(running_var, var.detach().mean(0).view(-1) * (spatial / (spatial - 1)), momentum)
    shape = (-1, *[1] * (input.dim() - 2))
    scale = (var + eps).sqrt().reciprocal()
    if weight is not None:
        scale = scale * weight.view(shape)
    shift = -mean * scale if bias is None else bias.view(shape) - mean * scale
    return _C.addcmul(shift, input, scale)


def _check_normalized_shape(input: Tensor, shape: Sequence[int], weight: Tensor | None, function: str) -> list[int]:
    if isinstance(shape, int):
        raise TypeError(f"{function}(): argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    found = list(shape)
    if not found:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if weight is not None and list(weight.shape) != found:
        raise RuntimeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape {_size_text(weight)} "
            f"and normalized_shape = {found}"
        )
    if input.dim() < len(found) or list(input.shape[input.dim() - len(found) :]) != found:
        sizes = ", ".join(str(n) for n in ("*", *found))
        raise RuntimeError(
            f"Given normalized_shape={found}, expected input with shape [{sizes}], but got input of size{_size_text(input)}"
        )
    return list(range(-len(found), 0))


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight, over the last dims; without eps it is that of the dtype.

    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> import gradcore
    >>> gradcore.nn.functional.rms_norm(gradcore.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    dims = _check_normalized_shape(input, normalized_shape, weight, "rms_norm")
    need_float("rms_norm", "rms_norm", input)
    if eps is None:
        eps = 2.0**-52 if input.dtype == _C.float64 else 2.0**-23
    found = input * (input.square().mean(dims, keepdim=True) + eps).rsqrt()
    return found if weight is None else found * weight


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, over groups of channels of each sample.

    input: (N, C, ...); weight, bias: (C). Raises RuntimeError where C is no multiple of num_groups and for other shapes.
    Source: Y. Wu, K. He, "Group normalization", 2018.

    >>> import gradcore
    >>> gradcore.nn.functional.group_norm(gradcore.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    channels = input.shape[1]
    spatial = 1
    for n in input.shape[2:]:
        spatial *= n
    if num_groups and input.shape[0] * channels // num_groups * spatial == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {_size_text(input)}")
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{_size_text(input)} and num_groups={num_groups}"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and (tensor.dim() != 1 or tensor.numel() != channels):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{_size_text(tensor)} and input of shape {_size_text(input)}"
            )
    need_float("group_norm", "GroupNormKernelImpl", input)
    groups = input.reshape(input.shape[0], num_groups, channels // num_groups * spatial)
    var, mean = _C.var_mean(groups, 2, correction=0, keepdim=True)
    found = ((groups - mean) * (var + eps).rsqrt()).view(input.shape)
    shape = (-1, *[1] * (input.dim() - 2))
    if weight is not None:
        found = found * weight.view(shape)
    return found if bias is None else found + bias.view(shape)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta. input: (N, C, ...).

    Raises ValueError for fewer than three dims.
    Source: A. Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012.

    >>> import gradcore
    >>> gradcore.nn.functional.local_response_norm(gradcore.ones(1, 2, 1), 2, alpha=2.0, beta=1.0).flatten()
    tensor([0.5000, 0.3333])
    """
    if input.dim() < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    shape = list(input.shape)
    shape[1] = 1
    square = input * input
    before = input.new_zeros([shape[0], size // 2, *shape[2:]])
    after = input.new_zeros([shape[0], (size - 1) // 2, *shape[2:]])
    padded = _C.cat([before, square, after], 1)
    channels = input.shape[1]
    total = padded.narrow(1, 0, channels)
    for i in range(1, size):
        total = total + padded.narrow(1, i, channels)
    return input / (total * (alpha / size) + k).pow(beta)
