"""The row of an op: its calls, and what tests may expect of it."""

import operator
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from support import ALL_DTYPES


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
        return np.asarray(self.random.integers(int(low), max(int(low), int(np.floor(high))) + 1, shape), dtype)

    def index(self, *shape, below):
        return np.asarray(self.random.integers(0, below, shape))

    def mask(self, *shape):
        return np.asarray(self.random.random(shape) < 0.5)


@dataclass(frozen=True)
class OpRow:
    name: str
    samples: Callable
    kind: str = "other"  # unary, binary, reduction, view, creation, random or other
    module: str = ""  # where a library has the function: "nn.functional"; "" is the library itself
    method: bool = True
    function: bool = True
    inplace: bool = False  # name_ exists
    out: bool = False  # the function takes out=
    operator: str = ""  # its name in the operator module
    grad: bool = True
    gradgrad: bool = True
    inplace_grad: bool = True  # the in-place form is differentiable and writes the dtype of its tensor
    numpy: Callable | None = None
    low: float = -3.0  # the domain of d(...)
    high: float = 3.0
    right: tuple = (-3.0, 3.0)  # the domain of a binary op's second operand
    dtypes: tuple = ALL_DTYPES
    strides: str = ""  # how those of results are compared, if not as usual: "any"
    ulps: int | dict = 0  # 0: the same bits as torch; a dict says it by dtype
    scale: float = 0.0  # see support.wrong_elements
    grad_ulps: int | dict = 256
    half_ulps: float = 1  # units in the last place of float16 and bfloat16, for these computed in float32
    half_grad_ulps: float = 4
    aliases: tuple = ()
    values: bool = True  # False: the elements are unspecified
    avoid: tuple = ()  # special operands for which torch's own answer is not to be had
    integer_only: bool = False  # out= and operator forms have results for integers alone
    reads_values: bool = False  # a result's shape or a Python value depends on elements: vmap refuses it
    operands_for_promotion: Callable | None = (
        None  # two arrays of any dtypes -> arguments, or None where torch refuses their shapes
    )
    large_shapes: tuple = ()  # shapes of matrices for a reduction: long rows, long columns
    large_call: Callable | None = None  # d -> a call on sizes that threads share
    skips: dict = field(default_factory=dict)  # aspect -> why it is not tested
    other_graphs: str | dict = ""  # why nodes differ from torch's: of any call, or of those that begin so

    def data(self, dtype):
        return Data(dtype, self.low, self.high, zlib.crc32(self.name.encode()))

    def calls(self, dtype="float64"):
        return list(self.samples(self.data(dtype)))

    @property
    def attribute(self):
        """The row's name in a library: rows for variants of one op say so after a dot."""
        return self.name.partition(".")[0]

    @property
    def label(self):
        """Its name in reports of tests."""
        return f"{self.module}.{self.name}" if self.module else self.name

    @property
    def core_name(self):
        """The op's name in gradcore._C."""
        prefixes = {"": "", "nn.functional": "_nn_", "linalg": "_linalg_", "special": "_special_"}
        return prefixes[self.module] + self.attribute

    def form(self, lib):
        """The op as a callable of (*args, **kwargs)."""
        return getattr(self.home(lib) if self.function else lib.Tensor, self.attribute)

    def home(self, lib):
        """Where a library has the function."""
        return operator.attrgetter(self.module)(lib) if self.module else lib

    @property
    def most_ulps(self):
        """Those of the dtype that has the most."""
        return max(self.ulps.values()) if isinstance(self.ulps, dict) else self.ulps

    def tolerances(self, ulps=None):
        return {
            "ulps": self.ulps if ulps is None else ulps,
            "scale": self.scale,
            "strides": self.strides or ("exact" if self.kind == "view" else "significant"),
        }


ROWS = []


def row(name, samples, **settings):
    ROWS.append(OpRow(name, samples, **settings))


def writer(name, samples, **settings):
    settings = {"function": False} | settings
    row(name, samples, kind="writer", **settings)


def creation(name, samples, **settings):
    settings = {"method": False, "grad": False, "dtypes": ("float64",)} | settings
    row(name, samples, kind="creation", **settings)
