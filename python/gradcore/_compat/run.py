"""`python -m gradcore run script.py args...` and `run -m module args...`: the program's torch is gradcore."""

from __future__ import annotations

import os
import runpy
import sys

from .proxy import as_torch

USAGE = "usage: python -m gradcore run script.py args... | python -m gradcore run -m module args..."


def main(arguments: list[str]) -> int:
    """Runs the program with `import torch` meaning gradcore. 2 when no program is named, else 0 when it ends."""
    module = arguments[:1] == ["-m"]
    program = arguments[int(module) :]
    if not program:
        print(USAGE)
        return 2
    as_torch()
    sys.argv = program
    if module:
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return 0
    sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
    runpy.run_path(program[0], run_name="__main__")
    return 0
