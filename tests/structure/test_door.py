"""The door to memory: the compiler and the object files show that nobody goes around it. See cpp/tensor/door.h."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import gradcore

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp"
LAYERS = ("tensor", "autograd", "ops", "optim")

# Ops that look at values to decide: whether a divisor is zero, where a mask is true, what a number tensor holds, how long
# samples are, which classes they have, where windows begin.
LOOKS = {
    "ops/ctc_loss.cpp",
    "ops/derived.cpp",
    "ops/differences.cpp",
    "ops/elementwise.cpp",
    "ops/foreach.cpp",
    "ops/laws.cpp",
    "ops/linalg/det.cpp",
    "ops/linalg/factors.cpp",
    "ops/linalg/ldl.cpp",
    "ops/linalg/least_squares.cpp",
    "ops/linalg/matrices.cpp",
    "ops/linalg/powers.cpp",
    "ops/margin_loss.cpp",
    "ops/mask.cpp",
    "ops/pieces.cpp",
    "ops/pooling.cpp",
    "ops/put.cpp",
    "ops/recurrent.cpp",
    "ops/search.cpp",
    "ops/shapes.cpp",
    "ops/statistics.cpp",
    "ops/tape_ops.cpp",
    "optim/recorded.h",
}
# Instructions that copy bytes, and the few lines that only move numbers of their own.
MOVES_BYTES = {
    "tensor/door.cpp",
    "tensor/loop.cpp",
    "tensor/plan.cpp",
    "ops/create.cpp",
    "ops/elementwise.cpp",
    "ops/matmul.cpp",
    "ops/view_pieces.cpp",
    "optim/lbfgs.cpp",
}


def sources(*layers):
    for layer in layers:
        for file in (CPP / layer).rglob("*.*"):
            if file.suffix in (".cpp", ".h"):
                yield str(file.relative_to(CPP)), file.read_text()


def compiles(body):
    program = f'#include "tensor/door.h"\nvoid use(const gradcore::Tensor& t) {{ {body}; }}\n'
    command = ["g++", "-std=c++20", "-fsyntax-only", f"-I{CPP}", "-xc++", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
@pytest.mark.parametrize(
    "body", ["(void)t->data_", "(void)t->storage->data_", "gradcore::Instruction::open(t.window())"]
)
def test_pointers_to_memory_are_private(body):
    allowed, errors = compiles("(void)t.address(); (void)t.window(); (void)t.host<float>()")
    assert allowed, errors
    refused, errors = compiles(body)
    assert not refused and re.search("private|protected", errors)


def test_who_looks_at_values_is_known():
    found = {name for name, text in sources("autograd", "ops", "optim") if re.search(r"(\.|->)host(<\w+>)?\(", text)}
    assert found == LOOKS


def test_who_moves_bytes_is_known():
    moves = r"\b(std::|__builtin_)mem(cpy|set|move)\(|\bmem(cpy|set|move)\("
    assert {name for name, text in sources(*LAYERS) if re.search(moves, text)} == MOVES_BYTES


def objects():
    build = pathlib.Path(os.environ.get("GRADCORE_BUILD") or pathlib.Path(gradcore._C.__file__).resolve().parent)
    return {
        file: CPP / str(file).split("/cpp/")[-1].removesuffix(".o")
        for pattern in ("**/layer_*.dir/**/*.o", "**/_C.dir/**/*.o")
        for file in build.glob(pattern)
    }


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm of the binutils")
def test_kernels_run_in_instructions_alone():
    """Every file that calls kernels, bindings included, launches instructions or defines one."""
    found = objects()
    if not found:
        pytest.skip("the folder that the package was built in is not known: set GRADCORE_BUILD")
    users = set()
    for file, source in found.items():
        listed = subprocess.run(
            ["nm", "--undefined-only", "-C", file], capture_output=True, text=True, check=True
        ).stdout
        if re.search(r"\bgradcore::kernels\(\)|\bgradcore::portable::", listed) and source.exists():
            users.add(source)
    assert CPP / "ops" / "reduce.cpp" in users
    for source in users:
        header = source.with_suffix(".h")
        text = source.read_text() + (header.read_text() if header.exists() else "")
        assert re.search(r"\blaunch(_\w+)?\(|class \w+ final : public \w*Instruction\b", text), source
