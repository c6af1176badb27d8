# pip: vector-quantize-pytorch einops einx torch-einops-utils frozendict
"""Vector quantisation with a codebook."""

import torch
from vector_quantize_pytorch import FSQ, VectorQuantize

torch.manual_seed(0)
quantize = VectorQuantize(dim=8, codebook_size=16, decay=0.8, commitment_weight=1.0)
x = torch.randn(1, 32, 8, requires_grad=True)
quantized, indices, loss = quantize(x)
(quantized.sum() + loss.sum()).backward()
print(indices.shape, torch.isfinite(loss).all().item(), x.grad.abs().sum().item() > 0)
print(FSQ([8, 5, 5])(torch.linspace(-2, 2, 24).reshape(1, 8, 3))[1].tolist())
