"""torch.fft: its transforms give complex numbers, which gradcore does not have; these raise NotImplementedError.

What needs real numbers alone is here: the sample frequencies, and the shifts between the two orders of a spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._C import Tensor, arange, empty
from .._compat.absent import absent

__getattr__ = absent(
    __name__,
    "fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft rfft2 rfftn",
    "gradcore has no complex numbers",
)


def fftfreq(
    n: int, d: float = 1.0, *, out: Tensor | None = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """The frequencies of a transform of n samples that lie d apart: 0, 1, ..., then the negative ones, over n * d.

    d is in units of time, the result in cycles per such unit. options: dtype and device, as of empty().

    >>> import gradcore as torch
    >>> torch.fft.fftfreq(5, 0.1)
    tensor([ 0.,  2.,  4., -4., -2.])
    """
    return _frequencies(n, [(0, (n + 1) // 2), (-(n // 2), 0)], d, out, requires_grad, options)


def rfftfreq(
    n: int, d: float = 1.0, *, out: Tensor | None = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """The frequencies of a real transform of n samples that lie d apart: those of fftfreq() that are not negative.

    For an even n the last one is positive here, and negative there.

    >>> import gradcore as torch
    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return _frequencies(n, [(0, n // 2 + 1)], d, out, requires_grad, options)


def _frequencies(
    n: int, ranges: list[tuple[int, int]], d: float, out: Tensor | None, requires_grad: bool, options: dict[str, Any]
) -> Tensor:
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    size = sum(end - begin for begin, end in ranges)
    result = empty(size, **options) if out is None else out
    if not result.is_floating_point():
        raise RuntimeError("fftfreq requires a floating point or complex dtype")
    if out is not None and out.shape != (size,):
        out.data = empty(size, dtype=out.dtype)
    at = 0
    for begin, end in ranges:
        result[at : at + end - begin] = arange(begin, end, dtype=result.dtype)
        at += end - begin
    # One factor, as in torch: a quotient by n * d would round otherwise.
    result *= 1.0 / (n * d) if n * d else float("inf")
    return result.requires_grad_() if requires_grad else result


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Rolls the zero frequency to the middle of each of the dims, all of them by default. The inverse is ifftshift().

    >>> import gradcore as torch
    >>> torch.fft.fftshift(torch.fft.fftfreq(4, 0.25))
    tensor([-2., -1.,  0.,  1.])
    """
    dims = _dims(input, dim)
    return input.roll([input.size(d) // 2 for d in dims], dims) if dims else input.clone()


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Rolls the zero frequency from the middle of each of the dims to its begin: the inverse of fftshift().

    >>> import gradcore as torch
    >>> torch.fft.ifftshift(torch.tensor([-2.0, -1.0, 0.0, 1.0]))
    tensor([ 0.,  1., -2., -1.])
    """
    dims = _dims(input, dim)
    return input.roll([(input.size(d) + 1) // 2 for d in dims], dims) if dims else input.clone()


def _dims(input: Tensor, dim: int | Sequence[int] | None) -> list[int]:
    if dim is None:
        return list(range(input.dim()))
    return [dim] if isinstance(dim, int) else list(dim)
