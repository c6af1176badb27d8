# pip: ncps packaging
"""Liquid networks on a sine wave."""

import torch
from ncps.torch import LTC, CfC
from ncps.wirings import AutoNCP

x = torch.stack([torch.sin(torch.linspace(0, 9, 24)), torch.cos(torch.linspace(0, 9, 24))], 1)[None]
for make in (lambda: LTC(2, AutoNCP(8, 1)), lambda: CfC(2, AutoNCP(8, 1))):
    torch.manual_seed(0)
    net = make()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(3):
        optimizer.zero_grad()
        loss = (net(x)[0] - torch.sin(2 * x[..., :1])).square().mean()
        loss.backward()
        optimizer.step()
    print(torch.isfinite(loss).item(), loss.item())
