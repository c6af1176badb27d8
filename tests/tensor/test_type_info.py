"""finfo and iinfo."""

import pytest

from support import FLOATS, INTS, gradcore, libraries, needs_torch, torch


def test_known_values():
    for lib in libraries():
        assert lib.finfo(lib.float32).eps == 2.0**-23
        assert lib.finfo(lib.float64).max == 1.7976931348623157e308
        assert lib.finfo(lib.float32).tiny == lib.finfo(lib.float32).smallest_normal == 2.0**-126
        assert lib.iinfo(lib.uint8).max == 255
        assert lib.iinfo(lib.int64).min == -(2**63)
        assert repr(lib.iinfo(lib.int8)) == "iinfo(min=-128, max=127, dtype=int8)"


def test_default_dtype():
    for lib in libraries():
        for name in FLOATS[::-1]:
            lib.set_default_dtype(getattr(lib, name))
            assert lib.finfo().dtype == name


def facts(info):
    names = [name for name in dir(info) if not name.startswith("_")]
    return {name: (type(getattr(info, name)), getattr(info, name)) for name in names} | {"repr": repr(info)}


@needs_torch
@pytest.mark.parametrize("name", [*FLOATS, *INTS])
def test_as_in_torch(name):
    ours, theirs = ((lib.finfo if name in FLOATS else lib.iinfo)(getattr(lib, name)) for lib in (gradcore, torch))
    assert facts(ours) == facts(theirs)


def test_equality():
    for lib in libraries():
        assert lib.finfo(lib.float32) == lib.finfo()
        assert lib.finfo(lib.float32) != lib.finfo(lib.float64)
        assert lib.iinfo(lib.int8) != lib.iinfo(lib.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda g: g.finfo(g.int32),
        lambda g: g.finfo(g.bool),
        lambda g: g.finfo(None),
        lambda g: g.finfo("float32"),
        lambda g: g.iinfo(),
        lambda g: g.iinfo(g.float32),
        lambda g: g.iinfo(g.bool),
        lambda g: g.iinfo(8),
        lambda g: hash(g.finfo()),
    ],
)
def test_type_errors(call):
    for lib in libraries():
        with pytest.raises(TypeError):
            call(lib)


def test_attributes_cannot_be_set():
    for lib in libraries():
        for name in ("bits", "other"):
            with pytest.raises(AttributeError):
                setattr(lib.finfo(), name, 1)
