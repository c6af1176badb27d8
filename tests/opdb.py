"""The table of ops: a row for each, from which test_ops.py generates tests. An op without a row fails there.

A row's samples are calls: positional and keyword arguments made of NumPy arrays (tensors in the test), Python
numbers and D("float64") for a library's constants. `d` makes the arrays: d(3, 4) has the dtype under test and
values in the row's domain. To add an op, add a row to the family that it belongs to below.
"""

import operator
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import gradcore
from support import ALL_DTYPES, FLOATS, D


class Sample:
    def __init__(self, *args, **kwargs):
        self.args = args
        self.kwargs = kwargs

    def __repr__(self):
        parts = [describe(a) for a in self.args] + [f"{k}={describe(v)}" for k, v in self.kwargs.items()]
        return f"({', '.join(parts)})"


S = Sample


def describe(value):
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(describe, value))}]"
    return str(value)


class Data:
    """Makes a sample's arrays, the same ones every time."""

    def __init__(self, dtype, low, high, seed):
        self.dtype, self.low, self.high = dtype, low, high
        self.random = np.random.default_rng(seed)

    def __call__(self, *shape, low=None, high=None, dtype=None):
        dtype = np.dtype(dtype or self.dtype)
        low = self.low if low is None else low
        high = self.high if high is None else high
        if dtype.kind == "f":
            return np.asarray(self.random.uniform(low, high, shape), dtype)
        if dtype.kind == "b":
            return np.asarray(self.random.random(shape) < 0.5)
        low = max(0, np.ceil(low)) if dtype.kind == "u" else np.ceil(low)
        return np.asarray(self.random.integers(int(low), max(int(low), int(np.floor(high))) + 1, shape),
                          dtype)

    def index(self, *shape, below):
        return np.asarray(self.random.integers(0, below, shape))

    def mask(self, *shape):
        return np.asarray(self.random.random(shape) < 0.5)


@dataclass(frozen=True)
class OpRow:
    name: str
    samples: Callable
    kind: str = "other"       # unary, binary, reduction, view, creation, random or other
    method: bool = True
    function: bool = True
    inplace: bool = False     # name_ exists
    out: bool = False         # the function takes out=
    operator: str = ""        # its name in the operator module
    grad: bool = True
    gradgrad: bool = True
    inplace_grad: bool = True  # the in-place form is differentiable and writes the dtype of its tensor
    numpy: Callable | None = None
    low: float = -3.0         # the domain of d(...)
    high: float = 3.0
    right: tuple = (-3.0, 3.0)  # the domain of a binary op's second operand
    dtypes: tuple = ALL_DTYPES
    ulps: int = 0             # 0: the same bits as torch
    scale: float = 0.0        # see support.wrong_elements
    grad_ulps: int = 256
    aliases: tuple = ()
    values: bool = True       # False: the elements are unspecified
    avoid: tuple = ()         # special operands for which torch's own answer is not to be had
    skips: dict = field(default_factory=dict)  # aspect -> why it is not tested

    def data(self, dtype):
        return Data(dtype, self.low, self.high, zlib.crc32(self.name.encode()))

    def calls(self, dtype="float64"):
        return list(self.samples(self.data(dtype)))

    @property
    def attribute(self):
        """The row's name in a library: rows for variants of one op say so after a dot."""
        return self.name.partition(".")[0]

    def form(self, lib):
        """The op as a callable of (*args, **kwargs)."""
        return getattr(lib if self.function else lib.Tensor, self.attribute)

    def tolerances(self, ulps=None):
        return {"ulps": self.ulps if ulps is None else ulps, "scale": self.scale,
                "strides": "exact" if self.kind == "view" else "significant"}


ROWS = []


def row(name, samples, **settings):
    ROWS.append(OpRow(name, samples, **settings))


# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of one tensor


def unary_samples(d):
    return [S(d(3, 4)), S(d(17)), S(d()), S(d(0, 3)), S(d(2, 3, 4))]


def unary(name, numpy=None, *, ulps=16, **settings):
    settings = {"inplace": True, "out": True} | settings
    row(name, unary_samples, kind="unary", numpy=numpy, ulps=ulps, **settings)


unary("abs", np.abs, ulps=0, operator="abs", aliases=("absolute",))
unary("neg", np.negative, ulps=0, operator="neg", aliases=("negative",))
unary("positive", np.positive, ulps=0, operator="pos", inplace=False, out=False)
unary("sign", np.sign, ulps=0)
unary("square", np.square, ulps=0)
unary("sqrt", np.sqrt, ulps=1, low=0.1)  # torch's is not always correctly rounded
unary("rsqrt", lambda x: 1 / np.sqrt(x), ulps=2, low=0.1)
unary("reciprocal", np.reciprocal, ulps=0, low=0.2)
unary("exp", np.exp)
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
unary("tanh", np.tanh)
unary("sigmoid", lambda x: 1 / (1 + np.exp(-x)))
unary("relu", lambda x: np.maximum(x, 0), ulps=0, out=False)
unary("erf")
unary("erfc", scale=1e-3)
unary("floor", np.floor, ulps=0)
unary("ceil", np.ceil, ulps=0)
unary("round", np.round, ulps=0)
row("round.decimals", lambda d: [S(d(3, 4), decimals=1), S(d(3), decimals=-1), S(d(3), decimals=0)], inplace=True,
    out=True, ulps=1, dtypes=FLOATS)
