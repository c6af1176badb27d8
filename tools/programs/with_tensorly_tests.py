# pip: tensorly scipy
"""TensorLy's own tests of regression, metrics, solvers and products, with torch as their backend."""

import contextlib
import io
import os

os.environ["TENSORLY_BACKEND"] = "pytorch"
import pytest
import tensorly


class Count:
    passed = failed = skipped = 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed
        self.failed += report.failed
        self.skipped += report.skipped


count = Count()
root = os.path.dirname(tensorly.__file__)
folders = [os.path.join(root, name) for name in ("regression", "metrics", "solvers", "random", "tenalg/core_tenalg")]
with contextlib.redirect_stdout(io.StringIO()):
    pytest.main(
        [*folders, "-q", "-p", "no:cacheprovider", "-W", "ignore", "-o", "addopts=", "--no-summary"], plugins=[count]
    )
print("passed, failed, skipped:", count.passed, count.failed, count.skipped)
