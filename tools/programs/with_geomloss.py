# pip: geomloss
"""Distances between clouds of points, by Sinkhorn's algorithm and by kernels."""

import torch
from geomloss import SamplesLoss

torch.manual_seed(0)
x, y = torch.randn(50, 2, requires_grad=True), torch.randn(40, 2) + 1
for loss in ("sinkhorn", "gaussian", "laplacian", "energy"):
    distance = SamplesLoss(loss=loss, p=2, blur=0.05, backend="tensorized")(x, y)
    (gradient,) = torch.autograd.grad(distance, x)
    print(loss, distance.item(), gradient.abs().sum().item())
