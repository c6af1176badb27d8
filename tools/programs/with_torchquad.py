# pip: torchquad autoray loguru
"""Numerical integration on a grid and by Monte Carlo, with gradients."""

import torch
from torchquad import MonteCarlo, Simpson, Trapezoid, set_up_backend

set_up_backend("torch", data_type="float64")
domain = torch.tensor([[0.0, 1.0], [-1.0, 2.0]], requires_grad=True)
for rule in (Simpson(), Trapezoid()):
    value = rule.integrate(lambda x: x[:, 0].sin() + x[:, 1].exp(), dim=2, N=1681, integration_domain=domain)
    (gradient,) = torch.autograd.grad(value, domain)
    print(value.item(), gradient.tolist())
print(MonteCarlo().integrate(lambda x: x[:, 0] ** 2, dim=1, N=2000, integration_domain=[[0.0, 1.0]], seed=1).item())
