# pip: geotorch
"""A recurrent matrix that stays orthogonal while it is trained."""

import geotorch
import torch

torch.manual_seed(0)
layer = torch.nn.Linear(4, 4, bias=False)
geotorch.orthogonal(layer, "weight")
target = torch.linalg.qr(torch.randn(4, 4))[0]
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
for _ in range(50):
    optimizer.zero_grad()
    loss = (layer.weight - target).square().sum()
    loss.backward()
    optimizer.step()
w = layer.weight
print(torch.allclose(w @ w.T, torch.eye(4), atol=1e-5), loss.item() <= 8.01)
