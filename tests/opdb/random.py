"""Random numbers: the same as torch's from the same seed."""

import numpy as np

from support import FLOATS, D

from .rows import S, creation, row, writer

creation("rand", lambda d: [S(3, 4), S((50,)), S(7, dtype=D("float64")), S(0), S(2, requires_grad=True)])
creation(
    "randn",
    lambda d: [S(3, 4), S(5), S((50,)), S(16), S(37), S(7, dtype=D("float64")), S(23, dtype=D("float64")), S(2, 9)],
    ulps=2,
    scale=1,
)
creation(
    "randint",
    lambda d: [
        S(10, (5,)),
        S(-3, 4, (2, 3)),
        S(0, 2, (4,), dtype=D("uint8")),
        S(5, (3,), dtype=D("float32")),
        S(0, 2**40, (6,)),
        S(low=1, high=3, size=(5,)),
    ],
)
creation("randperm", lambda d: [S(10), S(1), S(0), S(30, dtype=D("int32"))])
creation("rand_like", lambda d: [S(d(3, 4)), S(d(3, 4).T), S(d(3), dtype=D("float64"))], dtypes=FLOATS)
creation(
    "randn_like",
    lambda d: [S(d(3, 4)), S(d(4, 3).T), S(d(30)), S(d(3), dtype=D("float64"))],
    dtypes=FLOATS,
    ulps=2,
    scale=1,
)
creation("randint_like", lambda d: [S(d(3, 4), 5), S(d(3), 2, 9)])
creation(
    "native_dropout",
    lambda d: [S(d(3, 4), 0.3, True), S(d(40), 0.7, None), S(d(5), 0.5, False), S(d(5), 1.0, True), S(d(5), 1.5, True)],
    grad=True,
    dtypes=FLOATS,
    ulps=1,
)
writer("uniform_", lambda d: [S(d(3, 4)), S(d(7), 2, 5), S(d(40), -1.0, 1.0)], dtypes=FLOATS)
writer("normal_", lambda d: [S(d(3, 4)), S(d(7), 2, 5), S(d(40)), S(d(100), 1, 0.5)], dtypes=FLOATS, ulps=2, scale=1)
writer(
    "random_",
    lambda d: [S(d(7)), S(d(7), 10), S(d(7), -5, 5)],
    other_graphs={"random_(float64[7], 10)": "is random_(0, 10)"},
)
writer("exponential_", lambda d: [S(d(3, 4)), S(d(7), 2.5), S(d(700), lambd=0.1), S(d(4, 3).T)], dtypes=FLOATS)
writer(
    "bernoulli_",
    lambda d: [
        S(d(40)),
        S(d(7), 0.3),
        S(d(600), p=1.0),
        S(d(3, 4), d(4, low=0, high=1, dtype="float32")),
        S(d(4, 3).T, d(3, 4, low=0, high=1, dtype="float64")),
    ],
)
creation(
    "bernoulli",
    lambda d: [S(d(3, 4)), S(d(4, 3).T), S(d(700)), S(d(5), 0.3), S(d(5), p=1.0), S(d(0))],
    method=True,
    dtypes=FLOATS,
    low=0.0,
    high=1.0,
)
creation(
    "multinomial",
    lambda d: [
        S(d(5), 1),
        S(d(5), 3),
        S(d(3, 5), 5),
        S(d(3, 200), 2),
        S(d(5), 30, True),
        S(d(3, 5), 4, replacement=True),
        S(d(5, 3).T, 2),
        S(d(0, 3), 2),
    ],
    method=True,
    dtypes=FLOATS,
    low=0.0,
    high=2.0,
)
writer(
    "cauchy_", lambda d: [S(d(3, 4)), S(d(7), 2, 5), S(d(40), sigma=0.5), S(d(3), 0, 0)], dtypes=FLOATS, ulps=2, scale=1
)
writer("log_normal_", lambda d: [S(d(3, 4)), S(d(7), 0, 0.5), S(d(40), std=1.0), S(d(3), 0, 0)], dtypes=FLOATS, ulps=4)
writer("geometric_", lambda d: [S(d(3, 4), 0.3), S(d(7), p=0.9), S(d(40), 0.01), S(d(3), 0), S(d(3), 1)])
creation(
    "poisson",
    lambda d: [S(d(3, 4)), S(d(4, 3).T), S(d(700)), S(d(0)), S(d(40, high=200)), S(d(40, high=1e5)), S(-d(3) - 1)],
    dtypes=FLOATS,
    low=0.0,
    high=20.0,
)
creation(
    "normal",
    lambda d: [
        S(d(30), d(30, low=0)),
        S(d(3, 1), d(20, low=0)),
        S(d(30), 2.5),
        S(d(30)),
        S(mean=1.0, std=d(30, low=0)),
        S(d(30), d(30, low=0, dtype="float64")),
        S(1.0, 2.0, (30,)),
        S(0, 1, size=(2, 3), dtype=D("float64")),
        S(d(3), d(2, low=0)),
        S(d(3), d(3, low=-2, high=-1)),
        S(0.0, -1.0, (2,)),
        S(d(3, dtype="int64"), 1.0),
    ],
    dtypes=FLOATS,
    ulps=4,
    scale=3,
)
creation(
    "binomial",
    lambda d: [
        S(np.asarray([1, 5, 30, 300] * 20, d.dtype), np.asarray([0.5], d.dtype)),
        S(np.floor(d(40, high=30)), d(40, high=1)),
        S(np.floor(d(200, high=3000)), d(200, high=1)),
        S(np.floor(d(3, 1)), d(4, high=1)),
        S(d(5), d(5, high=1)),
        S(np.asarray([-1, 2, 0, 3, 4], d.dtype), np.asarray([0.5, 1.5, 0.5, 0, 1], d.dtype)),
        S(d(0), d(0)),
        S(d(3), d(2, high=1)),
        S(d(2), d(2, dtype="int64")),
        S(d(2, dtype="int64"), d(2)),
    ],
    dtypes=FLOATS,
    low=0.0,
    high=20.0,
)
CONCENTRATIONS = [1e-40, 1e-6, 0.03, 0.5, 0.99, 1.0, 1.5, 7.0, 300.0, 1e6, 1e30, 0.0, -0.5, -1.0]
gamma_samples = lambda d: [  # noqa: E731
    S(d(3, 4)),
    S(d(4, 3).T),
    S(d(700)),
    S(d(0)),
    S(d(40, low=0, high=1)),
    S(np.asarray(CONCENTRATIONS * 20, d.dtype)),
    S(d(3, 4, dtype="float16")),
    S(d(3, dtype="int64")),
]
creation("_standard_gamma", gamma_samples, dtypes=("float32", "float64"), low=0.0, high=20.0)
creation("_sample_dirichlet", gamma_samples, dtypes=("float32", "float64"), low=0.0, high=20.0, ulps=16)
# torch's derivatives of quantiles are approximations; tests/distributions has ours beside differences.
APPROXIMATE = {"float32": 1 << 14, "float64": 1 << 43}
row(
    "_standard_gamma_grad",
    lambda d: [
        S(d(4, 5), d(4, 5)),
        S(d(4, 1), d(5)),
        S(d(5, 4).T, d(4, 5)),
        S(d(0), d(0)),
        S(d(3), d(2)),
        S(d(0), 1.0),
    ],
    method=False,
    grad=False,
    dtypes=("float32", "float64"),
    low=0.2,
    high=20.0,
    ulps=APPROXIMATE,
    grad_ulps=APPROXIMATE,
)
row(
    "_dirichlet_grad",
    lambda d: [
        S(d(4, 5, high=0.9), d(4, 5), 20 + d(4, 5)),
        S(d(4, 1, high=0.9), d(5), 20 + d(1)),
        S(d(0), d(0), d(0)),
        S(d(3), d(2), d(3)),
    ],
    method=False,
    grad=False,
    dtypes=("float32", "float64"),
    low=0.2,
    high=20.0,
    ulps={"float32": 1 << 19, "float64": 1 << 48},
)
