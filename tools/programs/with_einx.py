# pip: einx frozendict
"""Einstein notation for tensor operations."""

import einx
import torch

x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()
print(einx.sum("a [b] c", x).tolist())
print(einx.id("a (b c) d -> a b (c d)", x, b=3).shape, einx.id("a b c -> (c a) b", x)[:3].tolist())
y = einx.dot("a b c, c d -> a b d", x, torch.ones(4, 2))
print(y.sum().item(), einx.softmax("a b [c]", x)[0, 0].tolist())
y.square().sum().backward()
print(x.grad[0, 0].tolist(), einx.mean("a b [c]", x).tolist())
