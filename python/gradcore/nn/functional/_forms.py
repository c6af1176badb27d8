"""The functions of nn.functional that torch has by the same names in its own namespace, with other arguments.

There a reduction is a number: 0 for none, 1 for the mean, 2 for the sum (any other number is none). Source:
https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/native_functions.yaml
"""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from . import _activation, _ctc, _dropout, _loss
from ._checks import need_tensor, reduced

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any


def _name(function: str, reduction: Any) -> str:
    if isinstance(reduction, bool) or not isinstance(reduction, int):
        raise TypeError(f"{function}(): argument 'reduction' must be int, not {type(reduction).__name__}")
    return {1: "mean", 2: "sum"}.get(reduction, "none")


def kl_div(input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False) -> Tensor:
    """nn.functional.kl_div(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int.

    >>> import gradcore
    >>> gradcore.kl_div(gradcore.tensor([0.5, 0.5]).log(), gradcore.tensor([1.0, 0.0]), 2)
    tensor(0.6931)
    """
    name = _name("kl_div", reduction)
    return reduced(_loss.kl_div(input, target, reduction="none", log_target=log_target), name)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Tensor:
    """nn.functional.ctc_loss(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int, RuntimeError for lengths and sizes that do not fit.

    >>> import gradcore
    >>> log_probs = gradcore.zeros(2, 1, 2).log_softmax(2)
    >>> gradcore.ctc_loss(log_probs, gradcore.tensor([[1]]), (2,), (1,), reduction=0)
    tensor([0.2877])
    """
    name = _name("ctc_loss", reduction)
    return _ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, name, zero_infinity)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 1
) -> Tensor:
    """nn.functional.binary_cross_entropy_with_logits(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int, ValueError for a target of another shape.

    >>> import gradcore
    >>> gradcore.binary_cross_entropy_with_logits(gradcore.zeros(2), gradcore.tensor([0.0, 1.0]), None, None, 2)
    tensor(1.3863)
    """
    name = _name("binary_cross_entropy_with_logits", reduction)
    return _loss.binary_cross_entropy_with_logits(input, target, weight, reduction=name, pos_weight=pos_weight)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """nn.functional.poisson_nll_loss() without defaults, the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int.

    >>> import gradcore
    >>> gradcore.poisson_nll_loss(gradcore.tensor([0.0]), gradcore.tensor([2.0]), True, False, 1e-8, 0)
    tensor([1.])
    """
    name = _name("poisson_nll_loss", reduction)
    return _loss.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=name)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1) -> Tensor:
    """nn.functional.hinge_embedding_loss(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int.

    >>> import gradcore
    >>> gradcore.hinge_embedding_loss(gradcore.tensor([0.2, 0.2]), gradcore.tensor([1, -1]), 1.0, 0)
    tensor([0.2000, 0.8000])
    """
    name = _name("hinge_embedding_loss", reduction)
    return _loss.hinge_embedding_loss(input, target, margin, reduction=name)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """nn.functional.margin_ranking_loss(), the reduction being a number: 0 none, 1 mean, 2 sum.

    The shapes broadcast, whatever the numbers of their dims. Raises TypeError for a reduction that is no int.

    >>> import gradcore
    >>> gradcore.margin_ranking_loss(gradcore.tensor([1.0]), gradcore.tensor([3.0]), gradcore.tensor([1.0]))
    tensor(2.)
    """
    name = _name("margin_ranking_loss", reduction)
    return reduced((-target * (input1 - input2) + margin).clamp_min(0.0), name)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """nn.functional.cosine_embedding_loss(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int, RuntimeError for shapes that do not fit.

    >>> import gradcore
    >>> x = gradcore.tensor([[1.0, 0.0]])
    >>> gradcore.cosine_embedding_loss(x, x, gradcore.tensor([-1]), 0.25, 0)
    tensor([0.7500])
    """
    name = _name("cosine_embedding_loss", reduction)
    return _loss.cosine_embedding_loss(input1, input2, target, margin, reduction=name)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 1,
) -> Tensor:
    """nn.functional.triplet_margin_loss(), the reduction being a number: 0 none, 1 mean, 2 sum.

    Raises TypeError for a reduction that is no int, RuntimeError where the numbers of dims differ.

    >>> import gradcore
    >>> x = gradcore.zeros(1, 4)
    >>> gradcore.triplet_margin_loss(x, x, x, 0.5, reduction=0)
    tensor([0.5000])
    """
    name = _name("triplet_margin_loss", reduction)
    return _loss.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=name)


