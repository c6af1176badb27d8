# pip: tntorch
"""Tensor trains: compressed arithmetic, decompositions, and a fit by gradients."""

import tntorch as tn
import torch

torch.manual_seed(0)
x = torch.arange(60.0, dtype=torch.float64).reshape(3, 4, 5)
t = tn.Tensor(x, ranks_tt=3)
print(t.shape, t.ranks_tt.tolist(), (t.torch() - x).abs().max().item() < 1e-8)
print(tn.sum(t).item(), tn.mean(t).item(), tn.dist(t, 2 * t).item())
p = tn.rand([4, 4, 4], ranks_tt=2, requires_grad=True)
loss = tn.relative_error(torch.ones(4, 4, 4), p)
loss.backward()
print([core.grad.shape for core in p.cores])
