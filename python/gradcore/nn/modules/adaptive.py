"""AdaptiveLogSoftmaxWithLoss, for very many classes."""

from __future__ import annotations

from collections import namedtuple

from ... import _C
from ..._C import Tensor
from ..functional import log_softmax
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
else:
    from ..._lazy import Any, Sequence

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log softmax over classes that are sorted by how frequent they are, in clusters: the frequent ones are told apart
    by the head, each cluster of rare ones by a tail of fewer features, which is computed only for targets in it.

    cutoffs: where clusters begin; div_value: by what factor each tail's features shrink; head_bias: of the head. Called
    with input (N, in_features) and target (N), or (in_features) and (), it returns a pair: output, the log probability of
    each target, and loss, the mean of their negatives. Raises ValueError for cutoffs that are not increasing numbers
    between 1 and n_classes - 1, RuntimeError for shapes that do not fit and for targets out of range.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html

    >>> import gradcore
    >>> module = gradcore.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
    >>> module(gradcore.ones(3, 8), gradcore.tensor([1, 7, 19])).output.shape
    torch.Size([3])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        increasing = all(a < b for a, b in zip([0, *cutoffs], [*cutoffs, n_classes]))
        if not increasing or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value "
                "is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        made: Any = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // (div_value ** (i + 1)))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(Linear(in_features, width, bias=False, **made), Linear(width, classes, bias=False, **made))
            )

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        input, target = input_, target_
        self._check(input, target)
        one_sample = target.dim() == 0
        if one_sample:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{target.min().item()}, "
                f"{target.max().item()}] were found. "
            )
        place, output = target, input.new_zeros(target.size(0))
        for i in range(self.n_clusters):
            (rows,) = ((target >= self.cutoffs[i]) & (target < self.cutoffs[i + 1])).nonzero(as_tuple=True)
            if not rows.numel():
                continue
            inside = log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
            found = inside.gather(1, (target[rows] - self.cutoffs[i]).unsqueeze(1)).squeeze(1)
            output = output.index_add(0, rows, found)
            place = place.index_fill(0, rows, self.shortlist_size + i)  # the head's class of the whole cluster
        head = log_softmax(self.head(input), dim=1)
        output = output + head.gather(1, place.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if one_sample else output, loss)

    def _check(self, input: Tensor, target: Tensor) -> None:
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target.dim() == 1 and input.size(0) != target.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input.dim() != target.dim() + 1:
            raise RuntimeError(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with size",
                input.size(),
            )

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            whole = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(log_softmax(self.tail[i](input), dim=1) + whole)
        return _C.cat(parts, dim=1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probability of every class: (N, n_classes) for input (N, in_features).

        >>> import gradcore
        >>> module = gradcore.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
        >>> module.log_prob(gradcore.ones(3, 8)).exp().sum(dim=1).detach().round(decimals=4)
        tensor([1., 1., 1.])
        """
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample. Tails are computed only where the head finds their cluster the likeliest.

        >>> import gradcore
        >>> module = gradcore.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
        >>> module.predict(gradcore.ones(3, 8)).shape
        torch.Size([3])
        """
        head = self.head(input)
        best: Tensor = head.argmax(dim=1)
        (rows,) = (best >= self.shortlist_size).nonzero(as_tuple=True)
        if rows.numel():
            best = best.index_copy(0, rows, self._get_full_log_prob(input[rows], head[rows]).argmax(dim=1))
        return best
