"""Sorting, searching and counting."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "sort": """
    The elements along `dim` in rising order, or falling with `descending`, and where they stood: a named tuple
    (values, indices) of the input's shape.

    Equal elements keep their order, whether `stable` says so or not. NaNs are the greatest of all, and zeros of both
    signs are equal. Any dtype; the indices are int64, and the gradient goes to the elements at them. Raises IndexError
    for a dim that the tensor does not have.

    >>> values, indices = gradcore.tensor([3.0, 1.0, 2.0]).sort()
    >>> values, indices
    (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """,
    "msort": """
    The elements in rising order along the first dim: the values that `sort` gives for dim=0.

    >>> gradcore.msort(gradcore.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """,
    "argsort": """
    The indices that put the elements along `dim` in rising order, or falling with `descending`: those of `sort`, in
    int64.

    >>> gradcore.argsort(gradcore.tensor([30, 10, 20]))
    tensor([1, 2, 0])
    """,
    "topk": """
    The `k` greatest elements along `dim`, or the least with largest=False, in order, and where they stand: a named
    tuple (values, indices), whose size along `dim` is k.

    NaNs are the greatest of all; of equal elements the first ones are taken. The result is in order whatever `sorted`
    says. The gradient goes to the elements at the indices. Raises RuntimeError for a `k` that is negative or more than
    there are, and for bools.

    >>> gradcore.topk(gradcore.tensor([1.0, 9.0, 3.0, 7.0]), k=2).values
    tensor([9., 7.])
    """,
    "kthvalue": """
    The element that is `k`-th, from 1, in rising order along `dim`, and where it stands: a named tuple
    (values, indices).

    keepdim=True keeps the dim, with size 1. NaNs are the greatest of all. The gradient goes to the element at the
    index. Raises RuntimeError for a `k` that is out of range, IndexError for a dim without elements,
    NotImplementedError for bools.

    >>> gradcore.kthvalue(gradcore.tensor([[3, 1, 2], [9, 8, 7]]), k=2).values
    tensor([2, 8])
    """,
    "median": """
    The median: of all elements as a tensor without dims, or along `dim` as a named tuple (values, indices).

    Of an even number of elements it is the lower one of the two in the middle, and so always an element. Where there is
    a NaN, the result is NaN. Along a dim, keepdim=True keeps it with size 1, and the gradient goes to the element at
    the index; else all elements that equal the median share it. The median of no elements is NaN. Raises IndexError
    for a dim without elements, NotImplementedError for bools.

    >>> x = gradcore.tensor([[5.0, 1.0, 3.0], [2.0, 8.0, 4.0]])
    >>> x.median(), x.median(dim=1).values
    (tensor(3.), tensor([3., 4.]))
    """,
    "nanmedian": """
    The `median` of the elements that are no NaNs, with the same arguments; NaN where all are.

    >>> gradcore.nanmedian(gradcore.tensor([float("nan"), 1.0, 5.0, 3.0]))
    tensor(3.)
    """,
    "mode": """
    The most frequent element along `dim`, the least of several, and where it stands last: a named tuple
    (values, indices).

    keepdim=True keeps the dim, with size 1. Each NaN is an element of its own. The gradient goes to the element at the
    index. Raises IndexError for a dim without elements.

    >>> gradcore.mode(gradcore.tensor([3, 1, 2, 1, 3]))[0]
    tensor(1)
    """,
    "quantile": """
    The `q`-th quantile of all elements, or along `dim`: the element of rank q (n - 1), from 0, in rising order.

    A rank between two elements is met by `interpolation`: "linear" between them, the "lower" or "higher" one, their
    "midpoint", or the "nearest". `q` is a number from 0 to 1, or a tensor of the input's dtype; one with a dim gives
    the result a first dim for it. keepdim=True keeps the reduced dim, with size 1. Where there is a NaN the result is
    NaN. Raises RuntimeError for integers, an input without elements, and a `q` out of range.

    >>> gradcore.quantile(gradcore.tensor([0.0, 1.0, 2.0, 10.0]), 0.75)
    tensor(4.)
    """,
    "nanquantile": """
    The `quantile` of the elements that are no NaNs, with the same arguments; NaN where all are.

    >>> gradcore.nanquantile(gradcore.tensor([float("nan"), 1.0, 3.0]), 0.5)
    tensor(2.)
    """,
    "unique": """
    The different elements in rising order, or the different slices along `dim` in lexicographic order.

    With `return_inverse`, also the position in the result of each element (of the input's shape) or slice; with
    `return_counts`, also how often each one occurs. Both are int64, and come in this order in a tuple. The result is in
    order whatever `sorted` says. Each NaN is an element of its own. There is no derivative. Raises IndexError for a dim
    that the tensor does not have.

    >>> gradcore.unique(gradcore.tensor([3, 1, 3, 2]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """,
    "unique_consecutive": """
    The elements, or the slices along `dim`, without those that equal the one before them.

    With `return_inverse`, also the position in the result of each element (of the input's shape) or slice; with
    `return_counts`, also how long each run was. Both are int64. There is no derivative.

    >>> gradcore.unique_consecutive(gradcore.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """,
    "searchsorted": """
    Where each value would be put into a sorted sequence: how many of its elements are less, or with right=True (also
    side="right") not greater.

    The sequence has one dim, or rows whose leading dims are those of the values. `sorter` holds the indices that sort it
    where it is not in order. The result has the values' shape and is int64, or int32 with `out_int32`. A NaN is put at
    the end. Raises RuntimeError for shapes that do not fit.

    >>> gradcore.searchsorted(gradcore.tensor([1, 3, 5]), gradcore.tensor([0, 3, 9]))
    tensor([0, 1, 3])
    """,
    "bucketize": """
    `searchsorted` in one sequence of `boundaries`, with the arguments the other way round: the number of the bucket that
    each element falls into.

    >>> gradcore.bucketize(gradcore.tensor([0.5, 2.0, 7.0]), gradcore.tensor([1.0, 2.0, 3.0]))
    tensor([0, 1, 3])
    """,
    "isin": """
    Whether each element is one of the test elements, or with `invert` is none of them: bools of the elements' shape.

    One of the two may be a number. A NaN equals nothing. `assume_unique` changes nothing. Raises RuntimeError for bools.

    >>> gradcore.isin(gradcore.tensor([1, 2, 3]), gradcore.tensor([2, 5]))
    tensor([False,  True, False])
    """,
    "bincount": """
    How often each number from 0 on occurs in a tensor of one dim: as many counts as the greatest number asks for, and no
    fewer than `minlength`.

    The counts are int64; with `weights` they are sums of these, in float32 or else float64. There is no derivative.
    Raises RuntimeError for negative numbers and other shapes, NotImplementedError for floats and bools.

    >>> gradcore.bincount(gradcore.tensor([0, 2, 2, 1]), minlength=5)
    tensor([1, 1, 2, 0, 0])
    """,
    "histc": """
    How many elements fall into each of `bins` equal parts of the range from `min` to `max`, which by default is that of
    the elements: a tensor of one dim, of the input's dtype.

    The last part has both of its ends. What lies outside is not counted, nor are NaNs. Raises RuntimeError for a range
    that is not finite or rising, NotImplementedError for integers.

    >>> gradcore.histc(gradcore.tensor([0.0, 1.0, 1.5, 4.0]), bins=4)
    tensor([1., 2., 0., 1.])
    """,
    "histogram": """
    How many elements fall into each bin, and the edges of the bins: a named tuple (hist, bin_edges) of the input's dtype.

    `bins` is their number, for equal ones in `range` (a pair) or else in that of the elements, or a tensor of rising
    edges. The last bin has both of its edges; what lies outside is not counted, nor are NaNs. With `weight`, of as many
    elements, these are added up; with `density`, the result is divided by its sum and the bins' widths. There is no
    derivative. Raises RuntimeError for a range that is not finite or falls, NotImplementedError for integers.

    >>> gradcore.histogram(gradcore.tensor([0.0, 1.0, 1.5, 4.0]), bins=2).hist
    tensor([3., 1.])
    """,
    "aminmax": """
    The least and the greatest element, of all or along `dim`: a named tuple (min, max).

    keepdim=True keeps the reduced dim, with size 1. A NaN makes both NaN. All elements that equal an extreme share its
    gradient. Raises RuntimeError for an input without elements, IndexError for a dim without.

    >>> low, high = gradcore.aminmax(gradcore.tensor([[1, 5], [3, 2]]), dim=0)
    >>> low, high
    (tensor([1, 2]), tensor([3, 5]))
    """,
    "argwhere": """
    The places of the elements that are not zero: a row of indices for each, int64, as `nonzero` gives them.

    >>> gradcore.argwhere(gradcore.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """,
}

__test__ = TEXTS
