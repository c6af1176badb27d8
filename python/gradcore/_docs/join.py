"""Joining, repeating and turning round."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "cat": """
    The tensors one behind the other along an existing dim.

    All other sizes are equal; a 1-d tensor without elements is passed over. Dtypes are promoted. Raises RuntimeError
    where sizes differ, ValueError for an empty list.

    >>> gradcore.cat([gradcore.tensor([1, 2]), gradcore.tensor([3])])
    tensor([1, 2, 3])
    >>> gradcore.cat([gradcore.zeros(2, 3), gradcore.zeros(2, 1)], dim=1).shape
    torch.Size([2, 4])
    """,
    "stack": """
    Tensors of one shape one behind the other along a new dim, which stands at place `dim` of the result.

    Dtypes are promoted. Raises RuntimeError where shapes differ or the list is empty.

    >>> gradcore.stack([gradcore.tensor([1, 2]), gradcore.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """,
    "hstack": """
    The tensors side by side: joined along dim 1, or along dim 0 if they have one dim. Numbers become vectors first.

    >>> gradcore.hstack([gradcore.tensor([1, 2]), gradcore.tensor([3])])
    tensor([1, 2, 3])
    """,
    "vstack": """
    The tensors one below the other: joined along dim 0, vectors and numbers as rows.

    >>> gradcore.vstack([gradcore.tensor([1, 2]), gradcore.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """,
    "dstack": """
    The tensors one behind the other along dim 2; a vector (n) counts as (1, n, 1), a matrix (n, m) as (n, m, 1).

    >>> gradcore.dstack([gradcore.tensor([1, 2]), gradcore.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """,
    "column_stack": """
    The tensors side by side, vectors and numbers as columns.

    >>> gradcore.column_stack([gradcore.tensor([1, 2]), gradcore.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """,
    "flip": """
    A copy with the order along these dims reversed. Raises RuntimeError where a dim is named twice.

    >>> gradcore.flip(gradcore.tensor([[1, 2], [3, 4]]), [1])
    tensor([[2, 1],
            [4, 3]])
    """,
    "roll": """
    A copy shifted by `shifts` places along `dims`; what leaves at the end enters at the front. Without dims the
    flattened tensor is shifted.

    Raises RuntimeError where there are more shifts than dims, or fewer.

    >>> gradcore.roll(gradcore.arange(5), 2)
    tensor([3, 4, 0, 1, 2])
    >>> gradcore.roll(gradcore.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([[3, 4],
            [1, 2]])
    """,
    "repeat": """
    A copy in which the tensor stands repeats[k] times along each dim k, new dims in front. There are at least as many
    numbers as dims, else RuntimeError.

    >>> gradcore.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """,
    "tile": """
    A copy in which the tensor stands dims[k] times along each dim; the shorter of both shapes gets ones in front.

    >>> gradcore.tile(gradcore.tensor([[1], [2]]), (3,))
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """,
    "constant_pad_nd": """
    Adds elements of `value`: pad[0] before and pad[1] behind the last dim, pad[2] and pad[3] about the one before ...

    Negative numbers cut. Raises RuntimeError for an odd number of them, for too many, and where a size would be negative.

    >>> gradcore.constant_pad_nd(gradcore.tensor([1.0, 2.0]), [1, 2], 5)
    tensor([5., 1., 2., 5., 5.])
    """,
}

__test__ = TEXTS
