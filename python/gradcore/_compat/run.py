"""`python -m gradcore run script.py args...` and `run -m module args...`: the program's torch is gradcore."""

from __future__ import annotations

import os
import runpy
import sys

from .proxy import as_torch

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any
else:
    from .._lazy import Any

USAGE = "usage: python -m gradcore run script.py args... | python -m gradcore run -m module args..."


class _Folder(str):
    """The program's folder, first in `sys.path`: a process that multiprocessing spawns unpickles that list before it
    imports anything of the program, and so begins with the proxy too."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_folder if _is_spawning() else str), (str(self),)


def _is_spawning() -> bool:
    context = sys.modules.get("multiprocessing.context")
    return context is not None and context.get_spawning_popen() is not None


def _folder(name: str) -> _Folder:
    as_torch()
    return _Folder(name)


def main(arguments: list[str]) -> int:
    """Runs the program with `import torch` meaning gradcore. 2 when no program is named or found, else 0 when it ends."""
    module = arguments[:1] == ["-m"]
    program = arguments[int(module) :]
    if not program:
        print(USAGE)
        return 2
    if not module and not os.path.exists(program[0]):
        print(f"gradcore run: can't open file {os.path.abspath(program[0])!r}: no such file", file=sys.stderr)
        return 2
    as_torch()
    sys.argv = program
    if module:
        sys.path[0] = _Folder(os.getcwd())
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return 0
    sys.path[0] = _Folder(os.path.dirname(os.path.abspath(program[0])))
    runpy.run_path(program[0], run_name="__main__")
    return 0
