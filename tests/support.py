"""Helpers of all tests: both libraries, comparing their results, and a numeric check of gradients.

Start at `both`, which runs one program in gradcore and in torch and compares what it returned or raised, and
at `difference`, which says how two results differ. NumPy arrays describe the data, for either to build it.
"""

import contextlib

import numpy as np
import pytest

import gradcore

try:
    import torch
except ImportError:
    torch = None
if torch is not None and not torch.__version__.startswith("2.13"):
    torch = None  # another torch may rightly differ

NO_TORCH = "torch 2.13 is not installed"
needs_torch = pytest.mark.skipif(torch is None, reason=NO_TORCH)

FLOATS = ("float32", "float64")
INTS = ("int64", "int32", "int16", "int8", "uint8")
ALL_DTYPES = (*FLOATS, *INTS, "bool")


def libraries():
    return [gradcore] if torch is None else [gradcore, torch]


# ------------------------------------------------------------------------------------------------------------
# Data


class D(str):
    """A library's own constant in a sample: D("float64") is torch.float64 there and gradcore.float64 here."""

    __slots__ = ()


def dtype_name(dtype):
    return str(dtype).rpartition(".")[2]


def is_float(array):
    return isinstance(array, np.ndarray) and array.dtype.kind == "f"


def contiguous(lib, array):
    return lib.from_numpy(array.copy())


def transposed(lib, array):
    """The same values in reversed memory order."""
    reversed_dims = tuple(range(array.ndim))[::-1]
    return lib.from_numpy(array.transpose().copy()).permute(reversed_dims)


def strided(lib, array):
    """Every second element of a larger tensor, from its second element on."""
    if array.ndim == 0:
        return lib.from_numpy(np.array([array, array]))[1]
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
    wide[..., 1::2] = array
    return lib.from_numpy(wide)[..., 1::2]


def expanded(lib, array):
    """The first slice repeated with stride 0: other values than `array`, but the same for both libraries."""
    if array.ndim == 0 or array.size == 0:
        return lib.from_numpy(array.copy())
    return lib.from_numpy(array[:1].copy()).expand(array.shape)


def build(lib, data, layout=contiguous):
    """`data` with its arrays made into tensors and each D into the library's constant."""
    if isinstance(data, np.ndarray):
        return layout(lib, data)
    if isinstance(data, D):
        return getattr(lib, data)
    if isinstance(data, (list, tuple)):
        return type(data)(build(lib, item, layout) for item in data)
    if isinstance(data, dict):
        return {key: build(lib, value, layout) for key, value in data.items()}
    return data


def to_numpy(tensor):
    """A copy; of bfloat16, which NumPy has not, as float32. (The clone is for torch, where some gradients are zeros
    without memory.)"""
    copy = tensor.detach().clone()
    return np.array((copy.float() if dtype_name(copy.dtype) == "bfloat16" else copy).numpy())


def is_tensor(value):
    return any(isinstance(value, lib.Tensor) for lib in libraries())


def leaf(lib, *values):
    """A vector that requires grad."""
    return lib.tensor(list(values), requires_grad=True)


def node_name(node):
    return None if node is None else node.name()


def flat_tensors(value):
    """Every tensor in a nest of lists, tuples and dicts, in order."""
    if is_tensor(value):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for item in value for tensor in flat_tensors(item)]


# ------------------------------------------------------------------------------------------------------------
# Comparing


class Facts:
    """The properties of a tensor that are compared."""

    def __init__(self, tensor):
        self.dtype = dtype_name(tensor.dtype)
        self.shape = tuple(tensor.shape)
        self.strides = tuple(tensor.stride())
        self.requires_grad = tensor.requires_grad
        self.array = to_numpy(tensor)

    def __repr__(self):
        return f"tensor({np.array2string(self.array, threshold=20)}, {self.dtype}, strides={self.strides})"


