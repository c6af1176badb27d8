"""Tangents of gradients, against differences of gradients: torch takes saved factors for constants there."""

import numpy as np
import pytest

import gradcore

random = np.random.default_rng(0)
SQUARE = random.normal(size=(3, 3)) + 3 * np.eye(3)
SYMMETRIC = SQUARE @ SQUARE.T
RIGHT, WEIGHTS = random.normal(size=(3, 2)), random.normal(size=(3, 3))
TANGENT = random.normal(size=(3, 3))


def weighted(tensor):
    return (tensor * gradcore.tensor(WEIGHTS[: tensor.shape[0], : tensor.shape[1]])).sum()


def right():
    return gradcore.tensor(RIGHT)


GENERAL = {
    "solve": lambda x: weighted(gradcore.linalg.solve(x, right())),
    "solve for x too": lambda x: weighted(gradcore.linalg.solve(x, x * x)),
    "inv": lambda x: weighted(gradcore.linalg.inv(x)),
    "det": lambda x: gradcore.linalg.det(x) ** 2,
    "logdet": lambda x: gradcore.logdet(x @ x.T) ** 2,
    "slogdet": lambda x: gradcore.linalg.slogdet(x)[1] ** 2,
    "qr": lambda x: weighted(gradcore.linalg.qr(x)[0]),
    "solve_triangular": lambda x: weighted(gradcore.linalg.solve_triangular(x, right(), upper=True)),
    "layer_norm": lambda x: weighted(gradcore.nn.functional.layer_norm(x, [3], x[0] * 2, x[1] * x[2])),
    "rms_norm": lambda x: weighted(gradcore.nn.functional.rms_norm(x, [3], x[0] * 2)),
    "batch_norm": lambda x: weighted(gradcore.nn.functional.batch_norm(x, None, None, x[0] * 2, x[1] * x[2], True)),
    "group_norm": lambda x: weighted(gradcore.nn.functional.group_norm(x, 1, x[0] * 2, x[1] * x[2])),
    "instance_norm": lambda x: weighted(gradcore.nn.functional.instance_norm(x[None], None, None, x[0] * 2)[0]),
    "cross_entropy": lambda x: gradcore.nn.functional.cross_entropy(x, gradcore.tensor([2, 0, 1]), label_smoothing=0.2),
}
OF_SYMMETRIC = {
    "cholesky": lambda x: weighted(gradcore.linalg.cholesky(x)),
    "cholesky_solve": lambda x: weighted(gradcore.cholesky_solve(right(), gradcore.linalg.cholesky(x))),
    "cholesky_inverse": lambda x: weighted(gradcore.cholesky_inverse(gradcore.linalg.cholesky(x))),
    "eigvalsh": lambda x: (gradcore.linalg.eigvalsh(x) ** 3).sum(),
}


def gradient(function, point):
    x = gradcore.tensor(point, requires_grad=True)
    return gradcore.autograd.grad(function(x), x)[0].numpy()


def tangent_of_gradient(function, point, tangent):
    with gradcore.autograd.forward_ad.dual_level():
        x = gradcore.tensor(point, requires_grad=True)
        dual = gradcore.autograd.forward_ad.make_dual(x, gradcore.tensor(tangent))
        found = gradcore.autograd.grad(function(dual), x)[0]
        return gradcore.autograd.forward_ad.unpack_dual(found).tangent.detach().numpy()


@pytest.mark.parametrize("name", [*GENERAL, *OF_SYMMETRIC])
def test_tangents_of_gradients(name):
    function = {**GENERAL, **OF_SYMMETRIC}[name]
    point, tangent = (SQUARE, TANGENT) if name in GENERAL else (SYMMETRIC, TANGENT + TANGENT.T)
    step = 1e-6
    difference = gradient(function, point + step * tangent) - gradient(function, point - step * tangent)
    found = tangent_of_gradient(function, point, tangent)
    np.testing.assert_allclose(found, difference / (2 * step), rtol=1e-6, atol=1e-6)
