# pip: geoopt scipy
"""The largest eigenvector as a minimum on the sphere, by Riemannian optimizers."""

import geoopt
import torch

torch.manual_seed(0)
a = torch.randn(5, 5, dtype=torch.float64)
a = a @ a.T
for make in (lambda p: geoopt.optim.RiemannianSGD(p, lr=1e-2), lambda p: geoopt.optim.RiemannianAdam(p, lr=1e-1)):
    x = geoopt.ManifoldParameter(torch.ones(5, dtype=torch.float64) / 5**0.5, manifold=geoopt.Sphere())
    optimizer = make([x])
    for _ in range(100):
        optimizer.zero_grad()
        loss = -(x @ a @ x)
        loss.backward()
        optimizer.step()
    print(loss.item())
