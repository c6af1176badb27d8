"""Elementwise functions of mathematics: exponentials, logarithms, angles, activations."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "exp": """
    e^input, element by element. Integers are converted to the default dtype. Where it overflows it is inf.

    >>> gradcore.exp(gradcore.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """,
    "expm1": """
    e^input - 1, element by element, exact near 0, where `exp` would lose the digits. Integers are converted to the
    default dtype.

    >>> gradcore.expm1(gradcore.tensor([1e-10], dtype=gradcore.float64))
    tensor([1.0000e-10], dtype=torch.float64)
    """,
    "log": """
    The natural logarithm, element by element: -inf of 0, NaN of less. Integers are converted to the default dtype.

    >>> gradcore.log(gradcore.tensor([1.0, 10.0, 0.0]))
    tensor([0.0000, 2.3026,   -inf])
    """,
    "log1p": """
    log(1 + input), element by element, exact near 0. Integers are converted to the default dtype; below -1 it is NaN.

    >>> gradcore.log1p(gradcore.tensor([1e-10, 1.0], dtype=gradcore.float64))
    tensor([1.0000e-10, 6.9315e-01], dtype=torch.float64)
    """,
    "log2": """
    The logarithm to base 2, element by element; exact for powers of 2. Integers are converted to the default dtype.

    >>> gradcore.log2(gradcore.tensor([8.0, 0.5]))
    tensor([ 3., -1.])
    """,
    "log10": """
    The logarithm to base 10, element by element. Integers are converted to the default dtype.

    >>> gradcore.log10(gradcore.tensor([1000.0, 0.1]))
    tensor([ 3., -1.])
    """,
    "sin": """
    The sine of angles in radians, element by element. Integers are converted to the default dtype; of inf it is NaN.

    >>> gradcore.sin(gradcore.tensor([0.0, gradcore.pi / 2]))
    tensor([0., 1.])
    """,
    "cos": """
    The cosine of angles in radians, element by element. Integers are converted to the default dtype; of inf it is NaN.

    >>> gradcore.cos(gradcore.tensor([0.0, gradcore.pi]))
    tensor([ 1., -1.])
    """,
    "tan": """
    The tangent of angles in radians, element by element. Integers are converted to the default dtype; of inf it is NaN.

    >>> gradcore.tan(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """,
    "asin": """
    The angle in [-pi/2, pi/2] of this sine, element by element; NaN outside of [-1, 1]. Integers are converted to the
    default dtype.

    >>> gradcore.asin(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """,
    "acos": """
    The angle in [0, pi] of this cosine, element by element; NaN outside of [-1, 1]. Integers are converted to the
    default dtype.

    >>> gradcore.acos(gradcore.tensor([1.0, 0.0, -1.0]))
    tensor([0.0000, 1.5708, 3.1416])
    """,
    "atan": """
    The angle in (-pi/2, pi/2) of this tangent, element by element. Integers are converted to the default dtype.

    >>> gradcore.atan(gradcore.tensor([1.0, float("inf")]))
    tensor([0.7854, 1.5708])
    """,
    "atan2": """
    The angle in [-pi, pi] of the point (other, input), that is of tangent input / other, in the right quadrant.

    Shapes broadcast. Integers are converted to the default dtype.

    >>> gradcore.atan2(gradcore.tensor([1.0, 1.0]), gradcore.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """,
    "sinh": """
    The hyperbolic sine (e^x - e^-x) / 2, element by element. Integers are converted to the default dtype.

    >>> gradcore.sinh(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """,
    "cosh": """
    The hyperbolic cosine (e^x + e^-x) / 2, element by element. Integers are converted to the default dtype.

    >>> gradcore.cosh(gradcore.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """,
    "tanh": """
    The hyperbolic tangent (e^x - e^-x) / (e^x + e^-x), element by element: between -1 and 1. Integers are converted to
    the default dtype.

    >>> gradcore.tanh(gradcore.tensor([0.0, 1.0, 100.0]))
    tensor([0.0000, 0.7616, 1.0000])
    """,
    "sigmoid": """
    1 / (1 + e^-x), element by element: between 0 and 1. Integers are converted to the default dtype.

    >>> gradcore.sigmoid(gradcore.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
    "relu": """
    max(x, 0), element by element, in the same dtype. NaN stays NaN. The gradient at 0 is 0. Raises RuntimeError for
    bools.

    >>> gradcore.relu(gradcore.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
    "erf": """
    The error function 2 / sqrt(pi) * integral of e^(-t^2) from 0 to x, element by element. Integers are converted to
    the default dtype.

    >>> gradcore.erf(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """,
    "erfc": """
    1 - erf(x), element by element, exact where erf rounds to 1. Integers are converted to the default dtype.

    >>> gradcore.erfc(gradcore.tensor([0.0, 10.0], dtype=gradcore.float64))
    tensor([1.0000e+00, 2.0885e-45], dtype=torch.float64)
    """,
    "exp2": """
    2^input, element by element; exact for integers. Integers are converted to the default dtype.

    >>> gradcore.exp2(gradcore.tensor([0.0, 3.0, -1.0]))
    tensor([1.0000, 8.0000, 0.5000])
    """,
    "logaddexp": """
    log(e^input + e^other), element by element, without overflow. The inputs must be floating after promotion, and broadcast.

    >>> gradcore.logaddexp(gradcore.tensor([-1.0, 1000.0]), gradcore.tensor([-1.0, 1000.0]))
    tensor([-3.0685e-01,  1.0007e+03])
    """,
    "logaddexp2": """
    log2(2^input + 2^other), element by element, without overflow. The inputs must be floating after promotion, and broadcast.

    >>> gradcore.logaddexp2(gradcore.tensor([1.0]), gradcore.tensor([1.0]))
    tensor([2.])
    """,
    "xlogy": """
    input log(other), element by element: 0 where input is, unless other is NaN. Either may be a number; tensors broadcast.
    Integers are converted to the default dtype.

    >>> gradcore.xlogy(gradcore.tensor([0.0, 2.0]), gradcore.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """,
    "asinh": """
    The inverse hyperbolic sine, element by element. Integers are converted to the default dtype.

    >>> gradcore.asinh(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """,
    "acosh": """
    The inverse hyperbolic cosine, element by element; NaN below 1. Integers are converted to the default dtype.

    >>> gradcore.acosh(gradcore.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """,
    "atanh": """
    The inverse hyperbolic tangent, element by element; infinite at -1 and 1, NaN outside. Integers are converted to the default
    dtype.

    >>> gradcore.atanh(gradcore.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """,
    "sinc": """
    sin(pi input) / (pi input), element by element: 1 at 0. Integers are converted to the default dtype.

    >>> gradcore.sinc(gradcore.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
    "deg2rad": """
    Angles in degrees as radians, element by element. Integers are converted to the default dtype.

    >>> gradcore.deg2rad(gradcore.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """,
    "rad2deg": """
    Angles in radians as degrees, element by element. Integers are converted to the default dtype.

    >>> gradcore.rad2deg(gradcore.tensor([gradcore.pi]))
    tensor([180.])
    """,
    "sgn": """
    The sign, element by element: -1, 0 or 1. The dtype stays.

    >>> gradcore.sgn(gradcore.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """,
    "copysign": """
    The size of input with the sign of other, element by element; zeros have signs. Integers are converted to the default dtype.

    >>> gradcore.copysign(gradcore.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """,
    "heaviside": """
    0 below zero, 1 above, and `values` at zero, element by element. Both have one dtype, else a RuntimeError, and broadcast.

    >>> gradcore.heaviside(gradcore.tensor([-1.0, 0.0, 2.0]), gradcore.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """,
    "nextafter": """
    The next floating number after input on the way to other, element by element. The inputs must be floating, and broadcast.

    >>> gradcore.nextafter(gradcore.tensor([1.0]), gradcore.tensor([2.0])) > 1
    tensor([True])
    """,
    "gcd": """
    The greatest common divisor of integers, element by element, which is not negative. The inputs broadcast.

    >>> gradcore.gcd(gradcore.tensor([12, -18]), gradcore.tensor([8, 27]))
    tensor([4, 9])
    """,
    "lcm": """
    The least common multiple of integers, element by element, which is not negative. The inputs broadcast.

    >>> gradcore.lcm(gradcore.tensor([4, -6]), gradcore.tensor([6, 9]))
    tensor([12, 18])
    """,
    "frac": """
    What is behind the point, with its sign, element by element. The input must be floating.

    >>> gradcore.frac(gradcore.tensor([1.5, -2.25]))
    tensor([ 0.5000, -0.2500])
    """,
    "ldexp": """
    input 2^other, element by element. Integers are converted to the default dtype. The inputs broadcast.

    >>> gradcore.ldexp(gradcore.tensor([1.0, 3.0]), gradcore.tensor([4, -1]))
    tensor([16.0000,  1.5000])
    """,
    "frexp": """
    Each element as mantissa, of a size from 1/2 to 1, times 2^exponent; a named tuple of both, the exponent in int32. The input
    must be floating, else a RuntimeError. The gradient is the mantissa's.

    >>> gradcore.frexp(gradcore.tensor([8.0, -0.75])).exponent
    tensor([4, 0], dtype=torch.int32)
    """,
    "float_power": """
    input^exponent in float64, whatever the dtypes, element by element. Either may be a number; tensors broadcast. In place the
    tensor must be float64, else a RuntimeError.

    >>> gradcore.float_power(gradcore.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
    """,
    "nan_to_num": """
    The input with `nan` (0) in place of NaN, and `posinf` and `neginf` (the largest and the lowest number of the dtype) in
    place of infinities. Integers stay as they are.

    >>> gradcore.nan_to_num(gradcore.tensor([gradcore.nan, gradcore.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """,
}

__test__ = TEXTS
