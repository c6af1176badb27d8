"""The package: its functions are ops of the core, with names of their own."""

import pickle
import subprocess
import sys
import textwrap

import pytest

from support import both, gradcore, needs_torch


def test_functions_are_ops_with_docstrings():
    det = gradcore.linalg.det
    assert det.__name__ == "linalg_det" and repr(det) == "<built-in function linalg_det>"
    assert det.__doc__.startswith("linalg.det(A: Tensor, *, out: Tensor | None = None) -> Tensor\n")
    assert pickle.loads(pickle.dumps(det)) is det
    assert not hasattr(gradcore, "linalg_det") and not hasattr(gradcore.Tensor, "linalg_det")
    assert "det" in dir(gradcore.linalg)


def test_linalg_error_is_a_runtime_error():
    assert issubclass(gradcore.linalg.LinAlgError, RuntimeError)
    with pytest.raises(gradcore.linalg.LinAlgError):
        gradcore.linalg.inv(gradcore.zeros(2, 2))


def diagonal(lib, a, b):
    return lib.tensor([[a, 0.0], [0.0, b]])


SINGULAR = "is zero, the inversion could not be completed because the input matrix is singular."
NOT_POSITIVE = "is not positive-definite (the leading minor of order 2 is not positive-definite)."


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.linalg.inv(lib.zeros(2, 2)), f"linalg.inv: The diagonal element 1 {SINGULAR}"),
        (
            lambda lib: lib.linalg.inv(lib.stack([lib.eye(2), diagonal(lib, 1.0, 0.0)])),
            f"linalg.inv: (Batch element 1): The diagonal element 2 {SINGULAR}",
        ),
        (
            lambda lib: lib.linalg.solve(lib.zeros(2, 2), lib.ones(2)),
            "torch.linalg.solve: The solver failed because the input matrix is singular.",
        ),
        (lambda lib: lib.linalg.cholesky(diagonal(lib, 1.0, -1.0)), NOT_POSITIVE),
        (lambda lib: lib.cholesky(diagonal(lib, 1.0, float("nan"))), NOT_POSITIVE),
        (lambda lib: lib.linalg.det(lib.ones(2, 3)), "A must be batches of square matrices, but they are 2 by 3"),
        (lambda lib: lib.linalg.det(lib.ones(3)), "linalg.det: The input tensor A must have at least 2 dimensions."),
        (lambda lib: lib.linalg.inv(lib.ones(2, 2).long()), "Expected a floating point or complex tensor as input."),
        (
            lambda lib: lib.linalg.solve(lib.eye(2), lib.ones(2, 2).double()),
            "Expected A and B to have the same dtype, but found A of type Float and B of type Double instead",
        ),
        (
            lambda lib: lib.linalg.solve(lib.eye(2), lib.ones(3, 2)),
            "Incompatible shapes of A and B for the equation AX = B (2x2 and 3x2)",
        ),
        (
            lambda lib: lib.linalg.vecdot(lib.ones(2), lib.ones(2).double()),
            "Expected x and y to have the same dtype, but found x of type Float and y of type Double instead",
        ),
        (lambda lib: lib.linalg.matrix_norm(lib.ones(2, 2), 3), "Order 3 not supported."),
        (lambda lib: lib.linalg.matrix_norm(lib.ones(2, 2), dim=(1, 1)), "dims must be different. Got (1, 1)"),
        (lambda lib: lib.linalg.norm(lib.ones(2, 2, 2), 2), "the input must be 1D or 2D. Got 3D."),
    ],
)
def test_what_is_refused(program, phrase):
    both(program, raises=phrase)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("n", [1, 3, 40])
def test_matrices_without_numbers_end(value, n):
    """A NaN or an infinity gives a result or an error, no matter which."""
    a = gradcore.full((2, n, n), value)
    for function in (gradcore.linalg.det, gradcore.linalg.slogdet, gradcore.linalg.inv_ex, gradcore.linalg.cholesky_ex):
        function(a)
    gradcore.linalg.solve_triangular(a, a, upper=True)
    with pytest.raises(gradcore.linalg.LinAlgError):
        gradcore.linalg.cholesky(gradcore.full((n, n), float("nan")))


@needs_torch
def test_older_names_warn_once():
    """Each in the first call: a process of its own for either library."""
    program = textwrap.dedent("""
        import re, warnings, {lib} as torch
        A = torch.eye(2)
        calls = [
            lambda: torch.cholesky(A), lambda: torch.qr(A), lambda: torch.lu(A), lambda: A.lu(),
            lambda: torch.lu_solve(A, *torch.linalg.lu_factor(A)), lambda: torch.triangular_solve(A, A), lambda: A.qr(),
        ]
        for call in calls:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                call()
            print([re.findall("torch[.][a-z_]+ is deprecated in favor of torch[.]linalg[.]", str(w.message)) for w in caught])
    """)
    ours, theirs = (
        subprocess.run(
            [sys.executable, "-c", program.format(lib=lib)], capture_output=True, text=True, timeout=120, check=True
        ).stdout
        for lib in ("gradcore", "torch")
    )
    assert ours == theirs and ours.count("is deprecated") == 5, ours
