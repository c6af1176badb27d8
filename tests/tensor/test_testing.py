"""assert_close: what passes, and what it says of what does not, compared with torch's own words."""

import math
import random

import numpy as np
import pytest

from support import ALL_DTYPES, gradcore, libraries, needs_torch, outcome, outcome_difference, torch

NAN, INF = float("nan"), float("inf")


def verdict(lib, arguments):
    """None when the two are close, else the error's type and text. `arguments` builds them from the library."""
    actual, expected, *options = arguments(lib)
    try:
        lib.testing.assert_close(actual, expected, **(options[0] if options else {}))
    except (AssertionError, TypeError, ValueError) as error:
        names = str(error).replace("gradcore.Tensor", "torch.Tensor").replace("gradcore._C.Tensor", "torch.Tensor")
        return type(error), names
    return None


PASSES = [
    lambda g: (g.tensor([1.0, 2.0]), g.tensor([1.0, 2.0]) * (1 + 1e-6)),
    lambda g: (g.tensor([1.0], dtype=g.float64), g.tensor([1 + 1e-8], dtype=g.float64)),
    lambda g: (g.tensor([1]), g.tensor([3]), {"rtol": 0.5, "atol": 1}),
    lambda g: (g.tensor([NAN, INF]), g.tensor([NAN, INF]), {"equal_nan": True}),
    lambda g: (g.tensor([1]), g.tensor([1.0]), {"check_dtype": False}),
    lambda g: (g.tensor([1.0], requires_grad=True), g.tensor([1.0])),
    lambda g: (g.tensor([]), g.tensor([])),
    lambda g: (g.tensor([True, False]), g.tensor([True, True]), {"rtol": 0, "atol": 1}),
    lambda g: ({"a": [g.tensor(1.0), 2]}, {"a": (g.tensor(1.0), 2)}),
    lambda g: (g.zeros(2, 3).shape, (2, 3)),
    lambda g: (np.array([1.0]), np.array([1.0])),
    lambda g: (np.float64(1), 1.0),
    lambda g: (1.0, 1.0 + 1e-8),
    lambda g: (INF, INF),
    lambda g: (NAN, NAN, {"equal_nan": True}),
    lambda g: (None, None),
    lambda g: ([], []),
]

FAILS = [
    (
        lambda g: (g.tensor([1.0, 2.0]), g.tensor([1.0, 2.5])),
        (
            "Tensor-likes are not close!\n\nMismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)"
        ),
    ),
    (
        lambda g: (g.tensor([1, 2]), g.tensor([1, 4])),
        (
            "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: 2 at index (1,)\nGreatest relative difference: 0.5 at index (1,)"
        ),
    ),
    (
        lambda g: (1.0, 2.0),
        (
            "Scalars are not close!\n\nExpected 2.0 but got 1.0.\nAbsolute difference: 1.0 (up to 1e-07 allowed)\n"
            "Relative difference: 0.5 (up to 1e-07 allowed)"
        ),
    ),
    (
        lambda g: ({"a": [g.tensor(1)]}, {"a": [g.tensor(2)]}),
        (
            "Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5\n\n"
            "The failure occurred for item ['a'][0]"
        ),
    ),
    (
        lambda g: (g.ones(2), g.ones(3)),
        "The values for attribute 'shape' do not match: torch.Size([2]) != torch.Size([3]).",
    ),
    (
        lambda g: (g.ones(2), g.ones(2, dtype=g.float64)),
        "The values for attribute 'dtype' do not match: torch.float32 != torch.float64.",
    ),
    (
        lambda g: (g.ones(2, 3), g.ones(3, 2).t(), {"check_stride": True}),
        "The values for attribute 'stride()' do not match: (3, 1) != (1, 2).",
    ),
    (lambda g: (1, 1.0), "The (d)types do not match: <class 'int'> != <class 'float'>."),
    (lambda g: ([1], [1, 2]), "The length of the sequences mismatch: 1 != 2"),
    (
        lambda g: ({"a": 1}, {"b": 1}),
        (
            "The keys of the mappings do not match:\nMissing keys in the actual mapping: ['b']\n"
            "Additional keys in the actual mapping: ['a']"
        ),
    ),
    (lambda g: (True, False), "Booleans mismatch: True is not False"),
    (lambda g: (None, 1), "None mismatch: None is not 1"),
    (lambda g: (g.ones(2), g.zeros(2), {"msg": "no"}), "no"),
    (
        lambda g: ([g.ones(1)], [g.zeros(1, dtype=g.int8)], {"msg": lambda text: text.partition(":")[0]}),
        "The values for attribute 'dtype' do not match",
    ),
]

