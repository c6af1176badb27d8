"""Reductions: sums, means, extremes, norms, truth."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "sum": """
    The sum of all elements, or along one dim or several.

    Integers and bools are added up in int64 unless `dtype` says otherwise, floats in their own dtype. keepdim=True
    keeps a reduced dim, with size 1. The sum of no elements is 0. Raises IndexError for a dim that the tensor does not
    have.

    >>> x = gradcore.tensor([[1, 2], [3, 4]])
    >>> x.sum(), x.sum(dim=0), x.sum(dim=1, keepdim=True).shape
    (tensor(10), tensor([4, 6]), torch.Size([2, 1]))
    """,
    "nansum": """
    The sum of all elements but NaN, or along `dim`, one or several. Integers and bools are summed in int64, or in `dtype`, to
    which the input is converted first.

    >>> gradcore.nansum(gradcore.tensor([1.0, gradcore.nan, 2.0]))
    tensor(3.)
    """,
    "nanmean": """
    The mean of all elements but NaN, or along `dim`, one or several; NaN where there are no others. The input must be
    floating, else a RuntimeError.

    >>> gradcore.nanmean(gradcore.tensor([1.0, gradcore.nan, 2.0]))
    tensor(1.5000)
    """,
    "mean": """
    The arithmetic mean of all elements, or along one dim or several: sum / count.

    keepdim=True keeps a reduced dim, with size 1. The mean of no elements is NaN. Raises RuntimeError for integers and
    bools unless `dtype` names a float, to which they are then converted first.

    >>> x = gradcore.tensor([[1.0, 2.0], [3.0, 6.0]])
    >>> x.mean(), x.mean(dim=1)
    (tensor(3.), tensor([1.5000, 4.5000]))
    """,
    "prod": """
    The product of all elements, or along one dim.

    Integers and bools are multiplied in int64 unless `dtype` says otherwise. The product of no elements is 1. The
    gradient is right where elements are zero, too.

    >>> x = gradcore.tensor([[1, 2], [3, 4]])
    >>> x.prod(), x.prod(dim=0)
    (tensor(24), tensor([3, 8]))
    """,
    "var": """
    The variance: sum((x - mean)^2) / max(0, n - correction), over all elements or along dims.

    `correction` is 1 if not given, which makes the estimate unbiased; unbiased=False says 0. Floats only: RuntimeError
    for other dtypes. Of too few elements the result is NaN, with a warning.

    >>> x = gradcore.tensor([1.0, 2.0, 3.0, 6.0])
    >>> x.var(), x.var(correction=0)
    (tensor(4.6667), tensor(3.5000))
    """,
    "std": """
    The standard deviation: the square root of `var`, with the same arguments.

    >>> x = gradcore.tensor([[1.0, 3.0], [2.0, 8.0]])
    >>> x.std(dim=1), x.std(unbiased=False)
    (tensor([1.4142, 4.2426]), tensor(2.6926))
    """,
    "var_mean": """
    The pair (variance, mean), computed in one go; the arguments are those of `var`.

    >>> gradcore.var_mean(gradcore.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """,
    "std_mean": """
    The pair (standard deviation, mean), computed in one go; the arguments are those of `var`.

    >>> gradcore.std_mean(gradcore.tensor([[1.0, 3.0], [2.0, 2.0]]), dim=1)
    (tensor([1.4142, 0.0000]), tensor([2., 2.]))
    """,
    "max": """
    The largest element, the largest along a dim with their indices, or the larger of two tensors (see `maximum`).

    With a dim the result is a named tuple (values, indices); equal elements give the first index. A NaN is larger than
    every number. The whole of an empty tensor has no largest element: RuntimeError. The gradient of the largest element
    is shared evenly by all that equal it; that of max(dim) goes to the element at the index.

    >>> x = gradcore.tensor([[1.0, 5.0], [4.0, 2.0]])
    >>> x.max()
    tensor(5.)
    >>> values, indices = x.max(dim=1)
    >>> indices
    tensor([1, 0])
    """,
    "min": """
    The smallest element, the smallest along a dim with their indices, or the smaller of two tensors (see `minimum`).

    With a dim the result is a named tuple (values, indices); equal elements give the first index. A NaN comes before
    every number. The whole of an empty tensor has no smallest element: RuntimeError. Gradients go as in `max`.

    >>> x = gradcore.tensor([[1.0, 5.0], [4.0, 2.0]])
    >>> x.min(), x.min(dim=0).values
    (tensor(1.), tensor([1., 2.]))
    """,
    "amax": """
    The largest elements along one dim or several, or of all dims.

    Unlike `max` it gives no indices, and shares the gradient evenly among equal elements. A NaN is larger than every
    number. Raises IndexError where a dim to reduce is of size 0.

    >>> x = gradcore.tensor([[1, 5], [4, 2]])
    >>> x.amax(dim=(0, 1)), x.amax(dim=1)
    (tensor(5), tensor([5, 4]))
    """,
    "amin": """
    The smallest elements along one dim or several, or of all dims.

    Unlike `min` it gives no indices, and shares the gradient evenly among equal elements. A NaN comes before every
    number. Raises IndexError where a dim to reduce is of size 0.

    >>> gradcore.amin(gradcore.tensor([[1, 5], [4, 2]]), dim=0)
    tensor([1, 2])
    """,
    "argmax": """
    The index of the largest element as int64: along `dim`, or, without one, in the flattened tensor.

    Equal elements give the first index, and a NaN is larger than every number. Raises IndexError where there is nothing
    to choose from, RuntimeError for bools. There is no gradient.

    >>> x = gradcore.tensor([[1, 5], [4, 2]])
    >>> x.argmax(), x.argmax(dim=0)
    (tensor(1), tensor([1, 0]))
    """,
    "argmin": """
    The index of the smallest element as int64: along `dim`, or, without one, in the flattened tensor.

    Equal elements give the first index, and a NaN comes before every number. Raises IndexError where there is nothing
    to choose from, RuntimeError for bools. There is no gradient.

    >>> gradcore.argmin(gradcore.tensor([[1, 5], [4, 0]]), dim=1)
    tensor([0, 1])
    """,
    "any": """
    Whether at least one element is not zero: of all, or along dims.

    The result is bool (uint8 for a uint8 tensor). Of no elements it is False. A NaN is not zero.

    >>> x = gradcore.tensor([[0, 0], [0, 3]])
    >>> x.any(), x.any(dim=1)
    (tensor(True), tensor([False,  True]))
    """,
    "all": """
    Whether no element is zero: of all, or along dims.

    The result is bool (uint8 for a uint8 tensor). Of no elements it is True. A NaN is not zero.

    >>> x = gradcore.tensor([[1, 0], [2, 3]])
    >>> x.all(), x.all(dim=1)
    (tensor(False), tensor([False,  True]))
    """,
    "norm": """
    The p-norm of all elements, or along dims: sum(|x|^p)^(1/p).

    p=inf takes the largest |x|, p=-inf the smallest, p=0 counts what is not zero; "fro", the default, is p=2. Floats
    only: RuntimeError for other dtypes. Where the norm is 0 its gradient is taken to be 0.

    >>> x = gradcore.tensor([[3.0, 4.0], [0.0, -2.0]])
    >>> x[0].norm(), x.norm(p=1, dim=1), x.norm(float("inf"))
    (tensor(5.), tensor([7., 2.]), tensor(4.))
    """,
    "logsumexp": """
    log(sum(exp(x))) along dims, without overflow: the largest element is taken out of the sum first.

    keepdim=True keeps a reduced dim, with size 1. Integers are converted to the default dtype.

    >>> gradcore.logsumexp(gradcore.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """,
    "count_nonzero": """
    How many elements are not zero, as int64: of all, or along dims. A NaN counts.

    >>> gradcore.count_nonzero(gradcore.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """,
    "frobenius_norm": """
    norm() of order 2 over `dim`, over all dims where it is empty.

    >>> gradcore.frobenius_norm(gradcore.tensor([[3.0, 4.0], [0.0, 2.0]]), 1)
    tensor([5., 2.])
    """,
    "nuclear_norm": """
    The sum of the singular values of the matrices in two dims, by default the last two.

    Raises RuntimeError for integers, and for dims that are not two.

    >>> gradcore.nuclear_norm(gradcore.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(7.)
    """,
    "norm_except_dim": """
    The norms of order `pow` of the parts that `dim` numbers, each kept as a dim of one element; of the whole for dim=-1.

    >>> gradcore.norm_except_dim(gradcore.tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([[5.],
            [2.]])
    """,
    "hash_tensor": """
    The exclusive or of the elements' bits, as uint64: of all of them, or along `dim`.

    Floats count as float64, integers and bools as int64. `mode` must be 0. Raises RuntimeError for an empty tensor
    without `dim`.

    >>> gradcore.hash_tensor(gradcore.tensor([[1, 2], [4, 4]]), 1)
    tensor([3, 0], dtype=torch.uint64)
    """,
}

__test__ = TEXTS
