"""The layers themselves: includes point down, kernels share no code with the baseline, stubs are complete."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

import gradcore

ROOT = pathlib.Path(__file__).resolve().parents[2]


def may_use():
    """What each layer may use, as the build has it."""
    table = (ROOT / "cmake" / "layers.cmake").read_text()
    return {
        name: set(uses.split()) for name, uses in re.findall(r"layer\((\w+)(?: OPTIMISE -\w+)? USES ?([\w ]*)\)", table)
    }


def test_includes_point_down():
    layers = may_use()
    assert set(layers) == {folder.name for folder in (ROOT / "cpp").iterdir()}
    for layer, allowed in layers.items():
        for file in (ROOT / "cpp" / layer).rglob("*.*"):
            for used in re.findall(r'^#include "(\w+)/', file.read_text(), re.MULTILINE):
                assert used == layer or used in allowed, f"{file.name} includes {used}"


def test_kernels_define_nothing_outside_their_namespace():
    """Functions compiled for AVX must not be merged with the baseline's: in the sources all is in GC_ISA's namespace."""
    for file in (ROOT / "cpp" / "kernels").rglob("*.cpp"):
        text = file.read_text()
        if "portable" in file.parts:  # compiled once
            assert "namespace gradcore::portable" in text and "GC_ISA" not in text, file.name
            continue
        assert "namespace gradcore::GC_ISA" in text, file.name
        assert not re.search(r"std::(vector|string|function|sort|min|max|clamp|fill|fill_n|copy|copy_n)\b", text), (
            file.name
        )


def braced(text, begin):
    """What stands between the brace in front of `begin` and the one that closes it."""
    depth, end = 1, begin
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[begin : end - 1]


def test_nodes_look_at_operands_before_they_keep_any():
    """Keeping a tensor may run Python code, which gives another operand other data: see Note [Python in the middle]."""
    found = 0
    for file in (ROOT / "cpp" / "ops").rglob("*.*"):
        text = file.read_text()
        for made in re.finditer(r"\w*Vjp\{", text):
            if re.search(r"struct \w*Vjp\s*\{$", text[: made.end()].rpartition("\n")[2]):
                continue
            kept = re.search(r"\bSaved\(|\bsave_if\(|\bSaved::output\(", list_ := braced(text, made.end()))
            found += kept is not None
            looks = kept and re.search(r"\.(shape|size|dim|numel|strides?|dtype)\(", list_[kept.end() :])
            assert not looks, f"{file.name}: {list_}"
    assert found > 30


def kernel_objects():
    """The object files of the kernels, where the package was built in a folder that still exists."""
    build = pathlib.Path(os.environ.get("GRADCORE_BUILD") or pathlib.Path(gradcore._C.__file__).resolve().parent)
    return sorted(build.glob("**/kernels_*.dir/**/*.o"))


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm of the binutils")
def test_objects_of_an_isa_define_only_their_own_symbols():
    """Of two functions with one name the linker keeps either: an AVX one would then run on machines that have no AVX."""
    objects = kernel_objects()
    if not objects:
        pytest.skip("the folder that the package was built in is not known: set GRADCORE_BUILD")
    for file in objects:
        isa = next(part for part in file.parts if part.startswith("kernels_"))[len("kernels_") : -len(".dir")]
        listed = subprocess.run(
            ["nm", "--extern-only", "--defined-only", "--format=posix", file],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        names = {line.split()[0] for line in listed.splitlines()}
        names.discard("DW.ref.__gxx_personality_v0")  # an address, the same in every object
        assert names, file
        assert not {name for name in names if f"isa_{isa}" not in name}, file


def test_stubs_are_up_to_date():
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/make_stubs.py"), "--check"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("isa", sorted({"v2", "v3", "v4", "v9"} - set(gradcore.available_isas())))
def test_an_isa_that_is_not_there_is_refused(isa):
    done = subprocess.run(
        [sys.executable, "-c", "import gradcore"],
        env={"GRADCORE_ISA": isa, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode and "ImportError: GRADCORE_ISA" in done.stderr


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert gradcore.__version__ == project["version"]


def test_stubs_and_sources_satisfy_mypy():
    api = pytest.importorskip("mypy.api")
    out, errors, status = api.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--strict", str(ROOT / "python/gradcore")]
    )
    assert status == 0, out + errors
