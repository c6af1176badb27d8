# pip: tensorly scipy
"""Decompositions of a tensor with the torch backend."""

import tensorly as tl
import torch
from tensorly.decomposition import parafac, tucker

tl.set_backend("pytorch")
torch.manual_seed(0)
x = torch.randn(4, 5, 6, dtype=torch.float64)
core, factors = tucker(x, rank=[2, 2, 2], random_state=0)
print(type(core).__module__.split(".")[0], tl.norm(tl.tucker_to_tensor((core, factors))).item())
print(tl.norm(tl.cp_to_tensor(parafac(x, rank=3, random_state=0, n_iter_max=20))).item())
