"""Products that are added to a tensor, products made of others, distances; differences and integrals."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "addmv": """
    beta * input + alpha * (mat @ vec), for a matrix of shape (m, n) and a vector of n elements. `input` broadcasts to
    (m,). A term whose factor is 0 is not read.

    All have one dtype. Raises RuntimeError where shapes or dtypes do not fit.

    >>> gradcore.addmv(gradcore.ones(2), gradcore.tensor([[1.0, 2.0], [3.0, 4.0]]), gradcore.ones(2))
    tensor([4., 8.])
    """,
    "addr": """
    beta * input + alpha * the outer product of two vectors of m and n elements. `input` broadcasts to (m, n). A term whose
    factor is 0 is not read.

    The result has the dtype that all promote to. Raises RuntimeError where shapes do not fit.

    >>> gradcore.addr(gradcore.zeros(2, 2), gradcore.tensor([1.0, 2.0]), gradcore.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """,
    "baddbmm": """
    beta * input + alpha * (batch1 @ batch2), for batches of b matrices of shapes (m, k) and (k, n). `input` broadcasts to
    (b, m, n). A term whose factor is 0 is not read.

    All have one dtype. Raises RuntimeError where shapes or dtypes do not fit.

    >>> gradcore.baddbmm(gradcore.ones(2, 1, 1), gradcore.ones(2, 1, 3), gradcore.ones(2, 3, 1)).flatten()
    tensor([4., 4.])
    """,
    "addbmm": """
    beta * input + alpha * the sum over the batch of batch1 @ batch2, for b matrices of shapes (m, k) and (k, n). `input`
    broadcasts to (m, n). A term whose factor is 0 is not read.

    All have one dtype. Raises RuntimeError where shapes or dtypes do not fit.

    >>> gradcore.addbmm(gradcore.ones(1, 1), gradcore.ones(2, 1, 3), gradcore.ones(2, 3, 1))
    tensor([[7.]])
    """,
    "kron": """
    Kronecker's product: each element of the first tensor replaced by its product with the whole second one. The size of
    each dim is the product of both; the tensor of fewer dims gets dims of one element in front.

    >>> gradcore.kron(gradcore.tensor([1, 2]), gradcore.tensor([3, 4]))
    tensor([3, 4, 6, 8])
    """,
    "inner": """
    The sum of products over the last dims of both tensors, which have one size; other dims of the first come before those
    of the second. With a tensor without dims the product.

    Both have one dtype. Raises RuntimeError where the last dims differ.

    >>> gradcore.inner(gradcore.tensor([[1, 2], [3, 4]]), gradcore.tensor([1, 10]))
    tensor([21, 43])
    """,
    "vdot": """
    The sum of the products of two vectors' elements; real numbers are their own conjugates, so that it is `dot`.

    Both have one dtype. Raises RuntimeError where sizes or dtypes differ.

    >>> gradcore.vdot(gradcore.tensor([1.0, 2.0]), gradcore.tensor([3.0, 4.0]))
    tensor(11.)
    """,
    "_linalg_cross": """
    The cross product of vectors of three elements, which lie along `dim`; other dims broadcast.

    Both tensors have as many dims as each other. Raises RuntimeError where `dim` does not have three elements in both.

    >>> gradcore.linalg.cross(gradcore.tensor([1, 0, 0]), gradcore.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """,
    "cross": """
    The cross product of vectors of three elements, which lie along `dim`; other dims broadcast.

    Without `dim` the first one of size 3 is taken, with a warning. Both have one dtype and equally many dims. Raises
    RuntimeError where `dim` has another size.

    >>> gradcore.cross(gradcore.tensor([1, 0, 0]), gradcore.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])
    """,
    "chain_matmul": """
    The product of several matrices, in the order that takes the fewest multiplications. It warns that torch will drop
    it.

    Raises RuntimeError for none, for what is no matrix, and where sizes do not fit.

    >>> gradcore.chain_matmul(gradcore.ones(2, 3), gradcore.ones(3, 4), gradcore.ones(4, 1))
    tensor([[12.],
            [12.]])
    """,
    "cdist": """
    The distance of each row of x1 from each row of x2 by the p-norm: (..., m, k) and (..., n, k) give (..., m, n), and
    leading dims broadcast. At distance 0 the gradient is 0.

    compute_mode: "use_mm_for_euclid_dist" gets Euclidean distances from a product of matrices, which is faster and loses
    digits where rows are near; "donot_use_mm_for_euclid_dist" does not; the default does where one of the matrices has
    more than 25 rows. Both have one floating dtype. Raises RuntimeError for other dtypes, for a negative p and where
    shapes do not fit, ValueError for an unknown mode.

    >>> gradcore.cdist(gradcore.tensor([[0.0, 0.0]]), gradcore.tensor([[3.0, 4.0], [1.0, 0.0]]))
    tensor([[5., 1.]])
    """,
    "pdist": """
    The distance of each row of a matrix from each row behind it by the p-norm, in a row: n rows give n (n - 1) / 2
    distances.

    Raises RuntimeError for what is no floating matrix, and for a negative p.

    >>> gradcore.pdist(gradcore.tensor([[0.0], [1.0], [4.0]]))
    tensor([1., 4., 3.])
    """,
    "dist": """
    The p-norm of input - other, which broadcast.

    Raises RuntimeError for integers, and where shapes do not fit.

    >>> gradcore.dist(gradcore.tensor([0.0, 0.0]), gradcore.tensor([3.0, 4.0]))
    tensor(5.)
    """,
    "diff": """
    The n-th differences of neighbours along `dim`: the result is n elements shorter there. Of bools whether they differ.

    prepend, append: what is joined in front and behind before. Raises RuntimeError for a tensor without dims, for a
    negative n, and where shapes do not fit.

    >>> gradcore.diff(gradcore.tensor([1, 3, 6]))
    tensor([2, 3])
    """,
    "trapezoid": """
    The integral along `dim` by the trapezoidal rule, of values at the places `x` or `dx` apart. `x` is a vector with a place
    for each value, or broadcasts with `y`.

    Raises RuntimeError for bools and where places do not fit.

    >>> gradcore.trapezoid(gradcore.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """,
    "cumulative_trapezoid": """
    The running integrals along `dim` by the trapezoidal rule: as `trapezoid` up to the second value, the third ... The
    result is one element shorter there.

    Raises RuntimeError for bools and where places do not fit.

    >>> gradcore.cumulative_trapezoid(gradcore.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """,
    "cov": """
    The covariances of variables, one in each row, of which each column is an observation: n rows give an (n, n) matrix. A
    vector is a single variable.

    correction: what is subtracted from the number of observations that the sums are divided by. fweights: how often each
    was seen, integers. aweights: their importance, floats. Raises RuntimeError for bools, for more than two dims, and for
    weights that do not fit, are negative or sum up to zero.

    >>> gradcore.cov(gradcore.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([[ 2., -2.],
            [-2.,  2.]])
    """,
    "corrcoef": """
    The correlations of variables, one in each row: their covariances over the product of their deviations.

    Raises RuntimeError for more than two dims.

    >>> gradcore.corrcoef(gradcore.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """,
    "renorm": """
    The tensor with each slice along `dim` scaled down until its p-norm is `maxnorm`; slices below that stay.

    Raises RuntimeError for integers, for fewer than two dims, for p <= 0 and for a negative maxnorm.

    >>> gradcore.renorm(gradcore.tensor([[3.0, 4.0], [0.3, 0.4]]), p=2, dim=0, maxnorm=1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """,
}

__test__ = TEXTS
