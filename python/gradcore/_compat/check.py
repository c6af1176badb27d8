"""`python -m gradcore check path...`: what a program uses of torch that gradcore does not have, before it runs."""

from __future__ import annotations

import ast
import importlib
import json
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradcore


class Finding(NamedTuple):
    """A name that is missing, or refuses, and where it stands."""

    place: str
    line: int
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.name}{': ' + self.why if self.why else ''}"


def problem(name: str) -> tuple[str, str] | None:
    """The first part of torch's dotted name that gradcore does not have or refuses, and why; None when all is there."""
    found: Any = gradcore
    parts = name.split(".")[1:]
    for count, part in enumerate(parts, 1):
        path = ".".join(parts[:count])
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(f"gradcore.{path}")
            except ImportError:
                return f"torch.{path}", "is not there"
        if isinstance(found, type) and "_refuses" in vars(found):
            return f"torch.{path}", vars(found)["_refuses"]
    return None


class _Names(ast.NodeVisitor):
    """Collects torch's dotted names: of imports, and of attributes of what was imported."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}  # the program's name -> torch's
        self.used: list[tuple[int, str]] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.partition(".")[0] != "torch":
                continue
            self.used.append((node.lineno, alias.name))
            self.known[alias.asname or "torch"] = alias.name if alias.asname else "torch"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module.partition(".")[0] != "torch":
            return
        for alias in node.names:
            name = module if alias.name == "*" else f"{module}.{alias.name}"
            self.used.append((node.lineno, name))
            self.known[alias.asname or alias.name] = name

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if name is None:
            self.generic_visit(node)
        elif isinstance(node.ctx, ast.Load):
            self.used.append((node.lineno, name))

    def _dotted(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self.known.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        start = self._dotted(node.value)
        return None if start is None else f"{start}.{node.attr}"


def check_source(source: str, place: str = "<string>") -> list[Finding]:
    """Findings in one program, by line.

    >>> from gradcore._compat.check import check_source
    >>> [str(found) for found in check_source("import torch as t\\nt.ones(2)\\nt.no_such_op(1)")]
    ['<string>:3: torch.no_such_op: is not there']

    Raises SyntaxError for what is no Python.
    """
    tree = ast.parse(source, place)
    names = _Names()
    for node in ast.walk(tree):  # imports first: a function may use what is imported below it
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.visit(node)
    imports, names.used = names.used, []
    for child in ast.iter_child_nodes(tree):
        names.visit(child)
    found: dict[tuple[int, str], Finding] = {}
    for line, name in sorted(imports + names.used):
        wrong = problem(name)
        if wrong:
            found[line, wrong[0]] = Finding(place, line, *wrong)
    return list(found.values())


def _files(path: Path) -> Iterator[Path]:
    """The programs and notebooks below a path."""
    if path.is_dir():
        yield from sorted([*path.rglob("*.py"), *path.rglob("*.ipynb")])
    else:
        yield path


def _source(file: Path) -> str:
    """The text of a program, in the encoding that it declares. A notebook is one program of all its code cells."""
    if file.suffix != ".ipynb":
        with tokenize.open(file) as opened:
            return opened.read()
    lines: list[str] = []
    for cell in json.loads(file.read_text(encoding="utf-8")).get("cells", []):
        if cell.get("cell_type") == "code":
            text = "".join(cell.get("source", []))
            lines += ["" if line.lstrip().startswith(("%", "!")) else line for line in text.split("\n")]
    return "\n".join(lines)


def check(paths: list[str]) -> tuple[list[Finding], list[str]]:
    """Findings in files, folders and notebooks (whose lines are counted over all code cells), and what cannot be read."""
    findings: list[Finding] = []
    unread: list[str] = []
    for file in (file for path in paths for file in _files(Path(path))):
        try:
            findings += check_source(_source(file), str(file))
        except SyntaxError as error:
            unread.append(f"{file}:{error.lineno or 0}: {error.msg}")
        except ValueError as error:  # bytes that are no text, or a notebook that is no JSON
            unread.append(f"{file}:0: {error}")
    return findings, unread


def main(paths: list[str]) -> int:
    """Prints the findings. 1 when something is missing or cannot be read, else 0."""
    if not paths:
        print("usage: python -m gradcore check path...")
        return 2
    findings, unread = check(paths)
    for found in findings:
        print(found)
    for text in unread:
        print(f"{text} (not read)")
    names = {found.name for found in findings}
    print(f"{len(findings)} uses of {len(names)} names that gradcore does not have")
    print("Methods of tensors are not looked at: what a variable holds is known when the program runs.")
    return 1 if findings or unread else 0
