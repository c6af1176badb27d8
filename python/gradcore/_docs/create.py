"""Factories: tensors made from sizes and numbers."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "zeros": """
    A tensor of this size, given as one tuple or int by int, full of zeros.

    The dtype is the default one if none is given. requires_grad=True makes it a leaf with a gradient. Raises
    RuntimeError for a negative size.

    >>> gradcore.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    >>> gradcore.zeros((2,), dtype=gradcore.int64)
    tensor([0, 0])
    """,
    "ones": """
    A tensor of this size, given as one tuple or int by int, full of ones. The dtype is the default one if none is
    given.

    >>> gradcore.ones(2, requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """,
    "empty": """
    A tensor of this size whose elements are whatever was in the memory: for those who write all of them.

    >>> gradcore.empty(2, 3).shape
    torch.Size([2, 3])
    """,
    "empty_strided": """
    A tensor of this size with these strides, in elements, whose elements are whatever was in the memory.

    Raises RuntimeError where there are more strides than sizes, or fewer, or a negative one.

    >>> gradcore.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """,
    "full": """
    A tensor of this size full of one number, whose kind sets the dtype if none is given: bool, int64, or the default
    float.

    >>> gradcore.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """,
    "scalar_tensor": """
    A 0-d tensor of the number, in the default dtype if none is given.

    >>> gradcore.scalar_tensor(3)
    tensor(3.)
    """,
    "arange": """
    The numbers start, start + step, start + 2 * step ... before `end`, as a vector of ceil((end - start) / step)
    elements.

    `start` is 0 and `step` 1 if not given. The dtype is int64 where all three are ints, else the default one. Raises
    RuntimeError for a step of 0, or one that leads away from `end`.

    >>> gradcore.arange(4), gradcore.arange(1, 2, 0.25)
    (tensor([0, 1, 2, 3]), tensor([1.0000, 1.2500, 1.5000, 1.7500]))
    """,
    "linspace": """
    `steps` numbers at equal distances, the first being `start` and the last `end`.

    The dtype is the default one if none is given. Raises RuntimeError for a negative number of steps.

    >>> gradcore.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """,
    "logspace": """
    base^x for `steps` numbers x at equal distances from `start` to `end`.

    >>> gradcore.logspace(0, 3, 4)
    tensor([   1.,   10.,  100., 1000.])
    """,
    "eye": """
    The matrix (n, m), or (n, n), with ones on the main diagonal and zeros elsewhere. Raises RuntimeError for a negative
    size.

    >>> gradcore.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """,
    "tril_indices": """
    The places of the lower triangle of a matrix (row, col), in row-major order: rows in the first line of a (2, count)
    tensor of int64, columns in the second. `offset` moves the diagonal up.

    >>> gradcore.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """,
    "triu_indices": """
    The places of the upper triangle of a matrix (row, col), in row-major order: rows in the first line of a (2, count)
    tensor of int64, columns in the second. `offset` moves the diagonal up.

    >>> gradcore.triu_indices(2, 3, offset=1)
    tensor([[0, 0, 1],
            [1, 2, 2]])
    """,
    "zeros_like": """
    Zeros in the shape, the dtype and the order in memory of `input`; other options than these may be given.

    >>> gradcore.zeros_like(gradcore.tensor([1, 2]))
    tensor([0, 0])
    """,
    "ones_like": """
    Ones in the shape, the dtype and the order in memory of `input`; other options than these may be given.

    >>> gradcore.ones_like(gradcore.tensor([1, 2]), dtype=gradcore.float64)
    tensor([1., 1.], dtype=torch.float64)
    """,
    "empty_like": """
    A tensor with the shape, the dtype and the order in memory of `input`, whose elements are whatever was in the
    memory.

    >>> gradcore.empty_like(gradcore.ones(2, 3)).shape
    torch.Size([2, 3])
    """,
    "full_like": """
    One number in the shape, the dtype and the order in memory of `input`; other options than these may be given.

    >>> gradcore.full_like(gradcore.tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """,
    "new_tensor": """
    A tensor made of `data` as gradcore.tensor() makes it, in the dtype of this one if none is given.

    >>> gradcore.ones(1, dtype=gradcore.float64).new_tensor([1, 2])
    tensor([1., 2.], dtype=torch.float64)
    """,
    "new_zeros": """
    Zeros of this size, in the dtype of this tensor if none is given.

    >>> gradcore.tensor(1).new_zeros(2, 2)
    tensor([[0, 0],
            [0, 0]])
    """,
    "new_ones": """
    Ones of this size, in the dtype of this tensor if none is given.

    >>> gradcore.tensor(1).new_ones(2)
    tensor([1, 1])
    """,
    "new_empty": """
    A tensor of this size, in the dtype of this one if none is given, whose elements are whatever was in the memory.

    >>> gradcore.tensor(1).new_empty(2, 3).shape
    torch.Size([2, 3])
    """,
    "new_full": """
    A tensor of this size full of one number, in the dtype of this one if none is given.

    >>> gradcore.tensor(1.0).new_full((2,), 7)
    tensor([7., 7.])
    """,
    "range": """
    The numbers start, start + step ... up to `end`, which is among them where a whole number of steps leads there. It warns:
    `arange()` has no end, as ranges of Python.

    Of the default dtype where none is given. Raises RuntimeError for a step of 0, or one that leads away from `end`.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     gradcore.range(1, 3)
    tensor([1., 2., 3.])
    """,
    "empty_permuted": """
    A tensor that is not initialised, dense in memory with its dims in the order of `physical_layout`, outermost first.

    Raises RuntimeError where that is no permutation.

    >>> gradcore.empty_permuted((2, 3, 4), (0, 2, 1)).stride()
    (12, 1, 3)
    """,
    "new_empty_strided": """
    A tensor that is not initialised, of this size and these strides, in the dtype of this one.

    >>> gradcore.ones(1, dtype=gradcore.int32).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """,
}

__test__ = TEXTS
