"""Losses. Each takes reduction='mean', 'sum' or 'none', and the arguments size_average and reduce of old.

Start at cross_entropy. CTC has a file of its own.
"""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor
from ..._overridable import offer_calls, warn_caller
from ._activation import logsigmoid
from ._checks import SCALAR_NAMES, need_float, need_tensor, old_reduction, precise, reduced, reduced_at_once
from ._distance import pairwise_distance

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from ..._lazy import Any, Callable


def _listed(tensor: Tensor) -> str:
    return str(list(tensor.shape))


# ------------------------------------------------------------------------------------------------------------
# Distances of numbers


def _of_one_shape(input: Tensor, target: Tensor) -> tuple[Tensor, ...]:
    """Both broadcast, with a warning. Numbers that become vectors count as such where dtypes are promoted."""
    warn_caller(
        f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely "
        "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
    )
    return _C.broadcast_tensors(input, target)


def _check_weight(weight: Tensor, shape: tuple[int, ...]) -> None:
    if weight.shape != shape:
        raise ValueError("Weights and input must have the same size.")


def _weighted(loss: Tensor, weight: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return (loss * weight).sum() / weight.sum()
    return reduced(loss * weight, reduction)


@precise
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2, its mean or sum; weight: of each element, the mean is then divided by their sum.

    input, target, weight: of one shape; another target is broadcast, with a warning. Raises ValueError for an unknown
    reduction. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html

    >>> import gradcore
    >>> gradcore.nn.functional.mse_loss(gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 4.0]))
    tensor(2.)
    """
    shape = input.shape
    if target.shape != shape:
        input, target = _of_one_shape(input, target)
    if weight is not None:
        _check_weight(weight, shape)
    elif not target.is_floating_point():
        need_float("mse_loss", "mse_cpu", input)
    reduction = old_reduction(size_average, reduce, reduction)
    if weight is None:
        return reduced_at_once(_C._nn_mse(input, target), reduction)
    return _weighted((input - target).square(), weight, reduction)  # ints, too


@precise
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, its mean or sum; see mse_loss().

    >>> import gradcore
    >>> gradcore.nn.functional.l1_loss(gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 4.0]))
    tensor(1.)
    """
    shape = input.shape
    if target.shape != shape:
        input, target = _of_one_shape(input, target)
    if weight is not None:
        _check_weight(weight, shape)
    reduction = old_reduction(size_average, reduce, reduction)
    loss = (input - target).abs()
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, reduction)


@precise
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """0.5 d^2 / beta where d = |input - target| is below beta, else d - 0.5 beta; see mse_loss().

    Raises RuntimeError for a negative beta. Source: R. Girshick, "Fast R-CNN", 2015.

    >>> import gradcore
    >>> gradcore.nn.functional.smooth_l1_loss(gradcore.tensor([0.0, 0.0]), gradcore.tensor([0.5, 3.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if target.shape != input.shape:
        input, target = _of_one_shape(input, target)
    reduction = old_reduction(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    need_float("smooth_l1_loss", "smooth_l1_cpu", input)
    return reduced_at_once(_C._nn_smooth_l1(input, target, beta), reduction)


def _of_dtype(loss: Tensor, input: Tensor) -> Tensor:
    """A few losses have the input's dtype beside a wider target, as in torch."""
    return loss.to(input.dtype) if loss.dtype != input.dtype and input.is_floating_point() else loss


