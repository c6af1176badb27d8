"""All dtypes: they look, compare and promote as torch's. Of some, which are names alone, no tensor is made."""

import copy
import io
import pickle

import numpy as np
import pytest

from support import ALL_DTYPES, Raised, both, collected, gradcore, needs_torch, outcome, outcome_difference, torch

FLOATS = ["float16", "bfloat16"]
COMPLEX = ["complex32", "complex64", "complex128"]
UNSIGNED = ["uint16", "uint32", "uint64"]
QUANTIZED = ["qint8", "quint8", "qint32", "quint4x2", "quint2x4"]
FLOAT8 = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]
NAMES = FLOATS + COMPLEX + UNSIGNED + QUANTIZED + FLOAT8
EVERY = [*ALL_DTYPES, *NAMES]


def shown(value):
    """An answer that both libraries can be compared by."""
    if isinstance(value, Raised):
        return type(value.error)
    return str(value) if type(value).__name__ == "dtype" else value


def differing(programs):
    """Compares what each program(lib) answers or which type of error it raises."""
    with collected() as failures:
        for label, program in programs.items():
            ours, theirs = (shown(outcome(program, lib)) for lib in (gradcore, torch))
            failures.add(label, None if ours == theirs else f"{ours}, not {theirs}")


@needs_torch
@pytest.mark.parametrize("name", EVERY)
def test_facts(name):
    facts = ["is_floating_point", "is_complex", "is_signed", "itemsize"]
    programs = {fact: lambda lib, fact=fact: getattr(getattr(lib, name), fact) for fact in facts}
    programs["repr"] = lambda lib: repr(getattr(lib, name))
    programs["to_real"] = lambda lib: getattr(lib, name).to_real()
    programs["to_complex"] = lambda lib: getattr(lib, name).to_complex()
    programs["finfo"] = lambda lib: repr(lib.finfo(getattr(lib, name)))
    programs["iinfo"] = lambda lib: repr(lib.iinfo(getattr(lib, name)))
    differing(programs)


@needs_torch
@pytest.mark.parametrize("name", EVERY)
def test_promotion_and_casts(name):
    programs = {}
    for other in EVERY:
        for function in ("promote_types", "can_cast"):
            programs[f"{function} {other}"] = lambda lib, function=function, other=other: getattr(lib, function)(
                getattr(lib, name), getattr(lib, other)
            )
    differing(programs)


@needs_torch
def test_result_type_of_complex_numbers():
    def program(lib):
        tensors = [lib.ones(2, dtype=getattr(lib, name)) for name in ("float32", "float64", "int64", "bool")]
        pairs = [*((tensor, 1j) for tensor in tensors), (1j, 2), (1j, 2.0), (2j, 1j), (tensors[0], 2)]
        return [str(lib.result_type(*pair)) for pair in pairs] + [str(lib.result_type(*pair[::-1])) for pair in pairs]

    assert program(gradcore) == program(torch)


def test_names_are_objects_that_programs_compare_and_store():
    assert gradcore.half is gradcore.float16 and gradcore.cfloat is gradcore.complex64
    assert gradcore.chalf is gradcore.complex32 and gradcore.cdouble is gradcore.complex128
    assert len({getattr(gradcore, name) for name in EVERY}) == len(EVERY)
    for name in NAMES:
        dtype = getattr(gradcore, name)
        assert isinstance(dtype, gradcore.dtype) and dtype != gradcore.float32 and dtype == copy.deepcopy(dtype)
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert gradcore.ones(1).dtype not in (dtype,)


