# pip: rotary-embedding-torch einops
"""Rotary position embeddings."""

import torch
from rotary_embedding_torch import RotaryEmbedding

torch.manual_seed(0)
rotary = RotaryEmbedding(dim=8)
q, k = (rotary.rotate_queries_or_keys(torch.randn(1, 2, 16, 16)) for _ in range(2))
print((q @ k.transpose(-1, -2)).softmax(-1).diagonal(dim1=-2, dim2=-1).sum().item())
