"""Files of named tensors without pickles: the safetensors format, and the arrays of NumPy's .npz."""

from __future__ import annotations

import ast
import json
import struct
import sys
from typing import IO, Any

from . import _C
from ._archive import ArchiveWriter
from ._bytes import bytes_of, memory_from
from ._C import Tensor
from ._pickle_reader import FileError

_NAMES = {
    "F16": "float16", "BF16": "bfloat16", "U16": "uint16", "U32": "uint32", "U64": "uint64",
    "F32": "float32", "F64": "float64", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
_CODES = {name: code for code, name in _NAMES.items()}
_NUMPY = {
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "b1": "bool",
}
_NUMPY_NAMES = {name: kind for kind, name in _NUMPY.items()}


def write(tensors: Any, file: IO[bytes]) -> None:
    """Writes a dict of tensors by name. Raises ValueError for anything else, and for a dtype that the format has not."""
    _check_named(tensors, "a safetensors file")
    header: dict[str, Any] = {}
    contents, end = [], 0
    # Wide elements first: so all are aligned.
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        code = _CODES.get(str(tensor.dtype).removeprefix("torch."))
        if code is None:
            raise ValueError(f"save: safetensors files of {tensor.dtype} are not written")
        content = bytes_of(tensor.detach().contiguous())
        header[name] = {"dtype": code, "shape": list(tensor.shape), "data_offsets": [end, end + len(content)]}
        contents.append(content)
        end += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for content in contents:
        file.write(content)


def _check_named(tensors: Any, what: str) -> None:
    if not isinstance(tensors, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in tensors.items()
    ):
        raise ValueError(f"save: {what} holds a dict of tensors by name")


def read(data: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name. Raises FileError for one that is damaged."""
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > len(data) - 8:
            raise ValueError("its header is longer than the file")
        header = json.loads(data[8 : 8 + length])
        rows = {name: row for name, row in header.items() if name != "__metadata__"}
        if sum(end - start for start, end in (row["data_offsets"] for row in rows.values())) > len(data):
            raise ValueError("its tensors are larger than the file")
        return {name: _read_row(row, data, 8 + length) for name, row in rows.items()}
    except NotImplementedError:
        raise  # of a dtype that tensors do not have
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, RecursionError, struct.error) as error:
        raise FileError(f"load: a safetensors file that is damaged: {error}") from None


def _read_row(row: Any, data: bytes, start: int) -> Tensor:
    if row["dtype"] not in _NAMES:
        raise ValueError(f"gradcore has no tensors of its dtype {row['dtype']!r:.20}")
    first, last = row["data_offsets"]
    if not 0 <= first <= last <= len(data) - start:
        raise ValueError("a tensor lies outside of the file")
    return _shaped(data[start + first : start + last], _NAMES[row["dtype"]], row["shape"])


def _shaped(content: bytes, name: str, shape: Any) -> Tensor:
    target = getattr(_C, name)
    count = 1
    for size in shape:
        if type(size) is not int or size < 0:
            raise ValueError("a size is no natural number")
        count *= size
    if count * target.itemsize != len(content):
        raise ValueError("a tensor has another size than its shape")
    return memory_from(content, target).reshape(tuple(shape))


def write_npz(tensors: Any, file: IO[bytes]) -> None:
    """Writes a dict of tensors by name, as numpy.savez does. Raises ValueError for anything else."""
    _check_named(tensors, "an .npz file")
    archive = ArchiveWriter(file)
    for name, tensor in tensors.items():
        archive.add(f"{name}.npy", _npy_of(tensor))
    archive.close()


def _npy_of(tensor: Tensor) -> bytes:
    kind = _NUMPY_NAMES[str(tensor.dtype).removeprefix("torch.")]
    order = "|" if kind[1] == "1" else "<" if sys.byteorder == "little" else ">"
    text = f"{{'descr': '{order}{kind}', 'fortran_order': False, 'shape': {tuple(tensor.shape)}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1")
    return head + bytes(bytes_of(tensor.detach().contiguous()))


def read_npy(data: bytes) -> Tensor:
    """The tensor of an array of NumPy. Raises FileError for a damaged one, and for one that is no numbers."""
    try:
        if data[:6] != b"\x93NUMPY" or data[6] not in (1, 2, 3):
            raise ValueError("it is no array of NumPy")
        layout = "<H" if data[6] == 1 else "<I"
        start = 8 + struct.calcsize(layout)
        (length,) = struct.unpack_from(layout, data, 8)
        if length > 10_000:
            raise ValueError("its header is too long")
        header = ast.literal_eval(data[start : start + length].decode("latin1"))
        kind = header["descr"]
        if not isinstance(kind, str) or kind[:1] not in "<|" or kind[1:] not in _NUMPY:
            raise ValueError(f"gradcore has no tensors of its dtype {kind!r:.40}")
        shape = header["shape"]
        content = data[start + length :]
        if header["fortran_order"]:
            return _shaped(content, _NUMPY[kind[1:]], shape[::-1]).permute(tuple(range(len(shape)))[::-1])
        return _shaped(content, _NUMPY[kind[1:]], shape)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        SyntaxError,
        MemoryError,
        RecursionError,
        struct.error,
    ) as error:
        raise FileError(f"load: an array of NumPy that is damaged: {error}") from None
