"""Special functions of real numbers."""

from .elementwise import unary
from .rows import S, row

# torch loses the last digits, or all, where these come near a zero or a pole.
POLES = (-1.0, -2.0, -88.0, -104.0, -745.0, -1e10, -3e38, -8388609.0)

# torch's trigamma has ten digits; tests/ops/test_special.py compares ours with mpmath.
TRIGAMMA = {"float32": 256, "float64": 2**23}

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
