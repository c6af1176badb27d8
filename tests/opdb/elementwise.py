"""Ops that go element by element: of one tensor, of two operands, of three."""

import numpy as np

from support import FLOATS

from .rows import S, row

# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of one tensor


HUGE = (1e10, -1e10, 3e38, -3e38)


def with_edges(d):
    """Some numbers, and of floats those that are none."""
    array = d(4, 3)
    if array.dtype.kind == "f":
        array[0] = np.nan, np.inf, -np.inf
    return array


def unary_samples(d):
    return [S(d(3, 4)), S(d(17)), S(d()), S(d(0, 3)), S(d(2, 3, 4))]


def unary(name, numpy=None, *, ulps=16, **settings):
    settings = {"inplace": True, "out": True, "large_call": lambda d: S(d(600, 700))} | settings
    row(name, unary_samples, kind="unary", numpy=numpy, ulps=ulps, **settings)


unary("abs", np.abs, ulps=0, operator="abs", aliases=("absolute",))
unary("neg", np.negative, ulps=0, operator="neg", aliases=("negative",))
unary("positive", np.positive, ulps=0, operator="pos", inplace=False, out=False)
unary("sign", np.sign, ulps=0)
unary("sgn", np.sign, ulps=0, other_graphs="shows other fields of what it keeps")
unary("signbit", np.signbit, ulps=0, grad=False, inplace=False)
unary("frac", lambda x: x - np.trunc(x), ulps=0)
unary("square", np.square, ulps=0)
unary("sqrt", np.sqrt, ulps=1, low=0.1)  # torch's is not always correctly rounded
unary("rsqrt", lambda x: 1 / np.sqrt(x), ulps=2, low=0.1)
unary("reciprocal", np.reciprocal, ulps=0, low=0.2)
unary("exp", np.exp)
unary("exp2", np.exp2)
unary("expm1", np.expm1)
unary("log", np.log, low=0.1)
unary("log1p", np.log1p, low=-0.9)
unary("log2", np.log2, low=0.1)
unary("log10", np.log10, low=0.1)
unary("sin", np.sin)
unary("cos", np.cos)
unary("tan", np.tan, high=1.4, low=-1.4)
unary("asin", np.arcsin, low=-0.9, high=0.9, aliases=("arcsin",))
unary("acos", np.arccos, low=-0.9, high=0.9, aliases=("arccos",))
unary("atan", np.arctan, aliases=("arctan",))
unary("sinh", np.sinh, avoid=(710.0,))  # torch overflows early
unary("cosh", np.cosh, avoid=(710.0,))
# torch's in-place forms of these three have no derivative.
unary(
    "asinh",
    np.arcsinh,
    aliases=("arcsinh",),
    avoid=HUGE,
    inplace_grad=False,
    other_graphs={"asinh_": "torch's node in place has a number of its own"},
)
unary(
    "acosh",
    np.arccosh,
    low=1.1,
    aliases=("arccosh",),
    avoid=HUGE,
    inplace_grad=False,
    other_graphs={"acosh_": "torch's node in place has a number of its own"},
)
unary(
    "atanh",
    np.arctanh,
    low=-0.9,
    high=0.9,
    aliases=("arctanh",),
    inplace_grad=False,
    other_graphs={"atanh_": "torch's node in place has a number of its own"},
)
unary("sinc", np.sinc, scale=1, avoid=HUGE)  # torch's zeros are rounding errors
unary("deg2rad", np.deg2rad, ulps=1)
unary("rad2deg", np.rad2deg, ulps=1)
unary("tanh", np.tanh)
unary("sigmoid", lambda x: 1 / (1 + np.exp(-x)))
unary("relu", lambda x: np.maximum(x, 0), ulps=0, out=False)
unary("erf")
unary("erfc", scale=1e-3)
unary("floor", np.floor, ulps=0)
unary("ceil", np.ceil, ulps=0)
unary("round", np.round, ulps=0)
row(
    "round.decimals",
    lambda d: [S(d(3, 4), decimals=1), S(d(3), decimals=-1), S(d(3), decimals=0)],
    inplace=True,
    out=True,
    ulps=1,
    dtypes=FLOATS,
    other_graphs={"round_.decimals": "the copied result of the form that is not in place"},
)
unary("trunc", np.trunc, ulps=0, aliases=("fix",))
unary("isnan", np.isnan, ulps=0, grad=False, inplace=False, out=False)
unary("isinf", np.isinf, ulps=0, grad=False, inplace=False, out=False)
unary("isposinf", np.isposinf, ulps=0, grad=False, inplace=False)
unary("isneginf", np.isneginf, ulps=0, grad=False, inplace=False)
unary("isfinite", np.isfinite, ulps=0, grad=False, inplace=False, out=False)
unary("logical_not", np.logical_not, ulps=0, grad=False, inplace_grad=False)
unary("bitwise_not", operator="invert", ulps=0, grad=False, integer_only=True)

# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of two operands


def binary_samples(right, scalars):
    def samples(d):
        def r(*shape):
            return d(*shape, low=right[0], high=right[1])

        yield from (
            S(d(3, 4), r(3, 4)),
            S(d(3, 1), r(4)),
            S(d(2, 3), r()),
            S(d(), r(2, 3)),
            S(d(), r()),
            S(d(0, 3), r(3)),
            S(d(2, 1, 3), r(4, 1)),
            S(d(19), r(19)),
        )
        for scalar in scalars:
            yield from (S(d(3, 4), scalar), S(d(), scalar))

    return samples


def binary(name, numpy=None, *, right=(-3.0, 3.0), scalars=(2, 2.5, True), **settings):
    settings = {
        "inplace": True,
        "out": True,
        "operands_for_promotion": lambda a, b: [a, b],
        "large_call": lambda d: S(d(600, 700), d(600, 700, low=right[0], high=right[1])),
    } | settings
    row(name, binary_samples(right, scalars), kind="binary", numpy=numpy, right=right, **settings)


HUGE_QUOTIENTS = (3e38, -3e38, 1e-38, 1e-40, -1e-40)  # torch's vectors give NaN where the quotient overflows
binary("add", np.add, operator="add")
binary("sub", np.subtract, operator="sub", aliases=("subtract",))
binary("mul", np.multiply, operator="mul", aliases=("multiply",))
binary("div", np.divide, operator="truediv", right=(0.5, 3), aliases=("divide", "true_divide"))
binary("floor_divide", np.floor_divide, operator="floordiv", right=(0.5, 3), grad=False)
binary(
    "remainder",
    np.remainder,
    operator="mod",
    right=(0.6, 3),
    avoid=HUGE_QUOTIENTS,
    other_graphs={"number remainder": "has a derivative, which torch has not"},
)
binary("fmod", np.fmod, right=(0.6, 3), avoid=HUGE_QUOTIENTS)
binary("pow", np.power, operator="pow", low=0.2, right=(0, 3), scalars=(2, 3, 2.5, 0.5, 0, 1), ulps=16)
binary("atan2", np.arctan2, ulps=16, scalars=(), aliases=("arctan2",))
binary("copysign", np.copysign, scalars=(2, -2.5, -0.0))
binary("heaviside", np.heaviside, scalars=(), grad=False)
binary("nextafter", np.nextafter, scalars=(), skips={"numeric": "it is a step function"})
binary("logaddexp", np.logaddexp, scalars=(), inplace=False, ulps=16, scale=1)
binary("logaddexp2", np.logaddexp2, scalars=(), inplace=False, ulps=16, scale=1)
binary(
    "ldexp",
    scalars=(),
    ulps=16,
    # Torch multiplies by 2**n, also where that is out of range; test_special_points.py has such powers.
    avoid=(88.0, -88.0, 104.0, -104.0, 710.0, -745.0, *HUGE, 2.0**23 + 1, 2.0**24, -8388609.0),
    skips={"layouts": "torch's is a product with a power, whose strides are others"},
)
binary("fmax", np.fmax, scalars=(), inplace=False)
binary("fmin", np.fmin, scalars=(), inplace=False)
binary("gcd", np.gcd, scalars=(), grad=False, integer_only=True)
binary("lcm", np.lcm, scalars=(), grad=False, integer_only=True)
binary("float_power", np.float_power, low=0.2, right=(0, 3), scalars=(2, 2.5, -1), ulps=16)
binary("hypot", np.hypot, ulps=4, scalars=())
binary("maximum", np.maximum, scalars=(), inplace=False)
binary("minimum", np.minimum, scalars=(), inplace=False)
binary("eq", np.equal, operator="eq", grad=False)
binary("ne", np.not_equal, operator="ne", grad=False, aliases=("not_equal",))
binary("lt", np.less, operator="lt", grad=False, aliases=("less",))
binary("le", np.less_equal, operator="le", grad=False, aliases=("less_equal",))
binary("gt", np.greater, operator="gt", grad=False, aliases=("greater",))
binary("ge", np.greater_equal, operator="ge", grad=False, aliases=("greater_equal",))
binary("logical_and", np.logical_and, grad=False, scalars=())
binary("logical_or", np.logical_or, grad=False, scalars=())
binary("logical_xor", np.logical_xor, grad=False, scalars=())
binary("bitwise_and", operator="and_", grad=False, integer_only=True, scalars=(2, True))
binary("bitwise_or", operator="or_", grad=False, integer_only=True, scalars=(2, True))
binary("bitwise_xor", operator="xor", grad=False, integer_only=True, scalars=(2, True))
binary("bitwise_left_shift", operator="lshift", right=(0, 3), grad=False, integer_only=True, scalars=(2,))
binary("bitwise_right_shift", operator="rshift", right=(0, 3), grad=False, integer_only=True, scalars=(2,))

