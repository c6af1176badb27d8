# pip: pytorch-optimizer
"""Optimizers that torch does not have, on a small regression."""

import pytorch_optimizer
import torch

for name in ("adabelief", "radam", "lamb", "lion", "novograd", "adan", "sophiah", "ranger21"):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    options = {"num_iterations": 30} if name == "ranger21" else {}
    optimizer = pytorch_optimizer.load_optimizer(name)(net.parameters(), lr=1e-2, **options)
    x = torch.randn(32, 4)
    for _ in range(30):
        optimizer.zero_grad()
        loss = (net(x) - x.sum(1, keepdim=True)).square().mean()
        loss.backward(create_graph=name == "sophiah")
        optimizer.step()
    print(name, loss.item())
