# pip: opacus
"""Training with differential privacy: gradients of each sample, clipped and blurred."""

import torch
from opacus import GradSampleModule

torch.manual_seed(0)
net = GradSampleModule(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)))
net(torch.randn(6, 4)).square().sum().backward()
print([(tuple(p.grad_sample.shape), p.grad_sample.abs().sum().item()) for p in net.parameters()])
