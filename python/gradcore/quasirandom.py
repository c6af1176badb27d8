"""torch.quasirandom: Sobol's sequence of low discrepancy.

Source: I. M. Sobol', "The distribution of points in a cube and the accurate evaluation of integrals", 1967; direction
numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", 2008, which come
with SciPy; scrambled as J. Matousek, "On the L2-discrepancy for anchored boxes", 1998.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import _C
from ._C import Tensor

__all__ = ["SobolEngine"]


def _direction_numbers(dimension: int) -> Tensor:
    """(dimension, 30): number j of a dimension is what bit j of a point's Gray code adds to it."""
    try:
        qmc = import_module("scipy.stats.qmc")
    except ImportError as error:
        raise ImportError(
            "SobolEngine takes the direction numbers of Joe and Kuo from SciPy 1.9 or later: pip install scipy"
        ) from error
    numbers = qmc.Sobol(dimension, scramble=False, bits=SobolEngine.MAXBIT)._sv
    return _C.tensor(numbers.astype("int64"))


def _scrambled(numbers: Tensor, matrices: Tensor) -> Tensor:
    """Each number as a vector of bits, the highest first, times a lower triangle with a diagonal of ones, modulo 2."""
    places = _C.arange(SobolEngine.MAXBIT - 1, -1, -1)
    bits = (numbers.unsqueeze(1) >> places.unsqueeze(1)) & 1
    triangles = matrices.tril(-1) + _C.eye(SobolEngine.MAXBIT, dtype=_C.int64)
    return ((triangles @ bits) % 2).mul(2 ** places.unsqueeze(1)).sum(1)


class SobolEngine:
    """Points of Sobol's sequence in the unit cube [0, 1)^dimension, the same ones as torch's.

    dimension: 1 ... 21201. scramble: the sequence is scrambled by a random matrix and a random shift, drawn from
    `seed` or, without one, from the default generator. There are 2**30 points. Raises ValueError for another dimension,
    ImportError without SciPy, of whose table the direction numbers are.

    >>> import gradcore
    >>> engine = gradcore.quasirandom.SobolEngine(dimension=2)
    >>> engine.draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]")
        self.seed = seed
        self.scramble = scramble
        self.dimension = dimension
        self.sobolstate = _direction_numbers(dimension)
        self.shift = _C.zeros(dimension, dtype=_C.int64)
        self.num_generated = 0
        if scramble:
            self._scramble()

    def _scramble(self) -> None:
        generator = None if self.seed is None else _C.Generator().manual_seed(self.seed)
        bits = self.MAXBIT
        shift = _C.randint(2, (self.dimension, bits), generator=generator)
        self.shift = (shift * 2 ** _C.arange(bits)).sum(1)
        matrices = _C.randint(2, (self.dimension, bits, bits), generator=generator)
        self.sobolstate = _scrambled(self.sobolstate, matrices)

    @property
    def quasi(self) -> Tensor:
        """The last point that was drawn, as whole numbers below 2**30."""
        return self._points(max(self.num_generated - 1, 0), 1)[0]

    def _points(self, first: int, count: int) -> Tensor:
        index = _C.arange(first, first + count)
        code = (index ^ (index >> 1)).unsqueeze(1)
        points = self.shift.repeat(count, 1)
        for bit in range(max(first + count - 1, 0).bit_length()):
            points ^= ((code >> bit) & 1) * self.sobolstate[:, bit]
        return points

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next n points as rows, (n, dimension). Raises RuntimeError for a negative n, and where there are no more.

        >>> import gradcore
        >>> gradcore.quasirandom.SobolEngine(1).draw(4).view(-1)
        tensor([0.0000, 0.5000, 0.7500, 0.2500])
        """
        rest = n - (self.num_generated == 0)  # torch has the first point ready
        if rest < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {rest}: [{rest}, {self.dimension}]")
        if self.num_generated + n > 2**self.MAXBIT:
            raise RuntimeError(f"Sobol's sequence has 2**{self.MAXBIT} points, and {self.num_generated} were drawn")
        points = self._points(self.num_generated, n).to(dtype or _C.get_default_dtype()) * 2.0**-self.MAXBIT
        self.num_generated += n
        return points if out is None else out.resize_as_(points).copy_(points)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next 2**m points, where so many belong together. Raises ValueError where they do not.

        >>> import gradcore
        >>> gradcore.quasirandom.SobolEngine(1).draw_base2(1).view(-1)
        tensor([0.0000, 0.5000])
        """
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}={total}. "
                "If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n, out, dtype)

    def reset(self) -> SobolEngine:
        """Begins again with the first point."""
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leaves out n points.

        >>> import gradcore
        >>> gradcore.quasirandom.SobolEngine(1).fast_forward(2).draw()
        tensor([[0.7500]])
        """
        self.num_generated += n
        return self

    def __repr__(self) -> str:
        parts = [f"dimension={self.dimension}"]
        if self.scramble:
            parts.append("scramble=True")
        if self.seed is not None:
            parts.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(parts)})"