unary("trunc", np.trunc, ulps=0, aliases=("fix",))
unary("isnan", np.isnan, ulps=0, grad=False, inplace=False, out=False)
unary("isinf", np.isinf, ulps=0, grad=False, inplace=False, out=False)
unary("isfinite", np.isfinite, ulps=0, grad=False, inplace=False, out=False)
unary("logical_not", np.logical_not, ulps=0, grad=False, inplace_grad=False)
unary("bitwise_not", operator="invert", ulps=0, grad=False)

# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of two operands


def binary_samples(right, scalars):
    def samples(d):
        def r(*shape):
            return d(*shape, low=right[0], high=right[1])

        yield from (S(d(3, 4), r(3, 4)), S(d(3, 1), r(4)), S(d(2, 3), r()), S(d(), r(2, 3)), S(d(), r()),
                    S(d(0, 3), r(3)), S(d(2, 1, 3), r(4, 1)), S(d(19), r(19)))
        for scalar in scalars:
            yield from (S(d(3, 4), scalar), S(d(), scalar))
    return samples


def binary(name, numpy=None, *, right=(-3.0, 3.0), scalars=(2, 2.5, True), **settings):
    settings = {"inplace": True, "out": True} | settings
    row(name, binary_samples(right, scalars), kind="binary", numpy=numpy, right=right, **settings)


HUGE_QUOTIENTS = (3e38, -3e38, 1e-38, 1e-40, -1e-40)  # torch's vectors give NaN where the quotient overflows
binary("add", np.add, operator="add")
binary("sub", np.subtract, operator="sub", aliases=("subtract",))
binary("mul", np.multiply, operator="mul", aliases=("multiply",))
binary("div", np.divide, operator="truediv", right=(0.5, 3), aliases=("divide", "true_divide"))
binary("floor_divide", np.floor_divide, operator="floordiv", right=(0.5, 3), grad=False)
binary("remainder", np.remainder, operator="mod", right=(0.6, 3), avoid=HUGE_QUOTIENTS)
binary("fmod", np.fmod, right=(0.6, 3), avoid=HUGE_QUOTIENTS)
binary("pow", np.power, operator="pow", low=0.2, right=(0, 3), scalars=(2, 3, 2.5, 0.5, 0, 1), ulps=16)
binary("atan2", np.arctan2, ulps=16, scalars=(), aliases=("arctan2",))
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
binary("bitwise_and", operator="and_", grad=False, scalars=(2, True))
binary("bitwise_or", operator="or_", grad=False, scalars=(2, True))
binary("bitwise_xor", operator="xor", grad=False, scalars=(2, True))
binary("bitwise_left_shift", operator="lshift", right=(0, 3), grad=False, scalars=(2,))
binary("bitwise_right_shift", operator="rshift", right=(0, 3), grad=False, scalars=(2,))

row("add.alpha", lambda d: [S(d(3, 4), d(4), alpha=2), S(d(3), d(3), alpha=0.5), S(d(3), 2, alpha=3)],
    inplace=True, out=True, ulps=1, scale=3, numpy=lambda x, y, alpha: x + alpha * y)
row("sub.alpha", lambda d: [S(d(3, 4), d(4), alpha=2), S(d(3), d(3), alpha=0.5), S(d(3), 2, alpha=3)],
    inplace=True, out=True, ulps=1, scale=3, numpy=lambda x, y, alpha: x - alpha * y)
row("rsub", lambda d: [S(d(3, 4), d(4)), S(d(3), 2), S(d(3), d(3), alpha=2)], method=False, ulps=1, scale=3)
row("div.rounding", lambda d: [S(d(3, 4), d(4, low=0.5), rounding_mode=mode)
                               for mode in ("floor", "trunc", None)]
    + [S(d(5), 2, rounding_mode=mode) for mode in ("floor", "trunc")], inplace=True, out=True)
row("pow.negative", lambda d: [S(d(3, 4), -1), S(d(3), -2), S(d(3), -0.5), S(2.0, d(3)), S(3, d(3)),
                               S(d(4), d(4, low=-2, high=-1))], low=0.2, ulps=16, dtypes=FLOATS)
row("pow.zero", lambda d: [S(0, d(3)), S(np.zeros(4, d.dtype), 2), S(np.zeros(4, d.dtype), d(4)),
                           S(np.zeros(3, d.dtype), 0)],
    low=1.2, ulps=16, dtypes=FLOATS, inplace=True, skips={"numeric": "zero is the edge of its domain",
                                                          "gradgrad": "torch gives NaN for some that are 0"})
row("pow.integers", lambda d: [S(d(3, 4), 3), S(d(3), d(3, low=0)), S(2, d(5, low=0))],
    dtypes=("int64", "int8", "uint8"),
    grad=False)

# ------------------------------------------------------------------------------------------------------------
# Elementwise ops of three operands


row("where", lambda d: [S(d.mask(3, 4), d(3, 4), d(3, 4)), S(d.mask(3, 1), d(4), d(2, 1, 1)),
                        S(d.mask(3), d(3), 2),
                        S(d.mask(3), 1.5, d(3)), S(d.mask(), d(), d()), S(d.mask(0), d(1), d(0)),
                        S(d.mask(3), 1.0, 2.0), S(d.mask(3), 1, 2)],
    out=True, numpy=np.where, skips={"method": "its method's self is the second argument"})
