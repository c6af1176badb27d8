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
    "scatter_reduce": """
    A copy in which elements of `src` are joined with those that `index` gives along `dim`: element src[i][j] goes to
    out[index[i][j]][j] for dim 0, and so on.

    reduce: "sum", "prod", "mean", "amax" or "amin". What the tensor held takes part unless include_self is False. `src`
    has the dtype of the tensor, and at least the shape of `index`. Raises RuntimeError where shapes, dtypes or indices do
    not fit.

    >>> gradcore.scatter_reduce(gradcore.zeros(2), 0, gradcore.tensor([0, 0, 1]), gradcore.tensor([1.0, 2.0, 5.0]), "amax")
    tensor([2., 5.])
    """,
    "index_reduce": """
    A copy in which slices of `source` along `dim` are joined with those that `index` gives, one index for each.

    reduce: "prod", "mean", "amax" or "amin". What the tensor held takes part unless include_self is False. Raises
    RuntimeError where shapes, dtypes or indices do not fit.

    >>> gradcore.index_reduce(gradcore.ones(2), 0, gradcore.tensor([0, 0]), gradcore.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """,
    "take": """
    The elements whose numbers in row-major order `index` holds; the result has its shape. Negative ones count from the end.

    `index` is int64. Raises IndexError for a number that is out of range, RuntimeError for another dtype.

    >>> gradcore.take(gradcore.tensor([[1, 2], [3, 4]]), gradcore.tensor([0, -1]))
    tensor([1, 4])
    """,
    "take_along_dim": """
    For each index the element there along `dim`, as `gather` does it; the other dims broadcast. Without `dim` both are
    flattened. It fits what argsort and argmax with keepdim give.

    `indices` is int64. Raises RuntimeError where dims, dtypes or indices do not fit.

    >>> x = gradcore.tensor([[3, 1, 2]])
    >>> gradcore.take_along_dim(x, x.argsort(dim=1), dim=1)
    tensor([[1, 2, 3]])
    """,
    "put": """
    A copy with the elements of `source` at the places whose numbers in row-major order `index` holds; with accumulate=True they
    are added.

    `index` is int64, and `source` has the dtype of the tensor and as many elements as `index`. Raises IndexError for a
    number that is out of range, RuntimeError for other dtypes.

    >>> gradcore.put(gradcore.zeros(2, 2), gradcore.tensor([0, 3]), gradcore.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """,
    "masked_scatter": """
    A copy with the elements of `source`, in order, where the mask is true. Tensor and mask broadcast.

    `source` has the dtype of the tensor and at least as many elements as the mask has true ones, else RuntimeError.

    >>> gradcore.masked_scatter(gradcore.zeros(3), gradcore.tensor([True, False, True]), gradcore.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """,
    "select_scatter": """
    A copy with `src` in the place of the slice at `index` along `dim`.

    Raises RuntimeError unless `src` has the slice's shape, IndexError for an index that is out of range.

    >>> gradcore.select_scatter(gradcore.zeros(2, 2), gradcore.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """,
    "slice_scatter": """
    A copy with `src` in the place of the slices from start to end along `dim`.

    Raises RuntimeError unless `src` has the shape of that part.

    >>> gradcore.slice_scatter(gradcore.zeros(3), gradcore.ones(2), start=1)
    tensor([0., 1., 1.])
    """,
    "diagonal_scatter": """
    A copy with `src` on a diagonal, which `diagonal` with these arguments gives.

    Raises RuntimeError unless `src` has its shape.

    >>> gradcore.diagonal_scatter(gradcore.zeros(2, 2), gradcore.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """,
    "as_strided_scatter": """
    A copy with `src` in the place of the elements that `as_strided` with these arguments gives.

    Raises RuntimeError unless `src` has the shape `size`, and where that leaves the memory.

    >>> gradcore.as_strided_scatter(gradcore.zeros(4), gradcore.ones(2), (2,), (2,))
    tensor([1., 0., 1., 0.])
    """,
    "nonzero_static": """
    The first `size` places of elements that are not zero, a row for each; rows of `fill_value` where there are fewer.

    Raises RuntimeError for a negative size.

    >>> gradcore.nonzero_static(gradcore.tensor([0, 3, 0]), size=2)
    tensor([[ 1],
            [-1]])
    """,
}

__test__ = TEXTS
