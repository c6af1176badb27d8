"""save and load: torch's files both ways, old formats, safetensors and .npz, replacement, and files that are hostile."""

import io
import itertools
import pickle
import struct
import warnings
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
from hostile import PICKLES, Runs, archive_of, outcomes, tar_archive, tar_of

import gradcore
import support
from support import both, dtype_name, facts, needs_torch, torch

NESTS = [
    "lib.arange(6.0).reshape(2, 3)", "[lib.ones(2, dtype=lib.int64), 3, 'text', None, True, 2.5, b'bytes', (1, 2)]",
    "OrderedDict(a=lib.zeros(0), b={'x': {1, 2}})", "lib.arange(12).reshape(3, 4).t()[1:, ::2]", "lib.tensor(True)",
    "[lib.float32, lib.Size([2, 3]), lib.device('cpu'), 10**30, 1j]", "lib.ones(3, requires_grad=True)", "lib.tensor([1, 2], dtype=lib.uint8)",
    "lib.nn.Parameter(lib.ones(2))", "lib.nn.Linear(2, 3).state_dict()", "[{'k': [lib.ones(1, dtype=lib.float64)] * 2}]", "bytearray(b'abc')",
]  # fmt: skip


def nest(lib, program):
    lib.manual_seed(0)
    return eval(program, {"lib": lib, "OrderedDict": OrderedDict})


