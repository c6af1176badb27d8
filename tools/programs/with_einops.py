# pip: einops
"""A patch embedding with einops layers, trained for a few steps."""

import torch
from einops import rearrange, reduce, repeat
from einops.layers.torch import Rearrange, Reduce

torch.manual_seed(0)
net = torch.nn.Sequential(
    Rearrange("b c (h p) (w q) -> b (h w) (c p q)", p=4, q=4),
    torch.nn.Linear(48, 16),
    torch.nn.GELU(),
    Reduce("b t d -> b d", "mean"),
)
images = torch.randn(8, 3, 16, 16)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for _ in range(20):
    optimizer.zero_grad()
    loss = (net(images) - reduce(images, "b c h w -> b 1", "max")).square().mean()
    loss.backward()
    optimizer.step()
print(
    loss.item(),
    rearrange(images, "b c h w -> (b h) w c").shape,
    repeat(images, "b c h w -> b c h w r", r=2).sum().item(),
)
