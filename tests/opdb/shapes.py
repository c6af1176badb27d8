"""Grids, diagonals and their kin; sums of products over named dims."""

import numpy as np

from support import FLOATS, INTS

from .rows import S, row

NUMBERS = (*FLOATS, *INTS)
PRODUCT = {"ulps": 8, "scale": 100.0, "dtypes": NUMBERS}

row(
    "diag",
    lambda d: [S(d(3)), S(d(3, 4)), S(d(3), 1), S(d(3, 4), -1), S(d(3, 4), diagonal=7), S(d(0)), S(d(0), -2), S(d())],
    out=True,
    numpy=np.diag,
)
row(
    "diag_embed",
    lambda d: [
        S(d(3)),
        S(d(2, 3)),
        S(d(2, 3), 1),
        S(d(2, 3), -2, 0, 2),
        S(d(2, 3), offset=1, dim1=-1, dim2=0),
        S(d(2, 0)),
        S(d()),
        S(d(2, 3), 0, 1, 1),
    ],
)
row("diagflat", lambda d: [S(d(3)), S(d(2, 3)), S(d()), S(d(2, 2), -1), S(d(0), 1)], numpy=np.diagflat)
row(
    "trace",
    lambda d: [S(d(3, 3)), S(d(2, 5)), S(d(5, 2)), S(d(0, 3)), S(d(3)), S(d(2, 3, 3))],
    numpy=np.trace,
    ulps=2,
    scale=9,
)
row(
    "block_diag",
    lambda d: [
        S(d(2, 3), d(1, 2)),
        S(d(2, 3), d(4), d()),
        S(d(0, 2), d(2, 0)),
        S(d(2), d(2, dtype="float64")),
        S(d(2, 2, 2)),
    ],
    method=False,
)


def at_least(name):
    row(
        name,
        lambda d: [S(d()), S(d(3)), S(d(2, 3)), S(d(2, 3, 4)), S(d(), d(3), d(2, 3)), S([d(3)]), S((d(), d(2)))],
        method=False,
    )


