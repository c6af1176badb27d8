# pip: torchcfm POT torchdiffeq
"""Conditional flow matching: a velocity field that carries noise to two points."""

import torch
from torchcfm.conditional_flow_matching import ConditionalFlowMatcher, TargetConditionalFlowMatcher

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.SELU(), torch.nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for matcher in (ConditionalFlowMatcher(sigma=0.1), TargetConditionalFlowMatcher(sigma=0.1)):
    for _ in range(5):
        x1 = torch.randint(0, 2, (32, 1)).float() * 4 - 2 + 0.1 * torch.randn(32, 2)
        t, xt, ut = matcher.sample_location_and_conditional_flow(torch.randn(32, 2), x1)
        loss = (net(torch.cat([xt, t[:, None]], dim=1)) - ut).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())
