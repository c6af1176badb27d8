"""Creation: no tensor's values come in, and `dtype` is an argument."""

import numpy as np

from support import ALL_DTYPES, D

from .rows import S, creation, row


def shape_samples(*values):
    """Shapes as torch spells them, with every dtype; `values` go between the shape and the keywords."""

    def samples(d):
        shapes = [((2, 3),), ([],), ([0, 3],), ((1,),)] if values else [(2, 3), ((2, 3),), ([],), (0, 3), (5,)]
        for shape in shapes:
            yield S(*shape, *values)
        for dtype in ALL_DTYPES:
            yield S((2, 3), *values, dtype=D(dtype))
        yield S((2, 3), *values, requires_grad=True)
        yield S((2, 3), *values, device="cpu")

    return samples


def like_samples(*values):
    def samples(d):
        yield from (
            S(d(3, 4), *values),
            S(d(), *values),
            S(d(0, 3), *values),
            S(d(3), *values, dtype=D("float32")),
            S(d(3), *values, dtype=D("int64")),
        )
        if np.dtype(d.dtype).kind == "f":
            yield S(d(3), *values, requires_grad=True)

    return samples


creation("zeros", shape_samples(), numpy=lambda *shape: np.zeros(shape), skips={"numpy": "shapes are spelt otherwise"})
creation("ones", shape_samples())
creation("empty", shape_samples(), values=False)
creation("full", shape_samples(7))
creation("full.values", lambda d: [S((2,), value) for value in (1, 2.5, True, float("nan"), -3)])
creation("scalar_tensor", lambda d: [S(1.5), S(2), S(2, dtype=D("int64"))])
creation("zeros_like", like_samples(), dtypes=ALL_DTYPES)
creation("ones_like", like_samples(), dtypes=ALL_DTYPES)
creation("empty_like", like_samples(), dtypes=ALL_DTYPES, values=False)
creation("full_like", like_samples(3), dtypes=ALL_DTYPES)
creation(
    "range",
    lambda d: [
        S(1, 4),
        S(0, 1, 0.25),
        S(5, 1, -2),
        S(0, 1, 0.1),
        S(0, 3, dtype=D("int64")),
        S(0, 3.9, 1.5, dtype=D("int32")),
        S(start=1, end=3, step=0.5),
        S(1, 3, dtype=D("float64")),
        S(1, 0),
        S(0, 3, 0),
        S(0, float("inf")),
        S(0, 3, dtype=D("bool")),
    ],
    ulps=1,
)
# As integers: int64 counts whole numbers, the other dtypes count steps and then cut them.
FRACTIONS = ((0, 2, 0.5), (0.5, 3.7), (0, 5, 1.5), (0, 5, 2.9), (5, 0, -1.5), (5, 0, -0.5), (2.7,), (0.9, 0.1), (0.1, 0.9),
             (5.5, 5.1, -1), (0, 0, 0.5), (1, 1), (0, 3, 1.0), (0, 3, 1e-30), (float("nan"), 3))  # fmt: skip
creation(
    "arange",
    lambda d: [
        S(5),
        S(2, 7),
        S(2, 10, 3),
        S(5.0),
        S(0, 1, 0.1),
        S(10, 0, -3),
        S(0),
        S(5, dtype=D("float64")),
        S(start=1, end=4),
        S(1, 4, step=2),
        S(0, 5, dtype=D("int32")),
        S(0.5, 40.2, 0.7),
        *(S(*numbers, dtype=D(dtype)) for numbers in FRACTIONS for dtype in ("int64", "int32", "uint8")),
    ],
    ulps=1,
)
creation(
    "linspace",
    lambda d: [
        S(0, 1, 5),
        S(-2, 3, 7),
        S(1, 1, 3),
        S(0, 1, steps=1),
        S(0, 10, 0),
        S(0, 1, 33, dtype=D("float64")),
        S(0, 9, 10, dtype=D("int64")),
        S(3, -3, 100),
    ],
    ulps=2,
    scale=1,
)
creation(
    "logspace",
    lambda d: [
        S(0, 1, 5),
        S(-2, 3, 7, base=2),
        S(0, 1, steps=1),
        S(0, 1, 0),
        S(0, 3, 4, dtype=D("float64")),
        S(0, 3, 4, dtype=D("int64")),
    ],
    ulps=4,
    scale=1,
)
for name in ("tril_indices", "triu_indices"):
    creation(
        name,
        lambda d: [
            *(S(*shape, offset) for shape in ((3, 3), (2, 4), (4, 2)) for offset in (-9, -3, -1, 0, 1, 2, 9)),
            S(3, 0),
            S(0, 3, offset=1),
            S(3, 3, dtype=D("int32")),
        ],
    )
creation("eye", lambda d: [S(3), S(2, 4), S(4, 2), S(0), S(3, dtype=D("int64")), S(3, dtype=D("bool"))])
row(
    "new_empty_strided",
    lambda d: [S(d(3), (2, 3), (1, 2)), S(d(3), (2,), (2,), dtype=D("float64")), S(d(3), (2, 3), (1,))],
    kind="creation",
    function=False,
    grad=False,
    dtypes=("float32", "int64"),
    values=False,
)
creation(
    "empty_permuted",
    lambda d: [S((2, 3, 4), (0, 2, 1)), S((), ()), S((2, 3), (0,)), S((2, 3), (0, 0)), S((2, 3), (0, 2))],
    values=False,
)
for name, values in {"new_zeros": (), "new_ones": (), "new_empty": (), "new_full": (2.5,)}.items():
    row(
        name,
        lambda d, values=values: [S(d(3), (2, 3), *values), S(d(3), (2,), *values, dtype=D("float64"))],
        kind="creation",
        function=False,
        grad=False,
        values=name != "new_empty",
    )
row(
    "new_tensor",
    lambda d: [S(d(3), [1, 2]), S(d(3), 2.5), S(d(3), [1, 2], dtype=D("float64"))],
    kind="creation",
    function=False,
    grad=False,
)
