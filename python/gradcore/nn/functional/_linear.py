"""Linear and bilinear maps."""

from __future__ import annotations

from ..._C import Tensor
from ..._C import _nn_linear as linear
from ..._overridable import offer_calls

__all__ = ["bilinear", "linear"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1 @ weight[k] @ x2 + bias[k] for each k.

    input1: (..., in1); input2: (..., in2); weight: (out, in1, in2); bias: (out) or nothing. The result is (..., out).
    Raises RuntimeError for shapes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html

    >>> import gradcore
    >>> gradcore.nn.functional.bilinear(gradcore.ones(1, 2), gradcore.ones(1, 3), gradcore.ones(4, 2, 3))
    tensor([[6., 6., 6., 6.]])
    """
    if input1.dim() != input2.dim():
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}")
    for i, (n, m) in enumerate(zip(input1.shape[:-1], input2.shape[:-1])):
        if n != m:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {n} and {m}")
    for i, x in ((1, input1), (2, input2)):
        if x.size(-1) != weight.size(i):
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {x.size(-1)} but expected {weight.size(i)}"
            )
    if bias is not None and bias.size(0) != weight.size(0):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.size(0)} but expected {weight.size(0)}"
        )
    out, in1, in2 = weight.shape
    left = input1.reshape(-1, in1).matmul(weight.permute(1, 0, 2).reshape(in1, out * in2)).view(-1, out, in2)
    kept = None if left.is_floating_point() else left.dtype  # sums of whole numbers would be of int64
    found = (left * input2.reshape(-1, 1, in2)).sum(-1, dtype=kept).view(*input1.shape[:-1], out)
    return found if bias is None else found + bias


offer_calls(globals())
