"""The docstrings of ops, composed when help() or `__doc__` asks for one. Start at `docstring`.

Each module beside this file holds the texts of one family: TEXTS has an entry for each op, under the name that the op has in
`gradcore._C`. A text says what is computed, which shapes and dtypes are taken and given back, and what is raised; it ends with
an example, which the tests run. What follows from the signature is not written there: in-place ops, further names of an op,
`out=`, methods and ops over lists get their sentences here.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import iter_modules

HERE = Path(__file__).parent
NO_TEXT = "There is no text for it yet. It works as in torch; see README for what differs."


@cache  # functools.wraps asks, and transforms wrap ops in a program's loop
def docstring(name: str, original: str, is_method: bool) -> str:
    """The docstring of gradcore.<name> or of Tensor.<name>; `original` is the name of the row that it comes from."""
    lines = signatures(name, is_method)
    relation, text = relation_and_text(name, original)
    if is_method and not relation and signatures(name, False):
        relation = f"gradcore.{name}() as a method: the tensor is its first argument."
    prose, prompt, example = (text or NO_TEXT).partition(">>>")
    about_out = "`out` gets the result, takes its shape, and is returned." if "out: " in "".join(lines) else ""
    parts = ["\n".join(lines), relation, prose.strip(), about_out, prompt + example]
    return "\n\n".join(filter(None, parts)) + "\n"


def relation_and_text(name: str, original: str) -> tuple[str, str]:
    """How an op relates to the one that has a text, and that text, which is empty where there is none."""
    known = texts()
    if name in known:
        return "", known[name]
    if name.startswith("_foreach_"):
        op = name.removeprefix("_foreach_")
        return f"`{op}` of each tensor of a list, in one call.", known.get(op) or known.get(op.removesuffix("_"), "")
    if name.endswith("_copy") and name.removesuffix("_copy") in known:
        op = name.removesuffix("_copy")
        return f"`{op}` whose result is a copy, never a view.", known[op]
    op = name.removesuffix("_")
    if op not in known:
        op = original.removesuffix("_")
    if name.endswith("_"):
        relation = f"In-place version of `{op}`: changes the tensor itself, and returns it."
    else:
        relation = f"Another name of `{op}`." if name != op else ""
    return relation, known.get(op, "")


@cache
def texts() -> dict[str, str]:
    """The texts of all ops."""
    found: dict[str, str] = {}
    for module in iter_modules([str(HERE)]):
        for name, text in import_module(f"{__name__}.{module.name}").TEXTS.items():
            found[name] = cleandoc(text)
    return found


@cache
def stub_lines() -> tuple[list[str], list[str]]:
    """The definitions in the stub of the core, with the types' usual names: of functions, and of methods of Tensor."""
    stub = re.sub(r"\b_(int|float|bool)\b", r"\1", (HERE.parent / "_C.pyi").read_text())
    for stub_name, name in (
        ("_DType", "dtype"),
        ("_Device", "device"),
        ("_Layout", "layout"),
        ("_MemoryFormat", "memory_format"),
    ):
        stub = stub.replace(stub_name, name)
    functions, _, methods = stub.partition("\nclass Tensor:\n")
    return re.findall(r"^def (.*): \.\.\.", functions, re.MULTILINE), re.findall(
        r"^    def (.*): \.\.\.", methods, re.MULTILINE
    )


def signatures(name: str, is_method: bool) -> list[str]:
    """The forms in which an op is called, one a line. The core keeps linalg.det() under the name _linalg_det."""
    lines = [line for line in stub_lines()[is_method] if line.startswith((f"{name}(", f"_{name}("))]
    return [re.sub(r"^_?(linalg|special)_", r"\1.", line) for line in lines]
