# pip: curvlinops-for-pytorch einconv linear-operator jaxtyping wadler-lindig einops
"""Products with the Hessian, the Gauss-Newton matrix and its Kronecker factors, without making them."""

import torch
from curvlinops import GGNLinearOperator, HessianLinearOperator, KFACLinearOperator
from torch import nn

torch.manual_seed(0)
model, loss = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), nn.MSELoss()
data = [(torch.randn(10, 3), torch.randn(10, 2))]
for kind in (HessianLinearOperator, GGNLinearOperator, KFACLinearOperator):
    operator = kind(model, loss, list(model.parameters()), data)
    product = operator @ torch.ones(operator.shape[1])
    print(kind.__name__, product.sum().item())
