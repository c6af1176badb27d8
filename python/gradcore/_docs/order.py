"""Sorting, and elements chosen by their rank."""

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
}

__test__ = TEXTS
