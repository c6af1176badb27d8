"""Window functions: torch.hann_window and its kin, and the package torch.signal.windows."""

import math

import numpy as np
import pytest

from support import both, gradcore, refused

NAMES = ["bartlett", "blackman", "hamming", "hann", "kaiser"]
SIGNAL = gradcore.signal.windows.__all__
LENGTHS = [0, 1, 2, 3, 8, 17, 100]
ARGUMENTS = {"general_cosine": {"a": [0.5, 0.3, 0.2]}}
# The weights are compared on the scale of 1. Both round the angles, and Bessel functions and exponentials more.
CLOSE = {"ulps": 16, "scale": 1}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_windows(name, dtype):
    def program(lib):
        window = getattr(lib, f"{name}_window")
        return [window(n, periodic, dtype=getattr(lib, dtype)) for n in LENGTHS for periodic in (True, False)]

    both(program, **CLOSE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SIGNAL)
def test_windows_of_the_package(name, dtype):
    def program(lib):
        window = getattr(lib.signal.windows, name)
        options = {"dtype": getattr(lib, dtype)} | ARGUMENTS.get(name, {})
        return [window(n, sym=sym, **options) for n in LENGTHS for sym in (True, False)]

    both(program, **CLOSE)


@pytest.mark.parametrize("n", [5, 1000])
@pytest.mark.parametrize("std", [0.5, 30.0])
def test_gaussian_is_its_formula(n, std):
    found = gradcore.signal.windows.gaussian(n, std=std, dtype=gradcore.float64).numpy()
    at = np.arange(n) - (n - 1) / 2
    np.testing.assert_allclose(found, np.exp(-0.5 * (at / std) ** 2), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_lengths_that_are_no_plain_ints(name):
    def program(lib):
        window = getattr(lib, f"{name}_window")
        lengths = lib.tensor(3), lib.tensor(3, dtype=lib.uint8), np.int64(3)
        bad = lib.tensor([3]), lib.tensor(3.0), np.float32(3), True, np.array(3), None
        return [window(n) for n in lengths], [refused(lambda n=n: window(n)) for n in bad]

    both(program, **CLOSE)


def test_parameters():
    both(lambda lib: lib.hamming_window(6, True, 0.5, 0.4), **CLOSE)
    both(lambda lib: lib.kaiser_window(6, False, 5.0), **CLOSE)
    both(lambda lib: lib.signal.windows.exponential(6, center=1.0, sym=False, tau=0.5), **CLOSE)
    both(lambda lib: lib.signal.windows.general_hamming(6, alpha=0.7), **CLOSE)
    both(lambda lib: lib.signal.windows.kaiser(6, beta=2.0), **CLOSE)
    both(lambda lib: lib.hann_window(4, requires_grad=True).requires_grad)
    both(lambda lib: lib.signal.windows.hann(4, requires_grad=True).requires_grad)


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.hann_window(-1), "hann_window requires non-negative window_length, got window_length=-1"),
        (lambda lib: lib.hann_window(4, dtype=lib.int64), "hann_window expects floating point dtypes, got: "),
        (lambda lib: lib.hann_window(4.0), "argument 'window_length' (position 1) must be int, not float"),
        (lambda lib: lib.signal.windows.hann(-1), "requires non-negative window length, got M=-1"),
        (lambda lib: lib.signal.windows.cosine(3, dtype=lib.int64), "cosine expects float32 or float64 dtypes, got: "),
        (lambda lib: lib.signal.windows.exponential(3, center=1.0), "Center must be None for symmetric windows"),
        (lambda lib: lib.signal.windows.exponential(3, tau=0.0), "Tau must be positive, got: 0.0 instead."),
        (
            lambda lib: lib.signal.windows.gaussian(3, std=-1.0),
            "Standard deviation must be positive, got: -1.0 instead.",
        ),
        (lambda lib: lib.signal.windows.kaiser(3, beta=-1.0), "beta must be non-negative, got: -1.0 instead."),
        (lambda lib: lib.signal.windows.general_cosine(3, a=[]), "Coefficients cannot be empty"),
        (lambda lib: lib.signal.windows.general_cosine(3, a=1.0), "Coefficients must be a list/tuple"),
    ],
)
def test_refusals(program, phrase):
    both(program, raises=phrase)


def test_hann_sums_to_its_half():
    assert math.isclose(float(gradcore.hann_window(64, dtype=gradcore.float64).sum()), 32.0)
