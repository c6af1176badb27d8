"""Batch normalisation in evaluation folded into the layer before it."""

from __future__ import annotations

import copy

from ... import _C
from ..._C import Tensor
from ..parameter import Parameter

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _check_eval(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")


def _fused(
    weight: Tensor, bias: Tensor | None, bn: tuple[Tensor, Tensor, float, Tensor | None, Tensor | None], dim: int
) -> tuple[Parameter, Parameter]:
    """bn: running mean and variance, eps, weight and bias; dim: the one of the weight that counts outputs."""
    mean, variance, eps, bn_weight, bn_bias = bn
    scale = _C.rsqrt(variance + eps)
    if bn_weight is not None:
        scale = scale * bn_weight
    shape = [1] * weight.dim()
    shape[dim] = -1
    shift = ((_C.zeros_like(mean) if bias is None else bias) - mean) * scale
    if bn_bias is not None:
        shift = shift + bn_bias
    new_bias = shift.to(weight.dtype if bias is None else bias.dtype)
    return (
        Parameter((weight * scale.reshape(shape)).to(weight.dtype), weight.requires_grad),
        Parameter(new_bias, bias is not None and bias.requires_grad),
    )


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that gives what bn(conv(x)) gives; transpose: of a transposed convolution.

    Raises AssertionError where one of both is in training.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fusion.fuse_conv_bn_eval.html

    >>> import gradcore
    >>> from gradcore import nn
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> x = gradcore.ones(1, 1, 4, 4)
    >>> gradcore.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-6)
    True
    """
    _check_eval(conv, bn)
    fused = copy.deepcopy(conv)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Expected bn.running_mean and bn.running_var to be not None")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of fuse_conv_bn_eval().

    >>> import gradcore
    >>> weight, bias = gradcore.ones(1, 1, 1), None
    >>> mean, variance = gradcore.tensor([1.0]), gradcore.tensor([4.0])
    >>> fused, _ = gradcore.nn.utils.fuse_conv_bn_weights(weight, bias, mean, variance, 0.0, None, None)
    >>> fused.detach()
    tensor([[[0.5000]]])
    """
    return _fused(conv_w, conv_b, (bn_rm, bn_rv, bn_eps, bn_w, bn_b), 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of a linear layer that gives what bn(linear(x)) gives.

    Raises AssertionError where one of both is in training, and where their numbers of features do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fusion.fuse_linear_bn_eval.html

    >>> import gradcore
    >>> from gradcore import nn
    >>> linear, bn = nn.Linear(3, 2).eval(), nn.BatchNorm1d(2).eval()
    >>> x = gradcore.ones(4, 3)
    >>> gradcore.allclose(nn.utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-6)
    True
    """
    _check_eval(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Expected bn.running_mean and bn.running_var to be not None")
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of fuse_linear_bn_eval().

    >>> import gradcore
    >>> one, mean, variance = gradcore.ones(1), gradcore.tensor([1.0]), gradcore.tensor([4.0])
    >>> fused, _ = gradcore.nn.utils.fuse_linear_bn_weights(gradcore.ones(1, 2), None, mean, variance, 0.0, one, one)
    >>> fused.detach()
    tensor([[0.5000, 0.5000]])
    """
    return _fused(linear_w, linear_b, (bn_rm, bn_rv, bn_eps, bn_w, bn_b), 0)