row("where.one", lambda d: [S(d.mask(3, 4)), S(d(3, 4))], grad=False, skips={"method": "the function alone"})
row("masked_fill", lambda d: [S(d(3, 4), d.mask(3, 4), 2), S(d(3, 4), d.mask(4), d()),
                              S(d(3, 1), d.mask(4), 1.5),
                              S(d(), d.mask(), 1), S(d(0, 2), d.mask(2), 1)], inplace=True,
    numpy=lambda x, mask, value: np.where(mask, value, x))
row("clamp", lambda d: [S(d(3, 4), -1, 1), S(d(3, 4), min=0.5), S(d(5), max=1), S(d(), -0.5, 0.5),
                        S(d(0), 0, 1),
                        S(d(3, 4), d(4, high=0), d(3, 1, low=0)), S(d(3, 4), d(4)), S(d(3), max=d(3)),
                        S(d(4), 2, 1)],
    inplace=True, out=True, aliases=("clip",), numpy=lambda x, min=None, max=None: np.clip(x, min, max))
row("clamp_min", lambda d: [S(d(3, 4), 0.5), S(d(5), 1), S(d(3, 4), d(4))], inplace=True, out=True,
    numpy=np.maximum)
row("clamp_max", lambda d: [S(d(3, 4), 0.5), S(d(5), 1), S(d(3, 4), d(4))], inplace=True, out=True,
    numpy=np.minimum)
row("lerp", lambda d: [S(d(3, 4), d(3, 4), 0.3), S(d(3, 4), d(4), 0.75),
                       S(d(3, 4), d(3, 4), d(4, low=0, high=1)),
                       S(d(), d(3), d()), S(d(3), d(3), 1)], inplace=True, out=True, ulps=4, scale=3,
    numpy=lambda a, b, w: a + w * (b - a))
row("addcmul", lambda d: [S(d(3, 4), d(3, 4), d(4)), S(d(3, 4), d(3, 1), d(4), value=2),
                          S(d(), d(), d(), value=-1),
                          S(d(3), d(3), d(3), value=0.5)],
    inplace=True, out=True, ulps=4, scale=9, numpy=lambda t, a, b, value=1: t + value * a * b)
row("addcdiv", lambda d: [S(d(3, 4), d(3, 4), d(4)), S(d(3, 4), d(3, 1), d(4), value=2),
                          S(d(), d(), d(), value=-1)],
    inplace=True, out=True, low=0.5, ulps=4, scale=9, numpy=lambda t, a, b, value=1: t + value * a / b)

# ------------------------------------------------------------------------------------------------------------
# Reductions


def dim_samples(d, *, tuples=True, whole=True, empty=True):
    """The ways of naming dims; `empty` adds sizes of zero, for reductions that have an answer for them."""
    if whole:
        yield from (S(d(3, 4)), S(d()), S(d(2, 3, 4)))
    yield from (S(d(3, 4), 0), S(d(3, 4), dim=-1), S(d(2, 3, 4), 1, True), S(d(2, 3, 4), dim=2, keepdim=True),
                S(d(), 0),
                S(d(1, 5), 0), S(d(33), 0), S(d(3, 17, 2), 1))
    if tuples:
        yield from (S(d(2, 3, 4), (0, 2)), S(d(2, 3, 4), dim=(-1, 0), keepdim=True), S(d(2, 3, 4), [1]))
    if empty:
        yield from (S(d(0, 3), 0), S(d(0, 3), 1), S(d(2, 0), 1, True))
        if whole:
            yield S(d(0))


def reduction(name, numpy=None, *, ulps=4, scale=30.0, extra=None, samples=dim_samples, **settings):
    def all_samples(d):
        yield from samples(d)
        if extra:
            yield from extra(d)
    row(name, all_samples, kind="reduction", numpy=numpy, ulps=ulps, scale=scale, **settings)


def along(function):
    """A NumPy reduction with torch's argument names."""
    def call(x, dim=None, keepdim=False, **kwargs):
        dims = tuple(dim) if isinstance(dim, list) else dim
        return function(x, axis=dims, keepdims=keepdim, **kwargs)
    return call


def without_tuples(d):
    return dim_samples(d, tuples=False)


def without_empty(d):
    return dim_samples(d, empty=False)


def single_dim(d):
    """A dim is required and cannot be a tuple."""
    return dim_samples(d, tuples=False, whole=False, empty=False)


def whole_only(d):
    return [S(d(3, 4)), S(d()), S(d(2, 3, 4)), S(d(37))]


def deviation_samples(d):
    yield from dim_samples(d, empty=False)
    yield from (S(d(3, 4), unbiased=False), S(d(3, 4), 0, unbiased=False), S(d(3, 4), dim=1, correction=2),
                S(d(3, 4), correction=0), S(d(1), 0), S(d(3, 4), False),
                S(d(2, 3, 4), (0, 1), correction=1, keepdim=True))


def norm_samples(d):
    yield from (S(d(3, 4)), S(d(3, 4), 1), S(d(3, 4), 3), S(d(3, 4), 2, 1),
                S(d(3, 4), p=2, dim=0, keepdim=True),
                S(d(3, 4), float("inf")), S(d(3, 4), float("-inf"), 1), S(d(3, 4), 0), S(d(3, 4), 2, (0, 1)),
                S(d(5), "fro"),
                S(d(2, 3, 4), 1.5, (0, 2)), S(d()), S(d(0)))


