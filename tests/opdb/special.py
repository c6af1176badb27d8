"""Special functions of real numbers."""

import numpy as np

from support import FLOATS

from .elementwise import binary, unary
from .rows import S, row

# torch loses the last digits, or all, where these come near a zero or a pole.
POLES = (-1.0, -2.0, -88.0, -104.0, -745.0, -1e10, -3e38, -8388609.0)

# torch's trigamma has ten digits; tests/ops/test_special.py compares ours with mpmath.
TRIGAMMA = {"float32": 256, "float64": 2**23}

# Functions of the package `special` alone.
SPECIAL = {"module": "special", "method": False, "inplace": False}
# torch gives NaN for an infinity where there is a limit, or overflows early, or reduces a large angle in float.
FAR = (float("inf"), -float("inf"), 710.0, -745.0, 1e10, -1e10, 3e38, -3e38, 16777216.0, -8388609.0, 2.0**23 + 1)
# Of igamma's two operands the second alone has a derivative.
SECOND_ONLY = {"skips": dict.fromkeys(["numeric", "gradgrad", "tangents"], "the first operand has no derivative")}
# torch computes them in the dtype itself, by sums of many terms, and its incomplete gamma functions have nine digits.
INEXACT = {"float32": 256, "float64": 256}
# Of NaN and a limit it gives the limit, at large and tiny numbers NaN or 0.
NINE_DIGITS = (float("nan"), 88.0, 104.0, 710.0, 3e38, 1e10, 1e-40, 2.0**23 + 1, 16777216.0)

unary("logit", low=0.05, high=0.95, scale=1)
row(
    "logit.eps",
    lambda d: [S(d(3, 4), 0.2), S(d(7), eps=0.4), S(d(5, low=0.1, high=0.9), -1.0), S(d(), 1e-3), S(d(0, 3), 0.1)],
    inplace=True,
    out=True,
    low=-0.2,
    high=1.2,
    ulps=16,
    scale=1,
    skips={"tangents": "infinite or NaN at other points"},
)
unary("lgamma", low=0.1, high=5.0, scale=1, grad_ulps=TRIGAMMA)
unary("digamma", low=0.1, high=5.0, scale=1, grad_ulps=TRIGAMMA, avoid=POLES)
row(
    "polygamma",
    lambda d: [S(n, d(3, 4)) for n in range(4)] + [S(1, d()), S(2, d(0, 3)), S(3, d(5, low=-0.9, high=-0.1))],
    low=0.2,
    high=5.0,
    ulps=TRIGAMMA,
    scale=1,
    grad_ulps=TRIGAMMA,
    out=True,
    inplace=True,
    skips={"method": "its method's self is the second argument", "inplace": "the same"},
)

# ---- error functions

unary("erfinv", low=-0.95, high=0.95, other_graphs="shows other fields of what it keeps")
unary("erfcx", **SPECIAL, low=-2.0, high=4.0, avoid=(-7.25,))
unary("ndtr", **SPECIAL, scale=1, other_graphs="is made of other ops, or of a refusal")
unary("ndtri", **SPECIAL, low=0.05, high=0.95, scale=1, avoid=(1e-38, 1e-40))
unary("log_ndtr", **SPECIAL, scale=1e-3, avoid=FAR)
unary("entr", **SPECIAL, low=0.1, high=3.0, scale=1)

# ---- gamma functions

INCOMPLETE = SECOND_ONLY | {"low": 0.5, "high": 5.0, "right": (0.5, 5.0), "scalars": (), "scale": 1, "ulps": INEXACT}
binary(
    "igamma",
    **INCOMPLETE,
    avoid=NINE_DIGITS,
    other_graphs="keeps other factors, or less, for the same gradient",
)
binary(
    "igammac",
    **INCOMPLETE,
    avoid=NINE_DIGITS,
    other_graphs="keeps other factors, or less, for the same gradient",
)
row(
    "mvlgamma",
    lambda d: [S(d(3, 4), 1), S(d(3, 4), 2), S(d(5), p=4), S(d(), 3), S(d(0, 3), 2), S(d(3), 0)],
    low=2.0,
    high=6.0,
    ulps=16,
    scale=10,
    grad_ulps=TRIGAMMA,
    inplace=True,
    out=True,
    skips={"layouts": "torch's is a sum over a new dim, whose strides are others"},
    other_graphs={"mvlgamma_": "the copied result of the form that is not in place"},
)
binary(
    "zeta",
    **SPECIAL,
    low=1.5,
    high=6.0,
    right=(0.5, 6.0),
    scalars=(2, 2.5),
    ulps=64,
    scale=1,
    **SECOND_ONLY,
    avoid=(*NINE_DIGITS, float("inf")),
    other_graphs="keeps other factors, or less, for the same gradient",
)
binary("xlogy", low=0.5, right=(0.2, 3.0), scalars=(2, 2.5), ulps=16, scale=1)
binary(
    "xlog1py",
    **SPECIAL,
    low=0.5,
    right=(-0.5, 3.0),
    scalars=(2, 2.5),
    ulps=16,
    scale=1,
    other_graphs="keeps other factors, or less, for the same gradient",
)

# ---- orthogonal polynomials: the second operand is the degree


def polynomial_samples(d):
    degrees = np.arange(8, dtype=d.dtype)
    yield from (S(d(8), degrees), S(d(3, 1), degrees), S(d(4), 3), S(0.25, degrees), S(d(3), -1), S(d(), d(low=2)))


for name in (
    *(f"{kind}chebyshev_polynomial_{letter}" for kind in ("", "shifted_") for letter in "tuvw"),
    *("hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"),
):
    row(
        name,
        polynomial_samples,
        module="special",
        method=False,
        grad=False,
        out=True,
        dtypes=(*FLOATS, "int64"),
        low=-1.5,
        high=2.5,
        ulps=64,
        scale=20,
        skips={"out that requires grad": "torch takes it, as the result does not"},
    )

# ---- Bessel functions

unary("i0", avoid=FAR)
unary("i0e", **SPECIAL)
unary("i1", **SPECIAL, avoid=FAR, scale=1e-3)
unary("i1e", **SPECIAL, scale=1e-3)
BESSEL = SPECIAL | {
    "grad": False,
    "scale": 1,
    "avoid": FAR,
    "skips": {"out that requires grad": "torch takes it, as the result does not"},
}
# torch's have nine digits, and Airy's function five; tests/ops/test_special.py compares ours with mpmath.
NINE = {"float32": 64, "float64": 2**23}
FIVE = {"float32": 256, "float64": 2**36}
SWINGING = BESSEL | {"ulps": NINE, "grad_ulps": NINE, "avoid": (*FAR, -7.25)}
unary("bessel_j0", **SWINGING)
unary("bessel_j1", **SWINGING)
unary("bessel_y0", **SWINGING, low=0.1)
unary("bessel_y1", **SWINGING, low=0.1)
unary("modified_bessel_i0", **BESSEL)
unary("modified_bessel_i1", **BESSEL)
unary("modified_bessel_k0", **BESSEL, low=0.1)
unary("modified_bessel_k1", **BESSEL, low=0.1)
unary("scaled_modified_bessel_k0", **BESSEL, low=0.1)
unary("scaled_modified_bessel_k1", **BESSEL, low=0.1)
unary("spherical_bessel_j0", **BESSEL)
AIRY_SKIPS = BESSEL["skips"] | {"out": "torch's float64 has fewer digits than float32 of ours"}
unary("airy_ai", **BESSEL | {"ulps": FIVE, "grad_ulps": FIVE, "avoid": (*FAR, -104.0), "skips": AIRY_SKIPS})
