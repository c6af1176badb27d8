# pip: higher
"""Gradients of a loss after several steps of an inner optimizer."""

import higher
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
x = torch.randn(16, 3)
with higher.innerloop_ctx(net, torch.optim.SGD(net.parameters(), lr=0.1)) as (inner, steps):
    for _ in range(3):
        steps.step((inner(x) - x[:, :1]).square().mean())
    loss = (inner(x) - x[:, 1:2]).square().mean()
    gradients = torch.autograd.grad(loss, list(inner.parameters(time=0)))
print(loss.item(), [g.abs().sum().item() for g in gradients])
