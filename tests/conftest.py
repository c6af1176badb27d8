"""Says what the tests run against. The helpers that tests share are in support.py; the table of ops is opdb/."""

import warnings

import pytest

import support
from support import gradcore, torch


def pytest_report_header():
    ours = f"gradcore {gradcore.__version__} from {gradcore.__file__}"
    if torch is None:
        return [ours, f"{support.NO_TORCH}: comparisons with it are skipped"]
    return [ours, f"compared with torch {torch.__version__}"]


@pytest.fixture(autouse=True)
def fresh_state():
    """Every test starts from the same global state in both libraries, whatever the one before it left."""
    for lib in support.libraries():
        lib.set_default_dtype(lib.float32)
        lib.set_grad_enabled(True)
        lib.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns where programs are odd on purpose
        yield
