"""torch.hann_window and its kin: windows whose weights are 0, or nearly, at both ends.

A periodic window is the symmetric one of one point more without its last point. Source: F. J. Harris, "On the use of
windows for harmonic analysis with the discrete Fourier transform", 1978.
"""

from __future__ import annotations

import math
from operator import index

from . import _C
from ._C import Tensor
from ._types import check_cpu, strided

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from ._lazy import Any, Callable


def _length(name: str, length: Any) -> int:
    """An int, also where it comes as a tensor without dims or as NumPy's."""
    if isinstance(length, Tensor):
        is_int = length.dim() == 0 and not length.dtype.is_floating_point and length.dtype is not _C.bool
    else:
        is_array = hasattr(length, "__len__")  # NumPy's without dims has an __index__ too
        is_int = hasattr(length, "__index__") and not isinstance(length, bool) and not is_array
    if not is_int:
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(length).__name__}")
    return index(length)


def _window(
    name: str, length: int, periodic: bool, options: dict[str, Any], weights: Callable[[Tensor, int], Tensor]
) -> Tensor:
    """weights(0 ... n - 1, n - 1), of the points asked for. The options are those of a factory."""
    length = _length(name, length)
    dtype, layout = options["dtype"] or _C.get_default_dtype(), options["layout"]
    if layout not in (None, strided):
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if options["device"] is not None:
        check_cpu(options["device"])
    if length < 2:
        window = _C.ones(length, dtype=dtype)
    else:
        points = length + bool(periodic)
        window = weights(_C.arange(points, dtype=dtype), points - 1)[:length]
        window = window.clone() if periodic else window
    return window.requires_grad_() if options["requires_grad"] else window


def kaiser_weights(n: Tensor, last: float, beta: float) -> Tensor:
    """I0(beta sqrt(1 - (2 n / last - 1)^2)) / I0(beta), I0 being a Bessel function; gradcore.signal has it too."""
    inside = 1 - (n * (2.0 / last) - 1).square()
    return _C.i0(inside.clamp_min(0).sqrt() * beta) / float(_C.i0(_C.tensor(beta, dtype=_C.float64)))


def _blackman(n: Tensor, last: int) -> Tensor:
    angle = n * (2 * math.pi / last)
    return (angle * 2).cos() * 0.08 - angle.cos() * 0.5 + 0.42


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The triangle 1 - |2 n / N - 1|, N being the last of the points n = 0 ... N.

    Any length from 0 on; of one point it is 1. Raises RuntimeError for a negative length or a dtype that is not floating,
    TypeError for a length that is no int.

    >>> import gradcore
    >>> gradcore.bartlett_window(5, periodic=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window(
        "bartlett_window", window_length, periodic, options, lambda n, last: 1 - (n * (2.0 / last) - 1).abs()
    )


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N), N being the last of the points n = 0 ... N.

    Any length from 0 on; of one point it is 1. Raises RuntimeError for a negative length or a dtype that is not floating,
    TypeError for a length that is no int.

    >>> import gradcore
    >>> gradcore.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("blackman_window", window_length, periodic, options, _blackman)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - beta cos(2 pi n / N), N being the last of the points n = 0 ... N.

    Any length from 0 on; of one point it is 1. Raises RuntimeError for a negative length or a dtype that is not floating,
    TypeError for a length that is no int.

    >>> import gradcore
    >>> gradcore.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window(
        "hamming_window",
        window_length,
        periodic,
        options,
        lambda n, last: (n * (2 * math.pi / last)).cos() * -beta + alpha,
    )


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """0.5 - 0.5 cos(2 pi n / N), N being the last of the points n = 0 ... N.

    Any length from 0 on; of one point it is 1. Raises RuntimeError for a negative length or a dtype that is not floating,
    TypeError for a length that is no int.

    >>> import gradcore
    >>> gradcore.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window(
        "hann_window", window_length, periodic, options, lambda n, last: (n * (2 * math.pi / last)).cos() * -0.5 + 0.5
    )


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), N being the last of the points n = 0 ... N, I0 a Bessel function.

    Any length from 0 on; of one point it is 1. Raises RuntimeError for a negative length or a dtype that is not floating,
    TypeError for a length that is no int.

    >>> import gradcore
    >>> gradcore.kaiser_window(3, periodic=False, beta=0.0)
    tensor([1., 1., 1.])
    """
    options = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("kaiser_window", window_length, periodic, options, lambda n, last: kaiser_weights(n, last, beta))
