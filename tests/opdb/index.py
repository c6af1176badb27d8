"""Indexing with tensors. Subscripts are in tensor/test_indexing.py."""

import numpy as np

from .rows import S, row

row(
    "index_select",
    lambda d: [
        S(d(3, 4), 0, d.index(5, below=3)),
        S(d(3, 4), -1, np.array([0, 3, 3])),
        S(d(3), 0, np.array(1)),
        S(d(3, 4), 1, np.array([], np.int64)),
        S(d(3, 4), 0, d.index(2, below=3).astype(np.int32)),
    ],
    out=True,
    numpy=lambda x, dim, index: np.take(x, np.atleast_1d(index), dim),
)
row(
    "gather",
    lambda d: [
        S(d(3, 4), 0, d.index(2, 4, below=3)),
        S(d(3, 4), 1, d.index(3, 6, below=4)),
        S(d(5), 0, d.index(7, below=5)),
        S(d(3, 4), -1, d.index(2, 2, below=4)),
        S(d(), 0, np.array(0)),
        S(d(3, 4), 0, d.index(0, 4, below=3)),
    ],
    out=True,
)
SCATTERED = np.array([[0, 2, 1, 2], [2, 0, 0, 1]])
row(
    "scatter",
    lambda d: [
        S(d(3, 4), 0, SCATTERED, d(2, 4)),
        S(d(3, 4), 0, SCATTERED, 1.5),
        S(d(3, 4), 1, np.array([[1], [3], [0]]), d(3, 1)),
        S(d(5), 0, np.array([4, 1]), d(2)),
        S(d(5), -1, np.array([2]), 7),
        S(d(), 0, np.array(0), d()),
    ],
    inplace=True,
    out=True,
)
row(
    "scatter_add",
    lambda d: [
        S(d(3, 4), 0, SCATTERED, d(2, 4)),
        S(d(3, 4), 1, d.index(3, 6, below=4), d(3, 6)),
        S(d(5), 0, np.array([4, 1, 4, 4]), d(4)),
        S(d(), 0, np.array(0), d()),
    ],
    inplace=True,
    out=True,
    ulps=2,
    scale=9,
)
row(
    "index_add",
    lambda d: [S(d(3, 4), 0, np.array([0, 2, 0]), d(3, 4)), S(d(3, 4), 1, np.array([1]), d(3, 1), alpha=2)],
    inplace=True,
    out=True,
    ulps=2,
    scale=9,
    operands_for_promotion=lambda a, b: [a, 0, np.zeros(2, np.int64), b] if a.ndim and b.ndim else None,
)
row(
    "index_copy",
    lambda d: [
        S(d(3, 4), 0, np.array([2, 0]), d(2, 4)),
        S(d(3, 4), -1, np.array([1]), d(3, 1)),
        S(d(3, 4), 0, np.array([], "int64"), d(0, 4)),
        S(d(), 0, np.array([0]), d(1)),
    ],
    inplace=True,
    out=True,
    ulps=0,
)
row(
    "index_fill",
    lambda d: [
        S(d(3, 4), 0, np.array([2, 0]), 1),
        S(d(3, 4), 1, np.array([3, 1, 1]), d()),
        S(d(3, 4), 1, np.array([-1]), 2),
        S(d(3, 4), 0, np.array([], "int64"), 1),
        S(d(), 0, np.array(0), 1),
    ],
    inplace=True,
    ulps=0,
)
row(
    "index_put",
    lambda d: [
        S(d(3, 4), (np.array([0, 2]), np.array([1, 1])), d(2)),
        S(d(3, 4), (np.array([0, 2, 0]),), d(4), True),
        S(d(3, 4), (d.mask(3, 4),), d()),
    ],
    inplace=True,
    ulps=2,
    scale=9,
)
row(
    "masked_select",
    lambda d: [S(d(3, 4), d.mask(3, 4)), S(d(3, 4), d.mask(4)), S(d(), d.mask()), S(d(0), d.mask(0))],
    out=True,
    reads_values=True,
    numpy=lambda x, mask: x[np.broadcast_to(mask, x.shape)],
)
row(
    "nonzero",
    lambda d: [S(d(3, 4)), S(d()), S(d(0, 3)), S(d(3, 4), as_tuple=True)],
    grad=False,
    out=True,
    reads_values=True,
)
