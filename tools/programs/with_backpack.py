# pip: backpack-for-pytorch einops unfoldNd
"""Gradients of each sample, and diagonal curvature, in one backward."""

import torch
from backpack import backpack, extend
from backpack.extensions import BatchGrad, DiagGGNExact, Variance

torch.manual_seed(0)
net = extend(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)))
loss = extend(torch.nn.CrossEntropyLoss())(net(torch.randn(8, 4)), torch.randint(3, (8,)))
with backpack(BatchGrad(), Variance(), DiagGGNExact()):
    loss.backward()
for p in net.parameters():
    print(p.grad_batch.abs().sum().item(), p.variance.sum().item(), p.diag_ggn_exact.sum().item())
