"""Products of matrices and vectors."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "matmul": """
    The matrix product: the operator `@`.

    Two vectors (n) and (n) give a number; (n, m) @ (m, k) gives (n, k). A vector on the left counts as a row, on the
    right as a column, and that dim goes from the result. Dims before the last two are a batch, and broadcast. Raises
    RuntimeError where the inner sizes or the dtypes differ.

    >>> a = gradcore.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> gradcore.matmul(a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    >>> gradcore.matmul(a, gradcore.tensor([1.0, 1.0]))
    tensor([3., 7.])
    >>> gradcore.matmul(gradcore.ones(5, 1, 2, 3), gradcore.ones(4, 3, 6)).shape
    torch.Size([5, 4, 2, 6])
    """,
    "mm": """
    The product of two matrices: (n, m) and (m, k) give (n, k). Nothing broadcasts.

    Raises RuntimeError for tensors that are no matrices, where the inner sizes differ, or where the dtypes do.

    >>> gradcore.mm(gradcore.tensor([[1, 2]]), gradcore.tensor([[3], [4]]))
    tensor([[11]])
    """,
    "bmm": """
    The products of two batches of matrices: (b, n, m) and (b, m, k) give (b, n, k). Nothing broadcasts.

    Raises RuntimeError for other numbers of dims, or where sizes or dtypes do not fit.

    >>> gradcore.bmm(gradcore.ones(2, 1, 3), gradcore.ones(2, 3, 1)).tolist()
    [[[3.0]], [[3.0]]]
    """,
    "mv": """
    The product of a matrix and a vector: (n, m) and (m) give (n).

    Raises RuntimeError for other numbers of dims, or where sizes or dtypes do not fit.

    >>> gradcore.mv(gradcore.tensor([[1, 2], [3, 4]]), gradcore.tensor([1, 10]))
    tensor([21, 43])
    """,
    "dot": """
    The sum of the products of the elements of two vectors of one size, as a 0-d tensor.

    Raises RuntimeError for tensors with other dims than one, or where sizes or dtypes differ.

    >>> gradcore.dot(gradcore.tensor([1, 2]), gradcore.tensor([3, 4]))
    tensor(11)
    """,
    "outer": """
    All products of an element of one vector with one of the other: (n) and (m) give (n, m), out[i, j] = a[i] * b[j].

    Dtypes are promoted. Raises RuntimeError for tensors that are no vectors.

    >>> gradcore.outer(gradcore.tensor([1, 2]), gradcore.tensor([3, 4, 5]))
    tensor([[ 3,  4,  5],
            [ 6,  8, 10]])
    """,
    "addmm": """
    beta * input + alpha * (mat1 @ mat2), in one go.

    `input` broadcasts to the product of (n, m) and (m, k), which is (n, k). With beta=0 its elements are not read, so
    that a NaN in it does not count. Raises RuntimeError where sizes or dtypes do not fit.

    >>> bias = gradcore.tensor([10.0, 20.0])
    >>> gradcore.addmm(bias, gradcore.ones(3, 4), gradcore.ones(4, 2))
    tensor([[14., 24.],
            [14., 24.],
            [14., 24.]])
    """,
}

__test__ = TEXTS
