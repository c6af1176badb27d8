"""Runs the array API standard's own test suite over gradcore.array_api.

    git clone https://github.com/data-apis/array-api-tests ../array-api-tests
    (cd ../array-api-tests && git submodule update --init)
    pip install pytest-json-report ndindex hypothesis
    python tools/array_api_tests.py ../array-api-tests
    python tools/array_api_tests.py ../array-api-tests --max-examples 1000

What is expected to fail, and why, stands in tests/array_api/expected_failures.txt. The suite is copied into build/, where one
line of it is changed, which takes a library without complex numbers for one without dtypes. Tests of complex numbers, and
of the extension fft, which is made of them, are left out.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NO_COMPLEX = (
    "[(dt, dtype_nbits[dt]) for dt in complex_dtypes], key=lambda x: x[1]\n",
    "[(dt, dtype_nbits[dt]) for dt in complex_dtypes], key=lambda x: x[1], default=(xp.float64, 0)\n",
)
ABSENT = "uint16,uint32,uint64,complex64,complex128"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="The array API's own tests.")
    parser.add_argument("suite", type=pathlib.Path, help="a checkout of data-apis/array-api-tests")
    parser.add_argument("--max-examples", default="20", help="of each test")
    arguments, rest = parser.parse_known_args()
    copy = ROOT / "build" / "array-api-tests"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(arguments.suite, copy, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    helpers = copy / "array_api_tests" / "dtype_helpers.py"
    helpers.write_text(helpers.read_text().replace(*NO_COMPLEX))
    command = [
        sys.executable, "-m", "pytest", "array_api_tests", "-q", "-c", "pytest.ini", "--rootdir", ".", "-p", "no:cacheprovider", "-W", "ignore",
        "-k", "not imag and not fft", "--disable-deadline", "--max-examples", arguments.max_examples,
        "--xfails-file", str(ROOT / "tests" / "array_api" / "expected_failures.txt"), *rest,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "ARRAY_API_TESTS_MODULE": "gradcore.array_api",
        "ARRAY_API_TESTS_SKIP_DTYPES": ABSENT,
    }
    return subprocess.run(command, cwd=copy, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
