"""Norms of weights, which the old and the new forms of weight and spectral normalisation share."""

from __future__ import annotations

from ..._C import Tensor
from ..functional import normalize
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module


def norm_except(v: Tensor, dim: int) -> Tensor:
    """The norm of v over all dims but one, which stay as dims of one element; over all of them for dim -1."""
    if dim == -1:
        return v.norm()
    if not -v.dim() <= dim < v.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-v.dim()}, {v.dim() - 1}], but got {dim})"
        )
    dims = [d for d in range(v.dim()) if d != dim % v.dim()]
    return v.norm(2, dims, keepdim=True) if dims else v.abs()


def normalised(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """v with g as its norm over all dims but one."""
    return v * (g / norm_except(v, dim))


def output_dim(module: Module) -> int:
    """The dim of a weight that counts outputs."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with one dim in front and all others as columns."""
    if dim != 0:
        weight = weight.permute(dim, *[d for d in range(weight.dim()) if d != dim])
    return weight.flatten(1)


def improve(of: Tensor, by: Tensor, matrix: Tensor, eps: float) -> None:
    """Half a step of power iteration, in place: one singular vector by the other one."""
    of.copy_(normalize(matrix.mv(by), dim=0, eps=eps))
