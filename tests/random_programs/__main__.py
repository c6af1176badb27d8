"""The long run: `python tests/random_programs 20000` runs that many programs; a second number says with which to begin."""

import pathlib
import sys
import warnings

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # where support.py is

from programs import long_run  # noqa: E402

warnings.simplefilter("ignore")
count, first = (int(argument) for argument in (*sys.argv[1:3], *("1000", "0")[len(sys.argv) - 1 :]))
sys.exit(bool(long_run(count, first)))