# What torch says of these is compared, not written down here.
MORE_FAILS = [
    lambda g: (g.tensor([NAN, 1.0]), g.tensor([NAN, 2.0])),
    lambda g: (g.tensor([NAN, 1.0]), g.tensor([NAN, 2.0]), {"equal_nan": True}),
    lambda g: (g.tensor([INF, 1.0]), g.tensor([-INF, 1.0])),
    lambda g: (g.tensor([0.0, 1.0]), g.tensor([0.0, 0.0])),
    lambda g: (g.tensor([True, False]), g.tensor([True, True])),
    lambda g: (g.tensor(True), g.tensor(False)),
    lambda g: (g.tensor([0], dtype=g.uint8), g.tensor([255], dtype=g.uint8)),
    lambda g: (g.tensor([2**62]), g.tensor([2**62 + 1])),
    lambda g: (g.tensor([0, 5, 7]), g.tensor([1, 3, 7]), {"rtol": 0, "atol": 1}),
    lambda g: (g.ones(2, 2).double(), g.ones(2, 2).t(), {"check_stride": True}),
    lambda g: (g.tensor([1.0, 2.0]).expand(2, 2), g.tensor([1.0, 3.0]).expand(2, 2)),
    lambda g: (g.tensor([1.5]), g.tensor([1]), {"check_dtype": False}),
    lambda g: (np.array([1.0, 2.0]), np.array([1.0, 3.0])),
    lambda g: (5, 3, {"rtol": 0, "atol": 1}),
    lambda g: (1.0, 0.0),
    lambda g: (NAN, NAN),
    lambda g: (1j, 2j),
    lambda g: ([1, "a"], [2, "a"]),
    lambda g: ("a", "a"),
    lambda g: (g.tensor([1.0]), [1.0]),
    lambda g: (g.tensor(1.0), 1.0),
    lambda g: ([1, [2, 3]], [1, [2, 4]]),
    lambda g: ({"a": [1]}, {"a": {"b": 1}}),
    lambda g: (g.ones(1), g.ones(1), {"rtol": 1e-3}),
    lambda g: (g.ones(1), g.ones(1), {"atol": 1e-3}),
    lambda g: (g.ones(1), g.ones(1), {"tolerance": 1e-3}),
]


@pytest.mark.parametrize("arguments", PASSES)
def test_passes(arguments):
    for lib in libraries():
        assert verdict(lib, arguments) is None


@pytest.mark.parametrize(("arguments", "text"), FAILS)
def test_says(arguments, text):
    for lib in libraries():
        assert verdict(lib, arguments) == (AssertionError, text)


@needs_torch
@pytest.mark.parametrize("arguments", MORE_FAILS)
def test_says_what_torch_says(arguments):
    ours = verdict(gradcore, arguments)
    assert ours is not None
    assert ours == verdict(torch, arguments)


def test_mixed_numpy_and_tensor():
    with pytest.raises(TypeError, match="No comparison pair"):
        gradcore.testing.assert_close(np.ones(2), gradcore.ones(2, dtype=gradcore.float64))