REFUSED = {
    "zeros": lambda: gradcore.zeros(2, dtype=gradcore.complex32),
    "full": lambda: gradcore.full((2,), 1.0, dtype=gradcore.float8_e5m2),
    "ones_like": lambda: gradcore.ones_like(gradcore.ones(2), dtype=gradcore.complex64),
    "rand": lambda: gradcore.rand(2, dtype=gradcore.float8_e5m2),
    "dtype=complex": lambda: gradcore.zeros(2, dtype=complex),
    "full of a complex number": lambda: gradcore.full((2,), 1j),
    "tensor with a dtype": lambda: gradcore.tensor([1.0], dtype=gradcore.complex64),
    "tensor of a complex number": lambda: gradcore.tensor(1j),
    "tensor of complex numbers": lambda: gradcore.tensor([1.0, 2j]),
    "as_tensor of a complex number": lambda: gradcore.as_tensor(1j),
    "to": lambda: gradcore.ones(2).to(gradcore.complex64),
    "to with a device": lambda: gradcore.ones(2).to("cpu", gradcore.complex128),
    "type": lambda: gradcore.ones(2).type(gradcore.complex64),
    "cfloat": lambda: gradcore.ones(2).cfloat(),
    "cdouble": lambda: gradcore.ones(2).cdouble(),
    "chalf": lambda: gradcore.ones(2).chalf(),
    "view": lambda: gradcore.ones(2).view(gradcore.complex64),
    "sum": lambda: gradcore.ones(2).sum(dtype=gradcore.complex64),
    "complex": lambda: gradcore.complex(gradcore.ones(2), gradcore.ones(2)),
    "polar": lambda: gradcore.polar(gradcore.ones(2), gradcore.ones(2)),
    "view_as_complex": lambda: gradcore.view_as_complex(gradcore.ones(2)),
    "set_default_dtype": lambda: gradcore.set_default_dtype(gradcore.float8_e5m2),
    "x + 1j": lambda: gradcore.ones(2) + 1j,
    "1j * x": lambda: 1j * gradcore.ones(2),
    "add(x, 1j)": lambda: gradcore.add(gradcore.ones(2), 1j),
    "frombuffer": lambda: gradcore.frombuffer(bytearray(16), dtype=gradcore.complex64),
}


@pytest.mark.parametrize("program", REFUSED.values(), ids=REFUSED)
def test_no_tensor_is_made_of_one(program):
    with pytest.raises(NotImplementedError, match=r"\w+ \w+"):
        program()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_arrays_of_such_dtypes_are_refused(dtype):
    array = np.zeros(2, dtype)
    for make in (gradcore.from_numpy, gradcore.tensor, gradcore.as_tensor):
        with pytest.raises(NotImplementedError, match=f"torch.{dtype} is a name alone"):
            make(array)
    with pytest.raises(NotImplementedError, match=f"torch.{dtype} is a name alone"):
        gradcore.tensor(array[0])


@needs_torch
def test_files_with_such_tensors_are_refused():
    for dtype in (torch.complex64, torch.complex128):
        file = io.BytesIO()
        torch.save({"weight": torch.ones(2, dtype=dtype)}, file)
        for weights_only in (True, False):
            file.seek(0)
            with pytest.raises(NotImplementedError, match=str(dtype)):
                gradcore.load(file, weights_only=weights_only)


@needs_torch
def test_attributes_of_complex_tensors():
    def program(lib):
        x = lib.ones(2, 3, requires_grad=True)
        whole = x.real is x and lib.real(x) is x and x.conj() is x and x.resolve_conj() is x
        return whole, x.H, x.mH, lib.ones(2, 2, 3).mH, x.adjoint().grad_fn.name()

    assert not outcome_difference(outcome(program, gradcore), outcome(program, torch))
    for expression in ("x.imag", "x[0].H", "x[0].mH", "x[None].H", "lib.imag(x)"):
        ours, theirs = (outcome(eval, expression, {"x": lib.ones(2, 3), "lib": lib}) for lib in (gradcore, torch))
        assert isinstance(ours, Raised) and repr(ours) == repr(theirs), expression


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_powers_that_need_no_arithmetic(dtype):
    def program(lib):
        x = lib.tensor([0, 1, 7], dtype=getattr(lib, dtype))
        return x**0, x**1, 1**x, lib.pow(x, 0), x.clone().pow_(0), x.clone().pow_(1), lib.pow(x, 2.0)

    both(program)
    both(lambda lib: lib.tensor([1], dtype=getattr(lib, dtype)) ** 2, raises='"pow" not implemented for')


def test_running_sums_of_no_dims_or_elements_may_be_of_bools():
    both(lambda lib: [lib.cumsum(lib.tensor(3), 0, dtype=lib.bool), lib.cumprod(lib.ones(0, 2), 1, dtype=lib.bool)])


def test_bools_among_sizes():
    def program(lib):
        x = lib.arange(2.0)
        made = (
            lib.zeros((2, True)),
            lib.zeros(2, True),
            lib.full([2, True], 1.0),
            lib.empty_strided((2, True), (1, True)),
        )
        changed = (
            x.reshape((2, True)),
            x.reshape(2, True),
            x.repeat(2, True),
            x[None].sum((0, True)),
            x[None].flip(0, True),
        )
        return [t.shape for t in made], changed

    both(program)
