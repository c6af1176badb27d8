"""Size, device and the other small types that are plain Python. They are handed to the C++ core at import."""

from __future__ import annotations

from . import _C
from ._class_names import belongs_to
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any
else:
    from ._lazy import Any


@belongs_to("gradcore")
class Size(_C._Size):
    """The shape of a tensor: a tuple of ints that prints as torch's.

    >>> import gradcore
    >>> gradcore.zeros(2, 3).shape
    torch.Size([2, 3])
    >>> gradcore.Size([2, 3]).numel()
    6
    """

    __slots__ = ()


# What torch knows by name. A device is an object for each of them; only a tensor there is refused.
_DEVICE_TYPES = (
    "cpu cuda ipu xpu mkldnn opengl opencl ideep hip ve fpga maia xla lazy vulkan mps meta hpu mtia privateuseone"
).split()


_devices: dict[str | device, device] = {}


@belongs_to("gradcore")
class device:
    """Where a tensor lives: on the CPU, or on "meta", where it has a shape, a dtype and no values. Others can be named,
    compared and printed.

    >>> import gradcore
    >>> gradcore.device("cpu")
    device(type='cpu')
    >>> gradcore.device("cuda:1").index
    1

    Raises RuntimeError for a name that torch does not know and for a bare index. A tensor cannot be made on, or moved
    to, another device than the CPU: AssertionError for "cuda" and "xpu", RuntimeError or NotImplementedError for others.
    """

    __slots__ = ("type", "index")

    type: str
    index: int | None

    # One object for each name, which nobody can change: programs name the device in their loops.
    def __new__(cls, type: str | device, index: int | None = None) -> device:
        known = _devices.get(type) if index is None and type.__class__ is str else None
        if known is not None:
            return known
        self = super().__new__(cls)
        name, index = cls._parts(type, index)
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)
        if index is None:
            _devices[name] = self
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__slots__:
            raise AttributeError(f"attribute {name!r} of 'torch.device' objects is not writable")
        raise AttributeError(f"'torch.device' object has no attribute {name!r}")

    @staticmethod
    def _parts(type: str | device, index: int | None) -> tuple[str, int | None]:
        if isinstance(type, device) and index is None:
            return type.type, type.index
        if isinstance(type, int) and not isinstance(type, bool) and index is None:
            raise RuntimeError("Cannot access accelerator device when none is available.")
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type.__class__.__name__}")
        name, colon, number = type.partition(":")
        if colon and index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
        if colon and (not number.isdecimal() or str(int(number)) != number):
            raise RuntimeError(f"Invalid device string: {type!r}")
        if name not in _DEVICE_TYPES:
            raise RuntimeError(
                f"Expected one of {', '.join(_DEVICE_TYPES)} device type at start of device string: {type}"
            )
        if colon:
            index = int(number)
        elif index is not None and (isinstance(index, bool) or not hasattr(index, "__index__")):
            raise TypeError(f"device(): argument 'index' must be int, not {index.__class__.__name__}")
        if index is not None and index < 0:
            raise RuntimeError("Device index must not be negative")
        return name, index

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
        _C._enter_device(check_device(self))
        return self

    def __exit__(self, *_: object) -> None:
        """`with device("meta"):` makes tensors there, `with device("cpu"):` where they are made anyway."""
        _C._leave_device()

    def __call__(self, function: Any) -> Any:
        """As a decorator of functions that make tensors: what is not told where makes them here."""
        import functools

        check_device(self)

        @functools.wraps(function)
        def on_device(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return on_device

    def __reduce__(self) -> Any:
        return (device, (str(self),))

    @staticmethod
    def _check(place: str | device) -> bool:
        return check_device(place)  # the C++ core calls it for every device but the plain CPU


def check_device(place: str | device) -> bool:
    """Whether `place` is "meta". Raises what torch's CPU build raises for a tensor there, unless it is the CPU."""
    kind = device(place).type
    if kind in ("cpu", "meta"):
        return kind == "meta"
    if kind in ("cuda", "xpu"):
        raise AssertionError(f"Torch not compiled with {kind.upper()} enabled: gradcore runs on the CPU only")
    raise RuntimeError(f"gradcore is not linked with support for {kind} devices: it runs on the CPU only")


def check_cpu(place: str | device) -> None:
    """Raises for every place but the CPU: for storages, files and windows, which have values."""
    if check_device(place):
        raise NotImplementedError("what has values is not made on the device meta: it has memory, on the CPU")


def get_default_device() -> device:
    """Where tensors are made: the CPU, or "meta" in `with device("meta")`.

    >>> import gradcore
    >>> gradcore.get_default_device()
    device(type='cpu')
    """
    return device("meta" if _C._makes_meta() else "cpu")


def set_default_device(device: str | device | None) -> None:
    """Where tensors are made that are not told where: the CPU or "meta". Another device is refused at once; torch refuses the
    first tensor that is made there.

    >>> import gradcore
    >>> gradcore.set_default_device("cpu")
    """
    _C._set_default_device(check_device(device or "cpu"))


class _Named:
    """A named constant such as `strided`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name.removeprefix("torch.")  # the constant of this module, itself


@belongs_to("gradcore")
class layout(_Named):
    """How a tensor's elements are laid out: `strided`. The sparse ones are names to compare with.

    >>> import gradcore
    >>> gradcore.ones(2).layout
    torch.strided
    """


@belongs_to("gradcore")
class memory_format(_Named):
    """A memory order: `contiguous_format`; `channels_last` of images (N, C, H, W) and `channels_last_3d` of volumes, where
    the channels of one place lie side by side; `preserve_format`, which keeps what is there.

    >>> import gradcore
    >>> gradcore.zeros(2, 3, 4, 5).to(memory_format=gradcore.channels_last).stride()
    (60, 1, 15, 3)
    """


strided = layout("torch.strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged = (
    layout(f"torch.{name}") for name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged")
)
contiguous_format = memory_format("torch.contiguous_format")
preserve_format = memory_format("torch.preserve_format")
channels_last = memory_format("torch.channels_last")
channels_last_3d = memory_format("torch.channels_last_3d")

_C._set_python_types(Size, device("cpu"), strided, contiguous_format, preserve_format, channels_last, channels_last_3d)
