"""Zip archives of uncompressed members, for files of tensors: a writer, and where a member's bytes lie.

zipfile reads their lists; it would spend more time on a small member than pickling does, and copies a large one.
Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import threading
from typing import IO, TYPE_CHECKING, Any
from zlib import crc32

from ._pickle_reader import FileError

if TYPE_CHECKING:
    import zipfile

ALIGNMENT = 64  # of members' contents, so that load can map them
_DATE = 33  # 1 January 1980: the same objects give the same file
_LARGE = 1 << 22  # bytes of a content whose checksum is worth a thread
_SMALL = 0xFFFFFFFF  # what does not fit into 32 bits stands in the extra field of ZIP64


class ArchiveWriter:
    """Writes members one after the other to a file, from its place on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = file.tell() if hasattr(file, "tell") else 0
        self._can_seek = hasattr(file, "seekable") and file.seekable()
        self._directory: list[bytes] = []

    def add(self, name: str, content: Any) -> None:
        """A member of this content, which is bytes or a memoryview of them."""
        path, size, offset = name.encode(), len(content), self._position
        large = size >= _LARGE and self._can_seek
        sizes = struct.pack("<QQ", size, size) if size >= _SMALL else b""
        extra = struct.pack("<HH", 1, 16) + sizes if sizes else b""
        padding = -(offset + 30 + len(path) + len(extra) + 4) % ALIGNMENT
        extra += struct.pack("<HH", 0x4246, padding) + bytes(padding)
        facts = _facts(path, size, 0 if large else crc32(content), len(extra))
        self._write(b"PK\x03\x04" + facts + path + extra)
        if large:
            facts = _facts(path, size, self._write_large(content), len(extra))
            self._file.seek(offset + 4)
            self._file.write(facts)
            self._file.seek(self._position)
        else:
            self._write(content)
        self._directory.append(_entry(path, facts, sizes, offset))

    def _write_large(self, content: Any) -> int:
        """Writes, and takes the checksum meanwhile."""
        checksums: list[int] = []
        thread = threading.Thread(target=lambda: checksums.append(crc32(content)))
        thread.start()
        try:
            self._write(content)
        finally:
            thread.join()
        return checksums[0]

    def _write(self, data: Any) -> None:
        self._file.write(data)
        self._position += len(data)

    def close(self) -> None:
        """Writes the list of members. The file stays open."""
        count, offset = len(self._directory), self._position
        directory = b"".join(self._directory)
        end = b""
        if count >= 0xFFFF or offset >= _SMALL or len(directory) >= _SMALL:
            here = self._position + len(directory)
            end += struct.pack("<LQ2H2L4Q", 0x06064B50, 44, 45, 45, 0, 0, count, count, len(directory), offset)
            end += struct.pack("<LLQL", 0x07064B50, 0, here, 1)
        counts = min(count, 0xFFFF)
        end += struct.pack(
            "<L4H2LH", 0x06054B50, 0, 0, counts, counts, min(len(directory), _SMALL), min(offset, _SMALL), 0
        )
        self._write(directory + end)


def _facts(path: bytes, size: int, checksum: int, extra: int) -> bytes:
    """What a member's head and its line in the list both have."""
    stored = min(size, _SMALL)
    return struct.pack("<5H3L2H", 45, 0x800, 0, 0, _DATE, checksum, stored, stored, len(path), extra)


def _entry(path: bytes, facts: bytes, sizes: bytes, offset: int) -> bytes:
    """A member's line in the list at the archive's end."""
    wide = sizes + struct.pack("<Q", offset) if offset >= _SMALL else sizes
    extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
    place = struct.pack("<4HLL", len(extra), 0, 0, 0, 0, min(offset, _SMALL))
    return b"PK\x01\x02" + struct.pack("<H", 45) + facts[:-2] + place + path + extra


def start_of(info: zipfile.ZipInfo, file: IO[bytes]) -> int:
    """Where the content of a member begins in its file. Raises FileError where no member begins."""
    file.seek(info.header_offset)
    head = file.read(30)
    if len(head) != 30 or head[:4] != b"PK\x03\x04":
        raise FileError(f"load: the file is damaged: member {info.filename!r:.200} is not where it should be")
    name, extra = struct.unpack_from("<HH", head, 26)
    return int(info.header_offset + 30 + name + extra)


def read_into(target: memoryview, info: zipfile.ZipInfo, file: IO[bytes]) -> None:
    """Reads the content of a member. Raises FileError where it is cut off or has another checksum."""
    file.seek(start_of(info, file))
    done, checksum = 0, 0
    while done < len(target):
        part = target[done : done + (1 << 20)]  # its checksum is taken while it is in the cache
        count = _read(file, part)
        if not count:
            raise FileError(f"load: the file is damaged: member {info.filename!r:.200} ends too early")
        checksum = crc32(part[:count], checksum)
        done += count
    if checksum != info.CRC:
        raise FileError(f"load: the file is damaged: member {info.filename!r:.200} has another checksum")


def _read(file: Any, part: memoryview) -> int:
    if hasattr(file, "readinto"):
        return int(file.readinto(part))
    data = file.read(len(part))
    part[: len(data)] = data
    return len(data)
