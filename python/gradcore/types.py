"""torch.types: names for annotations."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

from ._C import Tensor as Tensor
from ._C import dtype as _dtype_class
from ._types import Size as Size
from ._types import device as _device_class

_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float
_bool: TypeAlias = builtins.bool
_dtype: TypeAlias = _dtype_class
_device: TypeAlias = _device_class
_size: TypeAlias = Size | list[builtins.int] | tuple[builtins.int, ...]
Number: TypeAlias = builtins.int | builtins.float | builtins.bool
Device: TypeAlias = Any
FileLike: TypeAlias = Any
Storage: TypeAlias = Any
IntLikeType: TypeAlias = builtins.int
FloatLikeType: TypeAlias = builtins.float
BoolLikeType: TypeAlias = builtins.bool
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_TensorOrTensorsOrGradEdge: TypeAlias = Any
_TensorOrOptionalTensors: TypeAlias = Tensor | Sequence[Tensor | None]
_Number = (builtins.int, builtins.float, builtins.bool)