reduction("sum", along(np.sum), extra=lambda d: [S(d(3, 4), dtype=D("float64")),
                                                 S(d(3), 0, dtype=D("float32"))])
reduction("mean", along(np.mean), extra=lambda d: [S(d(3, 4), dtype=D("float64")),
                                                   S(d(3), 0, dtype=D("float32"))])
reduction("prod", along(np.prod), samples=without_tuples, extra=lambda d: [S(d(3, 4), dtype=D("float64"))],
          scale=1e-3, low=0.3, high=1.9)
reduction("prod.zeros", samples=lambda d: [S(d(3, 4) * np.array([0, 1, 1, 1], d.dtype)),
                                           S(d(3, 4) * (d(3, 4) > 0), 1)],
          scale=1, dtypes=FLOATS)
reduction("var", samples=deviation_samples, scale=3, dtypes=FLOATS)
reduction("std", samples=deviation_samples, scale=3, dtypes=FLOATS, grad_ulps=4096,
          skips={"expanded": "its gradient at equal values is rounding noise"})
reduction("var_mean", samples=without_empty, scale=3, dtypes=FLOATS, method=False)
reduction("std_mean", samples=without_empty, scale=3, dtypes=FLOATS, method=False)
reduction("max", np.max, samples=whole_only, ulps=0)
reduction("min", np.min, samples=whole_only, ulps=0)
reduction("max.dim", samples=single_dim, ulps=0, out=False)
reduction("min.dim", samples=single_dim, ulps=0, out=False)
reduction("max.other", samples=lambda d: [S(d(3, 4), d(4))], ulps=0, numpy=np.maximum)
reduction("min.other", samples=lambda d: [S(d(3, 4), d(4))], ulps=0, numpy=np.minimum)
reduction("amax", along(np.max), samples=without_empty, ulps=0)
reduction("amin", along(np.min), samples=without_empty, ulps=0)
reduction("argmax", along(np.argmax), samples=lambda d: dim_samples(d, tuples=False, empty=False), grad=False,
          ulps=0)
reduction("argmin", along(np.argmin), samples=lambda d: dim_samples(d, tuples=False, empty=False), grad=False,
          ulps=0)
reduction("any", along(np.any), grad=False, ulps=0)
reduction("all", along(np.all), grad=False, ulps=0)
reduction("norm", samples=norm_samples, dtypes=FLOATS, ulps=16, grad_ulps=4096)
reduction("logsumexp", samples=lambda d: dim_samples(d, whole=False, empty=False), ulps=16, scale=3)
reduction("count_nonzero", samples=lambda d: [S(d(3, 4)), S(d(3, 4), 0), S(d(2, 3, 4), (0, 1)), S(d())],
          grad=False, ulps=0)


def scan_samples(d):
    return [S(d(3, 4), 0), S(d(3, 4), dim=-1), S(d(2, 3, 4), 1), S(d(), 0), S(d(0, 3), 0),
            S(d(3), 0, dtype=D("float64"))]


row("cumsum", scan_samples, inplace=True, out=True, ulps=4, scale=10, inplace_grad=False)
row("cumprod", scan_samples, inplace=True, out=True, ulps=4, scale=1, low=0.3, high=1.9, grad_ulps=4096,
    inplace_grad=False)
row("softmax", lambda d: [S(d(3, 4), 0), S(d(3, 4), dim=-1), S(d(2, 3, 4), 1), S(d(), 0), S(d(0, 3), 1),
                          S(d(3), 0, dtype=D("float64"))], ulps=16, scale=0.1, dtypes=FLOATS)
row("log_softmax", lambda d: [S(d(3, 4), 0), S(d(3, 4), dim=-1), S(d(2, 3, 4), 1), S(d(), 0), S(d(0, 3), 1),
                              S(d(3), 0, dtype=D("float64"))], ulps=16, scale=1, dtypes=FLOATS)

# ------------------------------------------------------------------------------------------------------------
# Products of matrices

PRODUCT = {"ulps": 4, "scale": 30.0, "out": True}
row("matmul", lambda d: [S(d(3), d(3)), S(d(2, 3), d(3)), S(d(3), d(3, 4)), S(d(2, 3), d(3, 4)),
                         S(d(5, 2, 3), d(3, 4)),
                         S(d(2, 3), d(5, 3, 4)), S(d(2, 1, 2, 3), d(5, 3, 4)), S(d(5, 2, 3), d(3)),
                         S(d(3), d(5, 3, 4)),
                         S(d(2, 0), d(0, 3)), S(d(0, 3), d(3, 2)), S(d(0, 2, 3), d(3, 4)),
                         S(d(17, 33), d(33, 9))],
    operator="matmul", numpy=np.matmul, **PRODUCT)
row("mm", lambda d: [S(d(2, 3), d(3, 4)), S(d(1, 3), d(3, 1)), S(d(2, 0), d(0, 3)), S(d(0, 3), d(3, 2)),
                     S(d(9, 20), d(20, 18))],
    numpy=np.matmul, **PRODUCT)
row("bmm", lambda d: [S(d(5, 2, 3), d(5, 3, 4)), S(d(0, 2, 3), d(0, 3, 4)), S(d(2, 2, 0), d(2, 0, 3))],
    numpy=np.matmul, **PRODUCT)
