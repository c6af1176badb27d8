# pip: entmax
"""Sparse alternatives to softmax, and their gradients."""

import torch
from entmax import entmax15, entmax_bisect, sparsemax

torch.manual_seed(0)
for function in (sparsemax, entmax15, lambda x, dim: entmax_bisect(x, 1.3, dim)):
    x = torch.linspace(-1, 2, 12).reshape(2, 6).requires_grad_()
    p = function(x, dim=1)
    (p * p).sum().backward()
    print(p.tolist(), x.grad.tolist())
