"""Derivatives that are linear recurrences: of cumprod at zeros, by central differences and against each other."""

import numpy as np
import pytest

import support
from gradcore.autograd import forward_ad
from support import gradcore

INPUT = np.array([0.7, -1.3, 0.0, 2.0, 1.1, -0.4, 0.0, 0.9, 1.5])
COTANGENT, TANGENT = np.linspace(-1, 1, 9), np.linspace(0.3, 1.1, 9)


def gradient(op, x):
    (found,) = gradcore.autograd.grad(op(x, 0), x, gradcore.from_numpy(COTANGENT), create_graph=True)
    return found


@pytest.mark.parametrize("op", [gradcore.cumprod, gradcore.logcumsumexp])
def test_second_derivatives(op):
    assert not support.numeric_gradient_error(lambda x: [op(x, 0)], [INPUT])
    assert not support.numeric_gradient_error(lambda x: [gradient(op, x)], [INPUT], tolerance=1e-5)
    x = gradcore.from_numpy(INPUT.copy()).requires_grad_()
    (backward,) = gradcore.autograd.grad(gradient(op, x), x, gradcore.from_numpy(TANGENT))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, gradcore.from_numpy(TANGENT))
        forward = forward_ad.unpack_dual(gradient(op, dual)).tangent
    np.testing.assert_allclose(forward.detach().numpy(), backward.numpy(), atol=1e-12)


@pytest.mark.parametrize("columns", [2, 3, 4, 5])
@pytest.mark.parametrize("rows", [50, 1_001, 30_011])
def test_few_long_columns(columns, rows):
    """They are scanned side by side, and where they are long in several bands."""
    data = 1 + 1e-3 * np.random.default_rng(3).standard_normal((2, rows, columns))
    x = gradcore.from_numpy(data)
    np.testing.assert_allclose(x.cumsum(1).numpy(), data.cumsum(1), rtol=1e-13)
    np.testing.assert_allclose(x.cumprod(1).numpy(), data.cumprod(1), rtol=1e-12)
    whole = (1000 * data).astype("int64")
    np.testing.assert_array_equal(gradcore.from_numpy(whole).cumsum(1).numpy(), whole.cumsum(1))
