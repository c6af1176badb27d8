"""Special functions: gamma, zeta and error functions, Bessel functions, and what is made of them."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "logit": """
    log(input / (1 - input)), element by element: the inverse of `sigmoid`. Outside of 0 to 1 it is NaN, but where `eps` is
    given the input is first kept between eps and 1 - eps. Integers are converted to the default dtype.

    >>> gradcore.logit(gradcore.tensor([0.5, 0.9, 1.0]))
    tensor([0.0000, 2.1972,    inf])
    """,
    "lgamma": """
    The natural logarithm of the absolute value of the gamma function, element by element; inf at 0 and at negative integers.
    Integers are converted to the default dtype.

    >>> gradcore.lgamma(gradcore.tensor([1.0, 0.5, 4.0]))
    tensor([0.0000, 0.5724, 1.7918])
    """,
    "digamma": """
    The derivative of `lgamma`, element by element: infinite at 0, NaN at negative integers. Integers are converted to the
    default dtype.

    >>> gradcore.digamma(gradcore.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """,
    "polygamma": """
    The derivative of `digamma` of order `n`, element by element; of order 0 it is `digamma` itself. Integers are converted to
    the default dtype. A negative `n` is a RuntimeError.

    >>> gradcore.polygamma(1, gradcore.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """,
}

__test__ = TEXTS
