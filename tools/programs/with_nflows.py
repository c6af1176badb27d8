# pip: nflows matplotlib tensorboard tqdm
"""A masked autoregressive flow."""

import torch
from nflows.distributions.normal import StandardNormal
from nflows.flows.base import Flow
from nflows.transforms.autoregressive import MaskedAffineAutoregressiveTransform
from nflows.transforms.base import CompositeTransform
from nflows.transforms.permutations import ReversePermutation

torch.manual_seed(0)
steps = []
for _ in range(3):
    steps += [ReversePermutation(features=2), MaskedAffineAutoregressiveTransform(features=2, hidden_features=8)]
flow = Flow(CompositeTransform(steps), StandardNormal(shape=[2]))
x = torch.randn(64, 2) * 0.5 + 1
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
for _ in range(20):
    optimizer.zero_grad()
    loss = -flow.log_prob(inputs=x).mean()
    loss.backward()
    optimizer.step()
print(loss.item())
