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
row(
    "nonzero_static",
    lambda d: [
        S(d(3, 4), size=3),
        S(np.eye(3, dtype=d.dtype), size=5),
        S(np.eye(3, dtype=d.dtype), size=5, fill_value=7),
        S(d(3), size=0),
        S(d(), size=2),
        S(d(0, 3), size=2),
        S(d(3), size=-1),
    ],
    grad=False,
    out=True,
    reads_values=True,
)


# ---- joining what meets in one place

JOINED = {"inplace": True, "out": True, "ulps": 4, "scale": 30}
row(
    "scatter.reduce",
    lambda d: [
        S(d(3, 4), 0, SCATTERED, d(2, 4), reduce="add"),
        S(d(3, 4), 0, SCATTERED, d(2, 4), reduce="multiply"),
        S(d(3, 4), 0, SCATTERED, 2, reduce="add"),
        S(d(3, 4), 1, np.array([[1], [3], [0]]), d(3, 1), reduce="multiply"),
        S(d(3, 4), 0, SCATTERED, d(2, 4), reduce="sum"),
    ],
    grad=False,
    skips={"grad": "torch has no derivative of it", "inplace_grad": "torch has no derivative of it"},
    **JOINED,
    other_graphs="has a derivative, which torch has not",
)


def reductions(name, samples, **settings):
    row(
        name,
        lambda d: [
            sample
            for reduce in ("sum", "prod", "mean", "amax", "amin")[name == "index_reduce" :]
            for include_self in (True, False)
            for sample in samples(d, reduce, include_self)
        ],
        **settings | JOINED,
    )


reductions(
    "scatter_reduce",
    lambda d, reduce, include_self: [
        S(d(3, 4), 0, SCATTERED, d(2, 4), reduce, include_self=include_self),
        S(d(3, 4), 1, d.index(3, 6, below=4), d(3, 6), reduce, include_self=include_self),
        S(d(5), 0, np.array([4, 1, 4, 4]), d(4), reduce=reduce, include_self=include_self),
        S(d(3, 4), 0, SCATTERED[:0], d(0, 4), reduce, include_self=include_self),
    ],
    other_graphs="does not show how it reduces; the index of slices is expanded",
    skips={"tangents": "torch has no forward mode for all of its arguments"},
)
reductions(
    "index_reduce",
    lambda d, reduce, include_self: [
        S(d(3, 4), 0, np.array([0, 2, 0]), d(3, 4), reduce, include_self=include_self),
        S(d(3, 4), 1, np.array([1]), d(3, 1), reduce, include_self=include_self),
        S(d(3, 4), 0, np.array([0]), d(3, 4), reduce, include_self=include_self),
    ],
    other_graphs="does not show how it reduces; the index of slices is expanded",
    skips={"tangents": "torch has no forward mode for all of its arguments"},
)

# ---- elements by their number, and by masks

row(
    "take",
    lambda d: [
        S(d(3, 4), np.array([0, 11, 5, 5])),
        S(d(3, 4), np.array([[0, -1], [-12, 3]])),
        S(d(), np.array(0)),
        S(d(5), np.array([], np.int64)),
        S(d(0), np.array([0])),
        S(d(3), np.array([3])),
        S(d(3), np.array([1], np.int32)),
    ],
    out=True,
    numpy=np.take,
    other_graphs="keeps no more of the input than its shape",
)
row(
    "take_along_dim",
    lambda d: [
        S(d(3, 4), d.index(3, 2, below=4), 1),
        S(d(3, 1), d.index(2, 4, below=3), 0),
        S(d(3, 4), d.index(1, 2, below=4), dim=-1),
        S(d(3, 4), np.array([0]), 0),
        S(d(3, 4), d.index(3, 4, below=2).astype(np.int32), 0),
    ],
    out=True,
    other_graphs="what has the shape is not expanded",
)
row(
    "take_along_dim.flat",
    lambda d: [S(d(3, 4), d.index(5, below=12)), S(d(), np.array(0)), S(d(3, 4), d.index(2, 3, below=12), dim=None)],
    skips={"layouts": "torch takes none but contiguous tensors"},
)
row(
    "put",
    lambda d: [
        S(d(3, 4), np.array([0, 5, 11]), d(3)),
        S(d(3, 4), np.array([[0, -1]]), d(2), True),
        S(d(3, 4), np.array([2, 2, 2]), d(3), accumulate=True),
        S(d(), np.array([0]), d(1)),
        S(d(3), np.array([], np.int64), d(0)),
        S(d(3), np.array([3]), d(1)),
        S(d(3), np.array([1, 2]), d(3)),
    ],
    inplace=True,
    ulps=2,
    scale=9,
    other_graphs="keeps the source whatever wants a gradient",
)
row(
    "masked_scatter",
    lambda d: [
        S(d(3, 4), d.mask(3, 4), d(12)),
        S(d(3, 4), d.mask(4), d(3, 4)),
        S(d(3, 4), np.zeros((3, 1), bool), d(0)),
        S(d(), np.array(True), d(1)),
        S(d(3, 4), np.ones((3, 4), bool), d(5)),
    ],
    inplace=True,
    reads_values=True,
    other_graphs={
        "masked_scatter(float64[3, 4], bool[4]": "the mask is expanded",
        "masked_scatter(float64[3, 4], bool[3, 1]": "the mask is expanded",
    },
)

# ---- a part replaced

row(
    "select_scatter",
    lambda d: [S(d(3, 4), d(4), 0, 1), S(d(3, 4), d(3), -1, -2), S(d(3, 4), d(3), 0, 1), S(d(3, 4), d(4), 0, 3)],
)
row(
    "slice_scatter",
    lambda d: [
        S(d(5, 4), d(2, 4), 0, 1, 3),
        S(d(5, 4), d(5, 2), dim=1, step=2),
        S(d(5, 4), d(3, 4), start=-3),
        S(d(5, 4), d(5, 4)),
        S(d(5, 4), d(1, 4), 0, 1, 3),
    ],
    other_graphs="does not show bounds",
)
row(
    "diagonal_scatter",
    lambda d: [S(d(3, 4), d(3)), S(d(3, 4), d(2), 2), S(d(2, 3, 3), d(2, 3), 0, 1, 2), S(d(3, 4), d(2))],
)
row(
    "as_strided_scatter",
    lambda d: [S(d(12), d(2, 3), (2, 3), (6, 2)), S(d(3, 4), d(2), (2,), (1,), 1), S(d(12), d(3), (2,), (1,))],
    skips={
        "layouts": "reads the storage, not the elements",
        "grad": "torch gives the gradient of the input for its replaced part instead of the rest",
        "gradgrad": "torch gives the gradient of the input for its replaced part instead of the rest",
    },
    other_graphs="is put",
)