@precise
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """0.5 d^2 where d = |input - target| is at most delta, else delta * (d - 0.5 delta); see mse_loss().

    The mean of a weighted loss is divided by the number of elements, as in torch. Raises RuntimeError for a delta that is
    not positive. Source: P. J. Huber, "Robust estimation of a location parameter", 1964.

    >>> import gradcore
    >>> gradcore.nn.functional.huber_loss(gradcore.tensor([0.0, 0.0]), gradcore.tensor([0.5, 3.0]), "none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    shape = input.shape
    if target.shape != shape:
        input, target = _of_one_shape(input, target)
    if weight is not None:
        _check_weight(weight, shape)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    loss = _of_dtype(_C._nn_huber(input, target, delta), input)
    return reduced_at_once(loss, reduction) if weight is None else reduced(loss * weight, reduction)


# ------------------------------------------------------------------------------------------------------------
# Classes


@precise
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log(softmax(input)[target]), its mean or sum over the samples.

    input: (C), (N, C) or (N, C, d1, ...) scores; target: classes, of input's shape without C, or probabilities, of input's
    shape; weight: (C), of the classes; samples of class ignore_index do not count; label_smoothing: the share of the
    uniform distribution in the target. Raises IndexError for a class out of range, ValueError and RuntimeError for shapes
    that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html

    >>> import gradcore
    >>> gradcore.nn.functional.cross_entropy(gradcore.zeros(1, 4), gradcore.tensor([2]))
    tensor(1.3863)
    """
    if size_average is not None or reduce is not None:
        reduction = old_reduction(size_average, reduce, reduction)
    try:
        same_shape = target.dim() == input.dim() and input.shape == target.shape
    except AttributeError:
        need_tensor("cross_entropy_loss", "input", 1, input)
        need_tensor("cross_entropy_loss", "target", 2, target)
        raise
    if same_shape and (target.is_floating_point() or input.dim() != 1):
        return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    return _C._nn_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def _soft_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """cross_entropy for a target of probabilities."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    class_dim = 0 if input.dim() == 1 else 1
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got " + SCALAR_NAMES[target.dtype]
        )
    if smoothing > 1:  # what is below 0, or NaN, smooths nothing
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    classes = input.shape[class_dim]
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        _check_class_weight(weight, classes)
        shape = [1] * input.dim()
        shape[class_dim] = classes
        target = target * weight.view(shape)
    loss = -(input.log_softmax(class_dim) * target).sum(class_dim)
    if reduction == "mean":
        found: Tensor = loss.sum() / (input.numel() / classes if classes else 0)
        return found
    return reduced(loss, reduction)


def _check_class_weight(weight: Tensor, classes: int) -> None:
    if weight.dim() != 1 or weight.numel() != classes:
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {_listed(weight)}"
        )


@precise
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[target] for each sample, its mean or sum: the loss of log probabilities.

    input: (C), (N, C) or (N, C, d1, ...) log probabilities; all else as in cross_entropy().

    >>> import gradcore
    >>> gradcore.nn.functional.nll_loss(gradcore.tensor([[-0.5, -1.0]]), gradcore.tensor([1]))
    tensor(1.)
    """
    if size_average is not None or reduce is not None:
        reduction = old_reduction(size_average, reduce, reduction)
    return _C._nn_nll_loss(input, target, weight, ignore_index, reduction)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """cross_entropy(linear(input, linear_weight, linear_bias), target), for a linear map with a dim of classes.

    input: (..., in); linear_weight: (C, in). options is accepted and changes nothing: the scores are computed as a whole.

    >>> import gradcore
    >>> gradcore.nn.functional.linear_cross_entropy(gradcore.ones(1, 2), gradcore.ones(3, 2), gradcore.tensor([0]))
    tensor(1.0986)
    """
    from ._linear import linear

    if linear_weight.dim() != 2:
        raise NotImplementedError("linear_cross_entropy: the weight must have two dims")
    scores = linear(input, linear_weight, linear_bias)
    if scores.dim() > 2:
        scores = scores.movedim(-1, 1)
    index = -100 if ignore_index is None else ignore_index
    return cross_entropy(
        scores, target, weight, ignore_index=index, reduction=reduction, label_smoothing=label_smoothing
    )


# ------------------------------------------------------------------------------------------------------------
# Probabilities


