# pip: einops
"""The package einops' own tests, with torch as their backend."""

import contextlib
import io
import os

os.environ["EINOPS_TEST_BACKENDS"] = "numpy,torch"
import einops.tests
import pytest


class Count:
    passed = failed = skipped = 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed
        self.failed += report.failed
        self.skipped += report.skipped


count = Count()
folder = os.path.dirname(einops.tests.__file__)
with contextlib.redirect_stdout(io.StringIO()):
    pytest.main(
        [folder, "-q", "-p", "no:cacheprovider", "-W", "ignore", "-o", "addopts=", "--no-summary"], plugins=[count]
    )
print("passed, failed, skipped:", count.passed, count.failed, count.skipped)
