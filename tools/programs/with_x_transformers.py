# pip: x-transformers einops einx loguru torch-einops-utils frozendict packaging
"""A small decoder, trained for two steps."""

import torch
from x_transformers import AutoregressiveWrapper, Decoder, TransformerWrapper

torch.manual_seed(0)
model = AutoregressiveWrapper(
    TransformerWrapper(num_tokens=32, max_seq_len=32, attn_layers=Decoder(dim=32, depth=2, heads=2))
)
x = torch.randint(0, 32, (2, 32))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(2):
    optimizer.zero_grad()
    loss = model(x)
    loss.backward()
    optimizer.step()
print(loss.item())
