# pip: torch-struct
"""Distributions over sequences and trees: their normalisers, marginals and best members."""

import torch
from torch_struct import LinearChainCRF, NonProjectiveDependencyCRF, TreeCRF

torch.manual_seed(0)
chain = LinearChainCRF(torch.randn(2, 5, 3, 3))
print(chain.partition.tolist(), chain.argmax.sum().item(), chain.marginals.sum().item(), chain.entropy.tolist())
arcs = NonProjectiveDependencyCRF(torch.randn(2, 4, 4))
print(arcs.partition.tolist(), arcs.marginals.sum().item())
trees = TreeCRF(torch.randn(2, 4, 4, 3))
print(trees.partition.tolist(), trees.max.tolist())
