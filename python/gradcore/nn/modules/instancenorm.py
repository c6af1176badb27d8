"""Instance normalisation layers."""

from __future__ import annotations

import warnings

from ..._C import Tensor
from .. import functional as F
from .batchnorm import _LazyNormBase, _NormBase

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from ..._lazy import Any

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    _dims = 0  # of an input with samples

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        dims = self._dims
        if input.dim() not in (dims - 1, dims):
            raise ValueError(f"expected {dims - 1}D or {dims}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        channels = input.size(1 - self._dims)
        if channels != self.num_features:
            at = input.dim() + 1 - self._dims
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={at} to match num_features ({self.num_features}), but got: {channels}."
                )
            warnings.warn(
                f"input's size at dim={at} does not match num_features. You can silence this warning by not passing in "
                "num_features, which is not used because affine=False",
                stacklevel=2,
            )
        if input.dim() == self._dims - 1:
            return self._handle_no_batch_input(input)
        return self._apply_instance_norm(input)

    # Subclasses replace these two, which have torch's names.

    def _handle_no_batch_input(self, input: Tensor) -> Tensor:
        return self._apply_instance_norm(input.unsqueeze(0)).squeeze(0)

    def _apply_instance_norm(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias over each channel of each sample. Input: (N, C, L) or (C, L).

    By default without parameters (affine) and running statistics. Raises ValueError for another number of dims.
    Source: D. Ulyanov et al., "Instance normalization: the missing ingredient for fast stylization", 2016.

    >>> import gradcore
    >>> gradcore.nn.InstanceNorm1d(1)(gradcore.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _dims = 3


class InstanceNorm2d(_InstanceNorm):
    """InstanceNorm1d for inputs (N, C, H, W) and (C, H, W).

    >>> import gradcore
    >>> gradcore.nn.InstanceNorm2d(3)(gradcore.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _dims = 4


class InstanceNorm3d(_InstanceNorm):
    """InstanceNorm1d for inputs (N, C, D, H, W) and (C, D, H, W).

    >>> import gradcore
    >>> gradcore.nn.InstanceNorm3d(3)(gradcore.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    _dims = 5


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm1d that takes num_features from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyInstanceNorm1d()(gradcore.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    cls_to_become = InstanceNorm1d
    _dims = 3


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm2d that takes num_features from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyInstanceNorm2d()(gradcore.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    cls_to_become = InstanceNorm2d
    _dims = 4


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm3d that takes num_features from its first input.

    >>> import gradcore
    >>> gradcore.nn.LazyInstanceNorm3d()(gradcore.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    cls_to_become = InstanceNorm3d
    _dims = 5
