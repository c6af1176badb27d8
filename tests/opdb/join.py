"""Joining, repeating and rearranging tensors."""

import numpy as np

from .rows import S, row

row(
    "cat",
    lambda d: [
        S([d(2, 3), d(1, 3)]),
        S([d(2, 3), d(2, 2)], 1),
        S([d(2), d(3), d(1)], dim=-1),
        S((d(2, 3),), 0),
        S([d(0), d(2, 3)]),
        S([d(2, 3), d(0, 3)]),
        S([d(2), d(2, dtype="float64")]),
    ],
    method=False,
    out=True,
    numpy=lambda a, dim=0: np.concatenate([x for x in a if x.shape != (0,)], dim),
    aliases=("concat", "concatenate"),
)
row(
    "stack",
    lambda d: [
        S([d(2, 3), d(2, 3)]),
        S([d(2, 3), d(2, 3)], 1),
        S((d(3), d(3), d(3)), dim=-1),
        S([d()]),
        S([d(0), d(0)]),
    ],
    method=False,
    out=True,
    numpy=np.stack,
)


def stacks(name, numpy, **settings):
    """Of the same tensors: without dims, with one, two and three."""
    row(
        name,
        lambda d: [
            S([d(), d()]),
            S([d(3), d(3)]),
            S((d(2, 3), d(2, 3), d(2, 3))),
            S([d(2, 3, 4)]),
            S([d(3), d(3, dtype="float64")]),
        ],
        method=False,
        out=True,
        numpy=numpy,
        **settings,
    )


stacks("hstack", np.hstack)
stacks("vstack", np.vstack, aliases=("row_stack",))
stacks("dstack", np.dstack)
stacks("column_stack", np.column_stack)
row(
    "flip",
    lambda d: [S(d(3, 4), (0,)), S(d(3, 4), [0, 1]), S(d(3, 4), (-1,)), S(d(), ()), S(d(0, 3), (0,))],
    numpy=np.flip,
)
row(
    "constant_pad_nd",
    lambda d: [
        S(d(3, 4), [1, 2]),
        S(d(3, 4), [1, 2, 0, 1], 3),
        S(d(3, 4), [-1, 2, -1, -1], value=2.5),
        S(d(2, 3, 4, 2), [1, 0, 0, 1, 2, -1]),
        S(d(3), []),
        S(d(0, 3), [0, 0, 1, 1], 1),
        S(d(3, 4), [1]),
        S(d(3), [1, 1, 1, 1]),
        S(d(3), [-2, -2]),
    ],
    method=False,
)
row(
    "roll",
    lambda d: [S(d(3, 4), 1), S(d(3, 4), 1, 0), S(d(3, 4), (1, -2), (0, 1)), S(d(), 1), S(d(5), 7, 0)],
    numpy=np.roll,
)
row("repeat", lambda d: [S(d(3, 4), 2, 1), S(d(3), 2, 3), S(d(3), (2,)), S(d(), 3), S(d(2), 0)], function=False)
row(
    "tril",
    lambda d: [S(d(3, 4)), S(d(3, 3), 1), S(d(4, 3), diagonal=-1), S(d(2, 3, 3)), S(d(0, 3))],
    inplace=True,
    out=True,
    numpy=np.tril,
    other_graphs={"tril_": "the copied result of the form that is not in place"},
)
row(
    "triu",
    lambda d: [S(d(3, 4)), S(d(3, 3), 1), S(d(4, 3), diagonal=-1), S(d(2, 3, 3)), S(d(0, 3))],
    inplace=True,
    out=True,
    numpy=np.triu,
    other_graphs={"triu_": "the copied result of the form that is not in place"},
)
