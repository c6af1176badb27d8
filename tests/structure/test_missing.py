"""docs/missing.md lists what torch has and gradcore has not."""

import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "make_missing.py"


def test_every_missing_name_is_listed():
    pytest.importorskip("torch")
    made = subprocess.run([sys.executable, "-W", "ignore", str(TOOL), "--check"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