def facts(value):
    """`value` with its tensors replaced by their facts, so that it no longer belongs to a library."""
    if is_tensor(value):
        return Facts(value)
    if isinstance(value, dict):
        return {key: facts(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [facts(item) for item in value]
    if any(isinstance(value, lib.dtype) for lib in libraries()):
        return D(dtype_name(value))
    if any(isinstance(value, lib.device) for lib in libraries()):
        return str(value)
    return value


def significant_strides(found):
    """Strides that reach an element: those of dims of size 1, and of empty tensors, say nothing."""
    if 0 in found.shape:
        return ()
    return tuple(stride for stride, size in zip(found.strides, found.shape, strict=True) if size > 1)


def wrong_elements(ours, theirs, ulps, scale):
    """Where two arrays differ by more than `ulps` units of (|theirs| + scale); at 0 the bits must agree.

    `ulps` may be a dict by dtype.
    """
    if isinstance(ulps, dict):
        ulps = ulps.get(ours.dtype.name, 0)
    with np.errstate(all="ignore"):
        if ours.dtype.kind != "f":
            return ours != theirs
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        if ulps == 0:
            return ~same | ((ours == 0) & (np.signbit(ours) != np.signbit(theirs)))
        tolerance = ulps * np.finfo(ours.dtype).eps * (np.abs(theirs) + scale)
        return ~same & ~(np.isfinite(theirs) & (np.abs(ours - theirs) <= tolerance))


def tensor_difference(ours, theirs, ulps, scale, strides):
    for name in ("dtype", "shape", "requires_grad"):
        if getattr(ours, name) != getattr(theirs, name):
            return f"{name} is {getattr(ours, name)}, not {getattr(theirs, name)}"
    if strides == "exact" and ours.strides != theirs.strides and 0 not in ours.shape:
        return f"strides are {ours.strides}, not {theirs.strides}"
    if strides == "significant" and significant_strides(ours) != significant_strides(theirs):
        return f"strides are {ours.strides}, not {theirs.strides} (shape {ours.shape})"
    wrong = wrong_elements(ours.array, theirs.array, ulps, scale)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"element {first} " if first else ""
    count = f"{wrong.sum()} of {wrong.size} differ"
    return f"{place}is {ours.array[first]!r}, not {theirs.array[first]!r} ({count})"


def difference(ours, theirs, *, ulps=0, scale=0.0, strides="significant"):
    """How our facts differ from theirs in a sentence, or None."""
    if isinstance(theirs, Facts):
        if not isinstance(ours, Facts):
            return f"{ours!r} is not a tensor"
        return tensor_difference(ours, theirs, ulps, scale, strides)
    if isinstance(theirs, (list, dict)):
        if type(ours) is not type(theirs) or len(ours) != len(theirs):
            return f"{ours!r} is not {theirs!r}"
        keys = theirs if isinstance(theirs, dict) else range(len(theirs))
        for key in keys:
            if isinstance(ours, dict) and key not in ours:
                return f"[{key!r}] is missing"
            found = difference(ours[key], theirs[key], ulps=ulps, scale=scale, strides=strides)
            if found:
                return f"[{key!r}] {found}"
        return None
    if isinstance(theirs, float) and isinstance(ours, float):
        wrong = wrong_elements(np.float64(ours), np.float64(theirs), ulps, scale)
        return f"{ours!r} is not {theirs!r}" if wrong else None
    if type(ours) is not type(theirs) or ours != theirs:
        return f"{ours!r} is not {theirs!r}"
    return None


class Raised:
    """An exception as a result."""

    def __init__(self, error):
        self.error = error

    def __repr__(self):
        return f"{type(self.error).__name__}: {self.error}"


def outcome(program, *arguments):
    """The facts of what `program` returns, or what it raises."""
    try:
        result = program(*arguments)
    except Exception as error:  # noqa: BLE001  whatever it is, it is compared
        return Raised(error)
    return facts(result)


def error_difference(ours, theirs):
    """How outcomes differ, at least one of which raised. gradcore may have what torch lacks for a dtype."""
    if isinstance(theirs, Raised) and "not implemented for" in str(theirs.error):
        return None
    if not isinstance(theirs, Raised):
        return f"raised {ours!r}"
    if not isinstance(ours, Raised):
        return f"gave {ours!r}, should have raised {theirs!r}"
    if type(theirs.error).__name__ not in {cls.__name__ for cls in type(ours.error).__mro__}:  # what `except` names
        return f"raised {ours!r}, not {theirs!r}"
    return None


def outcome_difference(ours, theirs, **tolerances):
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        return error_difference(ours, theirs)
    return difference(ours, theirs, **tolerances)


def both(program, *, raises=None, ulps=0, scale=0.0, strides="significant"):
    """Runs program(lib) with gradcore and with torch and compares what came.

    With `raises`, both must raise the same type and both messages must hold that phrase. The program's own
    assertions are checked without torch too; then the test is reported as skipped.
    """
    ours = outcome(program, gradcore)
    check_raised(ours, raises)
    if torch is None:
        pytest.skip(f"{NO_TORCH}: the program ran, its results were not compared")
    theirs = outcome(program, torch)
    check_raised(theirs, raises)
    found = outcome_difference(ours, theirs, ulps=ulps, scale=scale, strides=strides)
    assert not found, found


def check_raised(found, phrase):
    if isinstance(found, Raised) and phrase is None:
        raise found.error
    if phrase is not None:
        assert isinstance(found, Raised), f"should have raised {phrase!r}, gave {found!r}"
        assert phrase in str(found.error), f"{phrase!r} is not in {found!r}"


def refused(action):
    """The name of the exception's type, for programs that go on."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the name is compared
        action()
    return caught.type.__name__


class Failures:
    """Collects what went wrong in a loop, so that one test shows its failures together."""

    SHOWN = 12

    def __init__(self):
        self.messages = []

    def add(self, label, message):
        if message:
            self.messages.append(f"{label}: {message}")

    def check(self):
        if not self.messages:
            return
        more = len(self.messages) - self.SHOWN
        lines = self.messages[: self.SHOWN] + ([f"... and {more} more"] if more > 0 else [])
        pytest.fail("\n".join(lines), pytrace=False)


@contextlib.contextmanager
def collected():
    """`with collected() as failures:` fails at the end with everything that was added."""
    failures = Failures()
    yield failures
    failures.check()


# ------------------------------------------------------------------------------------------------------------
# Gradients without torch


def numeric_gradient_error(function, inputs, *, step=1e-5, tolerance=2e-6, seed=0):
    """Compares reverse-mode gradients of `function` (float64 gradcore tensors to a list of tensors) with
    central differences: for each input the slope of <cotangent, function> along a random direction.
    A sentence, or None.
    """
    random = np.random.default_rng(seed)
    leaves = [gradcore.from_numpy(array.copy()).requires_grad_() for array in inputs]
    outputs = [tensor for tensor in function(*leaves) if tensor.requires_grad]
    if not outputs:
        return "no output requires grad"
    cotangents = [np.asarray(random.uniform(-1, 1, tuple(tensor.shape))) for tensor in outputs]
    gradients = gradcore.autograd.grad(outputs, leaves, [gradcore.from_numpy(c) for c in cotangents], allow_unused=True)

    def projected(arrays):
        results = function(*[gradcore.from_numpy(array).requires_grad_() for array in arrays])
        values = [to_numpy(tensor) for tensor in results if tensor.requires_grad]
        return sum(float((c * value).sum()) for c, value in zip(cotangents, values, strict=True))

    for i, gradient in enumerate(gradients):
        direction = random.uniform(-1, 1, inputs[i].shape)
        ends = [
            projected(
                [np.asarray(array + sign * step * direction) if j == i else array for j, array in enumerate(inputs)]
            )
            for sign in (1, -1)
        ]
        numeric = (ends[0] - ends[1]) / (2 * step)
        analytic = 0.0 if gradient is None else float((to_numpy(gradient) * direction).sum())
        undefined = np.isnan(numeric) and np.isnan(analytic)
        if not undefined and not abs(numeric - analytic) <= tolerance * (1 + abs(numeric)):
            return f"input {i}: slope {analytic!r}, numerically {numeric!r}"
    return None


def with_threads(threads, run):
    """What run() gives on so many threads."""
    before = gradcore.get_num_threads()
    gradcore.set_num_threads(threads)
    try:
        return run()
    finally:
        gradcore.set_num_threads(before)
