# pip: torch-optimizer pytorch-ranger
"""Optimizers of the package torch-optimizer, on Rosenbrock's function."""

import torch
import torch_optimizer

for name in ("DiffGrad", "Yogi", "AdaMod", "QHAdam", "AccSGD", "Lamb", "NovoGrad", "SWATS"):
    p = torch.tensor([-1.0, 2.0], requires_grad=True)
    optimizer = getattr(torch_optimizer, name)([p], lr=1e-3)
    for _ in range(50):
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p], 1.0)
        optimizer.step()
    print(name, loss.item())
