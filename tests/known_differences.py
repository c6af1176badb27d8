"""What is known to differ from torch and is not mended yet: marked as an expected failure, test by test, with the reason.

An entry is taken out when its test passes; a test that is not listed here must pass.
"""

KNOWN = {
    "names and edges of nodes: numbers of names, and edges for operands that cannot have a gradient": [
        "tests/test_autograd.py::test_graphs_have_the_names_of_torch",
    ],
    "x[True] = y does not convert y, x[False] = y counts as a write; a filled node is named for a copy": [
        "tests/test_indexing.py::test_gradients_of_set",
        "tests/test_indexing.py::test_set[bool]",
        "tests/test_indexing.py::test_set[float32]",
        "tests/test_indexing.py::test_set[float64]",
        "tests/test_indexing.py::test_set[int64]",
        "tests/test_indexing.py::test_set[uint8]",
    ],
    "the exception's type differs from torch's in some lines of this table": [
        "tests/test_errors.py::test_exact_types_are_those_of_torch[binary]",
        "tests/test_errors.py::test_exact_types_are_those_of_torch[conversions]",
        "tests/test_errors.py::test_exact_types_are_those_of_torch[creation]",
        "tests/test_errors.py::test_exact_types_are_those_of_torch[indexed]",
        "tests/test_errors.py::test_refused[gradcore-conversions]",
        "tests/test_errors.py::test_refused[gradcore-creation]",
        "tests/test_indexing.py::test_refused",
    ],
    "masked_fill keeps the memory order where torch gives a contiguous result": [
        "tests/test_ops.py::test_layouts[masked_fill]",
    ],
    "cumsum_ and cumprod_ take another dtype, which torch refuses": [
        "tests/test_ops.py::test_inplace[cumprod]",
        "tests/test_ops.py::test_inplace[cumsum]",
    ],
    "refuses an out= of another dtype that torch fills": [
        "tests/test_ops.py::test_out[cumprod]",
        "tests/test_ops.py::test_out[cumsum]",
        "tests/test_ops.py::test_out[outer]",
    ],
}
REASONS = {test: reason for reason, tests in KNOWN.items() for test in tests}
