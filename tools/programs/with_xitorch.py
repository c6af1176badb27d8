# pip: xitorch scipy
"""Root finding and minimisation with gradients through the solution."""

import torch
from xitorch.optimize import minimize, rootfinder

a = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
x = rootfinder(lambda x, a: x * x - a, torch.ones(2, dtype=torch.float64), params=(a,))
x.sum().backward()
print(x.tolist(), a.grad.tolist())
print(
    minimize(
        lambda x, a: ((x - a) ** 2).sum(),
        torch.zeros(2, dtype=torch.float64),
        params=(a.detach(),),
        method="gd",
        step=0.1,
    ).tolist()
)
