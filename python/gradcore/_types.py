"""Size, device and the other small types that are plain Python. They are handed to the C++ core at import."""

from __future__ import annotations

from . import _C
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def _integer(position: int, n: Any) -> int:
    try:
        index: int = n.__index__()
    except (AttributeError, TypeError):
        kind = type(n).__name__
        raise TypeError(f"torch.Size() takes an iterable of 'int' (item {position} is '{kind}')") from None
    return index


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints that prints as torch's.

    >>> import gradcore
    >>> gradcore.zeros(2, 3).shape
    torch.Size([2, 3])
    >>> gradcore.Size([2, 3]).numel()
    6
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        return super().__new__(cls, [_integer(i, n) for i, n in enumerate(sizes)])

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        n = 1
        for d in self:
            n *= d
        return n

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, key: Any) -> Any:
        item = tuple.__getitem__(self, key)
        return Size(item) if isinstance(key, slice) else item

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple.__add__(tuple(other), self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))


class device:
    """Where a tensor lives. There is one place: the CPU.

    >>> import gradcore
    >>> gradcore.device("cpu")
    device(type='cpu')

    Raises RuntimeError for any other device.
    """

    __slots__ = ("type", "index")

    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, device) and index is None:
            self.type, self.index = type.type, type.index
            return
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type.__class__.__name__}")
        name, colon, number = type.partition(":")
        if colon and index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
        if colon and (not number.isdecimal() or str(int(number)) != number):
            raise RuntimeError(f"Invalid device string: {type!r}")
        if name != "cpu":
            raise RuntimeError(f"gradcore runs on the CPU only: there is no device {type!r}")
        if colon:
            index = int(number)
        elif index is not None and (isinstance(index, bool) or not hasattr(index, "__index__")):
            raise TypeError(f"device(): argument 'index' must be int, not {index.__class__.__name__}")
        if index is not None and index < 0:
            raise RuntimeError("Device index must not be negative")
        self.type = name
        self.index = index

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        return self

    def __exit__(self, *_: object) -> None:
        """`with device("cpu"):` makes tensors where they are made anyway."""

    def __reduce__(self) -> Any:
        return (device, (str(self),))


def get_default_device() -> device:
    """Where tensors are made: the CPU."""
    return device("cpu")


def set_default_device(to: str | device | None) -> None:
    """Accepts the CPU. Raises RuntimeError for any other device."""
    device(to or "cpu")


class _Named:
    """A named constant such as `strided`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


class layout(_Named):
    """How a tensor's elements are laid out; `strided` is the only one."""


class memory_format(_Named):
    """A memory order; `contiguous_format` and `preserve_format` are known."""


strided = layout("torch.strided")
contiguous_format = memory_format("torch.contiguous_format")
preserve_format = memory_format("torch.preserve_format")

_C._set_python_types(Size, device, device("cpu"))
