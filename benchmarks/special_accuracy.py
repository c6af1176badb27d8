"""The errors of special functions in units in the last place, ours and torch's, judged by mpmath.

python benchmarks/special_accuracy.py             # 200 numbers of each region
python benchmarks/special_accuracy.py 2000 i0 erfinv

Numbers are drawn from the regions that a function's algorithm tells apart, in float32, so that both dtypes get the same ones.
Where the true value is below the smallest normal number an error counts in its unit. A function's limits are what
tests/ops/test_special.py holds it to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import mpmath
import numpy as np

import gradcore

mpmath.mp.dps = 40


@dataclass
class Function:
    name: str  # below gradcore and torch
    exact: Callable[..., Any]
    regions: tuple  # (low, high) of each operand; of one operand, or of several
    leading: tuple = ()  # arguments before the operands
    trailing: tuple = ()  # and behind them
    float32: float = 1.0  # the largest error, in units in the last place
    float64: float = 16.0  # more where it has zeros, near which nothing is left of a sum


@dataclass
class Error:
    ulps: float = 0.0
    at: tuple = ()
    value: float = 0.0
    exact: float = 0.0

    def __str__(self) -> str:
        return f"{self.ulps:.3g} ulps at {self.at}: {self.value!r}, not {self.exact!r}"


INCOMPLETE = (((0.1, 3), (0.1, 5)), ((3, 100), (3, 100)), ((1e3, 1.1e3), (1e3, 1.1e3)))

FUNCTIONS = [
    Function(
        "lgamma",
        lambda x: mpmath.log(abs(mpmath.gamma(x))),
        ((1e-30, 1e-3), (0.01, 0.9), (2.1, 40), (40, 1e6), (-1.9, -0.1), (-9.9, -4.1), (-20.9, -10.1)),
    ),
    Function(
        "digamma",
        mpmath.digamma,
        ((1e-30, 1e-3), (0.01, 1.3), (1.3, 1.6), (1.6, 20), (20, 1e6), (-0.4, -0.1)),
        float64=40,
    ),
    *(
        Function(
            "polygamma",
            lambda x, n=n: mpmath.polygamma(n, x),
            ((1e-3, 0.5), (0.5, 20), (20, 1e4), (-2.9, -2.6)),
            (n,),
            float64=64,
        )
        for n in (1, 2, 7)
    ),
    Function(
        "mvlgamma",
        lambda x: mpmath.log(mpmath.pi) / 2 + mpmath.loggamma(x) + mpmath.loggamma(x - 0.5),
        ((4, 50),),
        (),
        (2,),
        float32=2,
    ),
    Function("special.zeta", mpmath.zeta, (((1.01, 30), (0.01, 100)), ((1.1, 3), (100, 1e6))), float64=32),
    Function("erfinv", mpmath.erfinv, ((1e-20, 1e-3), (0.01, 0.5), (0.5, 0.99), (0.99, 0.9999999))),
    Function(
        "special.ndtri",
        lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
        ((1e-12, 0.01), (0.01, 0.45), (0.55, 0.99)),
    ),
    Function("special.ndtr", mpmath.ncdf, ((-3, -1), (-1, 1), (1, 6)), float32=16),
    Function("special.log_ndtr", lambda x: mpmath.log(mpmath.ncdf(x)), ((-30, -1), (-1, 5))),
    Function("special.erfcx", lambda x: mpmath.exp(x * x) * mpmath.erfc(x), ((-5, 0), (0, 12), (12, 1e6)), float64=32),
    Function("special.entr", lambda x: -x * mpmath.log(x), ((1e-20, 0.9), (1.1, 100)), float32=2),
    Function("igamma", lambda a, x: mpmath.gammainc(a, 0, x, regularized=True), INCOMPLETE, float64=256),
    Function("igammac", lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True), INCOMPLETE, float64=256),
    *(
        Function(f"{'special.' * (name != 'i0')}{name}", exact, ((1e-6, 0.1), (0.1, 20), (20, 80)))
        for name, exact in {
            "i0": lambda x: mpmath.besseli(0, x),
            "i0e": lambda x: mpmath.besseli(0, x) * mpmath.exp(-x),
            "i1": lambda x: mpmath.besseli(1, x),
            "i1e": lambda x: mpmath.besseli(1, x) * mpmath.exp(-x),
            "modified_bessel_i0": lambda x: mpmath.besseli(0, x),
            "modified_bessel_i1": lambda x: mpmath.besseli(1, x),
            "modified_bessel_k0": lambda x: mpmath.besselk(0, x),
            "modified_bessel_k1": lambda x: mpmath.besselk(1, x),
            "scaled_modified_bessel_k0": lambda x: mpmath.besselk(0, x) * mpmath.exp(x),
            "scaled_modified_bessel_k1": lambda x: mpmath.besselk(1, x) * mpmath.exp(x),
        }.items()
    ),
    *(
        Function(f"special.{name}", exact, ((1e-6, 0.1), (0.1, 2), (2.5, 3)))
        for name, exact in {
            "bessel_j0": lambda x: mpmath.besselj(0, x),
            "bessel_j1": lambda x: mpmath.besselj(1, x),
            "bessel_y0": lambda x: mpmath.bessely(0, x),
            "bessel_y1": lambda x: mpmath.bessely(1, x),
            "spherical_bessel_j0": mpmath.sinc,
        }.items()
    ),
    Function("special.airy_ai", mpmath.airyai, ((-30, -11), (-10, -9.4), (-9, -5), (-5, 2.5), (2.5, 20)), float64=1e4),
    Function("exp2", lambda x: mpmath.power(2, x), ((-20, 20), (-149, 127)), float32=2),
    Function("asinh", mpmath.asinh, ((1e-6, 1), (1, 1e6)), float32=4),
    Function("acosh", mpmath.acosh, ((1.001, 2), (2, 1e6)), float32=4),
    Function("atanh", mpmath.atanh, ((1e-6, 0.5), (0.5, 0.999)), float32=4),
    Function("logaddexp", lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)), (((1, 9), (1, 9)),), float32=2),
    Function("sinc", lambda x: mpmath.sinc(mpmath.pi * x), ((1e-3, 0.4), (1.1, 1.9)), float32=4),
]


def drawn(region: tuple, count: int) -> list[np.ndarray]:
    """Operands from a region: evenly, and evenly by their logarithms where it spans decades."""
    random = np.random.default_rng(5)
    operands = []
    for low, high in region if isinstance(region[0], tuple) else (region,):
        if low > 0 and high / low > 100:
            values = np.exp(random.uniform(np.log(low), np.log(high), count))
        else:
            values = random.uniform(low, high, count)
        operands.append(values.astype(np.float32))
    return operands


def worst_errors(function: Function, count: int, library: Any) -> dict[str, Error]:
    worst = {"float32": Error(), "float64": Error()}
    call = attrgetter(function.name)(library)
    for region in function.regions:
        operands = drawn(region, count)
        exact = [function.exact(*(mpmath.mpf(float(v)) for v in point)) for point in zip(*operands, strict=True)]
        for name, error in worst.items():
            tensors = [library.from_numpy(operand.astype(name)) for operand in operands]
            values = call(*function.leading, *tensors, *function.trailing).numpy()
            for value, truth, *point in zip(values, exact, *operands, strict=True):
                found = ulps_between(value, truth)
                if not found <= error.ulps:
                    worst[name] = error = Error(found, tuple(map(float, point)), float(value), float(truth))
    return worst


def ulps_between(value: Any, exact: Any) -> float:
    rounded = type(value)(float(exact))
    if not np.isfinite(value) or not np.isfinite(rounded):
        return 0.0 if value == rounded else float("inf")
    return float(abs(mpmath.mpf(float(value)) - exact) / mpmath.mpf(float(np.spacing(abs(rounded)))))


def main() -> None:
    import torch

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'':32}{'gradcore':>22}{'torch':>22}\n{'':32}{'float32':>11}{'float64':>11}{'float32':>11}{'float64':>11}")
    for function in FUNCTIONS:
        if len(sys.argv) > 2 and function.name not in sys.argv[2:]:
            continue
        both = [worst_errors(function, count, library) for library in (gradcore, torch)]
        errors = [f"{each[name].ulps:11.3g}" for each in both for name in ("float32", "float64")]
        print(f"{' '.join([function.name, *map(str, function.leading)]):32}{''.join(errors)}")


if __name__ == "__main__":
    main()
