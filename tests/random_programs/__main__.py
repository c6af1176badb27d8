"""The long run: `python tests/random_programs 20000` runs that many programs; a second number says with which to begin.

With `alone` behind the numbers nothing is compared with torch: the programs then also draw hooks that give operands data of
other shapes, which must not crash, whatever comes of it.
"""

import pathlib
import sys
import warnings

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # where support.py is

from programs import long_run, torch  # noqa: E402

warnings.simplefilter("ignore")
numbers = [argument for argument in sys.argv[1:] if argument != "alone"]
count, first = (int(number) for number in (*numbers, *("1000", "0")[len(numbers) :]))
sys.exit(bool(long_run(count, first, None if "alone" in sys.argv else torch)))
