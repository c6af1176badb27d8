"""docs/missing.md lists what torch has and gradcore has not: every such name, and no other."""

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "make_missing.py"


def test_the_list_of_missing_names_is_up_to_date():
    pytest.importorskip("torch")
    made = subprocess.run([sys.executable, "-W", "ignore", str(TOOL), "--check"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