row("mv", lambda d: [S(d(2, 3), d(3)), S(d(2, 0), d(0)), S(d(9, 33), d(33))], numpy=np.matmul, **PRODUCT)
row("dot", lambda d: [S(d(5), d(5)), S(d(0), d(0)), S(d(37), d(37))], numpy=np.dot,
    **PRODUCT | {"scale": 300.0})
row("outer", lambda d: [S(d(3), d(4)), S(d(0), d(4))], numpy=np.outer, out=True)
row("addmm", lambda d: [S(d(2, 4), d(2, 3), d(3, 4)), S(d(4), d(2, 3), d(3, 4)), S(d(), d(2, 3), d(3, 4)),
                        S(d(2, 1), d(2, 3), d(3, 4), beta=2, alpha=3), S(d(2, 4), d(2, 3), d(3, 4), beta=0)],
    inplace=True, numpy=lambda t, a, b, beta=1, alpha=1: beta * t + alpha * (a @ b),
    skips={"inplace": "refuses to broadcast, as the out-of-place samples do"}, **PRODUCT)

# ------------------------------------------------------------------------------------------------------------
# Views


def view(name, samples, numpy=None, **settings):
    row(name, samples, kind="view", numpy=numpy, **settings)


view("view", lambda d: [S(d(3, 4), 4, 3), S(d(3, 4), (2, 6)), S(d(3, 4), -1), S(d(), 1), S(d(1), ()),
                        S(d(0, 3), 3, 0),
                        S(d(2, 3, 4), 6, -1)], function=False,
     skips={"layouts": "refuses most of them; see view.refused"})
view("view_as", lambda d: [S(d(3, 4), d(4, 3))], function=False, skips={"layouts": "refuses most of them"})
view("reshape", lambda d: [S(d(3, 4), (4, 3)), S(d(3, 4), (-1,)), S(d(), (1, 1)), S(d(0, 3), (3, 0)),
                           S(d(2, 3, 4), (2, 12)),
                           S(d(1), ())], numpy=np.reshape)
view("reshape_as", lambda d: [S(d(3, 4), d(4, 3))], function=False)
view("flatten", lambda d: [S(d(3, 4)), S(d()), S(d(2, 3, 4), 1), S(d(2, 3, 4), 0, 1),
                           S(d(2, 3, 4), start_dim=-2, end_dim=-1)])
view("unflatten", lambda d: [S(d(2, 12), 1, (3, 4)), S(d(2, 12), -1, (-1, 6))])
view("ravel", lambda d: [S(d(3, 4)), S(d())])
view("transpose", lambda d: [S(d(3, 4), 0, 1), S(d(2, 3, 4), -1, 0), S(d(2, 3, 4), dim0=1, dim1=2),
                             S(d(), 0, -1), S(d(0, 3), 0, 1)],
     inplace=True, aliases=("swapaxes", "swapdims"))
view("t", lambda d: [S(d(3, 4)), S(d(3)), S(d())], inplace=True, numpy=np.transpose)
view("permute", lambda d: [S(d(2, 3, 4), (2, 0, 1)), S(d(3, 4), (-1, 0)), S(d(), ())], numpy=np.transpose)
view("movedim", lambda d: [S(d(2, 3, 4), 0, 2), S(d(2, 3, 4), (0, 1), (2, 0)), S(d(2, 3, 4), -1, 0)],
     numpy=np.moveaxis,
     aliases=("moveaxis",))
view("squeeze", lambda d: [S(d(1, 3, 1)), S(d(1, 3, 1), 0), S(d(1, 3, 1), -1), S(d(3, 4), 0), S(d()),
                           S(d(1, 3, 1), (0, 2)),
                           S(d(), 0)], inplace=True)
view("unsqueeze", lambda d: [S(d(3, 4), 0), S(d(3, 4), -1), S(d(3, 4), 1), S(d(), 0), S(d(3, 4), dim=-3)],
     inplace=True,
     numpy=lambda x, dim: np.expand_dims(x, dim))
view("expand", lambda d: [S(d(1, 3), 2, 3), S(d(3), (2, -1)), S(d(), 2, 2), S(d(1, 3), 4, 1, -1), S(d(1), 0)],
     function=False)
view("expand_as", lambda d: [S(d(1, 3), d(2, 3))], function=False)
view("broadcast_to", lambda d: [S(d(1, 3), (2, 3)), S(d(), (2,))], numpy=np.broadcast_to)
view("narrow", lambda d: [S(d(5, 4), 0, 1, 3), S(d(5, 4), -1, -2, 2), S(d(5), 0, 0, 0),
                          S(d(5), dim=0, start=2, length=1)])
view("select", lambda d: [S(d(3, 4), 0, 1), S(d(3, 4), -1, -1), S(d(5), 0, 2), S(d(2, 3, 4), dim=1, index=2)])
view("split", lambda d: [S(d(5, 4), 2), S(d(5, 4), [2, 3]), S(d(5, 4), 3, 1), S(d(5, 4), 5, dim=-2),
                         S(d(0), 2), S(d(4), [0, 4])])
