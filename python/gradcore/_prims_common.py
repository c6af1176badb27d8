"""torch._prims_common: the helpers about dtypes, dims, shapes and strides that packages take from there."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeAlias

from . import _C
from ._C import Tensor as Tensor
from ._compat.checks import SymBool, SymFloat, SymInt, _check, sym_float, sym_int
from ._types import Size, device

check = _check
ShapeType: TypeAlias = Size | list[int] | tuple[int, ...]
StrideType: TypeAlias = list[int] | tuple[int, ...]
DimsType: TypeAlias = int | list[int] | tuple[int, ...]
DimsSequenceType: TypeAlias = list[int] | tuple[int, ...]
NumberType: TypeAlias = bool | int | float | complex
NumberTypeType: TypeAlias = type[bool] | type[int] | type[float] | type[complex]
RealNumberType: TypeAlias = bool | int | float
TensorLikeType: TypeAlias = Tensor
TensorOrNumberLikeType: TypeAlias = Tensor | NumberType
TensorSequenceType: TypeAlias = list[Tensor] | tuple[Tensor, ...]
DeviceLikeType: TypeAlias = str | device | int
TensorLike, Dim = Tensor, int
Number = (bool, int, float, complex, SymInt, SymFloat, SymBool)
IntLike, FloatLike, BoolLike = (int, SymInt), (float, SymFloat), (bool, SymBool)
IntWithoutSymInt, FloatWithoutSymFloat = int, float


class ELEMENTWISE_TYPE_PROMOTION_KIND(Enum):
    """How elementwise_dtypes() finds its dtypes."""

    DEFAULT = (0,)
    NO_OPMATH = (1,)
    INT_TO_FLOAT = (2,)
    ALWAYS_BOOL = (3,)
    COMPLEX_TO_FLOAT = (4,)
    BOOL_TO_LONG = (5,)


class REDUCTION_OUTPUT_TYPE_KIND(Enum):
    """How reduction_dtypes() finds its dtypes."""

    SAME = (0,)
    COMPLEX_TO_FLOAT = (1,)
    KEEP_PROMOTED_TYPE = (2,)
    ALWAYS_BOOL = (3,)


class RETURN_TYPE(Enum):
    """What an op gives back."""

    NEW = (0,)
    VIEW = (1,)
    INPLACE = (2,)
    NONE = (3,)


# ------------------------------------------------------------------------------------------------------------
# Dtypes

_integer_dtypes = (_C.uint8, _C.uint16, _C.uint32, _C.uint64, _C.int8, _C.int16, _C.int32, _C.int64)
_low_precision_dtypes = (_C.float16, _C.bfloat16, _C.complex32)
_complex_dtypes = (_C.complex32, _C.complex64, _C.complex128)
_ordered_types = (bool, int, float, complex)
_computation_dtype_map = {_C.bfloat16: _C.float32, _C.float16: _C.float32, _C.complex32: _C.complex64}
_complex_to_real_dtype_map = {_C.complex128: _C.float64, _C.complex64: _C.float32, _C.complex32: _C.float16}
_real_to_complex_dtype_map = {
    _C.float16: _C.complex32,
    _C.bfloat16: _C.complex64,
    _C.float32: _C.complex64,
    _C.float64: _C.complex128,
}
# A dtype is below those of the lines after it. Two of one line meet in the first of the next.
_ORDER = (
    (_C.bool,),
    (_C.uint8, _C.int8),
    (_C.int16,),
    (_C.int32,),
    (_C.int64,),
    (_C.float16, _C.bfloat16),
    (_C.float32,),
    (_C.float64,),
    (_C.complex32,),
    (_C.complex64,),
    (_C.complex128,),
)


def is_boolean_dtype(dtype: _C.dtype) -> bool:
    """Whether it is bool."""
    return dtype == _C.bool


def is_integer_dtype(dtype: _C.dtype) -> bool:
    """Whether it is one of integers; bool is not."""
    return dtype in _integer_dtypes


def is_low_precision_dtype(dtype: _C.dtype) -> bool:
    """Whether it is float16, bfloat16 or complex32."""
    return dtype in _low_precision_dtypes


def is_float_dtype(dtype: _C.dtype) -> bool:
    """Whether it is one of floating point numbers.

    >>> import gradcore
    >>> is_float_dtype(gradcore.bfloat16), is_float_dtype(gradcore.int32)
    (True, False)
    """
    return dtype.is_floating_point


def is_complex_dtype(dtype: _C.dtype) -> bool:
    """Whether it is one of complex numbers."""
    return dtype in _complex_dtypes


def is_grad_dtype(dtype: _C.dtype) -> bool:
    """Whether tensors of it can require grad."""
    return dtype.is_floating_point or is_complex_dtype(dtype)


def corresponding_real_dtype(dtype: _C.dtype) -> _C.dtype:
    """That of the parts of complex numbers."""
    return _complex_to_real_dtype_map[dtype]


def corresponding_complex_dtype(dtype: _C.dtype) -> _C.dtype:
    """That of complex numbers with such parts."""
    return _real_to_complex_dtype_map[dtype]


def dtype_to_type(dtype: _C.dtype) -> type:
    """Python's class of such numbers. Raises ValueError for other dtypes.

    >>> import gradcore
    >>> dtype_to_type(gradcore.uint8)
    <class 'int'>
    """
    kinds = (is_boolean_dtype, is_integer_dtype, is_float_dtype, is_complex_dtype)
    for asked, kind in zip(kinds, _ordered_types):
        if asked(dtype):
            return kind
    raise ValueError("Invalid dtype!")


def dtype_to_type_ctor(dtype: _C.dtype) -> Callable[[Any], Any]:
    """What makes Python's number of such a dtype."""
    kind = dtype_to_type(dtype)
    return {int: sym_int, float: sym_float}.get(kind, kind)


