"""gradcore.array_api: the namespace's names, recognition by array-api-compat, and where it differs from gradcore's own functions.

The standard's own suite is run by tools/array_api_tests.py; it takes minutes.
"""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import gradcore
from gradcore import array_api as xp

# Of the standard, version 2024.12, but the extension fft and what is complex.
NAMES = """
    abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
    bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor bool broadcast_arrays broadcast_to can_cast
    ceil clip concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide e empty empty_like equal
    exp expand_dims expm1 eye finfo flip float32 float64 floor floor_divide from_dlpack full full_like greater greater_equal
    hypot iinfo imag inf int16 int32 int64 int8 isdtype isfinite isinf isnan less less_equal linalg linspace log log10 log1p
    log2 logaddexp logical_and logical_not logical_or logical_xor matmul matrix_transpose max maximum mean meshgrid min
    minimum moveaxis multiply nan negative newaxis nextafter nonzero not_equal ones ones_like permute_dims pi positive pow
    prod real reciprocal remainder repeat reshape result_type roll round searchsorted sign signbit sin sinh sort sqrt square
    squeeze stack std subtract sum take take_along_axis tan tanh tensordot tile tril triu trunc uint8 unique_all
    unique_counts unique_inverse unique_values unstack var vecdot where zeros zeros_like __array_api_version__
    __array_namespace_info__
"""


def test_names():
    assert not [name for name in NAMES.split() if not hasattr(xp, name)]
    assert all(xp.__dict__[name].__doc__ for name in NAMES.split() if callable(xp.__dict__[name]))


def test_the_method_that_gives_the_namespace():
    x = gradcore.ones(2)
    assert x.__array_namespace__() is xp and x.__array_namespace__(api_version="2023.12") is xp
    with pytest.raises(ValueError, match="2030"):
        x.__array_namespace__(api_version="2030.12")
    assert x.to_device("cpu") is x


def test_numbers_give_way_and_arrays_of_no_dims_do_not():
    small, large = xp.asarray([1.0], dtype=xp.float32), xp.asarray(2.0, dtype=xp.float64)
    assert xp.add(small, large).dtype == xp.float64 and (small + large).dtype == gradcore.float32
    assert xp.add(small, 2.0).dtype == xp.float32 and xp.multiply(2, small).dtype == xp.float32
    assert xp.result_type(xp.int8, xp.asarray(3, dtype=xp.int32), 5) == xp.int32
    assert xp.concat([small, large[None]]).dtype == xp.float64
    with pytest.raises(ValueError, match="needs an array"):
        xp.result_type(1.0)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "all", "any", "mean", "std", "var"])
def test_axes(name, keepdims, axis):
    array = np.arange(24.0).reshape(2, 3, 4) - 7
    ours = getattr(xp, name)(xp.asarray(array), axis=axis, keepdims=keepdims)
    theirs = getattr(np, name)(array, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12)


def test_what_differs_from_torch():
    inf, nan = float("inf"), float("nan")
    assert xp.floor_divide(xp.asarray([inf, -inf]), xp.asarray([2.0, 2.0])).tolist() == [inf, -inf]
    assert np.isnan(xp.sign(xp.asarray([nan])).item()) and xp.sign(xp.asarray([-3.0])).item() == -1
    assert np.signbit(xp.remainder(xp.asarray([0.0]), xp.asarray([-1.0])).numpy()).all()
    assert xp.sort(xp.asarray([2, 1])).tolist() == [1, 2] and isinstance(xp.meshgrid(xp.ones(2), xp.ones(3)), list)
    values, indices, inverse, counts = xp.unique_all(xp.asarray([3, 1, 3]))
    assert (values.tolist(), indices.tolist(), inverse.tolist(), counts.tolist()) == ([1, 3], [1, 0], [1, 0, 1], [1, 2])
    assert xp.take(xp.asarray([[1, 2], [3, 4]]), xp.asarray([[-1]]), axis=1).tolist() == [[[2]], [[4]]]
    with pytest.raises(ValueError, match="more than one"):
        xp.squeeze(xp.ones((2, 3)), 0)
    with pytest.raises(ValueError):
        xp.reshape(xp.matrix_transpose(xp.ones((2, 3))), (6,), copy=False)


def test_it_is_recorded():
    x = gradcore.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.multiply(x, xp.square(x))).backward()
    assert x.grad.tolist() == [3.0, 12.0]


def test_inspection():
    info = xp.__array_namespace_info__()
    assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
    assert info.default_dtypes()["integral"] == xp.int64 and info.devices() == [info.default_device()]
    assert xp.isdtype(xp.int8, "integral") and not xp.isdtype(xp.bool, "numeric")
    assert xp.can_cast(xp.int8, xp.float32) and not xp.can_cast(xp.float32, xp.int8)
    assert xp.finfo(xp.float32).bits == 32 and xp.iinfo(xp.uint8).max == 255


OUTSIDE = """
    import gradcore, array_api_compat
    assert array_api_compat.array_namespace(gradcore.ones(1)) is gradcore.array_api
"""
INSIDE = """
    import gradcore, array_api_compat
    gradcore.as_torch()
    import torch
    x = torch.ones(2, 3)
    assert array_api_compat.is_torch_array(x)
    xp = array_api_compat.array_namespace(x)
    assert xp.__name__ == "array_api_compat.torch", xp
    assert xp.sum(x, axis=1).tolist() == [3.0, 3.0] and xp.permute_dims(x, (1, 0)).shape == (3, 2)
    assert array_api_compat.size(x) == 6
"""


@pytest.mark.parametrize("program", [OUTSIDE, INSIDE], ids=["by its method", "as torch in the proxy"])
def test_array_api_compat_finds_it(program):
    pytest.importorskip("array_api_compat")
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
