"""Writes python/gradcore/_C.pyi: the ops from the rows of the built module, the rest from _C_head.pyi beside this file.

python tools/make_stubs.py          # after adding an op
python tools/make_stubs.py --check  # says whether the file is up to date
"""

from __future__ import annotations

import pathlib
import re
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent / "python" / "gradcore" / "_C.pyi"
MARKS = ("# ---- functions\n", "    # ---- methods\n")

# What a signature's types are to a type checker. In the stub `bool`, `int`, `float` and `dtype` mean other things.
TYPES = {
    "Tensor": "Tensor",
    "Number": "Number",
    "Operand": "Tensor | Number",
    "int": "_int",
    "float": "_float",
    "bool": "_bool",
    "int[]": "Sequence[_int]",
    "Tensor[]": "Sequence[Tensor]",
    "Tensor...": "Sequence[Tensor]",
    "Number[]": "Sequence[Number]",
    "dtype": "_DType",
    "device": "_Device",
    "str": "str",
    "Generator": "Generator",
    "Layout": "_Layout",
    "MemoryFormat": "_MemoryFormat",
    "Reduction": "str",
    "None": "None",
    "object": "Any",
}
RETURNS = {
    "Tensor": "Tensor",
    "Tensor[]": "tuple[Tensor, ...]",
    "Tensor | Tensor[]": "Tensor | tuple[Tensor, ...]",
    "(Tensor, Tensor)": "tuple[Tensor, Tensor]",
    "int[]": "tuple[_int, ...]",
    "int": "_int",
    "bool": "_bool",
    "Size": "Size",
    "None": "None",
    "object": "Any",
}
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
KEYWORDS = {"from", "in", "is", "lambda"}  # no parameter of a Python function can have such a name


@dataclass
class Param:
    type: str
    name: str
    default: str | None
    keyword_only: bool

    @property
    def lone_int(self) -> bool:
        return bool(re.fullmatch(r"int\[\d\]", self.type))

    def text(self) -> str:
        optional = self.type.endswith("?")
        kind = self.type.rstrip("?")
        text = "_int | Sequence[_int]" if re.fullmatch(r"int\[\d\]", kind) else TYPES[kind]
        if optional:
            text += " | None"
        return f"{self.name}: {text}" + ("" if self.default is None else f" = {self.default}")


def parse(signature: str) -> tuple[list[Param], str]:
    """The parameters of "(Tensor input, ...) -> Tensor", and what it returns."""
    inside, returned = signature[1:].split(") -> ", 1)
    params: list[Param] = []
    keyword_only = False
    for part in filter(None, inside.split(", ")):
        if part == "*":
            keyword_only = True
            continue
        kind, name = part.split(" ", 1)
        name, _, default = name.partition("=")
        params.append(Param(kind, name, default or None, keyword_only))
    return params, returned


def returns(name: str, text: str) -> str:
    if text.startswith("(Tensor "):  # with names
        return f"return_types.{name.lstrip('_')}"
    if name.startswith("_foreach_") and name.endswith("_"):
        return "Sequence[Tensor]"  # the list that was given
    return RETURNS[text]


def joined(params: list[Param]) -> list[str]:
    out: list[str] = []
    for p in params:
        if p.keyword_only and "*" not in out:
            out.append("*")
        out.append(p.text())
    return out


def parameter_lists(params: list[Param], method: bool) -> list[str]:
    """The parameters of a form, and once more with the ints or tensors one by one where that is allowed."""
    first = ["self"] if method else []
    params = params[1:] if method else params
    if method:
        params = [p for p in params if p.name != "out"]
    if any(p.name in KEYWORDS for p in params):  # reachable by position alone
        at = max(i for i, p in enumerate(params) if p.name in KEYWORDS)
        named = [Param(p.type, p.name + "_" * (p.name in KEYWORDS), p.default, p.keyword_only) for p in params]
        return [", ".join(first + joined(named[: at + 1]) + ["/"] + joined(named[at + 1 :]))]
    lists = [", ".join(first + joined(params))]
    positional = [p for p in params if not p.keyword_only]
    if len(positional) == 1 and positional[0].default is None:
        p = positional[0]
        item = "Tensor" if p.type == "Tensor..." else "_int"
        if p.type in ("int[]", "Tensor...") or (method and p.lone_int):
            rest = [q.text() for q in params if q.keyword_only]
            lists.append(", ".join([*first, f"*{p.name}: {item}", *rest]))
    return lists


def definitions(name: str, signatures: list[str], method: bool) -> list[str]:
    indent = "    " if method else ""
    forms: dict[str, str] = {}
    for signature in signatures:
        params, returned = parse(signature)
        for text in parameter_lists(params, method):
            forms.setdefault(text, returns(name, returned))
    mark = [f"{indent}@overload"] if len(forms) > 1 else []
    lines: list[str] = []
    for text, returned in forms.items():
        lines += [*mark, f"{indent}def {name}({text}) -> {returned}: ..."]
    return lines


def operators() -> list[str]:
    lines = []
    for op in OPERATORS:
        for prefix in ("", "r", "i"):
            if op == "matmul" and prefix == "i":
                continue
            other = "Tensor" if op == "matmul" else "Tensor | Number"
            mod = ", mod: None = None" if op == "pow" and prefix != "i" else ""
            ignored = "  # type: ignore[misc]" if (prefix, op) == ("i", "pow") else ""  # __pow__ takes one more
            lines.append(f"    def __{prefix}{op}__(self, other: {other}{mod}, /) -> Tensor: ...{ignored}")
    return lines


def render(table: list[tuple[str, list[str], list[str]]]) -> str:
    functions: list[str] = []
    methods: list[str] = []
    for name, function_signatures, method_signatures in sorted(table):
        functions += definitions(name, function_signatures, False)
        methods += definitions(name, method_signatures, True)
    head, middle, end = re.split("|".join(map(re.escape, MARKS)), (HERE / "_C_head.pyi").read_text())
    comment = "# Made by tools/make_stubs.py from _C_head.pyi and the rows of the ops; do not edit.\n"
    head = comment + head.split("\n", 1)[1]
    return head + "\n".join(functions) + "\n" + middle + "\n".join([*methods, *operators()]) + "\n" + end


def main() -> None:
    from gradcore import _C

    text = render(_C._op_table())
    if "--check" not in sys.argv:
        TARGET.write_text(text)
    elif TARGET.read_text() != text:
        sys.exit("the stub file is out of date: run python tools/make_stubs.py")


if __name__ == "__main__":
    main()
