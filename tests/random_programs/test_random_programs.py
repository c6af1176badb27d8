"""A few random programs in every run (programs.py says what they are), shrunk to what matters when one fails.

GRADCORE_TEST_PROGRAMS=500 runs that many, new ones each time; the usual run is the same every time.
"""

import contextlib
import os
import random
import warnings

import pytest
from programs import Unfit, run_program

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, note, reject, settings
from hypothesis import strategies as st

PROGRAMS = int(os.environ.get("GRADCORE_TEST_PROGRAMS", "0"))


@settings(
    max_examples=PROGRAMS or 200,
    deadline=None,
    derandomize=not PROGRAMS,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_random_programs(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run_program(lambda n: data.draw(st.integers(0, n - 1)), note)
        except Unfit:
            reject()


def test_programs_run_without_torch():
    for seed in range(30):
        with warnings.catch_warnings(), contextlib.suppress(Unfit):
            warnings.simplefilter("ignore")
            run_program(random.Random(seed).randrange, [].append, oracle=None)
