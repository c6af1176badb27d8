"""Windows for filters and spectra: symmetric where `sym` is True, else the symmetric one of a point more without its last.

Each takes the number of points and gives a vector of float32 or float64. A window of one point is 1. All raise
ValueError for a negative number of points, for another dtype, and for parameters out of their range.
"""

from __future__ import annotations

import math

from ... import _C
from ..._C import Tensor
from ..._types import check_cpu, strided
from ..._windows import kaiser_weights

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
else:
    from ..._lazy import Any, Callable, Iterable

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _window(name: str, points: int, options: dict[str, Any], weights: Callable[[Tensor, float], Tensor]) -> Tensor:
    """weights(n, last) of the points n = 0 ..., `last` being that at the end of the symmetric window."""
    dtype, layout = options["dtype"] or _C.get_default_dtype(), options["layout"]
    if isinstance(points, bool) or not isinstance(points, int):
        raise TypeError(f"{name}(): M must be int, not {type(points).__name__}")
    if points < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={points}")
    if layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (_C.float32, _C.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    if options["device"] is not None:
        check_cpu(options["device"])
    if points < 2:
        window = _C.ones(points, dtype=dtype)
    else:
        window = weights(_C.arange(points, dtype=dtype), points - 1 if options["sym"] else points)
    return window.requires_grad_() if options["requires_grad"] else window


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-|n - center| / tau); the center is the middle unless it is given, which takes a window that is not symmetric.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.exponential.html

    >>> import gradcore
    >>> gradcore.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window(
        "exponential", M, options, lambda n, last: (n - (last / 2 if center is None else center)).abs().div(-tau).exp()
    )


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """sin(pi (n + 0.5) / M) of M points.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.cosine.html

    >>> import gradcore
    >>> gradcore.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("cosine", M, options, lambda n, last: ((n + 0.5) * (math.pi / (last + 1))).sin())


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """exp(-((n - c) / std)^2 / 2), c being the middle.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.gaussian.html

    >>> import gradcore
    >>> gradcore.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("gaussian", M, options, lambda n, last: ((n - last / 2) / std).square().mul(-0.5).exp())


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), N being the last point, I0 a Bessel function.

    Source: J. F. Kaiser, R. W. Schafer, "On the use of the I0-sinh window for spectrum analysis", 1980.

    >>> import gradcore
    >>> gradcore.signal.windows.kaiser(3, beta=0.0)
    tensor([1., 1., 1.])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("kaiser", M, options, lambda n, last: kaiser_weights(n, last, beta))


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0.54 - 0.46 cos(2 pi n / N), N being the last point.

    >>> import gradcore
    >>> gradcore.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_cosine(
        M, a=[0.54, 0.46], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0.5 - 0.5 cos(2 pi n / N), N being the last point.

    >>> import gradcore
    >>> gradcore.signal.windows.hann(3)
    tensor([0., 1., 0.])
    """
    return general_cosine(
        M, a=[0.5, 0.5], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N), N being the last point.

    >>> import gradcore
    >>> gradcore.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return general_cosine(
        M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The triangle 1 - |2 n / N - 1|, N being the last point.

    >>> import gradcore
    >>> gradcore.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("bartlett", M, options, lambda n, last: 1 - (n * (2.0 / last) - 1).abs())


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """a[0] - a[1] cos(2 pi n / N) + a[2] cos(4 pi n / N) - ..., N being the last point.

    Raises TypeError where `a` is no list or tuple, ValueError where it is empty.
    Source: A. H. Nuttall, "Some windows with very good sidelobe behavior", 1981.

    >>> import gradcore
    >>> gradcore.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    if not isinstance(a, (list, tuple)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def weights(n: Tensor, last: float) -> Tensor:
        terms = [(n * (2 * math.pi * i / last)).cos() * (-factor if i % 2 else factor) for i, factor in enumerate(a)]
        return _C.stack(terms).sum(0)

    options = {"sym": sym, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return _window("general_cosine", M, options, weights)


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - (1 - alpha) cos(2 pi n / N), N being the last point.

    >>> import gradcore
    >>> gradcore.signal.windows.general_hamming(3, alpha=0.75)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return general_cosine(
        M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The cosine window of Nuttall's coefficients 0.3635819, 0.4891775, 0.1365995 and 0.0106411.

    Source: A. H. Nuttall, "Some windows with very good sidelobe behavior", 1981.

    >>> import gradcore
    >>> gradcore.signal.windows.nuttall(5)[1:4]
    tensor([0.2270, 1.0000, 0.2270])
    """
    return general_cosine(
        M,
        a=[0.3635819, 0.4891775, 0.1365995, 0.0106411],
        sym=sym,
        dtype=dtype,
        layout=layout,
        device=device,
        requires_grad=requires_grad,
    )