view("chunk", lambda d: [S(d(5, 4), 2), S(d(5, 4), 3, 1), S(d(3), 5), S(d(6), chunks=4, dim=0)])
view("unbind", lambda d: [S(d(3, 4)), S(d(3, 4), 1), S(d(2), dim=-1)])
view("diagonal", lambda d: [S(d(3, 4)), S(d(3, 4), 1), S(d(3, 4), -1), S(d(3, 4), offset=5),
                            S(d(2, 3, 4), 0, 1, 2),
                            S(d(2, 3, 4), offset=-1, dim1=0, dim2=-1)])
view("as_strided", lambda d: [S(d(12), (2, 3), (1, 2)), S(d(12), (3, 2), (4, 1), 1), S(d(12), (4, 4), (2, 1)),
                              S(d(12), (), ()),
                              S(d(12), (5,), (0,))], inplace=True,
     skips={"layouts": "reads the storage, not the elements"})
view("contiguous", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], function=False)
view("detach", lambda d: [S(d(3, 4))], grad=False, inplace=True, inplace_grad=False)

# ------------------------------------------------------------------------------------------------------------
# Joining, copying and converting


row("cat", lambda d: [S([d(2, 3), d(1, 3)]), S([d(2, 3), d(2, 2)], 1), S([d(2), d(3), d(1)], dim=-1),
                      S((d(2, 3),), 0),
                      S([d(0), d(2, 3)]), S([d(2, 3), d(0, 3)]), S([d(2), d(2, dtype="float64")])],
    method=False, out=True, numpy=lambda a, dim=0: np.concatenate([x for x in a if x.shape != (0,)], dim),
    aliases=("concat", "concatenate"))
row("stack", lambda d: [S([d(2, 3), d(2, 3)]), S([d(2, 3), d(2, 3)], 1), S((d(3), d(3), d(3)), dim=-1),
                        S([d()]), S([d(0), d(0)])],
    method=False, out=True, numpy=np.stack)
row("flip", lambda d: [S(d(3, 4), (0,)), S(d(3, 4), [0, 1]), S(d(3, 4), (-1,)), S(d(), ()), S(d(0, 3), (0,))],
    numpy=np.flip)
row("roll", lambda d: [S(d(3, 4), 1), S(d(3, 4), 1, 0), S(d(3, 4), (1, -2), (0, 1)), S(d(), 1),
                       S(d(5), 7, 0)], numpy=np.roll)
row("repeat", lambda d: [S(d(3, 4), 2, 1), S(d(3), 2, 3), S(d(3), (2,)), S(d(), 3), S(d(2), 0)],
    function=False)
row("tril", lambda d: [S(d(3, 4)), S(d(3, 3), 1), S(d(4, 3), diagonal=-1), S(d(2, 3, 3)), S(d(0, 3))],
    inplace=True, out=True, numpy=np.tril)
row("triu", lambda d: [S(d(3, 4)), S(d(3, 3), 1), S(d(4, 3), diagonal=-1), S(d(2, 3, 3)), S(d(0, 3))],
    inplace=True, out=True, numpy=np.triu)
row("clone", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], numpy=np.copy)
row("to", lambda d: [S(d(3, 4), D("float64")), S(d(3), D("float32")), S(d(3), D("int64")), S(d(), D("bool")),
                     S(d(3), "cpu"),
                     S(d(3), "cpu", D("float64")), S(d(3), dtype=D("float32"), copy=True),
                     S(d(3), d(2, dtype="float64"))],
    kind="view", function=False)
for converter in ("float", "double", "long", "int", "short", "char", "byte", "bool"):
    row(converter, lambda d: [S(d(3, 4)), S(d())], kind="view", function=False,
        grad=converter in ("float", "double"),
        skips={"numeric": "rounds to float32"} if converter == "float" else {})
row("type", lambda d: [S(d(3), D("float64")), S(d(3), D("int32"))], kind="view", function=False)
row("type_as", lambda d: [S(d(3), d(2, dtype="float64")), S(d(3), d(2, dtype="int16"))], kind="view",
    function=False)
row("cpu", lambda d: [S(d(3))], kind="view", function=False)

# ------------------------------------------------------------------------------------------------------------
# Indexing with tensors (subscripts are in test_indexing.py)


row("index_select", lambda d: [S(d(3, 4), 0, d.index(5, below=3)), S(d(3, 4), -1, np.array([0, 3, 3])),
                               S(d(3), 0, np.array(1)),
                               S(d(3, 4), 1, np.array([], np.int64)),
                               S(d(3, 4), 0, d.index(2, below=3).astype(np.int32))],
    out=True, numpy=lambda x, dim, index: np.take(x, np.atleast_1d(index), dim))
row("gather", lambda d: [S(d(3, 4), 0, d.index(2, 4, below=3)), S(d(3, 4), 1, d.index(3, 6, below=4)),
                         S(d(5), 0, d.index(7, below=5)),
                         S(d(3, 4), -1, d.index(2, 2, below=4)), S(d(), 0, np.array(0)),
                         S(d(3, 4), 0, d.index(0, 4, below=3))],
    out=True)
SCATTERED = np.array([[0, 2, 1, 2], [2, 0, 0, 1]])
row("scatter", lambda d: [S(d(3, 4), 0, SCATTERED, d(2, 4)), S(d(3, 4), 0, SCATTERED, 1.5),
                          S(d(3, 4), 1, np.array([[1], [3], [0]]), d(3, 1)),
                          S(d(5), 0, np.array([4, 1]), d(2)), S(d(5), -1, np.array([2]), 7),
                          S(d(), 0, np.array(0), d())],
    inplace=True, out=True)