row(
    "add.alpha",
    lambda d: [S(d(3, 4), d(4), alpha=2), S(d(3), d(3), alpha=0.5), S(d(3), 2, alpha=3)],
    inplace=True,
    out=True,
    ulps=1,
    scale=3,
    numpy=lambda x, y, alpha: x + alpha * y,
)
row(
    "sub.alpha",
    lambda d: [S(d(3, 4), d(4), alpha=2), S(d(3), d(3), alpha=0.5), S(d(3), 2, alpha=3)],
    inplace=True,
    out=True,
    ulps=1,
    scale=3,
    numpy=lambda x, y, alpha: x - alpha * y,
)
row(
    "rsub",
    lambda d: [S(d(3, 4), d(4)), S(d(3), 2), S(d(3), d(3), alpha=2)],
    method=False,
    ulps=1,
    scale=3,
    other_graphs="of two tensors it is other - input",
)
row(
    "frexp",
    lambda d: [S(d(3, 4)), S(d()), S(d(0, 2)), S(np.asarray([0.0, -0.0, 1e-40, np.inf, np.nan], d.dtype))],
    out=True,
    dtypes=FLOATS,
    numpy=None,
    skips={"numeric": "its samples hold NaN", "mapped gradients": "its samples hold infinities"},
)
row(
    "nan_to_num",
    lambda d: [S(with_edges(d)), S(with_edges(d), 1.5), S(with_edges(d), nan=2, posinf=3.5, neginf=-1), S(d(0, 2))],
    inplace=True,
    out=True,
    numpy=lambda x, nan=0.0, **limits: np.nan_to_num(x, nan=nan, **limits),
    skips={"numeric": "its samples hold NaN", "mapped gradients": "its samples hold NaN"},
)
row("is_nonzero", lambda d: [S(d()), S(d(1, 1)), S(d(2)), S(d(0))], grad=False, reads_values=True)
row(
    "div.rounding",
    lambda d: (
        [S(d(3, 4), d(4, low=0.5), rounding_mode=mode) for mode in ("floor", "trunc", None)]
        + [S(d(5), 2, rounding_mode=mode) for mode in ("floor", "trunc")]
    ),
    inplace=True,
    out=True,
    other_graphs="named as for numbers, or as the plain quotient",
)
row(
    "pow.negative",
    lambda d: [S(d(3, 4), -1), S(d(3), -2), S(d(3), -0.5), S(2.0, d(3)), S(3, d(3)), S(d(4), d(4, low=-2, high=-1))],
    low=0.2,
    ulps=16,
    dtypes=FLOATS,
)
row(
    "pow.zero",
    lambda d: [S(0, d(3)), S(np.zeros(4, d.dtype), 2), S(np.zeros(4, d.dtype), d(4)), S(np.zeros(3, d.dtype), 0)],
    low=1.2,
    ulps=16,
    dtypes=FLOATS,
    inplace=True,
    skips={
        "numeric": "zero is the edge of its domain",
        "gradgrad": "torch gives NaN for some that are 0",
        "forward over reverse": "torch has NaN where the base is zero and the exponent is differentiated",
    },
)
row(
    "pow.integers",
    lambda d: [S(d(3, 4), 3), S(d(3), d(3, low=0)), S(2, d(5, low=0))],
    dtypes=("int64", "int8", "uint8"),
    grad=False,
)

# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of three operands


row(
    "where",
    lambda d: [
        S(d.mask(3, 4), d(3, 4), d(3, 4)),
        S(d.mask(3, 1), d(4), d(2, 1, 1)),
        S(d.mask(3), d(3), 2),
        S(d.mask(3), 1.5, d(3)),
        S(d.mask(), d(), d()),
        S(d.mask(0), d(1), d(0)),
        S(d.mask(3), 1.0, 2.0),
        S(d.mask(3), 1, 2),
    ],
    out=True,
    numpy=np.where,
    skips={"method": "its method's self is the second argument"},
    operands_for_promotion=lambda a, b: [np.ones(2, "bool"), a, b],
)
row(
    "where.one",
    lambda d: [S(d.mask(3, 4)), S(d(3, 4))],
    grad=False,
    reads_values=True,
    skips={"method": "the function alone"},
)
row(
    "masked_fill",
    lambda d: [
        S(d(3, 4), d.mask(3, 4), 2),
        S(d(3, 4), d.mask(4), d()),
        S(d(3, 1), d.mask(4), 1.5),
        S(d(), d.mask(), 1),
        S(d(0, 2), d.mask(2), 1),
    ],
    inplace=True,
    numpy=lambda x, mask, value: np.where(mask, value, x),
)
row(
    "clamp",
    lambda d: [
        S(d(3, 4), -1, 1),
        S(d(3, 4), min=0.5),
        S(d(5), max=1),
        S(d(), -0.5, 0.5),
        S(d(0), 0, 1),
        S(d(3, 4), d(4, high=0), d(3, 1, low=0)),
        S(d(3, 4), d(4)),
        S(d(3), max=d(3)),
        S(d(4), 2, 1),
    ],
    inplace=True,
    out=True,
    aliases=("clip",),
    numpy=lambda x, min=None, max=None: np.clip(x, min, max),
    other_graphs={
        "clamp(float64[3, 4], float64[4])": "no edge for the bound that is not there",
        "clamp_(float64[3, 4], float64[4])": "no edge for the bound that is not there",
        "clamp(float64[3], max=": "no edge for the bound that is not there",
        "clamp_(float64[3], max=": "no edge for the bound that is not there",
    },
)
row(
    "clamp_min",
    lambda d: [S(d(3, 4), 0.5), S(d(5), 1), S(d(3, 4), d(4))],
    inplace=True,
    out=True,
    numpy=np.maximum,
    operands_for_promotion=lambda a, b: [a, b],
    other_graphs={"clamp_min_": "clamp_"},
)
row(
    "clamp_max",
    lambda d: [S(d(3, 4), 0.5), S(d(5), 1), S(d(3, 4), d(4))],
    inplace=True,
    out=True,
    numpy=np.minimum,
    other_graphs={"clamp_max_": "clamp_"},
)
row(
    "lerp",
    lambda d: [
        S(d(3, 4), d(3, 4), 0.3),
        S(d(3, 4), d(4), 0.75),
        S(d(3, 4), d(3, 4), d(4, low=0, high=1)),
        S(d(), d(3), d()),
        S(d(3), d(3), 1),
    ],
    inplace=True,
    out=True,
    ulps=4,
    scale=3,
    numpy=lambda a, b, w: a + w * (b - a),
    operands_for_promotion=lambda a, b: [a, b, np.ones(2, a.dtype)],
)
row(
    "addcmul",
    lambda d: [
        S(d(3, 4), d(3, 4), d(4)),
        S(d(3, 4), d(3, 1), d(4), value=2),
        S(d(), d(), d(), value=-1),
        S(d(3), d(3), d(3), value=0.5),
    ],
    inplace=True,
    out=True,
    ulps=4,
    scale=9,
    numpy=lambda t, a, b, value=1: t + value * a * b,
    operands_for_promotion=lambda a, b: [a, b, np.ones(2, a.dtype)],
)
row(
    "addcdiv",
    lambda d: [S(d(3, 4), d(3, 4), d(4)), S(d(3, 4), d(3, 1), d(4), value=2), S(d(), d(), d(), value=-1)],
    inplace=True,
    out=True,
    low=0.5,
    ulps=4,
    scale=9,
    numpy=lambda t, a, b, value=1: t + value * a / b,
)
