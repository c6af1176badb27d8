# pip: pytorch-crf
"""A conditional random field over sequences of several lengths: its loss, gradients and best paths."""

import torch
from torchcrf import CRF

torch.manual_seed(0)
crf = CRF(5)
scores = torch.randn(7, 3, 5, requires_grad=True)
tags = torch.randint(0, 5, (7, 3))
mask = torch.arange(7)[:, None] < torch.tensor([7, 5, 3])
optimizer = torch.optim.Adam([*crf.parameters(), scores], lr=1e-1)
for _ in range(5):
    optimizer.zero_grad()
    loss = -crf(scores, tags, mask=mask, reduction="token_mean")
    loss.backward()
    optimizer.step()
    print(loss.item(), scores.grad.abs().sum().item())
print(crf.decode(scores, mask))
