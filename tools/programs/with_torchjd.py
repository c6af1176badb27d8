# pip: torchjd quadprog qpsolvers
"""Jacobian descent: several losses at once, without a weighted sum of them."""

import torch
from torchjd.aggregation import IMTLG, MGDA, Mean
from torchjd.autojac import backward, jac_to_grad

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
x, target = torch.randn(8, 3), torch.randn(8, 2)
for aggregator in (Mean(), MGDA(), IMTLG()):
    net.zero_grad()
    losses = (net(x) - target).square().mean(0)
    backward(losses)
    jac_to_grad(net.parameters(), aggregator)
    print(losses.tolist(), [p.grad.sum().item() for p in net.parameters()])
