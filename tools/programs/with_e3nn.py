# pip: e3nn opt-einsum opt-einsum-fx sympy mpmath scipy
"""Spherical harmonics and an equivariant linear layer."""

import torch
from e3nn import o3

torch.manual_seed(0)
x = torch.randn(5, 3)
print(o3.spherical_harmonics([0, 1, 2], x, normalize=True).sum().item())
print(o3.Linear("4x0e + 2x1o", "3x0e + 2x1o")(torch.ones(5, 10)).shape)
