"""Linear and bilinear maps."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ._checks import need_tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias.

    input: (..., in); weight: (out, in) or (in); bias: (out) or nothing. The result is (..., out).
    Raises RuntimeError for shapes or dtypes that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html

    >>> import gradcore
    >>> gradcore.nn.functional.linear(gradcore.ones(1, 2), gradcore.ones(3, 2), gradcore.ones(3))
    tensor([[3., 3., 3.]])
    """
    need_tensor("linear", "input", 1, input)
    if weight.dim() == 1:
        if bias is not None:
            raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
        return input.matmul(weight)
    if bias is None:
        if input.dim() == 0:
            raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {weight.dim()}D")
        return input.matmul(weight.t())
    if input.dim() == 2:
        return _C.addmm(bias, input, weight.t())
    if input.dim() == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {weight.dim()}D")
    if input.dim() > 2 and input.is_contiguous():
        # One product of matrices, with the bias in it.
        rows = _C.addmm(bias, input.view(-1, input.shape[-1]), weight.t())
        return rows.view(*input.shape[:-1], weight.shape[0])
    return input.matmul(weight.t()) + bias


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
    found = (left * input2.reshape(-1, 1, in2)).sum(-1).view(*input1.shape[:-1], out)
    return found if bias is None else found + bias
