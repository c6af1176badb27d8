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
    "_linalg_qr": """
    A = Q R of each matrix (*, m, n), with orthogonal columns in Q and an upper triangle R, by reflections.

    `mode`: "reduced" gives (*, m, k) and (*, k, n) with k = min(m, n), "complete" a square Q, "r" an empty Q. The diagonal of
    R has LAPACK's signs. Raises RuntimeError for another mode; "complete" with m > n, and "r", have no gradient.

    >>> q, r = gradcore.linalg.qr(gradcore.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> gradcore.allclose(q @ r, gradcore.tensor([[3.0, 1.0], [4.0, 2.0]]))
    True
    """,
    "qr": """
    linalg.qr() by its older name; `some=False` is its mode "complete".

    >>> gradcore.qr(gradcore.ones(3, 2)).R.shape
    torch.Size([2, 2])
    """,
    "geqrf": """
    R of a QR factorisation, with the reflections that made it below its diagonal, and their factors tau, as LAPACK has them.

    Has no gradient: backward raises NotImplementedError.

    >>> gradcore.geqrf(gradcore.ones(3, 2)).tau.shape
    torch.Size([2])
    """,
    "_linalg_householder_product": """
    The first n columns of H_1 H_2 ... H_k, where H_i = 1 - tau[i] v v', and v is column i of the input (*, m, n) below its
    diagonal, on which it counts as one.

    `tau` is (*, k) with k <= n <= m. So geqrf() keeps the Q of a matrix. Both are float32 or float64; RuntimeError is
    raised where shapes or dtypes do not fit.

    >>> a = gradcore.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> h, tau = gradcore.geqrf(a)
    >>> q = gradcore.linalg.householder_product(h, tau)
    >>> gradcore.allclose(q @ h.triu(), a)
    True
    """,
    "orgqr": """
    linalg.householder_product() by its older name.

    >>> gradcore.orgqr(gradcore.zeros(1, 1), gradcore.tensor([2.0]))
    tensor([[-1.]])
    """,
    "ormqr": """
    The third tensor multiplied by Q = H_1 H_2 ... H_k, all m columns of it, from the left or the right, or by Q transposed.

    `input` (*, m, n) and `input2` (*, min(m, n)) are reflections as geqrf() gives them; Q itself is not formed. Raises
    RuntimeError where shapes or dtypes do not fit.

    >>> a = gradcore.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> h, tau = gradcore.geqrf(a)
    >>> gradcore.allclose(gradcore.ormqr(h, tau, a, transpose=True), h.triu(), atol=1e-6)
    True
    """,
    "_linalg_ldl_factor": """
    The factors of a symmetric matrix A = P L D L' P', which need not be positive-definite, with pivots by Bunch and Kaufman.

    A is (*, n, n), float32 or float64, and its lower triangle is read. Gives (LD, pivots): L below the diagonal of LD, D
    with blocks of one or two rows on it; pivots (int32) as LAPACK numbers them, negative for a block of two. Raises
    linalg.LinAlgError where a block of D is zero, RuntimeError for a matrix that is not square. No gradient.

    >>> gradcore.linalg.ldl_factor(gradcore.tensor([[0.0, 2.0], [2.0, 0.0]])).pivots
    tensor([-2, -2], dtype=torch.int32)
    """,
    "_linalg_ldl_factor_ex": """
    linalg.ldl_factor() that does not raise where a block of D is zero, unless `check_errors` says so.

    Gives (LD, pivots, info): info is int32, 0 or the number of the first block that is zero.

    >>> gradcore.linalg.ldl_factor_ex(gradcore.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """,
    "_linalg_ldl_solve": """
    The solution X of A X = B, from the factors that linalg.ldl_factor(A) gave.

    LD is (*, n, n), pivots (*, n), B (*, n, k); the batches of LD and B broadcast. Raises RuntimeError where shapes do not
    fit, or where a pivot leads out of the matrix. No gradient.

    >>> ld, pivots = gradcore.linalg.ldl_factor(gradcore.tensor([[0.0, 2.0], [2.0, 0.0]]))
    >>> gradcore.linalg.ldl_solve(ld, pivots, gradcore.tensor([[2.0], [4.0]]))
    tensor([[2.],
            [1.]])
    """,
    "triangular_solve": """
    linalg.solve_triangular() by its older name and with its arguments the other way round; it warns.

    Gives (solution, cloned_coefficient): X of A X = B, or of A' X = B with `transpose`, and a copy of A. `upper` tells which
    triangle of A is read, `unitriangular` takes its diagonal for ones.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     gradcore.triangular_solve(gradcore.tensor([[2.0]]), gradcore.tensor([[4.0]])).solution
    tensor([[0.5000]])
    """,
    "_linalg_eigh": """
    Eigenvalues, rising, and eigenvectors, as columns, of symmetric matrices (*, n, n); `UPLO` says which triangle is read.

    Gradients are those of a symmetric matrix, and infinite where eigenvalues are equal and vectors take part. Raises
    linalg.LinAlgError where there are NaN or infinities, RuntimeError for other shapes.

    >>> gradcore.linalg.eigh(gradcore.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """,
    "_linalg_eigvalsh": """
    The eigenvalues of linalg.eigh() alone, rising.

    >>> gradcore.linalg.eigvalsh(gradcore.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """,
    "_linalg_svd": """
    A = U diag(S) Vh of each matrix (*, m, n), with S falling and not negative.

    U and Vh are square, or with `full_matrices=False` (*, m, k) and (*, k, n), k = min(m, n). Raises linalg.LinAlgError where
    there are NaN or infinities, RuntimeError for a `driver`, which is CUDA's. Derivatives: Giles (2008).

    >>> gradcore.linalg.svd(gradcore.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    tensor([3., 2.])
    """,
    "_linalg_svdvals": """
    The singular values of linalg.svd() alone, falling.

    >>> gradcore.linalg.svdvals(gradcore.tensor([[0.0, 2.0], [3.0, 0.0]]))
    tensor([3., 2.])
    """,
    "svd": """
    linalg.svd() by its older name: gives V, not its transpose. `some=False` asks for full matrices.

    >>> gradcore.svd(gradcore.ones(3, 2)).V.shape
    torch.Size([2, 2])
    """,
    "_linalg_pinv": """
    The pseudo-inverse (*, n, m) of each matrix (*, m, n), from its singular values.

    Those up to max(atol, rtol * the largest) count as zero; without either, rtol is the epsilon of the dtype times the longer
    size. `hermitian` says that the matrices are symmetric. Raises RuntimeError for integers. Derivatives: Golub and Pereyra (1973).

    >>> gradcore.linalg.pinv(gradcore.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """,
    "pinverse": """
    linalg.pinv() by its older name, with a relative tolerance alone.

    >>> gradcore.pinverse(gradcore.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """,
    "_linalg_matrix_rank": """
    How many singular values of each matrix count as more than zero, int64 of shape (*): those above max(atol, rtol * the
    largest), as in linalg.pinv(). `tol` is an atol without rtol.

    >>> gradcore.linalg.matrix_rank(gradcore.ones(3, 3))
    tensor(1)
    """,
    "_linalg_cond": """
    The condition number of each matrix in a norm `p`: without it, or 2, the largest singular value over the smallest.

    For the other norms of linalg.matrix_norm() the matrices must be square; a singular one has inf. Raises RuntimeError for
    other norms.

    >>> gradcore.linalg.cond(gradcore.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor(4.)
    """,
    "_linalg_lstsq": """
    The X that makes A X - B least, and of those the shortest: A is (*, m, n), B (*, m, k) or a batch of vectors (*, m).

    Gives (solution, residuals, rank, singular_values). `driver` "gels" goes by QR and wants full rank, the others by singular
    values, of which those up to `rcond` times the largest count as zero. Raises RuntimeError where shapes or dtypes do not fit.

    >>> a = gradcore.tensor([[1.0], [1.0]])
    >>> gradcore.linalg.lstsq(a, gradcore.tensor([[1.0], [3.0]])).solution
    tensor([[2.0000]])
    """,
    "_linalg_lu_factor": """
    The factors of A = P L U of each matrix (*, m, n) in one, L below the diagonal and U above, and the rows that changed places.

    For lu_solve() and lu_unpack(). Raises RuntimeError where a pivot is zero, and without pivots.

    >>> gradcore.linalg.lu_factor(gradcore.tensor([[1.0, 2.0], [2.0, 2.0]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """,
    "_linalg_lu_factor_ex": """
    linalg.lu_factor() that does not raise where a pivot is zero, unless `check_errors` says so: info has its number.

    >>> gradcore.linalg.lu_factor_ex(gradcore.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """,
    "_linalg_lu": """
    The factors of A = P L U of each matrix (*, m, n): a permutation, a lower triangle with ones, an upper triangle.

    Raises RuntimeError without pivots.

    >>> gradcore.linalg.lu(gradcore.tensor([[1.0, 2.0], [2.0, 2.0]])).U
    tensor([[2., 2.],
            [0., 1.]])
    """,
    "lu": """
    linalg.lu_factor_ex() by an older name: (LU, pivots), and with `get_infos` info.

    >>> len(gradcore.lu(gradcore.eye(2), get_infos=True))
    3
    """,
    "_linalg_lu_solve": """
    The solution of A X = B from the factors that linalg.lu_factor() gave; of X A = B where `left` is false, of A' where
    `adjoint`.

    Raises RuntimeError where shapes do not fit, or where pivots lead out of the matrix.

    >>> lu, pivots = gradcore.linalg.lu_factor(gradcore.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> gradcore.linalg.lu_solve(lu, pivots, gradcore.ones(2, 1)).flatten()
    tensor([0.5000, 0.2500])
    """,
    "lu_solve": """
    linalg.lu_solve() by its older name, with B first.

    >>> gradcore.lu_solve(gradcore.ones(1, 1), *gradcore.linalg.lu_factor(gradcore.tensor([[4.0]])))
    tensor([[0.2500]])
    """,
    "lu_unpack": """
    The factors P, L and U of what linalg.lu_factor() gave. What is not asked for is an empty tensor.

    Raises RuntimeError for pivots that are no int32, or lead out of the matrix.

    >>> gradcore.lu_unpack(*gradcore.linalg.lu_factor(gradcore.tensor([[1.0, 2.0], [2.0, 2.0]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """,
    "cholesky_solve": """
    The solution of A X = B from the factor of A = L L', or with `upper` of A = U'U.

    B is (*, n, k), the factor (*, n, n), of which one triangle is read. Raises RuntimeError where shapes do not fit.

    >>> gradcore.cholesky_solve(gradcore.ones(1, 1), gradcore.tensor([[2.0]]))
    tensor([[0.2500]])
    """,
    "cholesky_inverse": """
    The inverse of A from its factor A = L L', or with `upper` of A = U'U.

    Raises linalg.LinAlgError where the factor has a zero on its diagonal.

    >>> gradcore.cholesky_inverse(gradcore.tensor([[2.0]]))
    tensor([[0.2500]])
    """,
    "_linalg_matrix_power": """
    The n-th power of each square matrix; negative ones are powers of its inverse. Raises RuntimeError for other shapes.

    >>> gradcore.linalg.matrix_power(gradcore.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """,
    "matrix_power": """
    linalg.matrix_power() by its older name.

    >>> gradcore.matrix_power(gradcore.tensor([[2]]), 3)
    tensor([[8]])
    """,
    "_linalg_matrix_exp": """
    The exponential 1 + A + A A / 2 + ... of each square matrix, by scaling and squaring (Higham 2005).

    Raises RuntimeError for integers, and for matrices that are not square.

    >>> gradcore.linalg.matrix_exp(gradcore.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """,
    "matrix_exp": """
    linalg.matrix_exp() by its older name.

    >>> gradcore.matrix_exp(gradcore.zeros(1, 1))
    tensor([[1.]])
    """,
    "_linalg_multi_dot": """
    The product of a chain of matrices, in the order that costs least. The first and the last may be vectors.

    Raises RuntimeError for less than two, and where sizes do not fit.

    >>> gradcore.linalg.multi_dot([gradcore.ones(2), gradcore.ones(2, 3), gradcore.ones(3)])
    tensor(6.)
    """,
    "_linalg_vecdot": """
    The sum of the products of x and y along `dim`; they broadcast. Raises RuntimeError for integers.

    >>> gradcore.linalg.vecdot(gradcore.tensor([1.0, 2.0]), gradcore.tensor([3.0, 4.0]))
    tensor(11.)
    """,
    "_linalg_tensorinv": """
    The inverse of A as a map from its dims from `ind` on to those before, which have as many elements together.

    Raises RuntimeError where they have not, linalg.LinAlgError where the map is singular.

    >>> gradcore.linalg.tensorinv(gradcore.eye(6).reshape(6, 2, 3), ind=1).shape
    torch.Size([2, 3, 6])
    """,
    "_linalg_tensorsolve": """
    The X with tensordot(A, X) = B: the first dims of A are those of B, the others those of X. `dims` are moved behind first.

    Raises RuntimeError where sizes do not fit, linalg.LinAlgError where A is singular.

    >>> gradcore.linalg.tensorsolve(gradcore.eye(6).reshape(2, 3, 6), gradcore.ones(2, 3)).shape
    torch.Size([6])
    """,
    "_linalg_vander": """
    The powers 0 to N - 1 of each element, along a new last dim; N is the size of the last dim where it is not given.

    >>> gradcore.linalg.vander(gradcore.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """,
    "_linalg_diagonal": """
    The diagonals of matrices: gradcore.diagonal() of the last two dims unless others are named. A view.

    >>> gradcore.linalg.diagonal(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """,
    "_linalg_vector_norm": """
    The norm (sum |x|^ord)^(1/ord) over some dims, or over all of them; inf and -inf are the largest and smallest |x|.

    x is floating. Raises RuntimeError for integers, and where an empty tensor has no such norm.

    >>> gradcore.linalg.vector_norm(gradcore.tensor([3.0, 4.0]))
    tensor(5.)
    """,
    "_linalg_matrix_norm": """
    A norm of matrices: "fro", the length of all elements; 1 and -1, the largest and smallest sum of absolute values of a
    column; inf and -inf, of a row; 2 and -2, the largest and smallest singular value; "nuc", the sum of those.

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
