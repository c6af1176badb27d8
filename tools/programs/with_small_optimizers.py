# pip: lion-pytorch prodigyopt dadaptation schedulefree torch-ema typing-extensions
"""Lion, Prodigy, D-Adaptation, schedule-free Adam and moving averages of parameters."""

import torch
from dadaptation import DAdaptAdam
from lion_pytorch import Lion
from prodigyopt import Prodigy
from schedulefree import AdamWScheduleFree
from torch_ema import ExponentialMovingAverage

for make in (Lion, Prodigy, DAdaptAdam, AdamWScheduleFree):
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    optimizer = make(net.parameters(), lr=1.0 if make in (Prodigy, DAdaptAdam) else 1e-2)
    average = ExponentialMovingAverage(net.parameters(), decay=0.9)
    if make is AdamWScheduleFree:
        optimizer.train()
    x = torch.randn(32, 4)
    for _ in range(20):
        optimizer.zero_grad()
        loss = (net(x) - x.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        average.update()
    with average.average_parameters():
        print(make.__name__, loss.item(), net.weight.sum().item())