def plain(lib, value):
    """`value` with what belongs to a library as text, for comparing."""
    if isinstance(value, dict):
        return {key: plain(lib, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and not isinstance(value, lib.Size):
        return [plain(lib, item) for item in value]
    return facts(value).__repr__() if isinstance(value, lib.Tensor) else repr(value)


def written(lib, value, **options):
    file = io.BytesIO()
    lib.save(value, file, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize("program", NESTS)
def test_our_own(program):
    value = nest(gradcore, program)
    again = gradcore.load(written(gradcore, value))
    assert plain(gradcore, again) == plain(gradcore, value) and type(again) is type(value)


@needs_torch
@pytest.mark.parametrize("program", NESTS)
@pytest.mark.parametrize(
    "options",
    [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}],
    ids=["zip", "legacy", "protocol 4"],
)
def test_torchs(program, options):
    value = nest(torch, program)
    again = gradcore.load(written(torch, value, **options))
    assert plain(gradcore, again) == plain(torch, value)


@needs_torch
@pytest.mark.parametrize("program", NESTS)
@pytest.mark.parametrize("new", [True, False])
def test_torch_reads_ours(program, new):
    value = nest(gradcore, program)
    file = written(gradcore, value, _use_new_zipfile_serialization=new)
    assert plain(torch, torch.load(file)) == plain(gradcore, value)


@pytest.mark.parametrize("program", [*NESTS, "lib.tensor([1, 2], dtype=lib.uint16)", "lib.ones(2).bfloat16()"])
def test_our_own_in_the_old_format(program):
    value = nest(gradcore, program)
    again = gradcore.load(written(gradcore, value, _use_new_zipfile_serialization=False))
    assert plain(gradcore, again) == plain(gradcore, value) and type(again) is type(value)


@pytest.mark.parametrize(
    "writer",
    [
        "gradcore",
        "old gradcore",
        pytest.param("torch", marks=needs_torch),
        pytest.param("old torch", marks=needs_torch),
    ],
)
def test_shared_memory_stays_shared(writer):
    lib = gradcore if "gradcore" in writer else torch
    x = lib.arange(6.0)
    options = {"_use_new_zipfile_serialization": False} if "old" in writer else {}
    whole, part, row = gradcore.load(written(lib, [x, x[2:], x.reshape(2, 3)[1]], **options))
    part[1] = 9.0
    assert whole.tolist() == [0.0, 1.0, 2.0, 9.0, 4.0, 5.0] and row.tolist() == [9.0, 4.0, 5.0]


def test_arrays_that_begin_together():
    """They have one address and two lengths: each is saved whole, and copied whole."""
    import copy

    a = np.arange(10.0)
    views = [gradcore.from_numpy(a[:2]), gradcore.from_numpy(a)]
    for again in (gradcore.load(written(gradcore, views)), copy.deepcopy(views)):
        assert [t.tolist() for t in again] == [[0.0, 1.0], list(range(10))]


def test_a_file_is_replaced_when_the_new_one_is_whole(tmp_path):
    path = tmp_path / "model.pt"
    gradcore.save({"a": gradcore.ones(2)}, path)

    class Fails:
        def __reduce__(self):
            raise ValueError("cannot be saved")

    with pytest.raises(ValueError, match="cannot be saved"):
        gradcore.save({"a": Fails()}, path)
    before = path.read_bytes()
    from gradcore import _serialization

    def half(file):
        file.write(before[:50])
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        _serialization._replace(str(path), half)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["model.pt"]
    path.chmod(0o600)
    gradcore.save(3, path)
    assert gradcore.load(path) == 3 and path.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link.pt"
    link.symlink_to(path)
    gradcore.save(4, link)
    assert link.is_symlink() and gradcore.load(path) == 4


def test_a_name_that_leaves_no_room_for_more(tmp_path):
    path = tmp_path / ("x" * 255)
    for number in range(2):
        gradcore.save(number, path)
        assert gradcore.load(path) == number


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist"):
        gradcore.save({}, tmp_path / "no" / "file")
    with pytest.raises(FileNotFoundError):
        gradcore.load(tmp_path / "nothing")


@pytest.mark.parametrize("writer", ["gradcore", pytest.param("torch", marks=needs_torch)])
def test_mapped(tmp_path, writer):
    lib = gradcore if writer == "gradcore" else torch
    path = tmp_path / "file"
    lib.save([lib.arange(1000.0), lib.ones(3, dtype=lib.bool)], path)
    before = path.read_bytes()
    numbers, flags = gradcore.load(path, mmap=True)
    numbers[0] = 7.0
    assert numbers[:3].tolist() == [7.0, 1.0, 2.0] and flags.tolist() == [True] * 3 and path.read_bytes() == before
    with pytest.raises(ValueError, match="mmap"):
        gradcore.load(io.BytesIO(before), mmap=True)


def test_contents_are_aligned():
    """What save() writes can be mapped: every storage begins at a multiple of 64."""
    file = written(gradcore, [gradcore.ones(3, dtype=gradcore.uint8), gradcore.arange(5.0), gradcore.zeros(7)])
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name, extra = struct.unpack("<HH", file.getvalue()[info.header_offset + 26 : info.header_offset + 30])
            assert (info.header_offset + 30 + name + extra) % 64 == 0


def test_safetensors(tmp_path):
    tensors = {
        "flag": gradcore.tensor([True, False]),
        "w": gradcore.arange(6.0).reshape(2, 3),
        "t": gradcore.arange(6).reshape(2, 3).t(),
        "n": gradcore.zeros(0, 2),
    }
    path = tmp_path / "file.safetensors"
    gradcore.save(tensors, path)
    again = gradcore.load(path)
    assert {name: (t.dtype, t.tolist()) for name, t in again.items()} == {
        name: (t.dtype, t.tolist()) for name, t in tensors.items()
    }
    with pytest.raises(ValueError, match="dict of tensors"):
        gradcore.save([1], path)
    package = pytest.importorskip("safetensors.numpy")
    assert {name: array.tolist() for name, array in package.load_file(path).items()} == {
        name: t.tolist() for name, t in tensors.items()
    }
    package.save_file({"x": np.arange(3.0)}, path, metadata={"format": "np"})
    assert gradcore.load(path)["x"].tolist() == [0.0, 1.0, 2.0]


def test_npz_that_numpy_reads(tmp_path):
    path = tmp_path / "file.npz"
    tensors = {
        "w": gradcore.arange(6.0).reshape(2, 3), "t": gradcore.arange(6, dtype=gradcore.int16).reshape(2, 3).t(),
        "none": gradcore.zeros(0, 2), "one": gradcore.tensor(True), "grad": gradcore.ones(1, requires_grad=True),
        "dotted.name": gradcore.ones(1, dtype=gradcore.uint8),
    }  # fmt: skip
    gradcore.save(tensors, path)
    with np.load(path) as arrays:
        assert {name: (arrays[name].dtype.name, arrays[name].tolist()) for name in arrays} == {
            name: (str(t.dtype).removeprefix("torch."), t.tolist()) for name, t in tensors.items()
        }
    again = gradcore.load(path)
    assert {name: (t.dtype, t.tolist()) for name, t in again.items()} == {
        name: (t.dtype, t.tolist()) for name, t in tensors.items()
    }
    with pytest.raises(ValueError, match=r"an .npz file holds a dict of tensors"):
        gradcore.save({"a": 1}, path)
    assert gradcore.load(path).keys() == tensors.keys()


def test_npz(tmp_path):
    path = tmp_path / "file.npz"
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.array(True),
        "d": np.zeros((0, 2), "float32"),
    }
    np.savez(path, **arrays)
    again = gradcore.load(path)
    assert {name: t.numpy().tolist() for name, t in again.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    np.savez_compressed(path, **arrays)
    with pytest.raises(pickle.UnpicklingError, match="compressed"):
        gradcore.load(path)
    np.savez(path, a=np.array(["text"]))
    with pytest.raises(pickle.UnpicklingError, match="dtype"):
        gradcore.load(path)


# ---- hostile files ----


@pytest.mark.parametrize("name", PICKLES)
def test_hostile_pickles(name):
    with pytest.raises(pickle.UnpicklingError):
        gradcore.load(archive_of(PICKLES[name]))


def test_unknown_globals_are_named():
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed.*GLOBAL __builtin__.eval"):
        gradcore.load(archive_of(pickle.dumps(Runs(), 2)))
    with pytest.raises(ZeroDivisionError):
        gradcore.load(archive_of(pickle.dumps(Runs(), 2)), weights_only=False)


def test_archives_that_are_no_files_of_tensors():
    whole = written(gradcore, gradcore.arange(100.0)).getvalue()
    compressed = archive_of(b"N.", compression=zipfile.ZIP_DEFLATED)
    for data in (
        b"",
        b"text",
        whole[:100],
        whole[:-30],
        b"PK\x03\x04" + bytes(100),
        compressed.getvalue(),
        archive_of(b"N.").getvalue()[5:],
    ):
        with pytest.raises(pickle.UnpicklingError):
            gradcore.load(io.BytesIO(data))


def test_storages_are_checked():
    file = written(gradcore, gradcore.arange(3))
    with zipfile.ZipFile(file) as archive:
        data = archive.read("archive/data.pkl")
    with pytest.raises(pickle.UnpicklingError, match="lacks storage"):
        gradcore.load(archive_of(data))
    with pytest.raises(pickle.UnpicklingError, match="has 16 bytes"):
        gradcore.load(archive_of(data, [bytes(16)]))
    assert gradcore.load(archive_of(data, [struct.pack("<3q", 4, 5, 6)])).tolist() == [4, 5, 6]


def test_a_corpus_of_hostile_files():
    """What comes is a value, or one error, which torch's programs catch. tests/files/hostile.py runs more of them."""
    found = Counter()
    for outcome, number, _, error in outcomes(4000):
        found[outcome] += 1
        assert outcome != "other", f"file {number}: {error!r}"
    assert found["refused"] > 2000


class Point:
    """What add_safe_globals() lets files make."""

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is Point and vars(self) == vars(other)


class Counted(Point):
    def __reduce__(self):
        return Counted, (self.x,), {"x": self.x, "more": [1]}


@pytest.mark.parametrize("protocol", [2, 4])
def test_globals_that_the_program_allows(protocol):
    from gradcore import serialization

    values = [Point(gradcore.ones(2).tolist()), Counted(3)]
    if protocol == 2:
        file = written(gradcore, values)
    else:
        file = archive_of(pickle.dumps(values, protocol=protocol))
    with pytest.raises(gradcore._pickle_reader.FileError, match="Unsupported global.*Point"):
        gradcore.load(file)
    with serialization.safe_globals([Point, Counted]):
        file.seek(0)
        point, counted = gradcore.load(file)
        assert point == values[0] and type(counted) is Counted and counted.more == [1]
        assert serialization.get_safe_globals() == [Point, Counted]
    assert serialization.get_safe_globals() == []
    with serialization.safe_globals([(Point, f"{Point.__module__}.Point"), Counted]):
        file.seek(0)
        assert gradcore.load(file)[0] == values[0]
    file.seek(0)
    with pytest.raises(gradcore._pickle_reader.FileError, match="Unsupported global"):
        gradcore.load(file)
    with pytest.raises(TypeError, match="no name"):
        serialization.add_safe_globals([3])


def test_a_whole_network_by_names_that_the_program_allows():
    """A layer keeps a function, whose public name is the one that files have."""
    nn = gradcore.nn
    layer = nn.TransformerEncoderLayer(4, 2, 8)
    file = written(gradcore, layer)
    made_of = [nn.TransformerEncoderLayer, nn.MultiheadAttention, nn.Linear, nn.Dropout, nn.LayerNorm]
    made_of.append(nn.modules.linear.NonDynamicallyQuantizableLinear)
    for functions, is_loaded in (([nn.functional.relu], True), ([], False)):
        file.seek(0)
        with gradcore.serialization.safe_globals(made_of + functions):
            if is_loaded:
                assert gradcore.load(file).activation is nn.functional.relu
            else:
                with pytest.raises(gradcore._pickle_reader.FileError, match="torch.nn.functional.relu"):
                    gradcore.load(file)


def test_attributes_of_tensors_are_saved(tmp_path):
    """As torch saves them, with the same names of functions, so that each library reads the other's files."""
    libs = [gradcore] if torch is None else [gradcore, torch]
    for writer, reader in itertools.product(libs, repeat=2):
        plain, half = writer.arange(3.0), writer.ones(2, dtype=writer.bfloat16)
        parameter = writer.nn.Parameter(writer.ones(2))
        plain.scale, plain.parts = 5, [writer.ones(1)]
        half.label, parameter.tag = "half", {"frozen": True}
        path = tmp_path / f"{writer.__name__}.pt"
        writer.save([plain, half, parameter, plain, Counter("aab")], path)
        for weights_only in (True, False):
            a, b, c, again, counts = reader.load(path, weights_only=weights_only)
            assert (a.scale, a.parts[0].tolist(), b.label, c.tag) == (5, [1.0], "half", {"frozen": True})
            assert again is a and isinstance(c, reader.nn.Parameter) and counts == {"a": 2, "b": 1}


def test_a_class_beside_attributes_may_not_be_called():
    """torch.Tensor is named in such files; a call of it could make a tensor of any size."""
    call = b"\x80\x02ctorch\nTensor\nK\x05\x85R."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", call)
        archive.writestr("archive/version", "3\n")
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="calls what is no function"):
        gradcore.load(file)


def old_arrays():
    """Arrays of the dtypes that torch had at first, some of them views of one memory, with what they are views of."""
    base = np.arange(12, dtype="f8")
    kinds = [np.array([1, -2], kind) for kind in ("f4", "i8", "i4", "f2")]
    views = [base.reshape(3, 4), base.reshape(3, 4).T[1:], base[5:]]
    empty = np.zeros((0,), "f4")
    return [(array, None) for array in [*kinds, np.array([[7]], "u1"), empty]] + [(view, base) for view in views]


@needs_torch
@pytest.mark.parametrize("module", ["torch", "torch.cuda"])
@pytest.mark.parametrize("text_numbers", [False, True])
def test_tar_files(module, text_numbers, tmp_path):
    """Those of the first releases. torch reads them from the disk, with weights_only=False, and of a GPU where there is one."""
    arrays = old_arrays()
    value = OrderedDict(weights=[array for array, _ in arrays], epoch=3, name="net")
    file = tar_of(value, arrays, module, text_numbers)
    ours = gradcore.load(file)
    for array, found in zip(value["weights"], ours["weights"]):
        assert found.shape == array.shape and found.numpy().dtype == array.dtype and (found.numpy() == array).all()
    assert ours["epoch"] == 3 and ours["name"] == "net" and type(ours) is OrderedDict
    ours["weights"][-1][0] = 99.0  # one memory again
    assert ours["weights"][-3][1, 1] == 99.0
    file.seek(0)
    again = gradcore.load(file, weights_only=False)
    if module == "torch":
        (tmp_path / "old.pt").write_bytes(file.getvalue())
        theirs = torch.load(tmp_path / "old.pt", weights_only=False)
        assert plain(gradcore, dict(again)) == plain(torch, dict(theirs))


def test_a_tar_file_of_code():
    base = np.ones(2, "f4")
    file = tar_of([base, Runs()], [(base, None)])
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        gradcore.load(file)
    file.seek(0)
    with pytest.raises(ZeroDivisionError):
        gradcore.load(file, weights_only=False)


TAR_MEMBERS = [
    {}, {"storages": b"", "tensors": b"", "pickle": b""}, {"storages": pickle.dumps(0, 2) + pickle.dumps([], 2), "tensors": pickle.dumps(0, 2)},
    {"storages": pickle.dumps(10**18, 2), "tensors": b"", "pickle": b""}, {"storages": pickle.dumps(0, 2) + pickle.dumps([(1, 2, 3, 4)], 2), "tensors": b"", "pickle": b""},
    {"storages": pickle.dumps(0, 2) + pickle.dumps([], 2), "tensors": pickle.dumps("x", 2), "pickle": b""},
    {"storages": pickle.dumps(0, 2) + pickle.dumps([], 2), "tensors": pickle.dumps(0, 2), "pickle": b"\x80\x02K\x01Q."},
]  # fmt: skip


@pytest.mark.parametrize("members", TAR_MEMBERS)
def test_tar_files_that_are_damaged(members):
    file = tar_archive(**members) if members else io.BytesIO(bytes(257) + b"ustar" + bytes(300))
    with pytest.raises(RuntimeError) as caught:
        gradcore.load(file)
    assert isinstance(caught.value, pickle.UnpicklingError)


@pytest.mark.parametrize(
    "window", [(0, 3, 1, 0), (0, 2, 1, 2), (0, 2, -1, 1), (0, -2, 1, 0), (0, 2, 2**62, 0), (0, 2**62, 2**62, 0)]
)
def test_windows_of_tar_files_that_leave_their_storage(window):
    base = np.ones(3, "f4")[:2]
    data = tar_of(base, [(base, None)]).getvalue()
    good = struct.pack("<ii3q", 1, 0, 2, 1, 0)
    assert data.count(good) == 1
    with pytest.raises(pickle.UnpicklingError):
        gradcore.load(io.BytesIO(data.replace(good, struct.pack("<ii3q", 1, *window))))


@needs_torch
def test_to_meta():
    """Shapes and dtypes without values, which assign=True gives to a module."""

    def program(lib):
        def loaded(value, **options):
            file = io.BytesIO()
            lib.save(value, file)
            file.seek(0)
            return lib.load(file, map_location=place, **options)

        x = lib.arange(6.0).view(2, 3)
        tensors = [
            x,
            x.t(),
            x[1:, 1],
            lib.tensor([True]),
            lib.ones(2, dtype=lib.bfloat16),
            lib.zeros(0),
            lib.nn.Parameter(x),
        ]
        for place in ("meta", lib.device("meta")):
            for t in loaded(tensors):
                yield (
                    t.device.type,
                    dtype_name(t.dtype),
                    tuple(t.shape),
                    t.stride(),
                    t.storage_offset(),
                    t.requires_grad,
                )
                yield type(t).__name__
        net = lib.nn.Linear(2, 2)
        yield loaded(net, weights_only=False).weight.device.type
        yield str(net.load_state_dict(loaded(net.state_dict()), assign=True)), net.weight.device.type

    both(lambda lib: list(program(lib)))


@needs_torch
@pytest.mark.parametrize("places", [{"cpu": "meta"}, {"cuda:0": "meta"}, {"cpu": "cpu"}, {}])
def test_places_by_name(places):
    def program(lib):
        file = io.BytesIO()
        lib.save([lib.ones(2), lib.zeros(1)], file)
        file.seek(0)
        return [t.device.type for t in lib.load(file, map_location=places)]

    both(program)


STORED = [
    "lib.arange(4.0).storage()", "[lib.arange(4.0)[1:3].storage()]", "lib.tensor([True, False]).storage()",
    "lib.zeros(0).storage()", "lib.arange(3, dtype=lib.bfloat16).storage()", "lib.arange(2.0).untyped_storage()",
    "{'t': (t := lib.arange(3)), 's': t.storage()}",
]  # fmt: skip


@needs_torch
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("program", STORED)
def test_storages_are_saved(program, new):
    """They come back as TypedStorages, on the memory of the tensors that they were saved with."""
    if "untyped" in program and not new:
        pytest.skip("torch's old format has no storages of bytes")

    def facts_of(found):
        if isinstance(found, dict):
            return found["t"], found["t"].data_ptr() == found["s"].data_ptr(), facts_of(found["s"])
        found = found[0] if isinstance(found, list) else found
        return type(found).__name__, dtype_name(found.dtype), found.tolist()

    def program_of(lib, reader):
        file = io.BytesIO()
        lib.save(eval(program, {"lib": lib}), file, _use_new_zipfile_serialization=new)
        file.seek(0)
        return facts_of(reader.load(file, weights_only=weights_only))

    for weights_only in (True, False):
        both(lambda lib: program_of(lib, lib))
        if "untyped" not in program:
            assert str(program_of(gradcore, torch)) == str(program_of(torch, torch))
            assert str(program_of(torch, gradcore)) == str(program_of(gradcore, gradcore))


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_of_two_types_on_one_memory():
    def program(lib):
        t = lib.arange(4.0)
        lib.save([t.untyped_storage(), t], io.BytesIO())

    both(program, raises="Cannot save multiple tensors or storages that view the same data as different types")


@needs_torch
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_warning_of_later_pickles(protocol):
    """torch's own reader of weights stops at 4 behind the warning."""
    file = io.BytesIO()
    torch.save({"a": torch.arange(3.0)}, file, pickle_protocol=protocol)

    def program(lib, **options):
        file.seek(0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            support.outcome(lambda lib: lib.load(file, **options), lib)
        return [str(w.message).split(", which was not")[0] for w in caught]

    both(program)
    both(lambda lib: program(lib, weights_only=False))
    file.seek(0)
    assert gradcore.load(file)["a"].tolist() == [0.0, 1.0, 2.0]


def test_places_that_are_not_there():
    def program(lib, place):
        file = io.BytesIO()
        lib.save(lib.ones(1), file)
        file.seek(0)
        return lib.load(file, map_location=place)

    both(lambda lib: program(lib, lib.device("cuda:0")), raises="Attempting to deserialize object on a CUDA device")
    both(lambda lib: program(lib, "cuda"), raises="Attempting to deserialize object on a CUDA device")
    both(lambda lib: program(lib, "cpu"))


@needs_torch
@pytest.mark.parametrize("options", [{}, {"pickle_module": pickle}, {"pickle_module": pickle, "weights_only": False},
                                     {"pickle_module": pickle, "weights_only": True}, {"weights_only": None},
                                     {"encoding": "latin1"}, {"beyond": 1}, {"weights_only": False, "beyond": 1}])  # fmt: skip
def test_options_of_load(options):
    """A pickle module means that the file is trusted, unless weights_only says otherwise."""

    def program(lib):
        file = io.BytesIO()
        lib.save({"net": lib.nn.ReLU(), "x": lib.ones(2)} if "pickle_module" in options else lib.ones(2), file)
        file.seek(0)
        found = lib.load(file, **options)
        return str(found["net"]) if isinstance(found, dict) else found

    assert not support.outcome_difference(support.outcome(program, gradcore), support.outcome(program, torch))


# [text, lib.zeros(1), 2] as Python 2 wrote it: `text` a str of bytes that are UTF-8.
OF_PYTHON_2 = (
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x01(U\x10protocol_versionq\x02M\xe9\x03U\n"
    b"type_sizesq\x03}q\x04(U\x03intq\x05K\x04U\x05shortq\x06K\x02U\x04longq\x07K\x04uU\rlittle_endianq\x08\x88u.\x80\x02]q"
    b"\x01(U\x04\xc3\xa4\xc3\xb6q\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03((U\x07storageq\x04ctorch\nFloatStorage\nq\x05"
    b"U\x017q\x06U\x03cpuq\x07\x8a\x01\x01NtQK\x00K\x01\x85K\x01\x85\x89NtRq\x08K\x02e.\x80\x02]q\x01U\x017q\x02a."
    b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)


@needs_torch
@pytest.mark.parametrize("weights_only", [False, True])
@pytest.mark.parametrize("options", [{}, {"encoding": "utf-8"}, {"encoding": "latin1"}, {"encoding": "bytes"},
                                     {"encoding": "ascii", "errors": "replace"}])  # fmt: skip
def test_strings_of_python_2(options, weights_only):
    if weights_only and "errors" in options:
        pytest.skip("torch knows no errors= here")
    both(lambda lib: lib.load(io.BytesIO(OF_PYTHON_2), weights_only=weights_only, **options))


def test_what_was_saved_can_be_read_before_the_file_is_closed(tmp_path):
    with open(tmp_path / "x.pt", "wb") as file:
        gradcore.save(gradcore.ones(2), file)
        assert gradcore.load(tmp_path / "x.pt").tolist() == [1.0, 1.0]


class Reader:
    """What the program wrote itself to read from a network: with few of a file's methods."""

    def __init__(self, content, *names):
        for name in ("read", "readline", *names):
            setattr(self, name, getattr(content, name))


@pytest.mark.parametrize("new", [True, False])
def test_a_reader_of_few_methods(new):
    def program(lib):
        file = io.BytesIO()
        file.write(b"before")
        lib.save({"x": lib.arange(3.0)}, file, _use_new_zipfile_serialization=new)
        file.seek(6)
        return lib.load(Reader(file, "seek", "tell", "readinto"))

    both(program)


@pytest.mark.parametrize("names", [("tell",), ()])
def test_a_reader_that_does_not_seek(names):
    both(
        lambda lib: lib.load(Reader(io.BytesIO(b"data"), *names)),
        raises="You can only torch.load from a file that is seekable. Please pre-load the data into a buffer",
    )


def test_an_empty_file(tmp_path):
    """torch's error is an EOFError; ours is one, too."""
    (tmp_path / "empty.pt").touch()
    with pytest.raises(EOFError, match="Ran out of input") as caught:
        gradcore.load(tmp_path / "empty.pt")
    assert isinstance(caught.value, gradcore._pickle_reader.FileError)


class Unknown:
    def __init__(self):
        self.value = 3


@needs_torch
def test_names_that_weights_may_not_have(tmp_path):
    """Of files of both libraries, with names in any way that a pickle spells them; torch reads one protocol alone."""
    held = {
        "x": torch.ones(2),
        "parts": [Unknown(), Unknown(), np.float64(1.0)],
        "counter": Counter("ab"),
        "call": print,
    }
    for protocol in (0, 2, 4):
        torch.save(held, tmp_path / f"{protocol}.pt", pickle_protocol=protocol)
    ours = {"x": gradcore.ones(2), **{key: held[key] for key in ("parts", "counter")}}
    gradcore.save(ours, tmp_path / "ours.pt")

    def program(lib):
        find = lib.serialization.get_unsafe_globals_in_checkpoint
        before = sorted(find(str(tmp_path / "2.pt")))
        with lib.serialization.safe_globals([Unknown]):
            return before, sorted(find(tmp_path / "2.pt")), sorted(find(tmp_path / "ours.pt"))

    both(program)
    found = [gradcore.serialization.get_unsafe_globals_in_checkpoint(tmp_path / f"{n}.pt") for n in (0, 2, 4)]
    assert "builtins.print" in found[1]
    assert (
        found[1] == found[2] == [name for name in found[0] if name not in ("copyreg._reconstructor", "builtins.object")]
    )


def test_files_without_names_are_refused():
    def program(lib):
        lib.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"no archive"))

    both(program, raises="Expected input to be a checkpoint returned by torch.save")


@needs_torch
@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("name", ["strided", "sparse_coo"])
def test_layouts_both_ways(name, weights_only):
    for writer, reader in ((gradcore, torch), (torch, gradcore), (gradcore, gradcore)):
        file = io.BytesIO()
        writer.save({"layout": getattr(writer, name), "again": getattr(writer, name)}, file)
        file.seek(0)
        found = reader.load(file, weights_only=weights_only)
        assert found["layout"] is found["again"] is getattr(reader, name)


def test_a_layout_that_is_none_is_refused():
    file = io.BytesIO()
    gradcore.save(gradcore.strided, file)
    other = file.getvalue().replace(b"torch.strided", b"torch.float32")
    with pytest.raises(pickle.UnpicklingError):
        gradcore.load(io.BytesIO(other))


ON_META = ["lib.empty(2, 3, device='meta').t()", "lib.nn.Parameter(lib.ones(2, device='meta'))", "lib.nn.Linear(2, 3, device='meta').state_dict()",
           "[lib.ones(2, dtype=lib.uint16, device='meta')]", "lib.ones((), device='meta', requires_grad=True)"]  # fmt: skip


def described(lib, value):
    if isinstance(value, dict):
        return {key: described(lib, item) for key, item in value.items()}
    if isinstance(value, list):
        return [described(lib, item) for item in value]
    return (
        dtype_name(value),
        str(value.device),
        tuple(value.shape),
        value.stride(),
        value.requires_grad,
        type(value).__name__,
    )


@pytest.mark.parametrize("program", ON_META)
def test_tensors_without_memory(program):
    """They keep dtype, shape and strides, in our files, in those of torch, and in pickles."""
    value = nest(gradcore, program)
    expected = described(gradcore, value)
    assert described(gradcore, gradcore.load(written(gradcore, value))) == expected
    assert described(gradcore, pickle.loads(pickle.dumps(value))) == expected
    if torch is not None:
        assert described(torch, torch.load(written(gradcore, value))) == expected
        assert described(gradcore, gradcore.load(written(torch, nest(torch, program)))) == expected


def test_attributes_of_a_tensor_without_memory():
    value = gradcore.ones(2, device="meta")
    value.unit = "m"
    again = gradcore.load(written(gradcore, value))
    assert again.unit == "m" and again.is_meta


@pytest.mark.parametrize("kind", ["lib.ones(2)", "lib.nn.Parameter(lib.ones(2))"])
def test_a_tensor_among_its_own_attributes(kind):
    """torch writes and reads such a file, and loses the attribute."""

    def program(lib):
        value = eval(kind)
        value.own = [value]
        return lib.load(written(lib, [value, value]), weights_only=False)

    found = both(program)
    assert found is None or found[0] is found[1]


@pytest.mark.parametrize("program", ["lib.finfo(lib.float32)", "[lib.iinfo(lib.int8)]", "{'f': lib.contiguous_format}"])
def test_what_is_not_saved(program):
    for lib in (gradcore, torch) if torch else (gradcore,):
        with pytest.raises(TypeError, match="cannot pickle"):
            written(lib, nest(lib, program))
    if "format" not in program:
        both(lambda lib: pickle.dumps(nest(lib, program)), raises="cannot pickle 'torch.")
