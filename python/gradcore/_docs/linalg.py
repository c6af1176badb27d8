"""Dense linear algebra. All dims before a matrix's two are a batch, and those of several operands broadcast."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "_linalg_cholesky": """
    The factor L of a symmetric positive-definite matrix A = L L', a lower triangle; with `upper` its transpose.

    A is (*, n, n), float32 or float64, and one of its triangles is read. Raises linalg.LinAlgError where a matrix is not
    positive-definite, RuntimeError for one that is not square.

    >>> gradcore.linalg.cholesky(gradcore.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """,
    "_linalg_cholesky_ex": """
    linalg.cholesky() that does not raise where a matrix is not positive-definite, unless `check_errors` says so.

    Gives (L, info): info is int32, 0 where L is right, else the order of the first leading minor that is not positive.

    >>> gradcore.linalg.cholesky_ex(gradcore.tensor([[-1.0]])).info
    tensor(1, dtype=torch.int32)
    """,
    "cholesky": """
    linalg.cholesky() by its older name.

    >>> gradcore.cholesky(gradcore.tensor([[4.0]]))
    tensor([[2.]])
    """,
    "_linalg_solve": """
    The solution X of A X = B, or of X A = B where `left` is false, by elimination with pivots.

    A is (*, n, n), B (*, n, k) or a batch of vectors (*, n), both of one floating dtype. Raises linalg.LinAlgError where
    a matrix is singular, RuntimeError where shapes or dtypes do not fit.

    >>> a = gradcore.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> gradcore.linalg.solve(a, gradcore.tensor([2.0, 3.0]))
    tensor([1., 2.])
    """,
    "_linalg_solve_ex": """
    linalg.solve() that does not raise where a matrix is singular, unless `check_errors` says so.

    Gives (result, info): info is int32, 0 where the result is right, else the number of the first pivot that is zero.

    >>> gradcore.linalg.solve_ex(gradcore.zeros(1, 1), gradcore.ones(1, 1)).info
    tensor(1, dtype=torch.int32)
    """,
    "_linalg_inv": """
    The inverse of each matrix (*, n, n) of a floating dtype. linalg.solve(A, B) is faster and more exact than inv(A) @ B.

    Raises linalg.LinAlgError where a matrix is singular, RuntimeError for one that is not square.

    >>> gradcore.linalg.inv(gradcore.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """,
    "_linalg_inv_ex": """
    linalg.inv() that does not raise where a matrix is singular, unless `check_errors` says so.

    Gives (inverse, info): info is int32, 0 where the inverse is right, else the number of the first pivot that is zero.

    >>> gradcore.linalg.inv_ex(gradcore.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """,
    "inverse": """
    linalg.inv() by its older name.

    >>> gradcore.inverse(gradcore.tensor([[4.0]]))
    tensor([[0.2500]])
    """,
    "_linalg_solve_triangular": """
    The solution X of A X = B, or of X A = B where `left` is false, where A is a triangle: the upper or the lower one.

    A is (*, n, n), B (*, n, k); the other triangle of A is not read, nor its diagonal where `unitriangular` takes that for
    ones. A zero on the diagonal gives infinities and NaN. Raises RuntimeError where shapes do not fit.

    >>> a = gradcore.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> gradcore.linalg.solve_triangular(a, gradcore.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """,
    "_linalg_det": """
    The determinant of each matrix (*, n, n) of a floating dtype: of shape (*). Raises RuntimeError for other shapes.

    Its gradient is right for singular matrices too.

    >>> gradcore.linalg.det(gradcore.tensor([[4.0, 2.0], [2.0, 3.0]]))
    tensor(8.)
    """,
    "det": """
    linalg.det() by its older name.

    >>> gradcore.det(gradcore.tensor([[3.0]]))
    tensor(3.)
    """,
    "_linalg_slogdet": """
    The determinant of each matrix (*, n, n) as its sign and the logarithm of its absolute value, which do not overflow.

    Gives (sign, logabsdet), both of shape (*); of a singular matrix 0 and -inf. Raises RuntimeError for other shapes.

    >>> sign, logabsdet = gradcore.linalg.slogdet(-gradcore.eye(3))
    >>> sign.item(), logabsdet.item()
    (-1.0, 0.0)
    """,
    "slogdet": """
    linalg.slogdet() by its older name.

    >>> gradcore.slogdet(gradcore.eye(2)).sign
    tensor(1.)
    """,
    "logdet": """
    The logarithm of the determinant of each matrix (*, n, n): NaN where that is negative, -inf where it is 0.

    Raises RuntimeError for matrices that are not square.

    >>> gradcore.logdet(gradcore.eye(2))
    tensor(0.)
    """,
    "_linalg_vector_norm": """
    The norm (sum |x|^ord)^(1/ord) over some dims, or over all of them; inf and -inf are the largest and smallest |x|.

    x is floating. Raises RuntimeError for integers, and where an empty tensor has no such norm.

    >>> gradcore.linalg.vector_norm(gradcore.tensor([3.0, 4.0]))
    tensor(5.)
    """,
    "_linalg_matrix_norm": """
    A norm of matrices: "fro", the length of all elements; 1 and -1, the largest and smallest sum of absolute values of a
    column; inf and -inf, of a row.

    `dim` says which two dims make the matrices. Raises RuntimeError for other orders, for integers and for other dims.

    >>> gradcore.linalg.matrix_norm(gradcore.tensor([[3.0, 0.0], [4.0, 1.0]]), 1)
    tensor(7.)
    """,
    "_linalg_norm": """
    linalg.vector_norm() or linalg.matrix_norm(), which `dim` decides: one dim is a vector, two are a matrix.

    Without `dim`, `ord` is a norm of the vector or matrix that A is; without both it is the length of all elements. With
    two dims and no `ord` it is their length too. Raises RuntimeError where A has more dims than that.

    >>> gradcore.linalg.norm(gradcore.tensor([[3.0, 0.0], [4.0, 0.0]]), dim=0)
    tensor([5., 0.])
    """,
}

__test__ = TEXTS
