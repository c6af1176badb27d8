"""A reader of pickles that runs nothing: what files of tensors hold is built, anything else is an error. Start at Reader.

Memory is bounded by the length of the data: every opcode makes at most what it spells out.
"""

from __future__ import annotations

import functools
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pickle import UnpicklingError
from typing import Any

from ._class_names import torch_module

_MARK = object()


class FileError(UnpicklingError, RuntimeError):
    """A file is damaged, or holds what it may not. Both, because torch.load raises the one or the other."""


class EmptyFileError(FileError, EOFError):
    """A file has nothing in it: torch.load raises an EOFError then."""


# What add_safe_globals() lets files use, by torch's module and name.
allowed: dict[tuple[str, str], Any] = {}


class _Known:
    """A global that the reader knows: calling it is allowed, and nothing else."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


def _is_allowed(item: Any) -> bool:
    return any(item is known for known in allowed.values())


def check_key(key: Any, depth: int = 0) -> None:
    """Keys are plain: the hash of tuples nested in each other would take exponential time."""
    if isinstance(key, (str, int, float, bytes, type(None), complex)):
        return
    if isinstance(key, tuple) and depth < 3 and len(key) < 64:
        for item in key:
            check_key(item, depth + 1)
        return
    raise FileError(f"load: a {type(key).__name__} is no key or item of a set that the file may have")


class Reader:
    """Reads one pickle after another from `data`, beginning at `position`.

    `known(module, name)` gives what a global stands for, or raises: a callable that may be called, or a value.
    `persistent_load(pid)` gives what a persistent id stands for. Raises FileError for anything that is damaged or
    that only a real unpickler may do. `encoding` and `errors` are for strings that Python 2 wrote, as in pickle.load().
    """

    def __init__(
        self,
        data: bytes,
        known: Callable[[str, str], Any],
        persistent_load: Callable[[Any], Any] | None = None,
        position: int = 0,
        encoding: str | None = None,
        errors: str = "strict",
    ) -> None:
        self.data, self.position = data, position
        self._encoding, self._errors = encoding, errors
        self._known, self._persistent_load = known, persistent_load
        self.protocol = 2  # what the last pickle says

    def load(self) -> Any:
        """The next object."""
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._copied = 0
        try:
            while True:
                code = self._take(1)[0]
                if code == 0x2E:  # STOP
                    return self._value(self._stack.pop())
                handler = _HANDLERS.get(code)
                if handler is None:
                    raise FileError(f"load: the file has a pickle opcode that loading does not need: {code:#04x}")
                handler(self)
        except (UnpicklingError, NotImplementedError):
            raise
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            ArithmeticError,
            RuntimeError,
            struct.error,
        ) as error:
            raise FileError(f"load: the file is damaged: {error}") from None

    # ---- reading ----

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise FileError("load: the file is damaged: it ends too early")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _protocol(self) -> None:
        self.protocol = self._take(1)[0]

    def _old_string(self, length: int) -> str | bytes:
        """What Python 2 wrote for a str."""
        taken = self._take(length)
        if self._encoding:
            return taken if self._encoding == "bytes" else taken.decode(self._encoding, self._errors)
        try:
            return taken.decode("utf-8")
        except UnicodeDecodeError:
            return taken.decode("latin1")  # every byte is a character

    def _line(self) -> str:
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise FileError("load: the file is damaged: it ends too early")
        return self._take(end + 1 - self.position)[:-1].decode("utf-8")

    def _number(self, layout: str) -> int:
        number: int = struct.unpack(layout, self._take(struct.calcsize(layout)))[0]
        return number

    def _value(self, item: Any) -> Any:
        if item is _MARK:
            raise FileError("load: the file is damaged: a mark stands for a value")
        return item

    def _push(self, item: Any) -> None:
        self._stack.append(item)

    def _pop(self) -> Any:
        return self._value(self._stack.pop())

    def _since_mark(self) -> list[Any]:
        for start in range(len(self._stack) - 1, -1, -1):
            if self._stack[start] is _MARK:
                items = self._stack[start + 1 :]
                del self._stack[start:]
                return items
        raise FileError("load: the file is damaged: a mark is missing")

    # ---- containers ----

    def _tuple(self, count: int) -> None:
        items = tuple(self._pop() for _ in range(count))
        self._push(items[::-1])

    def _append(self, items: Iterable[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise FileError("load: the file is damaged: it appends to what is no list")
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) not in (dict, OrderedDict) or len(items) % 2:
            raise FileError("load: the file is damaged: it sets items of what is no dict")
        for key, value in zip(items[::2], items[1::2]):
            check_key(key)
            target[key] = value

    def _dict(self) -> None:
        items = self._since_mark()
        self._push({})
        self._set_items(items)

    def _add_items(self) -> None:
        items, target = self._since_mark(), self._stack[-1]
        if type(target) is not set:
            raise FileError("load: the file is damaged: it adds to what is no set")
        for item in items:
            check_key(item)
            target.add(item)

    def _frozenset(self) -> None:
        items = self._since_mark()
        for item in items:
            check_key(item)
        self._push(frozenset(items))

    def _remember(self, index: int) -> None:
        self._memo[index] = self._value(self._stack[-1])

    # ---- what would run code ----

    def _global(self, module: str, name: str) -> None:
        place = torch_module(module), name
        if place in allowed:
            return self._push(allowed[place])
        found = self._known(module, name)
        self._push(_Known(found) if callable(found) else found)

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._global(str(module), str(name))

    def _call(self) -> None:
        arguments, function = self._pop(), self._pop()
        call = function.function if type(function) is _Known else function if _is_allowed(function) else None
        if call is None or type(arguments) is not tuple:
            raise FileError("load: the file calls what is no function of its own format")
        for argument in arguments:
            if type(argument) in (str, bytes, bytearray, list, tuple, set):
                self._copied += len(argument)
        if self._copied > len(self.data):  # one list, given to many calls that copy it
            raise FileError("load: the file makes more than it holds")
        self._push(call(*arguments))

    def _make(self) -> None:
        """An instance by its class's __new__. The reader's own functions stand for both ways to make one."""
        cls = self._stack[-2]
        if isinstance(cls, type) and _is_allowed(cls):
            self._stack[-2] = _Known(functools.partial(cls.__new__, cls))
        self._call()

    def _build(self) -> None:
        state, target = self._pop(), self._stack[-1]
        if _is_allowed(type(target)):
            set_state = getattr(target, "__setstate__", None)
            set_state(state) if set_state else vars(target).update(state)
            return
        if type(target) is not OrderedDict or type(state) is not dict or not all(type(key) is str for key in state):
            raise FileError(
                f"load: the file sets the state of a {type(target).__name__}, which only OrderedDict may have"
            )
        if not set(state) <= {"_metadata"}:
            raise FileError("load: the file sets attributes of an OrderedDict that a state dict does not have")
        vars(target).update(state)

    def _persistent(self, pid: Any) -> None:
        if self._persistent_load is None:
            raise FileError("load: the file names a storage where there can be none")
        self._push(self._persistent_load(pid))


def _text(reader: Reader) -> str:
    """Protocol 0 writes a str as its repr."""
    line = reader._line()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"":
        raise FileError("load: the file is damaged: a string has no quotes")
    return line[1:-1].encode("latin1").decode("unicode_escape")


def _int_line(reader: Reader) -> int | bool:
    line = reader._line()
    return line == "01" if line in ("00", "01") else int(line)


def _long(data: bytes) -> int:
    if len(data) > 1024:
        raise FileError("load: the file has an int of more than 1024 bytes")
    return int.from_bytes(data, "little", signed=True)


_HANDLERS: dict[int, Callable[[Reader], Any]] = {
    0x80: Reader._protocol,
    0x95: lambda r: r._take(8),  # FRAME
    ord("("): lambda r: r._push(_MARK),
    ord("0"): lambda r: r._stack.pop(),
    ord("1"): lambda r: r._since_mark(),
    ord("2"): lambda r: r._push(r._value(r._stack[-1])),
    ord("N"): lambda r: r._push(None),
    0x88: lambda r: r._push(True),
    0x89: lambda r: r._push(False),
    ord("I"): lambda r: r._push(_int_line(r)),
    ord("J"): lambda r: r._push(r._number("<i")),
    ord("K"): lambda r: r._push(r._number("<B")),
    ord("M"): lambda r: r._push(r._number("<H")),
    ord("L"): lambda r: r._push(int(r._line().rstrip("L"))),
    0x8A: lambda r: r._push(_long(r._take(r._number("<B")))),
    0x8B: lambda r: r._push(_long(r._take(r._number("<i")))),
    ord("F"): lambda r: r._push(float(r._line())),
    ord("G"): lambda r: r._push(struct.unpack(">d", r._take(8))[0]),
    ord("S"): lambda r: r._push(_text(r)),
    ord("V"): lambda r: r._push(r._line().encode("latin1").decode("raw_unicode_escape")),
    ord("T"): lambda r: r._push(r._old_string(r._number("<i"))),
    ord("U"): lambda r: r._push(r._old_string(r._number("<B"))),
    ord("X"): lambda r: r._push(r._take(r._number("<I")).decode("utf-8", "surrogatepass")),
    0x8C: lambda r: r._push(r._take(r._number("<B")).decode("utf-8", "surrogatepass")),
    0x8D: lambda r: r._push(r._take(r._number("<Q")).decode("utf-8", "surrogatepass")),
    ord("B"): lambda r: r._push(r._take(r._number("<I"))),
    ord("C"): lambda r: r._push(r._take(r._number("<B"))),
    0x8E: lambda r: r._push(r._take(r._number("<Q"))),
    0x96: lambda r: r._push(bytearray(r._take(r._number("<Q")))),
    ord("]"): lambda r: r._push([]),
    ord("a"): lambda r: r._append([r._pop()]),
    ord("e"): lambda r: r._append(r._since_mark()),
    ord("l"): lambda r: r._push(r._since_mark()),
    ord(")"): lambda r: r._push(()),
    ord("t"): lambda r: r._push(tuple(r._since_mark())),
    0x85: lambda r: r._tuple(1),
    0x86: lambda r: r._tuple(2),
    0x87: lambda r: r._tuple(3),
    ord("}"): lambda r: r._push({}),
    ord("d"): Reader._dict,
    ord("s"): lambda r: r._set_items([r._pop(), r._pop()][::-1]),
    ord("u"): lambda r: r._set_items(r._since_mark()),
    0x8F: lambda r: r._push(set()),
    0x90: Reader._add_items,
    0x91: Reader._frozenset,
    ord("g"): lambda r: r._push(r._memo[int(r._line())]),
    ord("h"): lambda r: r._push(r._memo[r._number("<B")]),
    ord("j"): lambda r: r._push(r._memo[r._number("<I")]),
    ord("p"): lambda r: r._remember(int(r._line())),
    ord("q"): lambda r: r._remember(r._number("<B")),
    ord("r"): lambda r: r._remember(r._number("<I")),
    0x94: lambda r: r._remember(len(r._memo)),
    ord("c"): lambda r: r._global(r._line(), r._line()),
    0x93: Reader._stack_global,
    ord("R"): Reader._call,
    0x81: Reader._make,
    ord("b"): Reader._build,
    ord("Q"): lambda r: r._persistent(r._pop()),
}