def type_to_dtype(typ: type) -> _C.dtype:
    """The dtype that a number of Python's gets. Raises ValueError for other classes."""
    default = _C.get_default_dtype()
    for kinds, dtype in ((BoolLike, _C.bool), (IntLike, _C.int64), (FloatLike, default)):
        if typ in kinds:
            return dtype
    if typ is complex:
        return corresponding_complex_dtype(default)
    raise ValueError(f"Invalid type {typ}!")


def get_dtype(x: Any) -> _C.dtype:
    """The dtype of a tensor, or that a number gets."""
    return x.dtype if isinstance(x, Tensor) else type_to_dtype(type(x))


def number_type(x: Any) -> type:
    """The class of a number."""
    return type(x)


def is_weakly_lesser_type(a: type, b: type) -> bool:
    """Whether all numbers of a class are found in another: bool, int, float, complex. Raises RuntimeError for other classes."""
    if a not in _ordered_types or b not in _ordered_types:
        raise RuntimeError(f"Expected builtin numeric types, found {a}, {b}")
    return _ordered_types.index(a) <= _ordered_types.index(b)


def get_higher_type(a: type, b: type) -> type:
    """The one of two classes of numbers that holds the other's."""
    return b if is_weakly_lesser_type(a, b) else a


def get_higher_dtype(a: Any, b: Any) -> _C.dtype | None:
    """The one of two dtypes, also of tensors and numbers, that stands higher; None stands below all.

    >>> import gradcore
    >>> get_higher_dtype(gradcore.float16, gradcore.bfloat16), get_higher_dtype(None, 3)
    (torch.float32, torch.int64)
    """
    found = [x if x is None or isinstance(x, _C.dtype) else get_dtype(x) for x in (a, b)]
    places = [-1 if x is None else next((i for i, line in enumerate(_ORDER) if x in line), len(_ORDER)) for x in found]
    if found[0] != found[1] and places[0] == places[1]:
        if places[0] == len(_ORDER):
            raise RuntimeError("Unexpected termination!")
        return _ORDER[places[0] + 1][0]
    return found[0] if places[0] > places[1] else found[1]