at_least("atleast_1d")
at_least("atleast_2d")
at_least("atleast_3d")
row(
    "broadcast_tensors",
    lambda d: [S(d(3, 1), d(4)), S(d(2, 3), d(3), d()), S(d(2, 3), d(2, 3)), S(d(0, 1), d(4)), S(d(2), d(3))],
    method=False,
)
row(
    "meshgrid",
    lambda d: [
        S(d(2), d(3), indexing="ij"),
        S(d(2), d(3), indexing="xy"),
        S([d(2), d(), d(3)], indexing="xy"),
        S(d(2), indexing="xy"),
        S(d(2), d(0), indexing="ij"),
        S(d(2), d(2, dtype="int16"), indexing="ij"),
        S(d(2), d(3), indexing="ji"),
        S(d(2, 2), indexing="ij"),
    ],
    method=False,
)
row(
    "cartesian_prod",
    lambda d: [S(d(2), d(3)), S(d(2), d(3), d(2)), S(d(3)), S(d(2), d(0)), S(d(2, 2), d(2))],
    method=False,
)
row(
    "combinations",
    lambda d: [S(d(4)), S(d(4), 3), S(d(3), 2, True), S(d(3), r=1), S(d(3), 0), S(d(2), 3), S(d(2, 2)), S(d(3), -1)],
    method=False,
    other_graphs="selects by indices, not by a mask: so it can be mapped over",
)
row(
    "vander",
    lambda d: [S(d(4)), S(d(3), 5), S(d(3), N=2, increasing=True), S(d(3), 0), S(d(0)), S(d(2, 2)), S(d(3), -1)],
    method=False,
    numpy=np.vander,
    skips=dict.fromkeys(["grad", "gradgrad", "layouts"], "torch writes in place to what its backward needs"),
    other_graphs="joins what torch writes in place",
    ulps=4,
    scale=30,
)
row("flipud", lambda d: [S(d(3, 4)), S(d(3)), S(d(0, 3)), S(d())], numpy=np.flipud)
row("fliplr", lambda d: [S(d(3, 4)), S(d(2, 3, 4)), S(d(3))], numpy=np.fliplr)
row(
    "rot90",
    lambda d: [
        S(d(3, 4)),
        S(d(3, 4), 2),
        S(d(3, 4), -1),
        S(d(3, 4), 4),
        S(d(2, 3, 4), 1, (0, 2)),
        S(d(2, 3, 4), k=3, dims=(-1, 0)),
        S(d(0, 3)),
        S(d(3, 4), 1, (0, -2)),
        S(d(3)),
    ],
    numpy=lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
)
row(
    "repeat_interleave",
    lambda d: [
        S(d(3, 4), 2),
        S(d(3, 4), 2, 1),
        S(d(3, 4), 0, -1),
        S(d(), 3),
        S(d(3, 4), np.array([2, 0, 3]), 0),
        S(d(3, 4), np.array([1, 2, 0, 1], np.int32), dim=1, output_size=4),
        S(d(3), np.array([1, 0, 2])),
        S(d(3, 2), np.array(2)),
        S(d(3, 2), np.array([2]), 0),
        S(np.array([2, 0, 1])),
        S(np.array([2, 0, 1]), output_size=4),
        S(np.array([2, -1])),
        S(d(3, 4), np.array([1, 2]), 0),
        S(d(3, 4), -1),
        S(d(3, 4), 2, 0, output_size=5),
    ],
    reads_values=True,
)
row(
    "einsum",
    lambda d: [
        S("ij,jk->ik", d(2, 3), d(3, 4)),
        S("ij,jk", d(2, 3), d(3, 4)),
        S("bij,bjk->bik", d(2, 3, 4), d(2, 4, 5)),
        S("bhid,bhjd->bhij", d(2, 2, 3, 4), d(2, 2, 5, 4)),
        S("i,i", d(5), d(5)),
        S("i,j->ji", d(3), d(4)),
        S("ij->ji", d(2, 3)),
        S("ij->", d(2, 3)),
        S("ij->j", d(2, 3)),
        S("ii", d(3, 3)),
        S("iij->ji", d(3, 3, 2)),
        S("ij,ij->ij", d(2, 3), d(2, 3)),
        S("ij,i->ij", d(2, 3), d(2)),
        S("ij,kl->il", d(2, 3), d(4, 5)),
        S("...ij,...jk->...ik", d(2, 2, 3), d(3, 4)),
        S("i...,i...->...", d(3, 2), d(3, 1)),
        S("...", d(2, 3)),
        S("b...", d(2, 3)),
        S("ij,jk,kl->il", d(2, 3), d(3, 4), d(4, 2)),
        S("i,ij,j", d(2), d(2, 3), d(3)),
        S("ij,jk->k", d(2, 1), d(3, 4)),
        S("i,->i", d(3), d()),
        S(",", d(), d()),
        S("ij,jk->ik", d(2, 0), d(0, 3)),
        S(d(2, 3), [0, 1], d(3, 4), [1, 2], [0, 2]),
        S(d(2, 3), [..., 0], d(3), [0]),
        S("ab,Ba", d(2, 3), d(4, 2)),
        S("ij", [d(2, 3)]),
        S("ijk", d(2, 3)),
        S("ij,jk", d(2, 3), d(2, 3)),
        S("ij->iz", d(2, 3)),
        S("ij->ii", d(2, 3)),
        S("ii", d(2, 3)),
        S("i1", d(2, 3)),
        S("i.j", d(2, 3)),
        S("ij,jk", d(2, 3)),
        S("ij", d(2, 3), d(2, 3)),
    ],
    method=False,
    numpy=np.einsum,
    **PRODUCT,
    other_graphs="products of two matrices, or of vectors, are no batches of one",
)
row(
    "tensordot",
    lambda d: [
        S(d(2, 3, 4), d(3, 4, 5)),
        S(d(2, 3), d(3, 4), 1),
        S(d(2, 3), d(4, 5), 0),
        S(d(2, 3), d(2, 3)),
        S(d(2, 3, 4), d(4, 2, 5), ([2, 0], [0, 1])),
        S(d(2, 3), d(5, 3), dims=([-1], [1])),
        S(d(2, 3), d(3, 4), ((1,), (0,))),
        S(d(2, 1), d(3, 4), ([1], [0])),
        S(d(2, 0), d(0, 3), 1),
        S(d(2, 3), d(2, 3), 1),
        S(d(2, 3), d(2, 3), -1),
        S(d(2, 3), d(2, 3), ([0, 0], [0, 1])),
    ],
    method=False,
    out=True,
    numpy=lambda a, b, dims=2: np.tensordot(a, b, dims),
    **PRODUCT,
)
