# pip: zuko
"""A neural spline flow, conditioned on a context."""

import torch
import zuko

torch.manual_seed(0)
flow = zuko.flows.NSF(features=2, context=1, transforms=2, hidden_features=(16, 16))
x, c = torch.randn(64, 2), torch.rand(64, 1)
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
for _ in range(10):
    optimizer.zero_grad()
    loss = -flow(c).log_prob(x + c).mean()
    loss.backward()
    optimizer.step()
print(loss.item(), flow(c[0]).sample((7,)).shape)