row("scatter_add", lambda d: [S(d(3, 4), 0, SCATTERED, d(2, 4)),
                              S(d(3, 4), 1, d.index(3, 6, below=4), d(3, 6)),
                              S(d(5), 0, np.array([4, 1, 4, 4]), d(4)), S(d(), 0, np.array(0), d())],
    inplace=True, out=True, ulps=2, scale=9)
row("index_add", lambda d: [S(d(3, 4), 0, np.array([0, 2, 0]), d(3, 4)),
                            S(d(3, 4), 1, np.array([1]), d(3, 1), alpha=2)],
    inplace=True, out=True, ulps=2, scale=9)
row("index_copy", lambda d: [S(d(3, 4), 0, np.array([2, 0]), d(2, 4)), S(d(3, 4), -1, np.array([1]), d(3, 1)),
                             S(d(3, 4), 0, np.array([], "int64"), d(0, 4)), S(d(), 0, np.array([0]), d(1))],
    inplace=True, out=True, ulps=0)
row("index_fill", lambda d: [S(d(3, 4), 0, np.array([2, 0]), 1), S(d(3, 4), 1, np.array([3, 1, 1]), d()), S(d(3, 4), 1, np.array([-1]), 2),
                             S(d(3, 4), 0, np.array([], "int64"), 1), S(d(), 0, np.array(0), 1)],
    inplace=True, ulps=0)
row("index_put", lambda d: [S(d(3, 4), (np.array([0, 2]), np.array([1, 1])), d(2)),
                            S(d(3, 4), (np.array([0, 2, 0]),), d(4), True),
                            S(d(3, 4), (d.mask(3, 4),), d())], inplace=True, ulps=2, scale=9)
row("masked_select", lambda d: [S(d(3, 4), d.mask(3, 4)), S(d(3, 4), d.mask(4)), S(d(), d.mask()),
                                S(d(0), d.mask(0))], out=True,
    numpy=lambda x, mask: x[np.broadcast_to(mask, x.shape)])
row("nonzero", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3)), S(d(3, 4), as_tuple=True)], grad=False, out=True)

# ------------------------------------------------------------------------------------------------------------
# Writing in place (the name ends in an underscore; the tests write to a copy)


def writer(name, samples, **settings):
    settings = {"function": False} | settings
    row(name, samples, kind="writer", **settings)


writer("fill_", lambda d: [S(d(3, 4), 2), S(d(), 1.5), S(d(3), d()), S(d(0), 1), S(d(3), True)])
writer("zero_", lambda d: [S(d(3, 4)), S(d()), S(d(0))])
writer("copy_", lambda d: [S(d(3, 4), d(3, 4)), S(d(3, 4), d(4)), S(d(3), d(3, dtype="float64")),
                           S(d(3), d(3, dtype="int32")), S(d(3), d())])
writer("uniform_", lambda d: [S(d(3, 4)), S(d(7), 2, 5), S(d(40), -1.0, 1.0)], dtypes=FLOATS)
writer("normal_", lambda d: [S(d(3, 4)), S(d(7), 2, 5), S(d(40)), S(d(100), 1, 0.5)], dtypes=FLOATS, ulps=2,
       scale=1)
writer("random_", lambda d: [S(d(7)), S(d(7), 10), S(d(7), -5, 5)])
writer("fill_diagonal_", lambda d: [S(d(3, 4), 2)])

# ------------------------------------------------------------------------------------------------------------
# Creation: no tensor comes in, and `dtype` is an argument


def creation(name, samples, **settings):
    settings = {"method": False, "grad": False, "dtypes": ("float64",)} | settings
    row(name, samples, kind="creation", **settings)


def shape_samples(*values):
    """Shapes as torch spells them, with every dtype; `values` go between the shape and the keywords."""
    def samples(d):
        shapes = [((2, 3),), ([],), ([0, 3],), ((1,),)] if values else [(2, 3), ((2, 3),), ([],), (0, 3),
            (5,)]
        for shape in shapes:
            yield S(*shape, *values)
        for dtype in ALL_DTYPES:
            yield S((2, 3), *values, dtype=D(dtype))
        yield S((2, 3), *values, requires_grad=True)
        yield S((2, 3), *values, device="cpu")
    return samples


def like_samples(*values):
    def samples(d):
        yield from (S(d(3, 4), *values), S(d(), *values), S(d(0, 3), *values),
                    S(d(3), *values, dtype=D("float32")),
                    S(d(3), *values, dtype=D("int64")))
        if np.dtype(d.dtype).kind == "f":
            yield S(d(3), *values, requires_grad=True)
    return samples


creation("zeros", shape_samples(), numpy=lambda *shape: np.zeros(shape),
         skips={"numpy": "shapes are spelt otherwise"})
creation("ones", shape_samples())
creation("empty", shape_samples(), values=False)
creation("full", shape_samples(7))
creation("full.values", lambda d: [S((2,), value) for value in (1, 2.5, True, float("nan"), -3)])
creation("scalar_tensor", lambda d: [S(1.5), S(2), S(2, dtype=D("int64"))])
creation("zeros_like", like_samples(), dtypes=ALL_DTYPES)
creation("ones_like", like_samples(), dtypes=ALL_DTYPES)
creation("empty_like", like_samples(), dtypes=ALL_DTYPES, values=False)
creation("full_like", like_samples(3), dtypes=ALL_DTYPES)
creation("arange", lambda d: [S(5), S(2, 7), S(2, 10, 3), S(5.0), S(0, 1, 0.1), S(10, 0, -3), S(0),
                              S(5, dtype=D("float64")),
                              S(start=1, end=4), S(1, 4, step=2), S(0, 5, dtype=D("int32")),
                              S(0.5, 40.2, 0.7)], ulps=1)
