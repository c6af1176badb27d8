"""Copying, converting and filling."""

import numpy as np

from support import D

from .rows import S, row, writer

row("clone", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], numpy=np.copy)
row(
    "to",
    lambda d: [
        S(d(3, 4), D("float64")),
        S(d(3), D("float32")),
        S(d(3), D("int64")),
        S(d(), D("bool")),
        S(d(3), "cpu"),
        S(d(3), "cpu", D("float64")),
        S(d(3), dtype=D("float32"), copy=True),
        S(d(3), d(2, dtype="float64")),
    ],
    kind="view",
    function=False,
)
for converter in ("float", "double", "long", "int", "short", "char", "byte", "bool"):
    row(
        converter,
        lambda d: [S(d(3, 4)), S(d())],
        kind="view",
        function=False,
        grad=converter in ("float", "double"),
        skips={"numeric": "rounds to float32"} if converter == "float" else {},
    )
row("type", lambda d: [S(d(3), D("float64")), S(d(3), D("int32"))], kind="view", function=False)
row("type_as", lambda d: [S(d(3), d(2, dtype="float64")), S(d(3), d(2, dtype="int16"))], kind="view", function=False)
row("cpu", lambda d: [S(d(3))], kind="view", function=False)

writer("fill_", lambda d: [S(d(3, 4), 2), S(d(), 1.5), S(d(3), d()), S(d(0), 1), S(d(3), True)])
writer("zero_", lambda d: [S(d(3, 4)), S(d()), S(d(0))])
writer(
    "copy_",
    lambda d: [
        S(d(3, 4), d(3, 4)),
        S(d(3, 4), d(4)),
        S(d(3), d(3, dtype="float64")),
        S(d(3), d(3, dtype="int32")),
        S(d(3), d()),
    ],
)
writer("fill_diagonal_", lambda d: [S(d(3, 4), 2)])
row(
    "fill",
    lambda d: [S(d(3, 4), 2), S(d(), 1.5), S(d(3), d()), S(d(2, 3), d(dtype="float64")), S(d(0), 1), S(d(3), d(2))],
    method=False,
)
row(
    "sum_to_size",
    lambda d: [
        S(d(3, 4), 3, 1),
        S(d(3, 4), (4,)),
        S(d(2, 3, 4), 1, 4),
        S(d(3), (3,)),
        S(d(2, 3), ()),
        S(d(3, 4), 2, 4),
    ],
    function=False,
    ulps=4,
    scale=12,
)
