"""Ops of complex numbers, for real tensors."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "conj": """
    The tensor itself: real numbers are their own conjugates.

    >>> gradcore.conj(gradcore.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """,
    "resolve_conj": """
    The tensor itself: no tensor waits for being conjugated or negated.

    >>> gradcore.resolve_conj(gradcore.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """,
    "conj_physical": """
    The tensor itself: real numbers are their own conjugates.

    >>> gradcore.conj_physical(gradcore.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """,
    "adjoint": """
    A view with the last two dims swapped: real numbers are their own conjugates.

    RuntimeError for one dim.

    >>> gradcore.adjoint(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """,
    "real": """
    The tensor itself: all dtypes are real.

    >>> gradcore.real(gradcore.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """,
    "imag": """
    RuntimeError: a real tensor has no imaginary part.

    >>> gradcore.imag(gradcore.ones(1))
    Traceback (most recent call last):
    RuntimeError: imag is not implemented for tensors with non-complex dtypes.
    """,
    "is_complex": """
    False: all dtypes of tensors are real.

    >>> gradcore.is_complex(gradcore.ones(1))
    False
    """,
    "is_conj": """
    False: no tensor waits for being conjugated or negated.

    >>> gradcore.is_conj(gradcore.ones(1))
    False
    """,
    "is_signed": """
    Whether the dtype has negative numbers.

    >>> gradcore.is_signed(gradcore.tensor([1], dtype=gradcore.uint8))
    False
    """,
    "angle": """
    The angle of each number in the complex plane: pi for negative ones, 0 for others, NaN for NaN. Its gradient is 0.

    Integers and bools are converted to the default dtype.

    >>> gradcore.angle(gradcore.tensor([1.0, -1.0]))
    tensor([0.0000, 3.1416])
    """,
    "isreal": """
    True for each element: all dtypes of tensors are real.

    >>> gradcore.isreal(gradcore.ones(2))
    tensor([True, True])
    """,
    "view_as_real": """
    RuntimeError: there are no complex tensors.

    >>> gradcore.view_as_real(gradcore.ones(2))
    Traceback (most recent call last):
    RuntimeError: view_as_real is only supported for complex tensors
    """,
    "chalf": """
    NotImplementedError: complex32 is a name alone.

    >>> gradcore.ones(1).chalf()
    Traceback (most recent call last):
    NotImplementedError: torch.complex32 is a name alone: gradcore has no tensors of this dtype
    """,
    "cfloat": """
    NotImplementedError: complex64 is a name alone.

    >>> gradcore.ones(1).cfloat()
    Traceback (most recent call last):
    NotImplementedError: torch.complex64 is a name alone: gradcore has no tensors of this dtype
    """,
    "cdouble": """
    NotImplementedError: complex128 is a name alone.

    >>> gradcore.ones(1).cdouble()
    Traceback (most recent call last):
    NotImplementedError: torch.complex128 is a name alone: gradcore has no tensors of this dtype
    """,
    "complex": """
    NotImplementedError: complex dtypes are names alone.

    >>> gradcore.complex(gradcore.ones(1), gradcore.ones(1))
    Traceback (most recent call last):
    NotImplementedError: torch.complex64 is a name alone: gradcore has no tensors of this dtype
    """,
    "polar": """
    NotImplementedError: complex dtypes are names alone.

    >>> gradcore.polar(gradcore.ones(1), gradcore.ones(1))
    Traceback (most recent call last):
    NotImplementedError: torch.complex64 is a name alone: gradcore has no tensors of this dtype
    """,
    "view_as_complex": """
    NotImplementedError: complex dtypes are names alone.

    >>> gradcore.view_as_complex(gradcore.ones(3, 2))
    Traceback (most recent call last):
    NotImplementedError: torch.complex64 is a name alone: gradcore has no tensors of this dtype
    """,
    "view_as_complex_copy": """
    NotImplementedError: gradcore has no complex numbers.

    >>> gradcore.view_as_complex_copy(gradcore.ones(1, 2))
    Traceback (most recent call last):
    NotImplementedError: torch.complex64 is a name alone: gradcore has no tensors of this dtype
    """,
    "view_as_real_copy": """
    RuntimeError: a real tensor is no complex one.

    >>> gradcore.view_as_real_copy(gradcore.ones(1))
    Traceback (most recent call last):
    RuntimeError: view_as_real is only supported for complex tensors
    """,
    "stft": """
    NotImplementedError: the short-time Fourier transform gives complex numbers, which gradcore does not have.

    >>> try:
    ...     gradcore.stft(gradcore.ones(8), 4)
    ... except NotImplementedError:
    ...     print("scipy.signal.stft computes it")
    scipy.signal.stft computes it
    """,
    "istft": """
    NotImplementedError: the inverse short-time Fourier transform wants complex numbers, which gradcore does not have.

    >>> try:
    ...     gradcore.istft(gradcore.ones(3, 4), 4)
    ... except NotImplementedError:
    ...     print("scipy.signal.istft computes it")
    scipy.signal.istft computes it
    """,
    "_linalg_eig": """
    NotImplementedError: a general matrix has complex eigenvalues, and gradcore has no complex numbers.

    linalg.eigh is for symmetric matrices; numpy.linalg.eig takes the others, and the tensor's numpy() gives it one.

    >>> try:
    ...     gradcore.linalg.eig(gradcore.eye(2))
    ... except NotImplementedError:
    ...     print(gradcore.linalg.eigh(gradcore.eye(2)).eigenvalues)
    tensor([1., 1.])
    """,
    "_linalg_eigvals": """
    NotImplementedError: a general matrix has complex eigenvalues, and gradcore has no complex numbers.

    linalg.eigvalsh is for symmetric matrices; numpy.linalg.eigvals takes the others.

    >>> try:
    ...     gradcore.linalg.eigvals(gradcore.eye(2))
    ... except NotImplementedError:
    ...     print(gradcore.linalg.eigvalsh(gradcore.eye(2)))
    tensor([1., 1.])
    """,
}

__test__ = TEXTS
