# pip: linformer local-attention performer-pytorch reformer-pytorch product-key-memory axial-positional-embedding einops hyper-connections torch-einops-utils colt5-attention
"""Attention in linear time: local, Linformer, Performer and Reformer."""

import torch
from linformer import LinformerLM
from local_attention import LocalAttention
from performer_pytorch import PerformerLM
from reformer_pytorch import ReformerLM

torch.manual_seed(0)
q, k, v = (torch.randn(1, 2, 32, 8) for _ in range(3))
print(LocalAttention(dim=8, window_size=8, causal=True)(q, k, v).square().sum().item())
tokens = torch.randint(0, 16, (1, 32))
for make in (
    lambda: LinformerLM(num_tokens=16, dim=16, seq_len=32, depth=1, heads=2, k=8),
    lambda: PerformerLM(num_tokens=16, dim=16, max_seq_len=32, depth=1, heads=2, dim_head=8, causal=False),
    lambda: ReformerLM(num_tokens=16, dim=16, max_seq_len=32, depth=1, heads=2, bucket_size=8, n_hashes=2),
):
    model = make()
    out = model(tokens)
    out.square().mean().backward()
    print(type(model).__name__, out.shape, sum(p.grad is not None for p in model.parameters()))
