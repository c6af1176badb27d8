"""The functions of nn.functional that torch has by the same names in its own namespace, with other arguments.

There a reduction is a number: 0 for none, 1 for the mean, 2 for the sum (any other number is none). Source:
https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/native_functions.yaml
"""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._overridable import offer_calls
from . import _activation, _ctc, _dropout, _embedding, _loss
from ._checks import need_tensor, reduced

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any


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


# ------------------------------------------------------------------------------------------------------------
# Rows of tables


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """nn.functional.embedding_bag(), the mode being a number (0 sum, 1 mean, 2 max), with what torch gives beside it.

    Gives (output, offset2bag, bag_size, max_indices): the bag of each index, how many rows each bag has, and which row of the
    table each largest element comes from; they are empty or zero where torch leaves them so. Raises RuntimeError for another
    mode, and what the function of nn.functional raises.

    >>> import gradcore
    >>> weight = gradcore.tensor([[1.0], [2.0], [4.0]])
    >>> gradcore.embedding_bag(weight, gradcore.tensor([0, 1, 2]), gradcore.tensor([0, 2]), mode=1)[:2]
    (tensor([[1.5000],
            [4.0000]]), tensor([0, 0, 1]))
    """
    if mode not in (0, 1, 2):
        raise RuntimeError(f"embedding_bag: expected mode to be 0 (sum), 1 (mean) or 2 (max), but got {mode}")
    output = _embedding.embedding_bag(
        indices,
        weight,
        offsets,
        None,
        2.0,
        scale_grad_by_freq,
        ("sum", "mean", "max")[mode],
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )
    bags = output.shape[0]
    none = _C.zeros(bags, dtype=_C.int64)
    if mode == 0 and padding_idx is None:
        return output, _C.empty(0, dtype=_C.int64), none, none.clone()
    bounds = [*offsets.tolist(), indices.shape[0]][: bags + 1]
    sizes = _C.tensor([end - begin for begin, end in zip(bounds, bounds[1:])], dtype=_C.int64)
    bag_of = _C.repeat_interleave(_C.arange(bags), sizes)
    if mode == 0:
        return output, bag_of, none, none.clone()
    if padding_idx is not None:
        kept = indices[: bag_of.shape[0]] != padding_idx % weight.shape[0]
        sizes = none.index_add(0, bag_of, kept.long())
    if mode == 1:
        return output, bag_of, sizes, sizes.clone()
    return output, bag_of, sizes, _rows_of_largest(weight.detach(), indices, bounds, padding_idx)


def _rows_of_largest(weight: Tensor, indices: Tensor, bounds: list[int], padding_idx: int | None) -> Tensor:
    found = _C.zeros((len(bounds) - 1, weight.shape[1]), dtype=_C.int64)
    for bag, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        members = indices[begin:end].long()
        if padding_idx is not None:
            members = members[members != padding_idx % weight.shape[0]]
        if members.shape[0]:
            found[bag] = members[weight[members].argmax(0)]
    return found


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shortens the rows of a table that are used and longer than `max_norm`, in place.

    input: (V, D); indices: ints of any shape. Raises RuntimeError for other dims and dtypes, IndexError for an index out of
    range.

    >>> import gradcore
    >>> gradcore.embedding_renorm_(gradcore.tensor([[3.0, 4.0], [3.0, 4.0]]), gradcore.tensor([1]), 1.0, 2.0)
    tensor([[3.0000, 4.0000],
            [0.6000, 0.8000]])
    """
    _embedding._check_index("embedding_renorm_", indices)
    if input.dim() != 2:
        raise RuntimeError(
            f"Expected 2-dimensional tensor, but got {input.dim()}-dimensional tensor for argument #1 'self' (while "
            "checking arguments for embedding_renorm_)"
        )
    _embedding._renormalized(input, indices, max_norm, norm_type)
    return input


# ------------------------------------------------------------------------------------------------------------
# Images and sequences


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """A convolution over sequences that are stored as (time, batch, channels).

    weight: (kernel width, channels, channels of the result); bias: (channels of the result); pad: zeros at both ends. Raises
    RuntimeError for what does not fit.

    >>> import gradcore
    >>> gradcore.conv_tbc(gradcore.ones(3, 1, 1), gradcore.ones(2, 1, 1), gradcore.zeros(1)).flatten()
    tensor([2., 2.])
    """
    if input.dim() != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.dim() != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.dim() != 1:
        raise RuntimeError("Bias must be 1-D")
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if weight.shape[2] != bias.shape[0]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    out = _C.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return out.permute(2, 0, 1).contiguous()


offer_calls(globals())