@pytest.mark.skipif(gradcore is torch, reason="torch answers with an internal error")
def test_negative_tolerance():
    for rtol, atol in ((-1, 0), (0, -1), (NAN, 0)):
        with pytest.raises(ValueError, match="must not be negative or NaN"):
            gradcore.testing.assert_close(1.0, 1.0, rtol=rtol, atol=atol)


def random_case(pick, numbers):
    """Two arrays that differ a little somewhere, and options."""
    dtype = pick.choice(["float32", "float64", "float32", "float64", "int8", "int64", "uint8", "bool"])
    shape = tuple(pick.choice([1, 2, 3, 5]) for _ in range(pick.choice([0, 1, 2, 3])))
    actual = numbers.normal(size=shape) * pick.choice([1, 3, 30])
    some = numbers.random(shape) < pick.choice([0, 0.1, 0.5, 1])
    expected = actual + some * numbers.normal(size=shape) * 10 ** pick.uniform(-9, 1)
    actual, expected = (np.abs(np.clip(x, -90, 90)) if dtype == "uint8" else x for x in (actual, expected))
    actual, expected = (np.asarray(x).astype(dtype) for x in (actual, expected))
    if dtype.startswith("float") and pick.random() < 0.3:
        place, special = pick.randrange(actual.size), pick.choice([NAN, INF, -INF, 0.0])
        actual.reshape(-1)[place] = special
        if pick.random() < 0.5:
            expected.reshape(-1)[place] = special
    options = {}
    if pick.random() < 0.3:
        options["equal_nan"] = True
    if pick.random() < 0.4:
        options |= {"rtol": pick.choice([0, 1e-3, 0.1]), "atol": pick.choice([0, 1, 0.5, 1e-6])}
    return actual, expected, options


@needs_torch
@pytest.mark.parametrize("seed", range(10))
def test_random_tensors(seed):
    pick, numbers = random.Random(seed), np.random.default_rng(seed)
    for _ in range(60):
        actual, expected, options = random_case(pick, numbers)

        def arguments(lib, actual=actual, expected=expected, options=options):
            return lib.from_numpy(actual.copy()), lib.from_numpy(expected.copy()), options

        assert verdict(gradcore, arguments) == verdict(torch, arguments), (actual, expected, options)


MADE = {
    "plain": {},
    "limits": {"low": -3.5, "high": 4.5},
    "a lower limit": {"low": 1},
    "limits beyond the dtype": {"low": -math.inf, "high": math.inf},
    "gaps": {"noncontiguous": True},
    "no zeros": {"exclude_zero": True, "low": 0, "high": 2},
    "equal limits": {"low": 2, "high": 2},
    "limits in disorder": {"low": 5, "high": 1},
    "nan": {"low": math.nan},
    "far limits": {"low": 1e30, "high": 1e31},
    "requires grad": {"requires_grad": True},
    "channels last": {"memory_format": "channels_last"},
    "both orders": {"noncontiguous": True, "memory_format": "channels_last"},
}


@needs_torch
@pytest.mark.filterwarnings("ignore:.*low==? ?==? ?high:FutureWarning")
@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("dtype", [*ALL_DTYPES, "float16", "bfloat16", "uint16", "uint64"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), ((7,),), (0,), ((),)], ids=str)
def test_made_tensors_are_those_of_torch(dtype, how, shape):
    if dtype.startswith("uint") and dtype != "uint8" and how == "no zeros":
        pytest.skip("torch cannot write to some elements of these")

    def program(lib):
        options = {key: lib.channels_last if key == "memory_format" else value for key, value in MADE[how].items()}
        lib.manual_seed(5)
        return lib.testing.make_tensor(*shape, dtype=getattr(lib, dtype), device="cpu", **options)

    assert not outcome_difference(outcome(program, gradcore), outcome(program, torch))


def test_a_dtype_without_random_numbers_is_refused():
    with pytest.raises(TypeError, match="no tensors of torch.complex64"):
        gradcore.testing.make_tensor(2, dtype=gradcore.complex64, device="cpu")
