"""Files that somebody damaged, or made to do harm, and what load() makes of them.

    python tests/files/hostile.py 100000        as many of them, in a process whose memory is limited
    python tests/files/hostile.py 100000 7      from another seed on

What comes of a file is the one error that load() documents, or a value: where the change hit what no checksum covers, or
nothing that is read. Anything else is a finding and is printed with its number. A test runs a few thousand.
"""

from __future__ import annotations

import io
import pickle
import random
import resource
import struct
import sys
import tarfile
import time
import warnings
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator

import numpy as np

import gradcore
from gradcore import _safetensors


class Runs:
    """Its pickle runs code."""

    def __reduce__(self):
        return eval, ("1 / 0",)


def archive_of(data, storages=(), compression=zipfile.ZIP_STORED, folder="archive"):
    """A file as save() writes it, of a pickle and contents of storages."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(f"{folder}/data.pkl", data)
        archive.writestr(f"{folder}/byteorder", "little")
        for i, content in enumerate(storages):
            archive.writestr(f"{folder}/data/{i}", content)
    file.seek(0)
    return file


class _Numbered(pickle.Pickler):
    """Writes arrays as their numbers."""

    def __init__(self, file, numbers):
        super().__init__(file, 2)
        self.numbers = numbers

    def persistent_id(self, obj):
        return self.numbers.get(id(obj))


def _named(module, *fields):
    """A pickle of a tuple: numbers and strings, and at last a class that this process does not have."""
    *plain, name = fields
    opcodes = b"".join(pickle.dumps(field, 2)[2:-1] for field in plain)
    return b"\x80\x02(" + opcodes + f"c{module}\n{name}\n".encode() + b"t."


_KINDS = {"f4": "Float", "f8": "Double", "i8": "Long", "i4": "Int", "u1": "Byte", "f2": "Half"}


def tar_of(value, arrays, module="torch", text_numbers=False):
    """A tar file as the first releases of torch wrote it: `value`, in which `arrays` stand for tensors.

    Each (array, base) shares the memory of the array `base`, of which it is a view; a base of None is one of its own.
    """
    bases = {id(array): array if base is None else base for array, base in arrays}
    storages, tensors, keys, numbers = io.BytesIO(), io.BytesIO(), {}, {}
    unique = list({id(base): base for base in bases.values()}.values())
    storages.write(pickle.dumps(len(unique), 2))
    for base in unique:
        keys[id(base)] = 1000 + len(keys)
        kind = _KINDS[base.dtype.str[1:]]
        storages.write(_named(module, keys[id(base)], "cpu", f"{kind}Storage"))
        storages.write(struct.pack("<q", base.size) + base.tobytes())
    views = [(2000 + i, keys[id(base)], 1, base.size - 1) for i, base in enumerate(unique) if base.size > 1]
    storages.write(pickle.dumps(views, 2))
    tensors.write(pickle.dumps(len(arrays), 2))
    for array, _ in arrays:
        base, number = bases[id(array)], 3000 + len(numbers)
        numbers[id(array)] = str(number) if text_numbers else number
        offset = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // array.itemsize
        kind = _KINDS[array.dtype.str[1:]]
        tensors.write(_named(module, number, keys[id(base)], f"{kind}Tensor"))
        strides = [stride // array.itemsize for stride in array.strides]
        tensors.write(struct.pack(f"<ii{2 * array.ndim + 1}q", array.ndim, 0, *array.shape, *strides, offset))
    pickled = io.BytesIO()
    _Numbered(pickled, numbers).dump(value)
    return tar_archive(storages=storages.getvalue(), tensors=tensors.getvalue(), pickle=pickled.getvalue())


def tar_archive(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1.5  # a time that needs a header of its own
            tar.addfile(info, io.BytesIO(content))
    file.seek(0)
    return file


NESTED_TUPLES = (
    b"\x80\x02]q\x00"
    + b"".join(b"(h" + bytes([i]) + b"h" + bytes([i]) + b"tq" + bytes([i + 1]) for i in range(100))
    + b"."
)
# Pickles that are no files of tensors, each of which must be refused.
PICKLES = {
    "code": pickle.dumps(Runs(), 2),
    "a length": b"\x80\x02c__builtin__\nbytearray\nJ\x00\x00\x00\x40\x85R.",
    "nothing": b"",
    "no stop": b"\x80\x02N",
    "a hash that never ends": NESTED_TUPLES[:-1] + b"q\xfe0}h\x64Ns.",
    "an os function": b"cos\nsystem\n(S'true'\ntR.",
    "a method": b"cbuiltins\ngetattr\n.",
    "a mark as a value": b"(.",
    "no mark": b"Ne.",
    "a memo that is not there": b"h\x05.",
    "append to none": b"NNa.",
    "bad utf-8": b"X\x01\x00\x00\x00\xff.",
    "too long": b"X\xff\xff\xff\x7fa.",
    "a negative length": b"T\xff\xff\xff\xffa.",
    "state of a list": b"]}b.",
    "an unknown opcode": b"\x82\x01.",
    "many copies": b"\x80\x02]q\x00(" + b"K\x01" * 500 + b"e" + b"c__builtin__\nset\nq\x010" + b"h\x01h\x00\x85R0" * 500 + b"h\x00.",
    "attributes": b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.",
}  # fmt: skip


def plain_files() -> list[bytes]:
    """Files of all kinds that load, to be damaged."""
    model = gradcore.nn.Sequential(gradcore.nn.Linear(2, 3), gradcore.nn.ReLU(), gradcore.nn.Linear(3, 1))
    optimizer = gradcore.optim.Adam(model.parameters())
    model(gradcore.ones(4, 2)).sum().backward()
    optimizer.step()
    x = gradcore.arange(12.0)
    values = [
        x.reshape(3, 4), [x, x[2:], 3, "text", None, b"bytes", (1, 2)], OrderedDict(a=gradcore.zeros(0), b={"x": {1, 2}}),
        gradcore.tensor([True, False]), model.state_dict(), optimizer.state_dict(), [1.5, 10**30, bytearray(b"abc")],
    ]  # fmt: skip
    files = [_saved(lambda file, value=value: gradcore.save(value, file)) for value in values]
    named = {"a": gradcore.ones(3), "b": gradcore.zeros(2, 2, dtype=gradcore.int64), "c": gradcore.tensor([True])}
    files.append(_saved(lambda file: _safetensors.write(named, file)))
    files.append(_saved(lambda file: _safetensors.write_npz(named, file)))
    base = np.arange(6, dtype="f4")
    arrays = [base, base[2:].reshape(2, 2).T]
    files.append(tar_of({"a": arrays[0], "b": [arrays[1], 1]}, [(array, base) for array in arrays]).getvalue())
    try:
        import torch
    except ImportError:
        return files
    old = {"a": torch.arange(6.0).reshape(2, 3), "b": [torch.ones(2), 1]}
    return [*files, _saved(lambda file: torch.save(old, file, _use_new_zipfile_serialization=False))]


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


# ---- what is done to a file


def flip_bits(data: bytes, source: random.Random) -> bytes:
    """One to four bits are others."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 4)):
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def change_bytes(data: bytes, source: random.Random) -> bytes:
    """Bytes are changed, cut out, or put in."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 3)):
        place = source.randrange(len(changed) or 1)
        match source.randrange(3):
            case 0 if changed:
                changed[place] = source.randrange(256)
            case 1:
                del changed[place : place + source.randint(1, 8)]
            case _:
                changed[place:place] = bytes(source.randrange(256) for _ in range(source.randint(1, 4)))
    return bytes(changed)


def cut_off(data: bytes, source: random.Random) -> bytes:
    """It ends too early, or begins too late."""
    place = source.randrange(len(data))
    return data[:place] if source.randrange(4) else data[place:]


def move_parts(data: bytes, source: random.Random) -> bytes:
    """A part stands elsewhere, or twice."""
    first, last = sorted(source.randrange(len(data)) for _ in range(2))
    place = source.randrange(len(data))
    return data[:place] + data[first : first + min(last - first, 4096)] + data[place:]


def change_numbers(data: bytes, source: random.Random) -> bytes:
    """Sizes and places of 2, 4 or 8 bytes are edges of their range."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 3)):
        width, layout = source.choice([(2, "<H"), (4, "<I"), (8, "<Q")])
        if len(changed) <= width:
            break
        top = 256**width
        number = source.choice([0, 1, top - 1, top // 2, top // 2 - 1, top - 2, source.randrange(top)])
        struct.pack_into(layout, changed, source.randrange(len(changed) - width), number)
    return bytes(changed)


def change_archive(data: bytes, source: random.Random) -> bytes:
    """A zip archive whose members have other names, sizes, kinds, or stand twice: its checksums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, NotImplementedError):
        return change_numbers(data, source)
    at = source.randrange(len(members))
    name, content = members[at]
    folder = name.partition("/")[0]
    match source.randrange(8):
        case 0:
            members[at] = (
                source.choice(
                    ["../" + name, "/" + name, name + "/", "", name.upper(), f"{folder}/..//{name}", "\0" + name]
                ),
                content,
            )
        case 1:
            members[at] = name, content + bytes(source.randint(1, 100))
        case 2:
            members[at] = name, content[: source.randrange(len(content) + 1)]
        case 3:
            members.append((name, bytes(source.randrange(256) for _ in range(len(content)))))
        case 4:
            members.append((f"{source.choice(['other', folder])}/data.pkl", content))
        case 5:
            del members[at]
        case 6:
            members[at] = name, flip_bits(content, source) if content else b"x"
        case 7:
            members[at] = name, bytes(1 << source.randint(10, 22))  # a bomb, where it is compressed
    out = io.BytesIO()
    compression = source.choice([zipfile.ZIP_STORED] * 3 + [zipfile.ZIP_DEFLATED])
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", compression) as archive:
        warnings.simplefilter("ignore")  # a name that stands twice
        for member, bytes_ in members:
            archive.writestr(zipfile.ZipInfo(member), bytes_, compress_type=compression)
    return out.getvalue()


def change_pickle(data: bytes, source: random.Random) -> bytes:
    """A sound archive around a damaged pickle: no checksum stands before the reader."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
            pickled = archive.read(name)
            storages = [archive.read(member) for member in archive.namelist() if "/data/" in member]
    except (zipfile.BadZipFile, ValueError):
        return flip_bits(data, source)
    if source.randrange(10) == 0:
        pickled = source.choice(list(PICKLES.values()))
    change = source.choice([flip_bits, change_bytes, cut_off, move_parts, change_numbers])
    return archive_of(change(pickled, source) if pickled else b"", storages).getvalue()


CHANGES = [flip_bits, change_bytes, cut_off, move_parts, change_numbers, change_archive, change_pickle, change_pickle]


# ---- what comes of it


def outcomes(count: int, seed: int = 0) -> Iterator[tuple[str, int, int, BaseException | None]]:
    """For each file what came of it ("refused", "a value" or "not there"), its number and length; else the exception."""
    files = plain_files()
    for number in range(count):
        source = random.Random(f"{seed}.{number}")
        data = source.choice(CHANGES)(source.choice(files), source)
        try:
            gradcore.load(io.BytesIO(data))
        except NotImplementedError:  # a dtype, or a format, that gradcore does not have
            yield "not there", number, len(data), None
        except pickle.UnpicklingError as error:
            yield ("refused" if isinstance(error, RuntimeError) else "other"), number, len(data), error
        except BaseException as error:
            yield "other", number, len(data), error
        else:
            yield "a value", number, len(data), None


def main() -> int:
    """The command line."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for _ in outcomes(200, seed):  # what is imported and pooled once
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    limit = pages * resource.getpagesize() + (256 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    found: Counter[str] = Counter()
    longest = slowest = 0.0
    begin = last = time.perf_counter()
    for outcome, number, length, error in outcomes(count, seed):
        now = time.perf_counter()
        longest, slowest, last = max(longest, length), max(slowest, now - last), now
        found[outcome] += 1
        if outcome == "other":
            print(f"{number}: {type(error).__name__}: {error}")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{count} files of up to {longest / 2**20:.1f} MiB in {last - begin:.0f} s, the slowest in {slowest:.2f} s: {dict(found)}"
    )
    print(f"memory grew by {grown / 1024:.0f} MiB, and could have grown by 256")
    return found["other"]


if __name__ == "__main__":
    sys.exit(min(main(), 100))
