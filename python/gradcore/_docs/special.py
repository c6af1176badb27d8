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
    "erfinv": """
    The inverse of `erf`, element by element: infinite at -1 and 1, NaN outside. Integers are converted to the default dtype.

    >>> gradcore.erfinv(gradcore.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.4769,    inf])
    """,
    "i0": """
    The modified Bessel function of the first kind of order 0, element by element. Integers are converted to the default dtype.

    >>> gradcore.i0(gradcore.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """,
    "igamma": """
    The regularized lower incomplete gamma function P(input, other), element by element: the integral of t^(a - 1) e^-t from 0
    to other, divided by that to infinity. NaN where one is negative. The inputs must be floating and broadcast; its derivative
    is that in `other`, and asking for the one in `input` is a NotImplementedError.

    >>> gradcore.igamma(gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 2.0]))
    tensor([0.6321, 0.5940])
    """,
    "igammac": """
    The regularized upper incomplete gamma function Q = 1 - P, element by element; see `igamma`.

    >>> gradcore.igammac(gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 2.0]))
    tensor([0.3679, 0.4060])
    """,
    "mvlgamma": """
    The logarithm of the multivariate gamma function of dimension `p`, element by element: p (p - 1) / 4 log(pi) plus the sum of
    `lgamma` of input - j / 2 for j below p. Integers are converted to the default dtype. RuntimeError for a `p` below 1 or above
    2**20: nothing can stop the sum.

    >>> gradcore.mvlgamma(gradcore.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """,
    "_special_airy_ai": """
    Airy's function Ai, element by element. Integers are converted to the default dtype. As in torch it has no derivative: the
    result does not require grad.

    >>> gradcore.special.airy_ai(gradcore.tensor([1.0, 2.0]))
    tensor([0.1353, 0.0349])
    """,
    "_special_bessel_j0": """
    The Bessel function of the first kind of order 0, element by element. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.bessel_j0(gradcore.tensor([1.0, 2.0]))
    tensor([0.7652, 0.2239])
    """,
    "_special_bessel_j1": """
    The Bessel function of the first kind of order 1, element by element. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.bessel_j1(gradcore.tensor([1.0, 2.0]))
    tensor([0.4401, 0.5767])
    """,
    "_special_bessel_y0": """
    The Bessel function of the second kind of order 0, NaN below 0, element by element. Integers are converted to the default
    dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.bessel_y0(gradcore.tensor([1.0, 2.0]))
    tensor([0.0883, 0.5104])
    """,
    "_special_bessel_y1": """
    The Bessel function of the second kind of order 1, NaN below 0, element by element. Integers are converted to the default
    dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.bessel_y1(gradcore.tensor([1.0, 2.0]))
    tensor([-0.7812, -0.1070])
    """,
    "_special_modified_bessel_i0": """
    The modified Bessel function of the first kind of order 0, element by element. Integers are converted to the default dtype.
    As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.modified_bessel_i0(gradcore.tensor([1.0, 2.0]))
    tensor([1.2661, 2.2796])
    """,
    "_special_modified_bessel_i1": """
    The modified Bessel function of the first kind of order 1, element by element. Integers are converted to the default dtype.
    As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.modified_bessel_i1(gradcore.tensor([1.0, 2.0]))
    tensor([0.5652, 1.5906])
    """,
    "_special_modified_bessel_k0": """
    The modified Bessel function of the second kind of order 0, NaN below 0, element by element. Integers are converted to the
    default dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.modified_bessel_k0(gradcore.tensor([1.0, 2.0]))
    tensor([0.4210, 0.1139])
    """,
    "_special_modified_bessel_k1": """
    The modified Bessel function of the second kind of order 1, NaN below 0, element by element. Integers are converted to the
    default dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.modified_bessel_k1(gradcore.tensor([1.0, 2.0]))
    tensor([0.6019, 0.1399])
    """,
    "_special_scaled_modified_bessel_k0": """
    e^input times the modified Bessel function of the second kind of order 0, NaN below 0, element by element. Integers are
    converted to the default dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.scaled_modified_bessel_k0(gradcore.tensor([1.0, 2.0]))
    tensor([1.1445, 0.8416])
    """,
    "_special_scaled_modified_bessel_k1": """
    e^input times the modified Bessel function of the second kind of order 1, NaN below 0, element by element. Integers are
    converted to the default dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.scaled_modified_bessel_k1(gradcore.tensor([1.0, 2.0]))
    tensor([1.6362, 1.0335])
    """,
    "_special_spherical_bessel_j0": """
    The spherical Bessel function of the first kind of order 0, sin(input) / input, element by element. Integers are converted
    to the default dtype. As in torch it has no derivative: the result does not require grad.

    >>> gradcore.special.spherical_bessel_j0(gradcore.tensor([1.0, 2.0]))
    tensor([0.8415, 0.4546])
    """,
    "_special_entr": """
    -input log(input), element by element: 0 at 0, -inf below. Integers are converted to the default dtype.

    >>> gradcore.special.entr(gradcore.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.3466, -0.0000])
    """,
    "_special_erfcx": """
    e^(input^2) erfc(input), element by element, which does not underflow where `erfc` does. Integers are converted to the
    default dtype.

    >>> gradcore.special.erfcx(gradcore.tensor([0.0, 1.0, 100.0]))
    tensor([1.0000, 0.4276, 0.0056])
    """,
    "_special_i0e": """
    e^-|input| times the modified Bessel function of the first kind of order 0, element by element. Integers are converted to
    the default dtype.

    >>> gradcore.special.i0e(gradcore.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])
    """,
    "_special_i1": """
    The modified Bessel function of the first kind of order 1, element by element. Integers are converted to the default dtype.

    >>> gradcore.special.i1(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """,
    "_special_i1e": """
    e^-|input| times the modified Bessel function of the first kind of order 1, element by element. Integers are converted to
    the default dtype.

    >>> gradcore.special.i1e(gradcore.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])
    """,
    "_special_log_ndtr": """
    The logarithm of `ndtr`, element by element, which stays finite far below 0. Integers are converted to the default dtype.

    >>> gradcore.special.log_ndtr(gradcore.tensor([-20.0, 0.0]))
    tensor([-203.9172,   -0.6931])
    """,
    "_special_ndtr": """
    The distribution function of the normal distribution, element by element: the probability of a number below input. Integers
    are converted to the default dtype.

    >>> gradcore.special.ndtr(gradcore.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """,
    "_special_ndtri": """
    The inverse of `ndtr`, element by element: infinite at 0 and 1, NaN outside. Integers are converted to the default dtype.

    >>> gradcore.special.ndtri(gradcore.tensor([0.025, 0.5, 0.975]))
    tensor([-1.9600,  0.0000,  1.9600])
    """,
    "_special_xlog1py": """
    input log1p(other), element by element: 0 where input is, unless other is NaN. Either may be a number; tensors broadcast.
    Integers are converted to the default dtype.

    >>> gradcore.special.xlog1py(gradcore.tensor([0.0, 2.0]), gradcore.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """,
    "_special_zeta": """
    Hurwitz's zeta function, element by element: the sum of (other + k)^-input for k = 0, 1, 2 ... Either may be a number;
    tensors broadcast. Integers are converted to the default dtype. Its derivative is that in `other`; asking for the one in
    `input` is a NotImplementedError.

    >>> gradcore.special.zeta(gradcore.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """,
    "_special_chebyshev_polynomial_t": """
    Chebyshev's polynomial of the first kind, of degree n, element by element; 0 for a negative degree, and a fraction of it is
    cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.chebyshev_polynomial_t(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-0.5000,  7.0000])
    """,
    "_special_chebyshev_polynomial_u": """
    Chebyshev's polynomial of the second kind, of degree n, element by element; 0 for a negative degree, and a fraction of it is
    cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.chebyshev_polynomial_u(gradcore.tensor([0.5, 2.0]), 2)
    tensor([ 0., 15.])
    """,
    "_special_chebyshev_polynomial_v": """
    Chebyshev's polynomial of the third kind, of degree n, element by element; 0 for a negative degree, and a fraction of it is
    cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.chebyshev_polynomial_v(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 11.])
    """,
    "_special_chebyshev_polynomial_w": """
    Chebyshev's polynomial of the fourth kind, of degree n, element by element; 0 for a negative degree, and a fraction of it is
    cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.chebyshev_polynomial_w(gradcore.tensor([0.5, 2.0]), 2)
    tensor([ 1., 19.])
    """,
    "_special_shifted_chebyshev_polynomial_t": """
    Chebyshev's polynomial of the first kind at 2 input - 1, of degree n, element by element; 0 for a negative degree, and a
    fraction of it is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.shifted_chebyshev_polynomial_t(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 17.])
    """,
    "_special_shifted_chebyshev_polynomial_u": """
    Chebyshev's polynomial of the second kind at 2 input - 1, of degree n, element by element; 0 for a negative degree, and a
    fraction of it is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.shifted_chebyshev_polynomial_u(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 35.])
    """,
    "_special_shifted_chebyshev_polynomial_v": """
    Chebyshev's polynomial of the third kind at 2 input - 1, of degree n, element by element; 0 for a negative degree, and a
    fraction of it is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.shifted_chebyshev_polynomial_v(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 29.])
    """,
    "_special_shifted_chebyshev_polynomial_w": """
    Chebyshev's polynomial of the fourth kind at 2 input - 1, of degree n, element by element; 0 for a negative degree, and a
    fraction of it is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in
    torch it has no derivative: the result does not require grad.

    >>> gradcore.special.shifted_chebyshev_polynomial_w(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 41.])
    """,
    "_special_hermite_polynomial_h": """
    Hermite's polynomial, as physicists have it, of degree n, element by element; 0 for a negative degree, and a fraction of it
    is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.hermite_polynomial_h(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-1., 14.])
    """,
    "_special_hermite_polynomial_he": """
    Hermite's polynomial, as statisticians have it, of degree n, element by element; 0 for a negative degree, and a fraction of
    it is cut off. Either may be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no
    derivative: the result does not require grad.

    >>> gradcore.special.hermite_polynomial_he(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-0.7500,  3.0000])
    """,
    "_special_laguerre_polynomial_l": """
    Laguerre's polynomial, of degree n, element by element; 0 for a negative degree, a fraction of it is cut off. Above
    degree 2**20 it is NaN where it is finite: that many steps it takes, and nothing can stop them. Either may
    be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no derivative: the result
    does not require grad.

    >>> gradcore.special.laguerre_polynomial_l(gradcore.tensor([0.5, 2.0]), 2)
    tensor([ 0.1250, -1.0000])
    """,
    "_special_legendre_polynomial_p": """
    Legendre's polynomial, of degree n, element by element; 0 for a negative degree, a fraction of it is cut off. Above
    degree 2**20 it is NaN where it is finite: that many steps it takes, and nothing can stop them. Either may
    be a number; tensors broadcast. Integers are converted to the default dtype. As in torch it has no derivative: the result
    does not require grad.

    >>> gradcore.special.legendre_polynomial_p(gradcore.tensor([0.5, 2.0]), 2)
    tensor([-0.1250,  5.5000])
    """,
}

__test__ = TEXTS