creation("linspace", lambda d: [S(0, 1, 5), S(-2, 3, 7), S(1, 1, 3), S(0, 1, steps=1), S(0, 10, 0),
                                S(0, 1, 33, dtype=D("float64")),
                                S(0, 9, 10, dtype=D("int64")), S(3, -3, 100)], ulps=2, scale=1)
creation("logspace", lambda d: [S(0, 1, 5), S(-2, 3, 7, base=2), S(0, 1, steps=1), S(0, 1, 0),
                                S(0, 3, 4, dtype=D("float64")), S(0, 3, 4, dtype=D("int64"))], ulps=4, scale=1)
for name in ("tril_indices", "triu_indices"):
    creation(name, lambda d: [S(3, 3), S(2, 4), S(4, 2, 1), S(4, 2, offset=-1), S(3, 0), S(3, 3, dtype=D("int32"))])
creation("eye", lambda d: [S(3), S(2, 4), S(4, 2), S(0), S(3, dtype=D("int64")), S(3, dtype=D("bool"))])
creation("rand", lambda d: [S(3, 4), S((50,)), S(7, dtype=D("float64")), S(0), S(2, requires_grad=True)])
creation("randn", lambda d: [S(3, 4), S(5), S((50,)), S(16), S(37), S(7, dtype=D("float64")),
                             S(23, dtype=D("float64")), S(2, 9)],
         ulps=2, scale=1)
creation("randint", lambda d: [S(10, (5,)), S(-3, 4, (2, 3)), S(0, 2, (4,), dtype=D("uint8")),
                               S(5, (3,), dtype=D("float32")),
                               S(0, 2**40, (6,)), S(low=1, high=3, size=(5,))])
creation("randperm", lambda d: [S(10), S(1), S(0), S(30, dtype=D("int32"))])
creation("rand_like", lambda d: [S(d(3, 4)), S(d(3, 4).T), S(d(3), dtype=D("float64"))], dtypes=FLOATS)
creation("randn_like", lambda d: [S(d(3, 4)), S(d(4, 3).T), S(d(30)), S(d(3), dtype=D("float64"))], dtypes=FLOATS, ulps=2,
         scale=1)
creation("randint_like", lambda d: [S(d(3, 4), 5), S(d(3), 2, 9)])
for name, values in {"new_zeros": (), "new_ones": (), "new_empty": (), "new_full": (2.5,)}.items():
    row(name, lambda d, values=values: [S(d(3), (2, 3), *values), S(d(3), (2,), *values, dtype=D("float64"))],
        kind="creation", function=False, grad=False, values=name != "new_empty")
row("new_tensor", lambda d: [S(d(3), [1, 2]), S(d(3), 2.5), S(d(3), [1, 2], dtype=D("float64"))],
    kind="creation",
    function=False, grad=False)

# ------------------------------------------------------------------------------------------------------------
# Whole-tensor questions, which answer with a Python value


row("equal", lambda d: [S(d(3), d(3)), S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(2))],
    grad=False)
row("allclose", lambda d: [S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(3)),
                           S(d(3), d(3), rtol=10.0)], grad=False,
    dtypes=FLOATS)
row("isclose", lambda d: [S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(3), atol=1.0),
                          S(d(0), d(0))], grad=False)
row("numel", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], grad=False)
row("is_floating_point", lambda d: [S(d(3))], grad=False)
row("is_inference", lambda d: [S(d(3))], grad=False)

# What _op_names() or dir(gradcore) lists and is no op of this table, with where it is tested.
TESTED_ELSEWHERE = {
    "test_origins": {"set_origin_tracking"},
    "test_tensor_basics": {
        "tensor", "as_tensor", "from_numpy", "asarray", "item", "tolist", "numpy", "size", "stride",
        "storage_offset", "data_ptr", "dim",
        "ndimension", "nelement", "element_size", "is_contiguous", "is_tensor", "set_default_dtype",
        "get_default_dtype",
        "set_printoptions", "promote_types", "result_type", "can_cast", "is_complex", "is_signed",
        "get_device",
        "manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "default_generator",
        "available_isas", "empty_strided", "frombuffer", "split_with_sizes", "tile",
        "set_num_threads", "get_num_threads", "show_config", "memory_stats", "release_unused_memory",
    },
    "test_autograd": {
        "backward", "requires_grad_", "retain_grad", "register_hook", "is_grad_enabled",
        "is_inference_mode_enabled", "is_anomaly_enabled", "is_anomaly_check_nan_enabled", "set_anomaly_enabled",
        "is_inference", "set_grad_enabled", "detach_", "set_",
    },
    "test_foreach": {name for name in gradcore._C._op_names() if name.startswith("_foreach_")},  # that file has its own table
}


def named(name):
    """The rows of one op, its variants included."""
    return [r for r in ROWS if name in (r.attribute, *r.aliases)]


def apply_operator(name, *operands):
    return getattr(operator, name)(*operands)