def can_safe_cast_to(*, cast_to: _C.dtype, cast_from: _C.dtype) -> bool:
    """Whether a dtype's kind of numbers holds the other's."""
    return is_weakly_lesser_type(dtype_to_type(cast_from), dtype_to_type(cast_to))


def get_computation_dtype(dtype: _C.dtype) -> _C.dtype:
    """In which dtype ops compute: float32 for numbers of 16 bits."""
    return _computation_dtype_map.get(dtype, dtype)


def get_acc_type(dtype: _C.dtype, device: Any) -> _C.dtype:
    """In which dtype torch's kernels for the CPU add up."""
    if is_complex_dtype(dtype):
        return _C.complex128
    return _C.float64 if dtype in (_C.float16, _C.bfloat16, _C.float32) else dtype


def elementwise_dtypes(*_args: Any, type_promotion_kind: ELEMENTWISE_TYPE_PROMOTION_KIND) -> tuple[_C.dtype, _C.dtype]:
    """The dtypes in which an elementwise op of these tensors and numbers computes, and of its result.

    Raises ValueError for arguments of other kinds.

    >>> import gradcore
    >>> elementwise_dtypes(gradcore.arange(2), 1, type_promotion_kind=ELEMENTWISE_TYPE_PROMOTION_KIND.INT_TO_FLOAT)
    (torch.float32, torch.float32)
    """
    kind, given = ELEMENTWISE_TYPE_PROMOTION_KIND, [x for x in _args if x is not None]
    for x in given:
        if not isinstance(x, (*Number, Tensor)):
            raise ValueError(f"Unexpected type {type(x)} when computing elementwise type promotion!")
    result = _promoted(given)
    if type_promotion_kind is kind.NO_OPMATH:
        return result, result
    if type_promotion_kind is kind.INT_TO_FLOAT and not is_grad_dtype(result):
        result = _C.get_default_dtype()
    if type_promotion_kind is kind.BOOL_TO_LONG and is_boolean_dtype(result):
        result = _C.int64
    computed = get_computation_dtype(result)
    if type_promotion_kind is kind.COMPLEX_TO_FLOAT and is_complex_dtype(result):
        return computed, corresponding_real_dtype(result)
    return computed, _C.bool if type_promotion_kind is kind.ALWAYS_BOOL else result


def _promoted(given: list[Any]) -> _C.dtype:
    """The kind of numbers that holds all; its dtype is the highest among tensors with dims, then among those without."""
    kind: type = bool
    for x in given:
        kind = get_higher_type(kind, dtype_to_type(x.dtype) if isinstance(x, Tensor) else type(x))
    tensors = [x for x in given if isinstance(x, Tensor)]
    for among in ([x for x in tensors if x.ndim], [x for x in tensors if not x.ndim]):
        found: _C.dtype | None = None
        for x in among:
            dtype = x.dtype
            if kind is complex and is_float_dtype(dtype):
                dtype = corresponding_complex_dtype(dtype)
            if dtype_to_type(dtype) is kind:
                found = get_higher_dtype(found, dtype)
        if found is not None:
            return found
    return type_to_dtype(kind)


def reduction_dtypes(
    arg: Any, output_dtype_kind: REDUCTION_OUTPUT_TYPE_KIND, dtype: _C.dtype | None = None
) -> tuple[_C.dtype, _C.dtype | None]:
    """The dtypes in which a reduction computes, and of its result; None for the first of them."""
    kind, result = REDUCTION_OUTPUT_TYPE_KIND, arg.dtype if dtype is None else dtype
    computed = get_computation_dtype(result)
    if output_dtype_kind == kind.KEEP_PROMOTED_TYPE:
        return computed, None
    if output_dtype_kind == kind.ALWAYS_BOOL:
        return computed, _C.bool
    if output_dtype_kind == kind.COMPLEX_TO_FLOAT and is_complex_dtype(result):
        result = corresponding_real_dtype(result)
    return computed, result


