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
