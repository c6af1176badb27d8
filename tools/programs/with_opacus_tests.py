# pip: opacus
"""Opacus' own tests of schedulers, validators and random numbers."""

import contextlib
import io
import os

import opacus
import pytest


class Count:
    passed = failed = skipped = 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed
        self.failed += report.failed
        self.skipped += report.skipped


count = Count()
root = os.path.dirname(opacus.__file__)
folders = [os.path.join(root, "tests", name) for name in ("schedulers", "validators", "randomness_test.py")]
with contextlib.redirect_stdout(io.StringIO()):
    pytest.main(
        [*folders, "-q", "-p", "no:cacheprovider", "-W", "ignore", "-o", "addopts=", "--no-summary"], plugins=[count]
    )
print("passed, failed, skipped:", count.passed, count.failed, count.skipped)
