# pip: pytorch-minimize scipy
"""Minimisers in the style of SciPy, with derivatives from autograd."""

import torch
from torchmin import least_squares, minimize

start = torch.tensor([1.3, 0.7, 0.8], dtype=torch.float64)


def rosenbrock(x):
    return torch.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


for method in ("bfgs", "l-bfgs", "cg", "newton-cg", "newton-exact", "trust-exact", "dogleg"):
    try:
        result = minimize(rosenbrock, start, method=method)
        print(method, result.fun.item() < 1e-6, [round(v, 3) for v in result.x.tolist()])
    except RuntimeError as error:
        print(method, type(error).__name__)
fit = least_squares(lambda x: x**2 - torch.tensor([1.0, 4.0, 9.0], dtype=torch.float64), start)
print([round(v, 4) for v in fit.x.tolist()])
