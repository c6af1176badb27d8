"""Comparisons, logic, bits, and choices that follow from them."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "eq": """
    input == other, element by element, as bools. Shapes broadcast; dtypes are promoted first. NaN equals nothing.

    >>> gradcore.eq(gradcore.tensor([1, 2, 3]), 2)
    tensor([False,  True, False])
    """,
    "ne": """
    input != other, element by element, as bools. Shapes broadcast; dtypes are promoted first. NaN differs from
    everything.

    >>> gradcore.ne(gradcore.tensor([1, 2, 3]), 2)
    tensor([ True, False,  True])
    """,
    "lt": """
    input < other, element by element, as bools. Shapes broadcast; dtypes are promoted first. With NaN it is False.

    >>> gradcore.lt(gradcore.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """,
    "le": """
    input <= other, element by element, as bools. Shapes broadcast; dtypes are promoted first. With NaN it is False.

    >>> gradcore.le(gradcore.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """,
    "gt": """
    input > other, element by element, as bools. Shapes broadcast; dtypes are promoted first. With NaN it is False.

    >>> gradcore.gt(gradcore.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """,
    "ge": """
    input >= other, element by element, as bools. Shapes broadcast; dtypes are promoted first. With NaN it is False.

    >>> gradcore.ge(gradcore.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """,
    "logical_not": """
    Whether an element is zero, as bools: "not" of its truth.

    >>> gradcore.logical_not(gradcore.tensor([0.0, 2.0]))
    tensor([ True, False])
    """,
    "logical_and": """
    Whether both elements are not zero, as bools. Shapes broadcast, and dtypes may differ.

    >>> gradcore.logical_and(gradcore.tensor([0, 2]), gradcore.tensor([1.0, 1.0]))
    tensor([False,  True])
    """,
    "logical_or": """
    Whether at least one of both elements is not zero, as bools. Shapes broadcast, and dtypes may differ.

    >>> gradcore.logical_or(gradcore.tensor([0, 2]), gradcore.tensor([0.0, 1.0]))
    tensor([False,  True])
    """,
    "logical_xor": """
    Whether exactly one of both elements is not zero, as bools. Shapes broadcast, and dtypes may differ.

    >>> gradcore.logical_xor(gradcore.tensor([0, 2]), gradcore.tensor([1.0, 1.0]))
    tensor([ True, False])
    """,
    "bitwise_not": """
    The bits of each integer inverted, which is -x - 1 with a sign; of bools, "not": the operator `~`. Raises
    NotImplementedError for floats.

    >>> gradcore.bitwise_not(gradcore.tensor([0, 5])), ~gradcore.tensor([True, False])
    (tensor([-1, -6]), tensor([False,  True]))
    """,
    "bitwise_and": """
    The bits that both integers have; of bools, "and": the operator `&`. Shapes broadcast, and dtypes are promoted.
    Raises NotImplementedError for floats.

    >>> gradcore.bitwise_and(gradcore.tensor([6, 5]), 3)
    tensor([2, 1])
    """,
    "bitwise_or": """
    The bits that at least one of both integers has; of bools, "or": the operator `|`. Shapes broadcast, and dtypes are
    promoted. Raises NotImplementedError for floats.

    >>> gradcore.bitwise_or(gradcore.tensor([6, 5]), 3)
    tensor([7, 7])
    """,
    "bitwise_xor": """
    The bits that exactly one of both integers has; of bools, "exactly one": the operator `^`. Shapes broadcast, and
    dtypes are promoted. Raises NotImplementedError for floats.

    >>> gradcore.bitwise_xor(gradcore.tensor([6, 5]), 3)
    tensor([5, 6])
    """,
    "bitwise_left_shift": """
    input * 2^other for integers, the bits beyond the type being lost: the operator `<<`. Shapes broadcast, and dtypes
    are promoted. A shift by no less than the width of the type, or by a negative number, gives 0.

    >>> gradcore.bitwise_left_shift(gradcore.tensor([1, 3]), 4)
    tensor([16, 48])
    """,
    "bitwise_right_shift": """
    input / 2^other rounded down, for integers: the operator `>>`. Shapes broadcast, and dtypes are promoted. A shift by
    no less than the width of the type, or by a negative number, gives 0, and -1 of a negative number.

    >>> gradcore.bitwise_right_shift(gradcore.tensor([48, -1]), 4)
    tensor([ 3, -1])
    """,
    "isnan": """
    Whether an element is NaN, as bools. Integers never are.

    >>> gradcore.isnan(gradcore.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """,
    "isinf": """
    Whether an element is inf or -inf, as bools. Integers never are.

    >>> gradcore.isinf(gradcore.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """,
    "isfinite": """
    Whether an element is neither infinite nor NaN, as bools. Integers always are.

    >>> gradcore.isfinite(gradcore.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """,
    "isclose": """
    Whether |input - other| <= atol + rtol * |other|, element by element, as bools.

    Infinities are close to themselves; NaN is close to NaN if equal_nan=True, else to nothing. Shapes broadcast. Raises
    RuntimeError for tensors of different dtypes, or for negative tolerances.

    >>> gradcore.isclose(gradcore.tensor([1.0, 1.0]), gradcore.tensor([1.000001, 1.1]))
    tensor([ True, False])
    """,
    "allclose": """
    Whether all elements are close in the sense of `isclose`, as a Python bool.

    >>> gradcore.allclose(gradcore.ones(2), gradcore.ones(2) + 1e-7)
    True
    """,
    "equal": """
    Whether two tensors have the same shape and equal elements, as a Python bool. NaN equals nothing.

    >>> gradcore.equal(gradcore.ones(2), gradcore.tensor([1, 1])), gradcore.equal(gradcore.ones(2), gradcore.ones(3))
    (True, False)
    """,
    "where": """
    `input` where `condition` is True, `other` where it is not; with the condition alone, its nonzero indices, as
    nonzero(as_tuple=True) gives them.

    The three shapes broadcast, and the dtypes of both values are promoted; each may be a number. The method is that of
    `input`: x.where(condition, other). Raises RuntimeError for a condition that is of neither bools nor uint8.

    >>> x = gradcore.tensor([-1.0, 2.0])
    >>> gradcore.where(x > 0, x, 0.0), gradcore.where(x > 0)
    (tensor([0., 2.]), (tensor([1]),))
    """,
    "masked_fill": """
    A copy in which `value` stands wherever `mask` is True.

    The mask is of bools, else RuntimeError, and broadcasts with the tensor; the value is a number or a 0-d tensor, and
    is converted to the dtype of the tensor.

    >>> gradcore.masked_fill(gradcore.tensor([1.0, 2.0, 3.0]), gradcore.tensor([False, True, False]), -1)
    tensor([ 1., -1.,  3.])
    """,
    "fmax": """
    The larger of two elements; of a number and NaN it is the number. The inputs broadcast, and the dtype is the promoted one.

    >>> gradcore.fmax(gradcore.tensor([1.0, gradcore.nan]), gradcore.tensor([2.0, 0.0]))
    tensor([2., 0.])
    """,
    "fmin": """
    The smaller of two elements; of a number and NaN it is the number. The inputs broadcast, and the dtype is the promoted one.

    >>> gradcore.fmin(gradcore.tensor([1.0, gradcore.nan]), gradcore.tensor([2.0, 0.0]))
    tensor([1., 0.])
    """,
    "isposinf": """
    Whether an element is +inf; integers never are. A bool tensor.

    >>> gradcore.isposinf(gradcore.tensor([1.0, gradcore.inf]))
    tensor([False,  True])
    """,
    "isneginf": """
    Whether an element is -inf; integers never are. A bool tensor.

    >>> gradcore.isneginf(gradcore.tensor([1.0, -gradcore.inf]))
    tensor([False,  True])
    """,
    "signbit": """
    Whether an element has a minus sign, which -0.0 has. A bool tensor.

    >>> gradcore.signbit(gradcore.tensor([1.0, -0.0]))
    tensor([False,  True])
    """,
    "is_nonzero": """
    Whether the one element of a tensor is not zero. A tensor of more or of none is a RuntimeError.

    >>> gradcore.is_nonzero(gradcore.tensor([1.0]))
    True
    """,
}

__test__ = TEXTS
