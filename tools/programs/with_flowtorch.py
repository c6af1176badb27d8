# pip: flowtorch
"""A normalizing flow on bimodal data."""

import flowtorch.bijectors as bij
import flowtorch.distributions as dist
import flowtorch.parameters as params
import torch

torch.manual_seed(0)
base = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(2), torch.ones(2)), 1)
flow = dist.Flow(base, bij.AffineAutoregressive(params.DenseAutoregressive(hidden_dims=(8, 8))))
optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)
target = torch.randn(64, 2) * 0.5 + 5
for _ in range(5):
    loss = -flow.log_prob(target).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
print(flow.sample((3,)).shape)
