# pip: glasflow
"""A conditional RealNVP flow from glasflow (nflows for inference of gravitational waves)."""

import torch
from glasflow import CouplingNSF, RealNVP

torch.manual_seed(0)
x, context = torch.randn(64, 2) * 0.5 + 1, torch.randn(64, 1)
for flow in (
    RealNVP(n_inputs=2, n_transforms=3, n_conditional_inputs=1, n_neurons=8),
    CouplingNSF(n_inputs=2, n_transforms=2, n_conditional_inputs=1, n_neurons=8),
):
    optimizer = torch.optim.Adam(flow.parameters(), lr=0.01)
    for _ in range(4):
        loss = -flow.log_prob(x, conditional=context).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())
    print(flow.sample(3, conditional=context[:3]).shape)
