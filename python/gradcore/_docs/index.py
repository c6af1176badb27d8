"""Reading and writing at places that tensors give."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "index_select": """
    A copy of the indices of a dim that `index` names, in that order: x[index] for dim 0.

    `index` is a vector of int32 or int64. Raises IndexError or RuntimeError for an index outside of the dim.

    >>> gradcore.index_select(gradcore.tensor([[1, 2, 3], [4, 5, 6]]), 1, gradcore.tensor([2, 0]))
    tensor([[3, 1],
            [6, 4]])
    """,
    "gather": """
    For each place of `index` the element with that index in dim `dim`, and the place's own in the others: out[i][j] =
    x[index[i][j]][j] for dim 0.

    The result has the shape of `index`, which has as many dims as x, and is no larger in the other dims. Raises
    RuntimeError otherwise, and for an index outside of the dim.

    >>> x = gradcore.tensor([[1, 2], [3, 4]])
    >>> gradcore.gather(x, 1, gradcore.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """,
    "scatter": """
    A copy into which `src`, or a number, is written at the places that `index` names in dim `dim`: out[index[i][j]][j]
    = src[i][j] for dim 0.

    `index` is no larger than `src`, and than x in the other dims. Of several writes to one place any may be the last.
    Raises RuntimeError for sizes or dtypes that do not fit, and for an index outside of the dim.

    >>> gradcore.scatter(gradcore.zeros(2, 3), 1, gradcore.tensor([[2], [0]]), gradcore.tensor([[5.0], [6.0]]))
    tensor([[0., 0., 5.],
            [6., 0., 0.]])
    """,
    "scatter_add": """
    A copy to which `src` is added at the places that `index` names in dim `dim`: out[index[i][j]][j] += src[i][j] for
    dim 0.

    Indices may repeat: their values add up. Shapes and errors are those of `scatter`.

    >>> gradcore.scatter_add(gradcore.zeros(3), 0, gradcore.tensor([0, 2, 0]), gradcore.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """,
    "index_add": """
    A copy to which alpha * source is added at the indices of a dim: out[index[i]] += alpha * source[i] for dim 0.

    Indices may repeat: their values add up. `index` is a vector with an entry for each index of `source` in the dim;
    the other sizes are equal. Raises RuntimeError or IndexError otherwise.

    >>> x = gradcore.zeros(3, 2)
    >>> gradcore.index_add(x, 0, gradcore.tensor([0, 0, 2]), gradcore.ones(3, 2))
    tensor([[2., 2.],
            [0., 0.],
            [1., 1.]])
    """,
    "index_copy": """
    A copy into which `source` is written at the indices of a dim: out[index[i]] = source[i] for dim 0.

    `index` is a vector of int64 with an entry for each index of `source` in the dim; the other sizes are equal. Raises
    RuntimeError or IndexError otherwise.

    >>> gradcore.index_copy(gradcore.zeros(3), 0, gradcore.tensor([2, 0]), gradcore.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """,
    "index_fill": """
    A copy with `value`, a number or 0-d tensor, at the indices of a dim: out[index[i]] = value for dim 0.

    >>> gradcore.index_fill(gradcore.zeros(2, 3), 1, gradcore.tensor([0, 2]), 7)
    tensor([[7., 0., 7.],
            [7., 0., 7.]])
    """,
    "index_put": """
    A copy after x[indices] = values; with accumulate=True after x[indices] += values, where repeated places add up.

    `indices` is a tuple of tensors of integers or bools that broadcast; `values` broadcasts to their shape. Raises
    IndexError for an index outside of its dim.

    >>> places = (gradcore.tensor([0, 1, 0]),)
    >>> gradcore.index_put(gradcore.zeros(2), places, gradcore.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([4., 2.])
    """,
    "masked_select": """
    The elements where `mask` is True, in row-major order, as a vector: x[mask], but the two broadcast.

    Raises RuntimeError for a mask that is not of bools.

    >>> x = gradcore.tensor([[1, 2], [3, 4]])
    >>> gradcore.masked_select(x, x > 2)
    tensor([3, 4])
    """,
    "nonzero": """
    The places of the elements that are not zero, in row-major order: a row of int64 indices each, in shape (count,
    dims).

    With as_tuple=True a tuple of one vector for each dim, which can stand between the brackets of x[...].

    >>> x = gradcore.tensor([[0, 2], [3, 0]])
    >>> gradcore.nonzero(x)
    tensor([[0, 1],
            [1, 0]])
    >>> x[gradcore.nonzero(x, as_tuple=True)]
    tensor([2, 3])
    """,
}

__test__ = TEXTS
