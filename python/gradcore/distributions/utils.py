"""What distributions share: broadcasting of parameters, probabilities and logits, lazy attributes."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor

euler_constant = 0.57721566490153286060

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]


def is_number(value: Any) -> bool:
    """Whether `value` is a Python number."""
    return isinstance(value, (int, float, complex))


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape: numbers take the dtype of the first tensor, or the default one.

    >>> import gradcore
    >>> from gradcore.distributions.utils import broadcast_all
    >>> broadcast_all(gradcore.zeros(2), 1.0)
    (tensor([0., 0.]), tensor([1., 1.]))

    Raises ValueError for a value that is neither a number nor a tensor.
    """
    if not all(isinstance(value, Tensor) or is_number(value) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    first = next((value for value in values if isinstance(value, Tensor)), None)
    dtype = _C.get_default_dtype() if first is None else first.dtype
    tensors = [value if isinstance(value, Tensor) else _C.tensor(value, dtype=dtype) for value in values]
    shapes = [tensor.shape for tensor in tensors]
    if all(shape == shapes[0] for shape in shapes):
        return tuple(tensors)
    return tuple(gradcore.broadcast_tensors(*tensors))


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Standard normal numbers in the dtype of `like`."""
    return _C.randn(tuple(shape), dtype=like.dtype)


def _standard_normal(shape: Any, dtype: Any, device: Any = None) -> Tensor:
    return _C.randn(tuple(shape), dtype=dtype, device=device)


def sum_rightmost(value: Any, dims: int) -> Any:
    """Summed over the last `dims` dims; a number stays."""
    if dims == 0 or not isinstance(value, Tensor):
        return value
    return value.reshape(value.shape[: value.dim() - dims] + (-1,)).sum(-1)


_sum_rightmost = sum_rightmost


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)); from 20 on x itself, as torch's functional has it."""
    return _C.where(x > 20, x, x.clamp_max(20).exp().log1p())


def binary_cross_entropy(logits: Tensor, value: Tensor) -> Tensor:
    """-log of the probability of `value`, 0 or 1, elementwise."""
    return (1 - value) * logits + softplus(-logits)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logits: by sigmoid for two outcomes, by softmax along the last dim else."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Within [eps, 1 - eps] of the dtype."""
    eps = gradcore.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logits of probabilities: log odds for two outcomes, logarithms else."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def one_hot(index: Tensor, classes: int, like: Tensor) -> Tensor:
    """1 at the index along a new last dim, else 0, in the dtype of `like`."""
    hot = _C.zeros((*index.shape, classes), dtype=like.dtype)
    return hot.scatter_(-1, index.unsqueeze(-1), 1.0)


class lazy_property:
    """An attribute that a method computes when it is first asked for."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return _LazyAttribute(self.wrapped)
        with gradcore.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _LazyAttribute(property):
    """What the class itself shows for a lazy attribute: a property, so that it is documented."""


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """A lower-triangular matrix of the numbers of `vec`, row by row up to the diagonal `diag`."""
    count = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if not round(n) - n <= gradcore.finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower triangular part of a square D x D matrix."
        )
    size = round(n)
    rows, columns = _C.tril_indices(size, size, diag)
    flat = _C.zeros((*vec.shape[:-1], size * size), dtype=vec.dtype)
    where = (rows * size + columns).expand(vec.shape)
    return flat.scatter(-1, where, vec).reshape(*vec.shape[:-1], size, size)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The numbers of the lower triangle of `mat`, row by row up to the diagonal `diag`."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = _C.tril_indices(n, n, diag)
    return mat.reshape(*mat.shape[:-2], n * n).index_select(-1, rows * n + columns)