# ---- dropout


def _check(function: str, input: Any, p: float) -> None:
    need_tensor(function, "input", 1, input)
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """nn.functional.dropout() where `train` is True, else the input itself.

    Raises RuntimeError for a p outside of [0, 1].

    >>> import gradcore
    >>> gradcore.dropout(gradcore.ones(3), 0.9, False)
    tensor([1., 1., 1.])
    """
    _check("dropout", input, p)
    return _dropout.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """dropout() in place.

    >>> import gradcore
    >>> gradcore.dropout_(gradcore.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    _check("dropout", input, p)
    return _dropout.dropout(input, p, train, inplace=True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """dropout() of whole channels. input: (N, C, ...).

    Raises RuntimeError for a p outside of [0, 1], and for an input of fewer than two dims.

    >>> import gradcore
    >>> gradcore.feature_dropout(gradcore.ones(1, 2), 1.0, True)
    tensor([[0., 0.]])
    """
    _check("feature_dropout", input, p)
    return _dropout._feature_dropout(input, p, train, False)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """feature_dropout() in place.

    >>> import gradcore
    >>> gradcore.feature_dropout_(gradcore.ones(1, 2), 1.0, True)
    tensor([[0., 0.]])
    """
    _check("feature_dropout", input, p)
    return _dropout._feature_dropout(input, p, train, True)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """nn.functional.alpha_dropout() where `train` is True, else the input itself.

    Raises RuntimeError for a p outside of [0, 1].

    >>> import gradcore
    >>> gradcore.alpha_dropout(gradcore.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    _check("alpha_dropout", input, p)
    return _dropout.alpha_dropout(input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """alpha_dropout() in place.

    >>> import gradcore
    >>> gradcore.alpha_dropout_(gradcore.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    _check("alpha_dropout", input, p)
    return _dropout.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """alpha_dropout() of whole channels. input: (N, C, ...).

    Raises RuntimeError for a p outside of [0, 1], and for an input of fewer than two dims.

    >>> import gradcore
    >>> gradcore.feature_alpha_dropout(gradcore.ones(1, 2), 1.0, True)
    tensor([[0., 0.]])
    """
    _check("feature_alpha_dropout", input, p)
    return _dropout.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """feature_alpha_dropout() in place.

    >>> import gradcore
    >>> gradcore.feature_alpha_dropout_(gradcore.ones(1, 2), 1.0, True)
    tensor([[0., 0.]])
    """
    _check("feature_alpha_dropout", input, p)
    return _dropout.feature_alpha_dropout(input, p, train, inplace=True)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: _C.Generator | None = None,
) -> Tensor:
    """nn.functional.rrelu() with a generator to draw the slopes from.

    Raises RuntimeError where lower is above upper.

    >>> import gradcore
    >>> gradcore.rrelu(gradcore.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    return _activation._rrelu(input, lower, upper, training, False, generator)


def rrelu_(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: _C.Generator | None = None,
) -> Tensor:
    """rrelu() in place.

    >>> import gradcore
    >>> gradcore.rrelu_(gradcore.tensor([-1.0, 2.0]), 0.5, 0.5)
    tensor([-0.5000,  2.0000])
    """
    return _activation._rrelu(input, lower, upper, training, True, generator)
