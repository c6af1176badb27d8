"""Inputs for the rows of moduledb and functionaldb: arrays, made anew for each use from a fixed seed."""

import numpy as np

KINKS = np.array([-4, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 7, 20.5, -120, 120], "float64")


class Spec:
    """An array to be drawn: floats from low to high, or ints below high."""

    differentiable = True

    def __init__(self, shape, low, high, integer=False):
        self.shape, self.low, self.high, self.integer = shape, low, high, integer

    def array(self, random, dtype):
        if self.integer:
            return random.integers(self.low, self.high, self.shape)
        return np.asarray(random.uniform(self.low, self.high, self.shape)).astype(dtype)

    def with_batch(self, size):
        return self._like(Spec((size, *self.shape[1:]), self.low, self.high, self.integer))

    def nudged(self):
        """The same away from kinks."""
        return self

    def _like(self, other):
        other.differentiable = self.differentiable
        return other


class Fixed(Spec):
    """A given array; its dtype is kept where it is not float."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape = self.values.shape

    def array(self, random, dtype):
        return self.values.astype(dtype) if self.values.dtype.kind == "f" else self.values.copy()

    def with_batch(self, size):
        return self._like(Fixed(np.resize(self.values, (size, *self.shape[1:]))))

    def nudged(self):
        return self._like(Fixed(self.values + 0.013)) if self.values.dtype.kind == "f" else self


def const(spec):
    """The spec as an input that requires no grad."""
    spec.differentiable = False
    return spec


def f(*shape):
    """Floats from -2 to 2."""
    return Spec(shape, -2.0, 2.0)


def p(*shape):
    """Floats inside of (0, 1)."""
    return Spec(shape, 0.05, 0.95)


def i(high, *shape):
    """Ints from 0 to high - 1."""
    return Spec(shape, 0, high, integer=True)


def signs(*shape):
    """1 and -1, in turn."""
    return Fixed(np.resize(np.array([1.0, -1.0]), shape))


def kinks():
    """Numbers at which activations have kinks."""
    return Fixed(KINKS)


def drawn(specs, dtype="float64", seed=0):
    """The specs in a nest of tuples and dicts as arrays; anything else stays."""
    random = np.random.default_rng(seed)

    def draw(item):
        if isinstance(item, Spec):
            return item.array(random, dtype)
        if isinstance(item, (tuple, list)):
            return type(item)(draw(part) for part in item)
        if isinstance(item, dict):
            return {key: draw(part) for key, part in item.items()}
        return item

    return draw(specs)
