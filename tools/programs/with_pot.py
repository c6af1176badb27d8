# pip: POT
"""Optimal transport between samples, exact and regularised, with gradients."""

import ot
import torch

torch.manual_seed(0)
x = torch.randn(30, 2, dtype=torch.float64, requires_grad=True)
y = torch.randn(20, 2, dtype=torch.float64) + 2
cost = ot.dist(x, y)
a, b = torch.full((30,), 1 / 30, dtype=torch.float64), torch.full((20,), 1 / 20, dtype=torch.float64)
values = {
    "emd": ot.emd2(a, b, cost),
    "sinkhorn": ot.sinkhorn2(a, b, cost, 1.0),
    "unbalanced": ot.unbalanced.sinkhorn_unbalanced2(a, b, cost, 1.0, 1.0),
    "sliced": ot.sliced_wasserstein_distance(x, y, n_projections=20, seed=0),
    "gromov": ot.gromov_wasserstein2(ot.dist(x, x), ot.dist(y, y), a, b),
}
for name, value in values.items():
    (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    print(name, value.item(), gradient.abs().sum().item())