def dtype_or_default(dtype: _C.dtype | None) -> _C.dtype:
    """The dtype; the default one for None."""
    return _C.get_default_dtype() if dtype is None else dtype


def device_or_default(device: Any) -> Any:
    """The device; the CPU for None."""
    return canonicalize_device("cpu") if device is None else device


def canonicalize_device(device: Any) -> device:
    """The device as an object."""
    from . import _types

    return device if isinstance(device, _types.device) else _types.device(device)


def set_correction(unbiased: bool | None = None, correction: Any = None) -> float:
    """What a variance subtracts from its count: 1 unless one of both says otherwise. Raises RuntimeError where both do."""
    if correction is not None and unbiased is not None:
        raise RuntimeError("cannot specify both correction and unbiased arguments")
    if correction is None:
        return 0.0 if unbiased is False else 1.0
    if not isinstance(correction, (int, float)):
        raise ValueError("correction argument should be integer or float")
    return float(correction)


def check_fp_or_complex(dtype: _C.dtype, fn_name: str, allow_low_precision_dtypes: bool = True) -> None:
    """Raises RuntimeError for other dtypes than those of floating point or complex numbers."""
    _check(
        is_grad_dtype(dtype), lambda: f"{fn_name}: Expected a floating point or complex tensor as input. Got {dtype}"
    )
    _check(
        allow_low_precision_dtypes or not is_low_precision_dtype(dtype),
        lambda: f"{fn_name}: Half precision dtypes not supported. Got {dtype}",
    )


# ------------------------------------------------------------------------------------------------------------
# Dims and shapes


def canonicalize_dim(rank: int, idx: int, wrap_scalar: bool = True) -> int:
    """The number of a dim, counted from the front. Raises IndexError where there is none.

    >>> canonicalize_dim(3, -1)
    2
    """
    if rank < 0:
        raise IndexError(f"Rank cannot be negative but got {rank}")
    if rank == 0 and not wrap_scalar:
        raise IndexError(f"Dimension specified as {idx} but tensor has no dimensions")
    count = rank or 1
    if not -count <= idx < count:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {idx})")
    return idx % count


def canonicalize_dims(rank: int, indices: Any, wrap_scalar: bool = True) -> Any:
    """canonicalize_dim() of a number, or of each of several."""
    if isinstance(indices, int):
        return canonicalize_dim(rank, indices, wrap_scalar)
    return tuple(canonicalize_dim(rank, idx, wrap_scalar) for idx in indices)


def validate_idx(rank: int, idx: int) -> None:
    """Raises AssertionError unless a tensor of that rank has the dim."""
    if not (0 <= idx < rank or idx == 0):
        raise AssertionError(f"idx {idx} is out of bounds for rank {rank}")


def validate_exclusive_idx(rank: int, ex_idx: int) -> None:
    """Raises AssertionError unless dims of a tensor of that rank can end before it."""
    if not 0 < ex_idx <= rank:
        raise AssertionError(f"ex_idx {ex_idx} is out of bounds for rank {rank} (must be in (0, rank])")


validate_dimension_indices = validate_idx


def validate_dim_length(length: int) -> None:
    """Raises RuntimeError for a negative size."""
    _check(length >= 0)


def validate_shape(shape: ShapeType) -> None:
    """Raises RuntimeError where a size is negative."""
    for length in shape:
        validate_dim_length(length)


def validate_no_repeating_dims(dims: Sequence[int]) -> None:
    """Raises RuntimeError where a dim comes twice."""
    if len(dims) != len(set(dims)):
        raise RuntimeError("duplicate value in the list of dims")


def reduction_dims(shape: ShapeType, dims: Sequence[int] | None) -> tuple[int, ...]:
    """The dims over which a reduction goes: all for None."""
    if dims is None:
        return tuple(range(len(shape)))
    found: tuple[int, ...] = canonicalize_dims(len(shape), dims)
    validate_no_repeating_dims(found)
    return found


