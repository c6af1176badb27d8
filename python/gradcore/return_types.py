"""The results of ops that give several tensors by name: tuples whose parts have names."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class _NamedTuple(tuple[Any, ...]):
    """Its parts are its properties, in order, those of a base class first."""

    __slots__ = ()
    n_fields = n_sequence_fields = n_unnamed_fields = 0

    # As of Python's own named results, such as os.stat_result.
    def __init_subclass__(cls) -> None:
        cls.n_fields = cls.n_sequence_fields = len(cls._names())

    @classmethod
    def _names(cls) -> list[str]:
        bases = reversed(cls.__mro__)
        return [name for base in bases for name, value in vars(base).items() if isinstance(value, property)]

    def __repr__(self) -> str:
        names = self._names()
        parts = ",\n".join(f"{name}={part!r}" for name, part in zip(names, self))
        return f"torch.return_types.{type(self).__name__}(\n{parts})"


class _ValuesIndices(_NamedTuple):
    __slots__ = ()
    values = property(itemgetter(0), doc="The first part.")
    indices = property(itemgetter(1), doc="The second part.")


class aminmax(_NamedTuple):
    """Of aminmax(input)."""

    __slots__ = ()
    min = property(itemgetter(0), doc="The least elements.")
    max = property(itemgetter(1), doc="The greatest elements.")


class cummax(_ValuesIndices):
    """Of cummax(input, dim)."""

    __slots__ = ()


class cummin(_ValuesIndices):
    """Of cummin(input, dim)."""

    __slots__ = ()


class frexp(_NamedTuple):
    """Of frexp(input)."""

    __slots__ = ()
    mantissa = property(itemgetter(0), doc="The fractions.")
    exponent = property(itemgetter(1), doc="The powers of two.")


class histogram(_NamedTuple):
    """Of histogram(input, bins)."""

    __slots__ = ()
    hist = property(itemgetter(0), doc="What is in each bin.")
    bin_edges = property(itemgetter(1), doc="The edges of the bins, one more than there are bins.")


class kthvalue(_ValuesIndices):
    """Of kthvalue(input, k)."""

    __slots__ = ()


class max(_ValuesIndices):
    """Of max(input, dim)."""

    __slots__ = ()


class median(_ValuesIndices):
    """Of median(input, dim)."""

    __slots__ = ()


class min(_ValuesIndices):
    """Of min(input, dim)."""

    __slots__ = ()


class mode(_ValuesIndices):
    """Of mode(input)."""

    __slots__ = ()


class nanmedian(_ValuesIndices):
    """Of nanmedian(input, dim)."""

    __slots__ = ()


class sort(_ValuesIndices):
    """Of sort(input)."""

    __slots__ = ()


class topk(_ValuesIndices):
    """Of topk(input, k)."""

    __slots__ = ()


class linalg_cholesky_ex(_NamedTuple):
    """Of linalg.cholesky_ex(A)."""

    __slots__ = ()
    L = property(itemgetter(0), doc="The factor.")
    info = property(itemgetter(1), doc="0, or the order of the leading minor that is not positive-definite.")


class linalg_solve_ex(_NamedTuple):
    """Of linalg.solve_ex(A, B)."""

    __slots__ = ()
    result = property(itemgetter(0), doc="The solution.")
    info = property(itemgetter(1), doc="0, or the number of the pivot that is zero.")


class linalg_inv_ex(_NamedTuple):
    """Of linalg.inv_ex(A)."""

    __slots__ = ()
    inverse = property(itemgetter(0), doc="The inverse.")
    info = property(itemgetter(1), doc="0, or the number of the pivot that is zero.")


class _SignLogabsdet(_NamedTuple):
    __slots__ = ()
    sign = property(itemgetter(0), doc="The determinant's sign: 1, -1 or 0.")
    logabsdet = property(itemgetter(1), doc="The logarithm of its absolute value.")


class slogdet(_SignLogabsdet):
    """Of slogdet(input)."""

    __slots__ = ()


class linalg_slogdet(_SignLogabsdet):
    """Of linalg.slogdet(A)."""

    __slots__ = ()


class _QR(_NamedTuple):
    __slots__ = ()
    Q = property(itemgetter(0), doc="The orthogonal factor.")
    R = property(itemgetter(1), doc="The upper triangle.")


class linalg_qr(_QR):
    """Of linalg.qr(A)."""

    __slots__ = ()


class qr(_QR):
    """Of qr(input)."""

    __slots__ = ()


class geqrf(_NamedTuple):
    """Of geqrf(input)."""

    __slots__ = ()
    a = property(itemgetter(0), doc="R, and the reflections below its diagonal.")
    tau = property(itemgetter(1), doc="Their factors.")


class linalg_eig(_NamedTuple):
    """Of torch's linalg.eig(A), for annotations: gradcore's raises NotImplementedError."""

    __slots__ = ()
    eigenvalues = property(itemgetter(0), doc="The eigenvalues.")
    eigenvectors = property(itemgetter(1), doc="The eigenvectors, as columns.")


class linalg_eigh(_NamedTuple):
    """Of linalg.eigh(A)."""

    __slots__ = ()
    eigenvalues = property(itemgetter(0), doc="The eigenvalues, rising.")
    eigenvectors = property(itemgetter(1), doc="The eigenvectors, as columns.")


class linalg_svd(_NamedTuple):
    """Of linalg.svd(A)."""

    __slots__ = ()
    U = property(itemgetter(0), doc="The left singular vectors, as columns.")
    S = property(itemgetter(1), doc="The singular values, falling.")
    Vh = property(itemgetter(2), doc="The right singular vectors, as rows.")


class svd(_NamedTuple):
    """Of svd(input)."""

    __slots__ = ()
    U = property(itemgetter(0), doc="The left singular vectors, as columns.")
    S = property(itemgetter(1), doc="The singular values, falling.")
    V = property(itemgetter(2), doc="The right singular vectors, as columns.")


class linalg_lstsq(_NamedTuple):
    """Of linalg.lstsq(A, B)."""

    __slots__ = ()
    solution = property(itemgetter(0), doc="The solution.")
    residuals = property(itemgetter(1), doc="Sums of squares of what is left, or nothing.")
    rank = property(itemgetter(2), doc="The ranks of the matrices.")
    singular_values = property(itemgetter(3), doc="The singular values, or nothing.")


class _LUPivots(_NamedTuple):
    __slots__ = ()
    LU = property(itemgetter(0), doc="L below the diagonal, U above.")
    pivots = property(itemgetter(1), doc="The rows that changed places.")


class linalg_lu_factor(_LUPivots):
    """Of linalg.lu_factor(A)."""

    __slots__ = ()


class linalg_lu_factor_ex(_LUPivots):
    """Of linalg.lu_factor_ex(A)."""

    __slots__ = ()
    info = property(itemgetter(2), doc="0, or the number of the pivot that is zero.")


class _PLU(_NamedTuple):
    __slots__ = ()
    P = property(itemgetter(0), doc="The permutation.")
    L = property(itemgetter(1), doc="The lower triangle, with ones on its diagonal.")
    U = property(itemgetter(2), doc="The upper triangle.")


class linalg_lu(_PLU):
    """Of linalg.lu(A)."""

    __slots__ = ()


class lu_unpack(_PLU):
    """Of lu_unpack(LU_data, LU_pivots)."""

    __slots__ = ()


class linalg_ldl_factor(_NamedTuple):
    """Of linalg.ldl_factor(A)."""

    __slots__ = ()
    LD = property(itemgetter(0), doc="L and D in one matrix.")
    pivots = property(itemgetter(1), doc="The exchanges of rows, and which blocks of D have two rows.")


class linalg_ldl_factor_ex(linalg_ldl_factor):
    """Of linalg.ldl_factor_ex(A)."""

    __slots__ = ()
    info = property(itemgetter(2), doc="0, or the number of the first block of D that is zero.")


class triangular_solve(_NamedTuple):
    """Of triangular_solve(input, A)."""

    __slots__ = ()
    solution = property(itemgetter(0), doc="X of A X = B.")
    cloned_coefficient = property(itemgetter(1), doc="A copy of A.")


class histogramdd(_NamedTuple):
    """Of histogramdd(input, bins)."""

    __slots__ = ()
    hist = property(itemgetter(0), doc="What is in each box.")
    bin_edges = property(itemgetter(1), doc="The edges of the bins of each dim.")


def _written(of: type[Any]) -> type[Any]:
    name = f"{of.__name__}_out"
    return type(name, (of,), {"__slots__": (), "__module__": __name__, "__doc__": f"{of.__name__}() with out=."})


# torch has a type of its own for results that were written to tensors given.
for _name in (
    "aminmax cummax cummin frexp geqrf histogram kthvalue linalg_cholesky_ex linalg_eig linalg_eigh linalg_inv_ex "
    "linalg_ldl_factor_ex linalg_ldl_factor linalg_lstsq linalg_lu_factor_ex linalg_lu_factor linalg_lu linalg_qr "
    "linalg_slogdet linalg_solve_ex linalg_svd lu_unpack max median min mode nanmedian qr slogdet sort svd topk "
    "triangular_solve"
).split():
    globals()[f"{_name}_out"] = _written(globals()[_name])
