"""Grids, diagonals and their kin; sums of products over named dims."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "diag": """
    Of a vector the matrix that has it on a diagonal and zeros beside it; of a matrix that diagonal, copied.

    diagonal: 0 is the main diagonal, a positive number counts to the right above it, a negative one down below it.
    Raises RuntimeError for a tensor of no dims or of more than two.

    >>> gradcore.diag(gradcore.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> gradcore.diag(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """,
    "diag_embed": """
    Matrices with the last dim of the tensor on a diagonal and zeros beside it. They lie in the dims dim1 and dim2 of the
    result, which has one dim more than the tensor.

    offset: which diagonal, as in `diag`. Raises RuntimeError where dim1 and dim2 are the same.

    >>> gradcore.diag_embed(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[[1, 0],
             [0, 2]],
    <BLANKLINE>
            [[3, 0],
             [0, 4]]])
    """,
    "diagflat": """
    The matrix with all elements of the tensor, in row-major order, on a diagonal and zeros beside it.

    >>> gradcore.diagflat(gradcore.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """,
    "trace": """
    The sum of a matrix's main diagonal. Integers add up in int64.

    Raises RuntimeError for what is no matrix, NotImplementedError for bools.

    >>> gradcore.trace(gradcore.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """,
    "block_diag": """
    The matrix with the given ones along its diagonal, one below the other, and zeros beside them. A vector counts as a
    row, a tensor without dims as a matrix of one element.

    The result has the dtype that they promote to. Raises RuntimeError for more than two dims.

    >>> gradcore.block_diag(gradcore.tensor([[1], [2]]), gradcore.tensor([3, 4]))
    tensor([[1, 0, 0],
            [2, 0, 0],
            [0, 3, 4]])
    """,
    "atleast_1d": """
    The tensor, or a view with one dim where it has none. Of several tensors a tuple.

    >>> gradcore.atleast_1d(gradcore.tensor(1.0))
    tensor([1.])
    """,
    "atleast_2d": """
    The tensor, or a view with a dim of one element in front until there are two. Of several tensors a tuple.

    >>> gradcore.atleast_2d(gradcore.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """,
    "atleast_3d": """
    The tensor, or a view with three dims: a vector of n elements as (1, n, 1), a matrix as (m, n, 1). Of several tensors
    a tuple.

    >>> gradcore.atleast_3d(gradcore.zeros(2, 3)).shape
    torch.Size([2, 3, 1])
    """,
    "broadcast_tensors": """
    Views of the tensors, all expanded to the shape that they broadcast to.

    Raises RuntimeError where there is none.

    >>> x, y = gradcore.broadcast_tensors(gradcore.zeros(3, 1), gradcore.zeros(4))
    >>> x.shape, y.shape
    (torch.Size([3, 4]), torch.Size([3, 4]))
    """,
    "meshgrid": """
    The coordinates of a grid's points: for each of n vectors a view of it with n dims, expanded over those of the others.

    indexing: with "ij" the first vector runs along dim 0 and the second along dim 1, with "xy" the other way round.
    Without it "ij" is taken, with a warning. The tensors have one dtype and at most one dim, else RuntimeError.

    >>> x, y = gradcore.meshgrid(gradcore.tensor([1, 2]), gradcore.tensor([3, 4]), indexing="ij")
    >>> x
    tensor([[1, 1],
            [2, 2]])
    >>> y
    tensor([[3, 4],
            [3, 4]])
    """,
    "cartesian_prod": """
    All ways to take one element of each of several vectors, one a row. Of a single vector the vector itself.

    Raises RuntimeError for what is no vector, and for different dtypes.

    >>> gradcore.cartesian_prod(gradcore.tensor([1, 2]), gradcore.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """,
    "combinations": """
    All ways to take r elements of a vector in order, one a row; with_replacement: the same element may be taken again.

    Raises RuntimeError for what is no vector, and for a negative r.

    >>> gradcore.combinations(gradcore.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """,
    "flipud": """
    A copy that is reversed along its first dim. RuntimeError without dims.

    >>> gradcore.flipud(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """,
    "fliplr": """
    A copy that is reversed along its second dim. RuntimeError for fewer than two dims.

    >>> gradcore.fliplr(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """,
    "rot90": """
    A copy that is turned by k quarters in the plane of two dims, from the first towards the second.

    dims: the first two unless it is given. Raises RuntimeError where they are the same, or not two.

    >>> gradcore.rot90(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """,
    "repeat_interleave": """
    Each slice along `dim` several times, one after the other; without `dim` each element of the flattened tensor.

    repeats: how often, as a number for all slices or a tensor of int64 or int32 with one for each. A tensor of repeats alone
    gives indices: each as often as its number says. output_size: the size of the result along `dim`, which must be
    right.

    Raises RuntimeError for negative repeats, for as many as do not fit, and for a wrong output_size.

    >>> gradcore.repeat_interleave(gradcore.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> gradcore.repeat_interleave(gradcore.tensor([[1], [2]]), gradcore.tensor([1, 2]), dim=0)
    tensor([[1],
            [2],
            [2]])
    >>> gradcore.repeat_interleave(gradcore.tensor([2, 0, 1]))
    tensor([0, 0, 2])
    """,
    "vander": """
    The powers of a vector's elements as columns: from the power N - 1 to 0, or from 0 on where `increasing`. N is the number
    of elements unless it is given. Integers give int64.

    Raises RuntimeError for what is no vector, and for a negative N.

    >>> gradcore.vander(gradcore.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """,
}

__test__ = TEXTS
