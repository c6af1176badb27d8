"""Elementwise arithmetic: sums, products, quotients, powers, limits, rounding."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "add": """
    input + alpha * other, element by element.

    Shapes broadcast, and dtypes are promoted: an integer and a float tensor give floats, a Python number takes part
    with its kind only. Bools are joined by "or". Raises RuntimeError where shapes do not broadcast, or where `alpha` is
    a float and the result is of integers.

    >>> gradcore.add(gradcore.tensor([1, 2]), gradcore.tensor([[10], [20]]))
    tensor([[11, 12],
            [21, 22]])
    >>> gradcore.add(gradcore.tensor([1.0, 2.0]), 1, alpha=-2)
    tensor([-1.,  0.])
    """,
    "sub": """
    input - alpha * other, element by element.

    Shapes broadcast, and dtypes are promoted. Raises RuntimeError for bools, which `logical_xor` and `~` serve.

    >>> gradcore.sub(gradcore.tensor([5, 7]), 2)
    tensor([3, 5])
    """,
    "rsub": """
    other - alpha * input, element by element: `sub` with its operands exchanged.

    >>> gradcore.rsub(gradcore.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """,
    "mul": """
    input * other, element by element.

    Shapes broadcast, and dtypes are promoted. Bools are joined by "and".

    >>> gradcore.mul(gradcore.tensor([1, 2, 3]), 0.5)
    tensor([0.5000, 1.0000, 1.5000])
    """,
    "div": """
    input / other, element by element; rounded down with rounding_mode="floor", towards zero with "trunc".

    Shapes broadcast. Without a rounding mode integers are divided as floats of the default dtype, x / 0 is inf or NaN;
    with one they stay integers, and a zero divisor raises RuntimeError.

    >>> x, y = gradcore.tensor([7, -7]), gradcore.tensor(2)
    >>> gradcore.div(x, y), gradcore.div(x, y, rounding_mode="floor"), gradcore.div(x, y, rounding_mode="trunc")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -4]), tensor([ 3, -3]))
    """,
    "floor_divide": """
    input / other rounded down, element by element: the operator `//`.

    Shapes broadcast, and dtypes are promoted. Integers divided by zero are a RuntimeError, floats give inf or NaN. Its
    backward raises RuntimeError.

    >>> gradcore.floor_divide(gradcore.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """,
    "remainder": """
    input - other * floor(input / other), element by element: the operator `%`. The result has the sign of `other`.

    Shapes broadcast, and dtypes are promoted. Integers modulo zero are a RuntimeError, floats give NaN.

    >>> gradcore.remainder(gradcore.tensor([7, -7]), 4)
    tensor([3, 1])
    """,
    "fmod": """
    input - other * trunc(input / other), element by element: what C calls fmod. The result has the sign of `input`.

    Shapes broadcast, and dtypes are promoted. Integers modulo zero are a RuntimeError, floats give NaN.

    >>> gradcore.fmod(gradcore.tensor([7, -7]), 4)
    tensor([ 3, -3])
    """,
    "neg": """
    -input, element by element: the operator `-`. Raises RuntimeError for bools.

    >>> gradcore.neg(gradcore.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
    "positive": """
    The tensor itself: the operator `+`. Raises RuntimeError for bools.

    >>> gradcore.positive(gradcore.tensor([1, -2]))
    tensor([ 1, -2])
    """,
    "abs": """
    |input|, element by element, in the same dtype. The gradient at 0 is 0.

    >>> gradcore.abs(gradcore.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """,
    "sign": """
    -1, 0 or 1, element by element, in the same dtype; NaN stays NaN. The gradient is 0.

    >>> gradcore.sign(gradcore.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  1.])
    """,
    "reciprocal": """
    1 / input, element by element. Integers are converted to the default dtype; of 0 it is inf.

    >>> gradcore.reciprocal(gradcore.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """,
    "square": """
    input * input, element by element, in the same dtype; of bools in int64.

    >>> gradcore.square(gradcore.tensor([3, -4]))
    tensor([ 9, 16])
    """,
    "sqrt": """
    The square root, element by element. Integers are converted to the default dtype; of a negative number it is NaN.

    >>> gradcore.sqrt(gradcore.tensor([9.0, 2.0, -1.0]))
    tensor([3.0000, 1.4142,    nan])
    """,
    "rsqrt": """
    1 / sqrt(input), element by element. Integers are converted to the default dtype; of 0 it is inf, of less NaN.

    >>> gradcore.rsqrt(gradcore.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """,
    "pow": """
    input ** exponent, element by element; either may be a number.

    Shapes broadcast, and dtypes are promoted. Raises RuntimeError for integers with a negative integer as exponent,
    whose result would be no integer.

    >>> gradcore.pow(gradcore.tensor([1, 2, 3]), 2), gradcore.pow(2, gradcore.tensor([0.5, 3.0]))
    (tensor([1, 4, 9]), tensor([1.4142, 8.0000]))
    """,
    "hypot": """
    sqrt(input^2 + other^2), element by element, without overflow of the squares.

    Shapes broadcast. Raises NotImplementedError for integers.

    >>> gradcore.hypot(gradcore.tensor([3.0]), gradcore.tensor([4.0]))
    tensor([5.])
    """,
    "lerp": """
    input + weight * (end - input), element by element: from `input` at weight 0 to `end` at weight 1.

    Shapes broadcast. `weight` may be a number. Raises RuntimeError for tensors of different dtypes, NotImplementedError
    for integers.

    >>> gradcore.lerp(gradcore.tensor([0.0, 10.0]), gradcore.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """,
    "addcmul": """
    input + value * tensor1 * tensor2, element by element. Shapes broadcast, and dtypes are promoted.

    >>> x = gradcore.ones(2)
    >>> gradcore.addcmul(x, gradcore.tensor([1.0, 2.0]), gradcore.tensor([3.0, 4.0]), value=10)
    tensor([31., 81.])
    """,
    "addcdiv": """
    input + value * tensor1 / tensor2, element by element.

    Shapes broadcast, and dtypes are promoted. Raises RuntimeError where both divided tensors are of integers.

    >>> x = gradcore.ones(2)
    >>> gradcore.addcdiv(x, gradcore.tensor([1.0, 2.0]), gradcore.tensor([2.0, 8.0]), value=2)
    tensor([2.0000, 1.5000])
    """,
    "clamp": """
    min(max(input, min), max), element by element: what lies outside of the limits becomes the nearer one.

    A limit is a number or a tensor that broadcasts, and one of them may be left out; both are a RuntimeError. Where min
    > max the result is max. NaN stays NaN. The gradient is 1 inside and at the limits, 0 outside.

    >>> gradcore.clamp(gradcore.tensor([-2.0, 0.5, 7.0]), min=0, max=1)
    tensor([0.0000, 0.5000, 1.0000])
    """,
    "clamp_min": """
    max(input, min), element by element: `clamp` with a lower limit only.

    >>> gradcore.clamp_min(gradcore.tensor([-2, 3]), 0)
    tensor([0, 3])
    """,
    "clamp_max": """
    min(input, max), element by element: `clamp` with an upper limit only.

    >>> gradcore.clamp_max(gradcore.tensor([-2, 3]), 0)
    tensor([-2,  0])
    """,
    "maximum": """
    The larger of two tensors, element by element; NaN where either is NaN.

    Shapes broadcast, and dtypes are promoted. Where both are equal each gets half of the gradient.

    >>> gradcore.maximum(gradcore.tensor([1, 5]), gradcore.tensor([3, 3]))
    tensor([3, 5])
    """,
    "minimum": """
    The smaller of two tensors, element by element; NaN where either is NaN.

    Shapes broadcast, and dtypes are promoted. Where both are equal each gets half of the gradient.

    >>> gradcore.minimum(gradcore.tensor([1, 5]), gradcore.tensor([3, 3]))
    tensor([1, 3])
    """,
    "floor": """
    The largest integer that is not above, element by element, in the same dtype. The gradient is 0.

    >>> gradcore.floor(gradcore.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """,
    "ceil": """
    The smallest integer that is not below, element by element, in the same dtype. The gradient is 0.

    >>> gradcore.ceil(gradcore.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """,
    "trunc": """
    The integer part: rounded towards zero, element by element, in the same dtype. The gradient is 0.

    >>> gradcore.trunc(gradcore.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """,
    "round": """
    The nearest integer, a half going to the even one, in the same dtype; with `decimals`, the nearest multiple of
    10^-decimals. The gradient is 0.

    >>> gradcore.round(gradcore.tensor([0.5, 1.5, 2.4])), gradcore.round(gradcore.tensor([3.14159]), decimals=2)
    (tensor([0., 2., 2.]), tensor([3.1400]))
    """,
}

__test__ = TEXTS
