# pip: torchopt optree graphviz typing-extensions
"""Functional optimizers."""

import torch
import torchopt

torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
optimizer = torchopt.Adam(net.parameters(), lr=1e-2)
x = torch.randn(32, 4)
for _ in range(10):
    loss = (net(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
