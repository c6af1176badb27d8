"""Parametrizations that networks use: weight_norm, spectral_norm, orthogonal."""

from __future__ import annotations

from ... import _C
from ..._C import Tensor
from ..._modes import no_grad
from ..._type_info import finfo
from ..functional import normalize
from ..modules.module import Module
from . import parametrize
from ._norms import as_matrix, improve, norm_except, normalised, output_dim

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normalised(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Length and direction of a weight."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int = 0) -> Any:
    """Makes a parameter a function of its length, original0, and its direction, original1.

    dim: one length for each index of it; None: one for the whole. Returns the module. State dicts of
    nn.utils.weight_norm() can be loaded.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html

    >>> from gradcore import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename_old_keys(state_dict: Any, prefix: str, *_: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename_old_keys)
    return module


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.dim()
        if dim >= ndim or dim < -ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            h, w = matrix.shape
            u, v = matrix.new_empty(h).normal_(0, 1), matrix.new_empty(w).normal_(0, 1)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        for _ in range(count):
            improve(self._u, self._v, matrix, self.eps)
            improve(self._v, self._u, matrix.t(), self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            with no_grad():
                self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # the next call changes the buffers, this one's backward needs them
        return weight / _C.dot(u, matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value: what it is divided by is not known before."""
        return value


def _tensor_of(module: Any, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divides a parameter by an estimate of its largest singular value, which each use in training improves; a vector by
    its norm.

    dim: the one that counts outputs; by default 1 for transposed convolutions, else 0. Returns the module. Raises
    ValueError for a name that is no tensor and for n_power_iterations below 1, IndexError for a dim that is not there.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html

    >>> from gradcore import nn
    >>> nn.utils.parametrizations.spectral_norm(nn.Linear(2, 3)).parametrizations
    ModuleDict(
      (weight): ParametrizationList(
        (0): _SpectralNorm()
      )
    )
    """
    weight = _tensor_of(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    parametrize.register_parametrization(module, name, made)
    return module


class _Orthogonal(Module):
    """From any matrix to one with orthonormal columns, or rows where it is wider than high.

    `base` makes it a trivialisation (Lezcano-Casado 2019): the map is taken at zero and multiplied with base, so that any
    orthogonal matrix can be assigned.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, kind: str, trivial: bool) -> None:
        super().__init__()
        self.kind, self.shape = kind, weight.shape
        if trivial:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        tall = x.mT if wide else x
        q = _of_reflections(tall) if self.kind == "householder" else _of_skew(tall, self.kind)
        base = getattr(self, "base", None)
        if base is not None:
            q = base @ q
        return q.mT if wide else q

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """A tensor that the map takes to a matrix with orthonormal columns or rows."""
        with no_grad():
            return self._preimage(matrix)

    def _preimage(self, matrix: Tensor) -> Tensor:
        if matrix.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {matrix.shape}."
            )
        q = matrix.mT if matrix.shape[-2] < matrix.shape[-1] else matrix
        if not hasattr(self, "base"):
            return self._without_base(q)
        n, k = q.shape[-2:]
        if k < n:
            q = _orthonormal(_C.cat([q, _C.randn(*q.shape[:-1], n - k, dtype=q.dtype)], -1))
        elif _is_orthonormal(q):
            q = q.clone()
        else:
            q = _orthonormal(q)
        self.base = q
        # Each map takes minus the identity to the identity. A difference, because -eye() prints as -0.
        start = (0 - _C.eye(n, dtype=q.dtype)).expand(q.shape)[..., :k].clone()
        return start.mT.contiguous() if matrix.shape[-2] < matrix.shape[-1] else start

    def _without_base(self, q: Tensor) -> Tensor:
        if self.kind != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        h: Tensor
        h, tau = _C.geqrf(q)
        diagonal = h.diagonal(dim1=-2, dim2=-1)
        diagonal.copy_(_C.where(tau == 0, -diagonal.sign(), diagonal.sign()))
        return h.mT if self.shape[-2] < self.shape[-1] else h


def _of_skew(x: Tensor, kind: str) -> Tensor:
    """The exponential of a skew-symmetric matrix, or Cayley's map of it; the first columns of it."""
    n, k = x.shape[-2:]
    lower = x.tril()
    if k < n:
        lower = _C.cat([lower, lower.new_zeros(*lower.shape[:-1], n - k)], -1)
    skew = lower - lower.mT
    if kind == "matrix_exp":
        q = _C.matrix_exp(skew)
    else:
        one = _C.eye(n, dtype=x.dtype)
        q = _C._linalg_solve(one - 0.5 * skew, one + 0.5 * skew)
    return q[..., :k]


def _of_reflections(x: Tensor) -> Tensor:
    """The product of the reflections below the diagonal, with the signs that stand on it."""
    h = x.tril(-1)
    tau = 2 / (1 + (h * h).sum(-2))
    signs = x.diagonal(dim1=-2, dim2=-1).detach().sign()
    product: Tensor = _C._linalg_householder_product(h, tau) * signs.unsqueeze(-2)
    return product


def _orthonormal(a: Tensor) -> Tensor:
    """The Q of QR, with the signs that make the diagonal of R positive."""
    h, tau = _C.geqrf(a)
    signs = h.diagonal(dim1=-2, dim2=-1).sign()
    product: Tensor = _C._linalg_householder_product(h, tau) * signs.unsqueeze(-2)
    return product


def _is_orthonormal(q: Tensor) -> bool:
    k = q.shape[-1]
    difference = q.mT @ q - _C.eye(k, dtype=q.dtype)
    return bool((difference.abs() <= 10 * k * finfo(q.dtype).eps).all())


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Makes a parameter a matrix, or a batch of them, with orthonormal columns, or rows where it is wider than high.

    orthogonal_map: "matrix_exp", "cayley" or "householder"; by default the first for square matrices, the last for others.
    use_trivialization: any such matrix can be assigned later. Returns the module. Raises ValueError for a parameter of fewer
    than two dims and for another map.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html

    >>> import gradcore
    >>> layer = gradcore.nn.utils.parametrizations.orthogonal(gradcore.nn.Linear(3, 3))
    >>> gradcore.allclose(layer.weight @ layer.weight.mT, gradcore.eye(3), atol=1e-6)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    kind = orthogonal_map or ("matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder")
    if kind not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, kind, use_trivialization)
    parametrize.register_parametrization(module, name, made, unsafe=True)
    return module