def compute_reduction_output_shape(shape: ShapeType, dimensions: Sequence[int]) -> tuple[int, ...]:
    """The shape without these dims."""
    return tuple(size for dim, size in enumerate(shape) if dim not in dimensions)


def is_valid_permutation(rank: int, perm: Any) -> bool:
    """Whether each dim of a tensor of that rank comes once."""
    return isinstance(perm, Sequence) and sorted(perm) == list(range(rank))


def apply_perm(inp: Sequence[Any], perm: Sequence[int]) -> list[Any]:
    """The parts in the order of `perm`."""
    return [inp[i] for i in perm]


def invert_perm(perm: Sequence[int]) -> list[int]:
    """The order that brings parts back to where apply_perm() took them from.

    >>> invert_perm([2, 0, 1])
    [1, 2, 0]
    """
    return sorted(range(len(perm)), key=perm.__getitem__)


def same_shape(a: ShapeType, b: ShapeType, *, allow_rhs_unbacked: bool = False) -> bool:
    """Whether all sizes are equal."""
    return tuple(a) == tuple(b)


def is_same_shape(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether all sizes are equal."""
    return tuple(a) == tuple(b)


def is_expandable_to(shape: ShapeType, desired: ShapeType) -> bool:
    """Whether a tensor of the first shape can be expanded to the second."""
    return len(shape) <= len(desired) and all(s in (1, d) for s, d in zip(reversed(shape), reversed(desired)))


def infer_size_shapes(a: ShapeType, b: ShapeType) -> tuple[int, ...]:
    """The shape to which both are broadcast. Raises RuntimeError where there is none."""
    rank = max(len(a), len(b))
    first, second = (1,) * (rank - len(a)) + tuple(a), (1,) * (rank - len(b)) + tuple(b)
    for dim, (x, y) in enumerate(zip(first, second)):
        if x != y and 1 not in (x, y):
            raise RuntimeError(
                f"The size of tensor a ({x}) must match the size of tensor b ({y}) at non-jagged dimension {dim}"
            )
    return tuple(y if x == 1 else x for x, y in zip(first, second))


def prod(xs: Sequence[Any]) -> Any:
    """The product of numbers; 1 of none."""
    return math.prod(xs)


def extract_shape_from_varargs(shape: Any, validate: bool = True) -> Any:
    """The sizes that a function was given one by one, or as one sequence."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = shape[0]
    if validate:
        validate_shape(shape)
    return shape


def extract_dims_from_varargs(dims: Any) -> Any:
    """The dims that a function was given one by one, or as one sequence."""
    return dims[0] if dims and isinstance(dims[0], Sequence) else dims


def is_cpu_scalar_tensor(a: object) -> bool:
    """Whether it is a tensor without dims on the CPU."""
    return isinstance(a, Tensor) and a.ndim == 0 and a.device.type == "cpu"


def _tensors(args: Sequence[Any], what: str, allow_cpu_scalar_tensors: bool) -> list[Tensor]:
    """The tensors that must have the same shape, dtype or device."""
    for arg in args:
        if not isinstance(arg, (*Number, Tensor)):
            raise RuntimeError(f"Unexpected type when checking for same {what}, {type(arg)}!")
    return [a for a in args if isinstance(a, Tensor) and not (allow_cpu_scalar_tensors and is_cpu_scalar_tensor(a))]


def _check_same(found: list[Any], message: str) -> None:
    for value in found[1:]:
        if value != found[0]:
            raise RuntimeError(message.format(value, found[0]))


def extract_shape(*args: Any, allow_cpu_scalar_tensors: bool) -> Any:
    """The shape that all tensors have; None where they differ. That of a tensor without dims where no other one is given."""
    shapes = {tuple(t.shape) for t in _tensors(args, "shape", allow_cpu_scalar_tensors)}
    if len(shapes) > 1:
        return None
    return Size(shapes.pop()) if shapes else next((a.shape for a in args if isinstance(a, Tensor)), None)


def check_same_shape(*args: Any, allow_cpu_scalar_tensors: bool) -> None:
    """Raises RuntimeError where tensors have other shapes than the first."""
    if len(args) < 2:
        return
    tensors = _tensors(args, "shape", allow_cpu_scalar_tensors)
    _check_same([t.shape for t in tensors], "Shape {} is not the expected shape {}!")


def check_same_dtype(*args: Any) -> None:
    """Raises RuntimeError where tensors have other dtypes than the first."""
    tensors = _tensors(args, "dtype", allow_cpu_scalar_tensors=False)
    _check_same([t.dtype for t in tensors], "Tensor with dtype {} is not the expected dtype of {}!")


def check_same_device(*args: Any, allow_cpu_scalar_tensors: bool) -> None:
    """Raises RuntimeError where tensors are on other devices than the first."""
    if len(args) < 2:
        return
    tensors = _tensors(args, "device", allow_cpu_scalar_tensors)
    _check_same([t.device for t in tensors], "Tensor on device {} is not on the expected device {}!")


def check_is_matrix(A: Tensor, f_name: str, arg_name: str = "A") -> None:
    """Raises RuntimeError for tensors of less than two dims."""
    _check(A.ndim >= 2, lambda: f"{f_name}: The input tensor {arg_name} must have at least 2 dimensions.")


def mask_tensor(mask: Tensor, t: Tensor) -> Tensor:
    """The tensor, and 0 where the mask is false."""
    return _C.where(mask, t, 0)


# ------------------------------------------------------------------------------------------------------------
# Strides


def make_contiguous_strides_for(shape: ShapeType, row_major: bool = True) -> tuple[int, ...]:
    """The strides of a contiguous tensor; without row_major those of matrices that lie column by column.

    >>> make_contiguous_strides_for((2, 3, 4)), make_contiguous_strides_for((2, 3, 4), row_major=False)
    ((12, 4, 1), (12, 1, 3))
    """
    validate_shape(shape)
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= builtins.max(size, 1)
    if not row_major and len(shape) > 1:
        strides[-2:] = 1, builtins.max(shape[-2], 1)
    return tuple(strides)


def _channels_last_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Channels, the dim before those of space, lie closest together."""
    batch = len(shape) - (len(shape) - 1 if len(shape) > 2 else len(shape))
    order = [*range(batch), *range(batch + 1, len(shape)), batch]
    strides, step = [0] * len(shape), 1
    for dim in reversed(order):
        strides[dim] = step
        step *= shape[dim] or 1
    return tuple(strides)


def make_channels_last_strides_for(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of memory_format=channels_last, or that of other ranks. Raises RuntimeError for ranks that have none."""
    if len(shape) not in (3, 4, 5):
        raise RuntimeError(f"no channels last format strides exist in {len(shape)} dimensions")
    return _channels_last_strides(shape)


def make_channels_last_1d_strides_for(shape: Sequence[int]) -> tuple[int, ...]:
    """make_channels_last_strides_for() shapes of three dims."""
    return make_channels_last_strides_for(shape)


def make_channels_last_2d_strides_for(shape: Sequence[int]) -> tuple[int, ...]:
    """make_channels_last_strides_for() shapes of four dims."""
    return make_channels_last_strides_for(shape)


def make_channels_last_3d_strides_for(shape: Sequence[int]) -> tuple[int, ...]:
    """make_channels_last_strides_for() shapes of five dims."""
    return make_channels_last_strides_for(shape)


def is_contiguous(a: Tensor, false_if_dde: bool = False) -> bool:
    """a.is_contiguous()."""
    return a.is_contiguous()


def is_channels_last_contiguous(a: Tensor) -> bool:
    """Whether it is contiguous in one of the formats that have channels last."""
    from . import _types

    formats = {4: _types.channels_last, 5: _types.channels_last_3d}
    return a.ndim in formats and a.is_contiguous(memory_format=formats[a.ndim])
