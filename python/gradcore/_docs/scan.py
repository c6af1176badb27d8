"""What goes along a dim and keeps the shape: softmax, cumulative sums, products and extremes."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "softmax": """
    exp(x) / sum(exp(x)) along `dim`: positive numbers that add up to 1.

    The largest element is subtracted first, so that nothing overflows. Floats keep their dtype; with `dtype` the input
    is converted first. Raises NotImplementedError for integers without it.

    >>> gradcore.softmax(gradcore.tensor([[0.0, 0.0], [1000.0, 0.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """,
    "log_softmax": """
    x - log(sum(exp(x))) along `dim`: the logarithm of `softmax`, exact where that would round to 0 or 1.

    Floats keep their dtype; with `dtype` the input is converted first. Raises NotImplementedError for integers without
    it.

    >>> gradcore.log_softmax(gradcore.tensor([0.0, -1000.0]), dim=0)
    tensor([    0., -1000.])
    """,
    "cumsum": """
    The running sum along `dim`: out[i] = x[0] + ... + x[i].

    Integers and bools are added up in int64 unless `dtype` says otherwise. Raises IndexError for a dim that the tensor
    does not have, NotImplementedError for the dtypes bool, uint16, uint32 and uint64.

    >>> gradcore.cumsum(gradcore.tensor([[1, 2, 3], [4, 5, 6]]), dim=1)
    tensor([[ 1,  3,  6],
            [ 4,  9, 15]])
    """,
    "cumprod": """
    The running product along `dim`: out[i] = x[0] * ... * x[i].

    Integers and bools are multiplied in int64 unless `dtype` says otherwise. The gradient is right where elements are
    zero.

    >>> gradcore.cumprod(gradcore.tensor([1.0, 2.0, 3.0, 4.0]), dim=0)
    tensor([ 1.,  2.,  6., 24.])
    """,
    "logcumsumexp": """
    The logarithm of the running sum of exponentials along `dim`: out[i] = log(exp(x[0]) + ... + exp(x[i])).

    The greatest element so far is taken out of the sum, so that nothing overflows. Floats only: NotImplementedError for
    integers. Raises IndexError for a dim that the tensor does not have.

    >>> gradcore.logcumsumexp(gradcore.tensor([1000.0, 1000.0, -5.0]), dim=0)
    tensor([1000.0000, 1000.6932, 1000.6932])
    """,
    "cummax": """
    The greatest element so far along `dim`, and where it stood last: a named tuple (values, indices) of the input's
    shape.

    From the first NaN on all values are NaN. The gradient goes to the elements at the indices, which are int64. Raises
    IndexError for a dim that the tensor does not have.

    >>> values, indices = gradcore.cummax(gradcore.tensor([1, 3, 2, 3, 5]), dim=0)
    >>> values, indices
    (tensor([1, 3, 3, 3, 5]), tensor([0, 1, 1, 3, 4]))
    """,
    "cummin": """
    The least element so far along `dim`, and where it stood last: a named tuple (values, indices) of the input's shape.

    From the first NaN on all values are NaN. The gradient goes to the elements at the indices, which are int64. Raises
    IndexError for a dim that the tensor does not have.

    >>> gradcore.cummin(gradcore.tensor([4, 2, 3, 2]), dim=0).values
    tensor([4, 2, 2, 2])
    """,
}

__test__ = TEXTS