@precise
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target * log(input) + (1 - target) * log(1 - input)), its mean or sum. Logarithms end at -100.

    input: probabilities; target: of the same shape; weight: broadcast to it. Raises ValueError for another shape,
    RuntimeError for probabilities outside of [0, 1].

    >>> import gradcore
    >>> gradcore.nn.functional.binary_cross_entropy(gradcore.tensor([0.5]), gradcore.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if input.dtype != target.dtype:
        raise RuntimeError(f"Found dtype {SCALAR_NAMES[target.dtype]} but expected {SCALAR_NAMES[input.dtype]}")
    loss = _C._nn_bce(input, target)
    return reduced_at_once(loss, reduction) if weight is None else reduced(loss * weight.expand(loss.shape), reduction)


@precise
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy(sigmoid(input), target) without overflow; pos_weight: of the positive samples, broadcast.

    Raises ValueError for a target of another shape.

    >>> import gradcore
    >>> gradcore.nn.functional.binary_cross_entropy_with_logits(gradcore.zeros(2), gradcore.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    if not target.is_floating_point():
        raise RuntimeError(f"result type Float can't be cast to the desired output type {SCALAR_NAMES[target.dtype]}")
    if pos_weight is None:
        loss = _C._nn_bce_with_logits(input, target)
        if weight is None and loss.dtype == target.dtype:
            return reduced_at_once(loss, reduction)
    else:
        loss = (1 - target) * input - logsigmoid(input) * ((pos_weight - 1) * target + 1)
    loss = loss.to(target.dtype)  # torch writes it into 1 - target
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


@precise
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log(target) - input), where input holds log probabilities; log_target: the target holds them too.

    reduction 'batchmean' divides the sum by the size of dim 0, which is what mathematics calls the divergence.

    >>> import gradcore
    >>> log_p = gradcore.tensor([[0.5, 0.5]]).log()
    >>> gradcore.nn.functional.kl_div(log_p, gradcore.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = old_reduction(size_average, reduce, reduction)
    elif reduction == "mean":
        warn_caller(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.",
        )
    if not (input.is_floating_point() and target.is_floating_point()):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        zero = target == 0
        loss = _C.where(zero, 0.0, target * _C.where(zero, 1.0, target).log()) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.dim() else loss.sum()
    return reduced(loss, reduction)


@precise
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input, or input - target * log(input + eps) where log_input is False.

    full: with Stirling's approximation of log(target!) for targets above 1. Raises ValueError for an unknown reduction.

    >>> import gradcore
    >>> gradcore.nn.functional.poisson_nll_loss(gradcore.tensor([0.0]), gradcore.tensor([2.0]))
    tensor(1.)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        big = target > 1
        t = _C.where(big, target, 1.0)
        loss = loss + _C.where(big, t * t.log() - t + (t * (2 * math.pi)).log() * 0.5, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log(var) + (input - target)^2 / var) / 2, var being at least eps; full: with the constant log(2 pi) / 2.

    var: of input's shape, or with 1 for the last dim, or without it, or a number. Raises ValueError where it is of
    another shape or has negative elements.

    >>> import gradcore
    >>> gradcore.nn.functional.gaussian_nll_loss(gradcore.tensor([1.0]), gradcore.tensor([3.0]), gradcore.tensor([1.0]))
    tensor(2.)
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = _C.full_like(input.detach(), var)
    elif (var.detach() < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or [m for n, m in zip(input.shape, var.shape) if n != m] != [1]:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    # The floor is not part of the derivative: torch clamps a copy.
    var = var + (eps - var.detach()).clamp_min(0)
    loss = (var.log() + (input - target).square() / var) * 0.5
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


# ------------------------------------------------------------------------------------------------------------
# Margins


@precise
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1.

    >>> import gradcore
    >>> gradcore.nn.functional.hinge_embedding_loss(gradcore.tensor([0.2, 0.2]), gradcore.tensor([1, -1]), reduction="none")
    tensor([0.2000, 0.8000])
    """
    reduction = old_reduction(size_average, reduce, reduction)
    far = _C.where(target == 1, 0.0, (margin - input).clamp_min(0.0))
    near = _C.where(target == -1, 0.0, input)
    return reduced(far + near, reduction)


@precise
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin): target 1 wants the first to be larger, -1 the second.

    Raises RuntimeError where the numbers of dims differ.

    >>> import gradcore
    >>> gradcore.nn.functional.margin_ranking_loss(gradcore.tensor([1.0]), gradcore.tensor([3.0]), gradcore.tensor([1.0]))
    tensor(2.)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced((-target * (input1 - input2) + margin).clamp_min(0.0), reduction)


@precise
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1.

    inputs: (N, D) with a target (N), or (D) with a target of no dim. Raises RuntimeError for other shapes.

    >>> import gradcore
    >>> x = gradcore.tensor([[1.0, 0.0]])
    >>> gradcore.nn.functional.cosine_embedding_loss(x, x, gradcore.tensor([-1]), margin=0.25)
    tensor(0.7500)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.dim() == input2.dim() == target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with sizes "
            f"{_listed(input1)} and {_listed(input2)}."
        )
    tiny = 1e-12  # keeps the root's derivative finite
    dot = (input1 * input2).sum(-1)
    cosine = dot / ((input1.square().sum(-1) + tiny) * (input2.square().sum(-1) + tiny)).sqrt()
    near = _C.where(target == 1, 1 - cosine, 0.0)
    far = _C.where(target == -1, (cosine - margin).clamp_min(0.0), 0.0)
    return reduced(near + far, reduction)


@precise
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)), for targets 1 and -1.

    >>> import gradcore
    >>> gradcore.nn.functional.soft_margin_loss(gradcore.tensor([0.0]), gradcore.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    return reduced(_of_dtype(-logsigmoid(input * target), input), reduction)


@precise
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes i of max(0, margin - x[target] + x[i])^p, without i = target, times weight[target].

    input: (N, C) or (C); target: (N) or no dim; p: 1 or 2; weight: (C). Raises ValueError for another p, RuntimeError for
    shapes that do not fit and for a class out of range.

    >>> import gradcore
    >>> gradcore.nn.functional.multi_margin_loss(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([0]))
    tensor(0.5000)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return reduced_at_once(_C._nn_multi_margin(input, target, bool(p == 2), margin, weight), reduction)


@precise
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over pairs of a class j in the target and one i that is not of max(0, 1 - (x[j] - x[i])) / C.

    input: (N, C) or (C); target: of the same shape, classes up to the first -1. Raises RuntimeError for another shape and
    for a class out of range.

    >>> import gradcore
    >>> x, y = gradcore.tensor([[0.1, 0.2, 0.4, 0.8]]), gradcore.tensor([[3, 0, -1, 1]])
    >>> gradcore.nn.functional.multilabel_margin_loss(x, y)
    tensor(0.8500)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    return reduced_at_once(_C._nn_multilabel_margin(input, target), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes of binary cross entropies with logits; weight: of the classes.

    input, target: (..., C); without reduction the result is (...). Raises ValueError for an unknown reduction.

    >>> import gradcore
    >>> gradcore.nn.functional.multilabel_soft_margin_loss(gradcore.zeros(1, 3), gradcore.ones(1, 3))
    tensor(0.6931)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return reduced(loss.sum(input.dim() - 1) / input.shape[-1], reduction)


@precise
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d being pairwise_distance() of order p.

    swap: the smaller of d(anchor, negative) and d(positive, negative) counts. Raises ValueError for a margin that is not
    positive, RuntimeError where the numbers of dims differ.
    Source: V. Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses", 2016.

    >>> import gradcore
    >>> x = gradcore.zeros(1, 4)
    >>> gradcore.nn.functional.triplet_margin_loss(x, x, x, margin=0.5)
    tensor(0.5000)
    """
    reduction = old_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = _C.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced((near - far + margin).clamp_min(0.0), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss() with a distance of the caller's, by default pairwise_distance().

    >>> import gradcore
    >>> x = gradcore.zeros(1, 4)
    >>> gradcore.nn.functional.triplet_margin_with_distance_loss(
    ...     x, x, x + 3, distance_function=lambda a, b: (a - b).abs().amax(-1), margin=4.0)
    tensor(1.)
    """
    distance = pairwise_distance if distance_function is None else distance_function
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _C.minimum(far, distance(positive, negative))
    return reduced((near - far + margin).clamp_min(0.0), reduction)


offer_calls(globals())
