# pip: linear-operator jaxtyping wadler-lindig
"""Structured matrices: products, solves and determinants without making them dense."""

import torch
from linear_operator import solve
from linear_operator.operators import DenseLinearOperator, DiagLinearOperator, KroneckerProductLinearOperator

torch.manual_seed(0)
a = torch.randn(4, 4, dtype=torch.float64)
a = DenseLinearOperator((a @ a.T + 4 * torch.eye(4, dtype=torch.float64)).requires_grad_())
d = DiagLinearOperator(torch.arange(1.0, 5.0, dtype=torch.float64))
total = a + d
right = torch.ones(4, 2, dtype=torch.float64)
print(total.to_dense().sum().item(), solve(total, right).tolist(), total.logdet().item())
k = KroneckerProductLinearOperator(a, DenseLinearOperator(torch.eye(2, dtype=torch.float64)))
print(k.shape, (k @ torch.ones(8, dtype=torch.float64)).tolist())
total.inv_quad(right).backward()
print(a.tensor.grad.sum().item())
