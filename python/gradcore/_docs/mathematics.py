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

    >>> gradcore.tan(gradcore.tensor([0.0, gradcore.pi / 4]))
    tensor([0.0000, 1.0000])
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
}

__test__ = TEXTS
