"""assert_close: compares tensors, numbers, and sequences and mappings of them, as torch.testing does. Start there.
(make_tensor stands in a file of its own.)

All inputs are first taken apart into pairs of leaves (_pairs); then each pair is compared (_mismatch).
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from warnings import warn

from . import Tensor, as_tensor, promote_types
from ._make_tensor import make_tensor as make_tensor

# rtol, atol; everything else is compared exactly
_TOLERANCES = {
    "torch.float16": (1e-3, 1e-5),
    "torch.bfloat16": (1.6e-2, 1e-5),
    "torch.float32": (1.3e-6, 1e-5),
    "torch.float64": (1e-7, 1e-7),
    "float": (1e-7, 1e-7),
    "complex": (1e-7, 1e-7),
}


class _Rules(NamedTuple):
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_dtype: bool
    check_device: bool
    check_stride: bool


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Without rtol and atol they follow from the dtypes: (1e-3, 1e-5) for float16, (1.6e-2, 1e-5) for bfloat16, (1.3e-6, 1e-5)
    for float32, 1e-7 for float64 and
    Python floats, 0 for the others. msg replaces the error's text, or makes the text from it. There is
    one layout, so check_layout checks nothing.

    >>> import gradcore
    >>> gradcore.testing.assert_close(gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 2.0]) + 1e-6)
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not value >= 0:
            raise ValueError(f"assert_close: {name} must not be negative or NaN, got {value}")
    rules = _Rules(rtol, atol, equal_nan, check_dtype, check_device, check_stride)
    # The structure is checked as a whole before the first value: hence the list.
    for path, a, b in list(_pairs(actual, expected, allow_subclasses, "")):
        error = _mismatch(a, b, rules)
        if error is None:
            continue
        text = error + _where(path)
        raise AssertionError(msg(text) if callable(msg) else text if msg is None else msg)


# The same for assert_allclose().
_OLDER_TOLERANCES = {"torch.float16": (1e-3, 1e-3), "torch.float32": (1e-4, 1e-5), "torch.float64": (1e-5, 1e-8)}


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """assert_close() as it was once: lists count as tensors, dtypes may differ, NaN equals NaN, and tolerances are wider.

    Deprecated, which a FutureWarning says. Without rtol and atol they are (1e-3, 1e-3) for float16, (1e-4, 1e-5) for
    float32, (1e-5, 1e-8) for float64, 0 for others; the larger of both dtypes'. Raises AssertionError for other values.

    >>> import warnings, gradcore
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     gradcore.testing.assert_allclose(gradcore.tensor([1.0, 2.0]), [1.0, 2.0])
    """
    warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. "
        "Please use `torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    pair = [as_tensor(value) for value in (actual, expected)]
    if rtol is None and atol is None:
        tolerances = [_OLDER_TOLERANCES.get(str(t.dtype), (0.0, 0.0)) for t in pair]
        rtol, atol = (max(each) for each in zip(*tolerances, strict=True))
    assert_close(*pair, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def _where(path: str) -> str:
    return f"\n\nThe failure occurred for item {path}" if path else ""


def _pairs(actual: Any, expected: Any, allow_subclasses: bool, path: str) -> Iterator[tuple[str, Any, Any]]:
    if _both(Sequence, actual, expected) and not isinstance(actual, str) and not isinstance(expected, str):
        if len(actual) != len(expected):
            lengths = f"{len(actual)} != {len(expected)}"
            raise AssertionError(f"The length of the sequences mismatch: {lengths}" + _where(path))
        for i in range(len(actual)):
            yield from _pairs(actual[i], expected[i], allow_subclasses, f"{path}[{i}]")
    elif _both(Mapping, actual, expected):
        _check_keys(actual, expected, path)
        for key in _sorted(expected):
            yield from _pairs(actual[key], expected[key], allow_subclasses, f"{path}[{key!r}]")
    else:
        yield path, *_leaves(actual, expected, allow_subclasses, path)


def _both(kind: Any, a: Any, b: Any) -> bool:
    return isinstance(a, kind) and isinstance(b, kind)


def _sorted(keys: Any) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _check_keys(actual: Mapping[Any, Any], expected: Mapping[Any, Any], path: str) -> None:
    missing = expected.keys() - actual.keys()
    extra = actual.keys() - expected.keys()
    if missing or extra:
        raise AssertionError(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {_sorted(missing)}\n"
            f"Additional keys in the actual mapping: {_sorted(extra)}" + _where(path)
        )


def _leaves(actual: Any, expected: Any, allow_subclasses: bool, path: str) -> tuple[Any, Any]:
    """The two as tensors or Python scalars. TypeError if they are neither, or one of each."""
    if actual is None or expected is None:
        return actual, expected
    a, b = _scalar(actual), _scalar(expected)
    if a is not None and b is not None:
        return a, b
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if related and (allow_subclasses or type(actual) is type(expected)):
        s, t = _tensor(actual), _tensor(expected)
        if s is not None and t is not None:
            return s, t
    kinds = f"{type(actual)} and {type(expected)}"
    raise TypeError(f"No comparison pair was able to handle inputs of type {kinds}." + _where(path))


def _scalar(value: Any) -> bool | float | complex | None:
    if hasattr(value, "dtype"):
        # A NumPy scalar, unlike an array or a tensor, cannot be assigned to.
        is_scalar = getattr(value, "shape", None) == () and not hasattr(value, "__setitem__")
        return _scalar(value.item()) if is_scalar else None
    return value if isinstance(value, (bool, int, float, complex)) else None


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value.detach()
    if not hasattr(value, "__array__"):
        return None
    try:
        return as_tensor(value)
    except (TypeError, ValueError):
        return None


def _mismatch(actual: Any, expected: Any, rules: _Rules) -> str | None:
    """The message about two leaves that differ."""
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if isinstance(actual, Tensor):
        return _tensor_mismatch(actual, expected, rules)
    if rules.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    if _both(bool, actual, expected):
        return None if actual is expected else f"Booleans mismatch: {actual} is not {expected}"
    rtol, atol = _tolerances(type(actual).__name__, type(expected).__name__, rules)
    return None if _scalars_close(actual, expected, rtol, atol, rules) else _scalar_text(actual, expected, rtol, atol)


def _tolerances(a: str, b: str, rules: _Rules) -> tuple[float, float]:
    if rules.rtol is not None and rules.atol is not None:
        return rules.rtol, rules.atol
    (rtol_a, atol_a), (rtol_b, atol_b) = (_TOLERANCES.get(name, (0.0, 0.0)) for name in (a, b))
    return max(rtol_a, rtol_b), max(atol_a, atol_b)


def _scalars_close(actual: Any, expected: Any, rtol: float, atol: float, rules: _Rules) -> bool:
    if actual == expected:
        return True
    if rules.equal_nan and cmath.isnan(actual) and cmath.isnan(expected):
        return True
    if rtol == 0 and atol == 0:
        return False
    difference = abs(actual - expected)
    return cmath.isfinite(difference) and difference <= atol + rtol * abs(expected)


def _attribute_mismatch(actual: Tensor, expected: Tensor, rules: _Rules) -> str | None:
    attributes: list[tuple[str, Any, Any]] = [("shape", actual.shape, expected.shape)]
    if rules.check_stride:
        attributes.append(("stride()", actual.stride(), expected.stride()))
    if rules.check_device:
        attributes.append(("device", actual.device, expected.device))
    if rules.check_dtype:
        attributes.append(("dtype", actual.dtype, expected.dtype))
    for name, a, b in attributes:
        if a != b:
            return f"The values for attribute '{name}' do not match: {a} != {b}."
    return None


def _tensor_mismatch(actual: Tensor, expected: Tensor, rules: _Rules) -> str | None:
    error = _attribute_mismatch(actual, expected, rules)
    if error is not None:
        return error
    rtol, atol = _tolerances(str(actual.dtype), str(expected.dtype), rules)
    dtype = promote_types(actual.dtype, expected.dtype)
    actual, expected = actual.to(dtype), expected.to(dtype)
    close = _close(actual, expected, rtol, atol, rules.equal_nan)
    if bool(close.all()):
        return None
    if actual.dim() == 0:
        return _scalar_text(actual.item(), expected.item(), rtol, atol)
    return _tensor_text(actual, expected, close, rtol, atol)


def _close(actual: Tensor, expected: Tensor, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    close = actual == expected
    if equal_nan:
        close = close | (actual.isnan() & expected.isnan())
    if rtol == 0 and atol == 0:
        return close
    # In floats: the difference of two integers could overflow, that of two bools does not exist.
    a, b = (t if t.is_floating_point() else t.double() for t in (actual, expected))
    difference = (a - b).abs()
    return close | (difference.isfinite() & (difference <= atol + (rtol * b).abs()))


def _tensor_text(actual: Tensor, expected: Tensor, close: Tensor, rtol: float, atol: float) -> str:
    shape = tuple(actual.shape)
    actual, expected, close = actual.reshape(-1), expected.reshape(-1), close.reshape(-1)
    if not actual.is_floating_point():
        actual, expected = actual.long(), expected.long()
    count, total = close.numel() - int(close.sum().item()), close.numel()
    absolute = (actual - expected).abs()
    relative = absolute / expected.abs()
    lines = [_headline("Tensor-likes", rtol, atol), "", f"Mismatched elements: {count} / {total} ({count / total:.1%})"]
    for name, difference, limit in (("absolute", absolute, atol), ("relative", relative, rtol)):
        # Only mismatches count: among the others there may be a NaN that equals a NaN.
        greatest, at = difference.masked_fill(close, 0).max(0)
        index = _unravel(int(at.item()), shape)
        lines.append(f"Greatest {name} difference: {greatest.item()} at index {index}{_allowed(limit, rtol, atol)}")
    return "\n".join(lines)


def _unravel(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        flat, i = divmod(flat, size)
        index.append(i)
    return tuple(reversed(index))


def _scalar_text(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    absolute = abs(actual - expected)
    relative = float("inf") if expected == 0 else absolute / abs(expected)
    return (
        f"{_headline('Scalars', rtol, atol)}\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {absolute}{_allowed(atol, rtol, atol)}\n"
        f"Relative difference: {relative}{_allowed(rtol, rtol, atol)}"
    )


def _headline(what: str, rtol: float, atol: float) -> str:
    return f"{what} are not {'equal' if rtol == 0 and atol == 0 else 'close'}!"


def _allowed(limit: float, rtol: float, atol: float) -> str:
    return "" if rtol == 0 and atol == 0 else f" (up to {limit} allowed)"
