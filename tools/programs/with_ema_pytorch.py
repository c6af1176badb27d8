# pip: ema-pytorch
"""An exponential moving average of a model."""

import torch
from ema_pytorch import EMA

torch.manual_seed(0)
net = torch.nn.Linear(4, 4)
ema = EMA(net, beta=0.9, update_after_step=2, update_every=1)
for _ in range(10):
    with torch.no_grad():
        net.weight.add_(0.1)
    ema.update()
print(ema(torch.ones(1, 4)).sum().item())
