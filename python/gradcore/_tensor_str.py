"""How tensors print, character for character as torch prints them. Start at tensor_str.

It works on nested lists of Python numbers; `...` in such a list stands for what a summary leaves out.
"""

from __future__ import annotations

import sys
from math import isfinite
from typing import TYPE_CHECKING, Any

from . import _C

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import Tensor, dtype

    Write = Callable[[Any], str]

# precision, threshold, edgeitems, linewidth
_PROFILES = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, float("inf"), 3, 80),
}


class _Options:
    precision: int
    threshold: float
    edgeitems: int
    linewidth: int
    sci_mode: bool | None

    def use(self, profile: str) -> None:
        self.precision, self.threshold, self.edgeitems, self.linewidth = _PROFILES[profile]
        self.sci_mode = None


PRINT_OPTS = _Options()
PRINT_OPTS.use("default")


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is not given stays, but for sci_mode, which None sets back to automatic.

    precision: digits after the point. threshold: more elements than this are summarised, with edgeitems
    at each end of every dimension. linewidth: where lines break. sci_mode: scientific notation always
    (True), never (False), or as the numbers need it (None). profile: "default", "short" or "full" first.

    >>> import gradcore
    >>> gradcore.set_printoptions(precision=2)
    >>> gradcore.tensor([1.12345])
    tensor([1.12])
    >>> gradcore.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
        PRINT_OPTS.use(profile)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


class printoptions:
    """set_printoptions for the body of a with statement.

    >>> import gradcore
    >>> with gradcore.printoptions(precision=1):
    ...     print(gradcore.tensor([0.25, 0.5]))
    tensor([0.2, 0.5])
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def __enter__(self) -> None:
        self.saved = dict(vars(PRINT_OPTS))
        try:
            set_printoptions(**self.options)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        vars(PRINT_OPTS).update(self.saved)


def tensor_str(t: Tensor, contents: str | None = None) -> str:
    """repr(t), or that with other contents. Subclasses print under their own name, parameters of such as Parameter(...); Parameter as a plain tensor."""
    if levels := _C._batch_levels(t):
        shown = tensor_str(_C._show_level(t, levels[-1], 0, 0)).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={len(levels)}, bdim=0, value=\n    {shown}\n)"
    nn = sys.modules.get("gradcore.nn.parameter")  # without it there are no parameters
    plain = type(t) is _C.Tensor or (nn is not None and type(t) is nn.Parameter)
    prefix = "tensor(" if plain else type(t).__name__ + "("
    shown = _tensor_str(t, len(prefix)) if contents is None else contents
    text = _add_suffixes(prefix + shown, _suffixes(t), len(prefix))
    return text if plain or nn is None or not isinstance(t, nn.Parameter) else f"Parameter({text})"


def _str(self: Tensor, *, tensor_contents: str | None = None) -> str:
    """repr(self), by torch's name of the function."""
    return tensor_str(self, tensor_contents)


def _tensor_str(t: Tensor, indent: int) -> str:
    if t.is_meta:
        return "..."
    if t.numel() == 0:
        return "[]"
    data = _edges(t.detach(), PRINT_OPTS.edgeitems) if t.numel() > PRINT_OPTS.threshold else t.tolist()
    write, width = _writer(_leaves(data, t.dim()))
    return _nested(data, t.dim(), indent, write, width)


def _edges(t: Tensor, edge: int) -> Any:
    """tolist() with `...` for what is further than `edge` from both ends of its dimension."""
    if max(t.shape, default=0) <= 2 * edge:
        return t.tolist()
    n = t.shape[0]
    cut = n > 2 * edge
    if t.dim() == 1:
        return [*t[:edge].tolist(), ..., *t[n - edge :].tolist()]
    rows = [*range(edge), *range(n - edge, n)] if cut else range(n)
    data = [_edges(t[i], edge) for i in rows]
    if cut:
        data.insert(edge, ...)
    return data


def _leaves(data: Any, dim: int) -> list[Any]:
    if dim == 0:
        return [data]
    for _ in range(dim - 1):
        data = [x for row in data if row is not ... for x in row]
    return [x for x in data if x is not ...]


def _writer(values: list[Any]) -> tuple[Write, int]:
    """A function that writes one of the values, and the width it pads to."""
    if values and isinstance(values[0], float):
        return _float_writer(values)
    width = max((len(str(v)) for v in values), default=1)
    return lambda v: str(v).rjust(width), width


def _float_writer(values: list[float]) -> tuple[Write, int]:
    # Zeros and non-finite values take no part: neither in the choice of notation nor in the width.
    numbers = [v for v in values if v and isfinite(v)]
    whole = all(v.is_integer() for v in numbers)
    spec = "#.0f" if whole else f".{PRINT_OPTS.precision}f"  # the # keeps the point of "3."
    if numbers and (_needs_exponent(numbers) if PRINT_OPTS.sci_mode is None else PRINT_OPTS.sci_mode):
        spec = f".{PRINT_OPTS.precision}e"
    width = max((len(format(v, spec)) for v in numbers), default=1)
    return lambda v: format(v, spec).rjust(width), width


def _needs_exponent(numbers: list[float]) -> bool:
    sizes = [abs(v) for v in numbers]
    low, high = min(sizes), max(sizes)
    return high / low > 1000 or high > 1e8 or low < 1e-4


def _nested(data: Any, dim: int, indent: int, write: Write, width: int) -> str:
    if dim == 0:
        return write(data)
    if dim == 1:
        return _vector(data, indent, write, width)
    rows = ["..." if row is ... else _nested(row, dim - 1, indent + 1, write, width) for row in data]
    return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(rows) + "]"


def _vector(data: list[Any], indent: int, write: Write, width: int) -> str:
    gap = " ..." if PRINT_OPTS.edgeitems else "..."
    items = [gap if v is ... else write(v) for v in data]
    per_line = max(1, int((PRINT_OPTS.linewidth - indent) // (width + 2)))
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _default_dtype() -> dtype:
    from . import get_default_dtype

    return get_default_dtype()


def _suffixes(t: Tensor) -> list[str]:
    found = []
    empty = t.numel() == 0
    if t.is_meta:
        found.append("device='meta'")
        empty = True
    if t.is_meta or ((t.dim() != 1) if empty else not PRINT_OPTS.edgeitems):
        found.append(f"size={tuple(t.shape)}")
    # An empty list has no elements to tell their dtype by: there int64 and bool are named too.
    evident = () if empty else ("torch.int64", "torch.bool")
    if str(t.dtype) not in evident and t.dtype != _default_dtype():
        found.append(f"dtype={t.dtype}")
    grad_fn = _grad_fn_name(t)
    if grad_fn:
        found.append(f"grad_fn=<{grad_fn}>")
    elif t.requires_grad:
        found.append("requires_grad=True")
    if levels := _C._dual_levels():
        tangent = _C._unpack_dual(t, levels - 1)[1]
        if tangent is not None:
            found.append(f"tangent={tensor_str(tangent)}")
    return found


def _grad_fn_name(t: Tensor) -> str | None:
    try:
        node = t.grad_fn
    except RuntimeError:  # a view whose base was modified in a way that its history cannot tell
        return "Invalid"
    return None if node is None else node.name().rsplit("::", 1)[-1]


def _add_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    # torch counts the last line two columns longer than it is
    column = len(text) - (text.rfind("\n") + 1) + 2
    for suffix in suffixes:
        if column + len(suffix) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
